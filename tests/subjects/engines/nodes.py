"""A graph of nodes, differentiated by building more of it, and an executor that is fed by a dictionary."""

import numpy as np


class Node:
    """What `compute` makes of the arrays of `inputs`; `rule` makes nodes of the gradient of this one."""

    def __init__(self, compute=None, inputs=(), rule=None):
        self.compute, self.inputs, self.rule = compute, inputs, rule

    def __add__(self, other):
        return binary(np.add, self, other, lambda g, a, b: (g, g))

    def __sub__(self, other):
        return binary(np.subtract, self, other, lambda g, a, b: (g, -g))

    def __mul__(self, other):
        return binary(np.multiply, self, other, lambda g, a, b: (g * b, g * a))

    def __truediv__(self, other):
        return binary(np.divide, self, other, lambda g, a, b: (g / b, -g * a / (b * b)))

    def __matmul__(self, other):
        return binary(np.matmul, self, other, lambda g, a, b: (g @ swap(b), swap(a) @ g))

    def __neg__(self):
        return self * -1.0

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return -self + other

    def __rtruediv__(self, other):
        return constant(other) / self


def placeholder(name):
    return Node()


def constant(value):
    return Node(lambda: value)


def binary(compute, a, b, rule):
    a, b = (each if isinstance(each, Node) else constant(each) for each in (a, b))

    def reduced(g):
        return [sum_to(part, each) for part, each in zip(rule(g, a, b), (a, b), strict=True)]

    return Node(compute, (a, b), reduced)


def sum_to(part, like):
    """`part` summed over what broadcasting repeated of `like`."""

    def compute(part, like):
        part = part.sum(axis=tuple(range(part.ndim - np.ndim(like))))
        ones = tuple(axis for axis, size in enumerate(np.shape(like)) if size < part.shape[axis])
        return part.sum(axis=ones, keepdims=True)

    return Node(compute, (part, like))


def swap(a):
    return Node(lambda a: a.swapaxes(-1, -2), (a,))


def exp(a):
    return Node(np.exp, (a,), lambda g: [g * exp(a)])


def tanh(a):
    return Node(np.tanh, (a,), lambda g: [g * (1.0 - tanh(a) * tanh(a))])


def reduce_sum(a, axis=None, keepdims=False):
    def spread(g, a):
        g = g if keepdims or axis is None else np.expand_dims(g, axis)
        return np.broadcast_to(g, a.shape)

    return Node(lambda a: a.sum(axis, keepdims=keepdims), (a,), lambda g: [Node(spread, (g, a))])


def sorted_to(targets):
    """All nodes that `targets` need, each behind its inputs."""
    order = {}

    def visit(node):
        if node not in order:
            for each in node.inputs:
                visit(each)
            order[node] = None

    for node in targets:
        visit(node)
    return list(order)


def total(parts):
    return parts[0] if len(parts) == 1 else total(parts[:-1]) + parts[-1]


def gradients(y, xs, total=total):
    arrived = {y: [Node(np.ones_like, (y,))]}
    for node in reversed(sorted_to([y])):
        if node in arrived and node.rule is not None:
            for each, part in zip(node.inputs, node.rule(total(arrived[node])), strict=True):
                arrived.setdefault(each, []).append(part)
    return [total(arrived[x]) if x in arrived else None for x in xs]


class Executor:
    def __init__(self, nodes):
        self.nodes = nodes

    def run(self, feed):
        values = dict(feed)
        for node in sorted_to(self.nodes):
            if node not in values:
                values[node] = node.compute(*[values[each] for each in node.inputs])
        return [values[node] for node in self.nodes]
