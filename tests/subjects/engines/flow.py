"""Values whose gradients flow back through a queue: a value hands on what it has when all its readers have spoken."""

from collections import Counter, deque

import numpy as np


class Value:
    def __init__(self, array, parents=(), rule=None):
        self.array, self.parents, self.rule = np.asarray(array), parents, rule

    def __add__(self, other):
        return binary(np.add, self, other, lambda g, a, b: (g, g))

    def __sub__(self, other):
        return binary(np.subtract, self, other, lambda g, a, b: (g, -g))

    def __mul__(self, other):
        return binary(np.multiply, self, other, lambda g, a, b: (g * b, g * a))

    def __matmul__(self, other):
        return binary(np.matmul, self, other, lambda g, a, b: (g @ b.swapaxes(-1, -2), a.swapaxes(-1, -2) @ g))

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return self * -1.0 + other


def binary(compute, a, b, rule):
    b = b if isinstance(b, Value) else Value(np.asarray(b, a.array.dtype))
    return Value(compute(a.array, b.array), (a, b), lambda g: rule(g, a.array, b.array))


def tanh(a):
    return Value(np.tanh(a.array), (a,), lambda g: [g * (1 - np.tanh(a.array) ** 2)])


def unbroadcast(g, shape):
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    return g.sum(axis=tuple(axis for axis, size in enumerate(shape) if size < g.shape[axis]), keepdims=True)


def readers(target):
    """How many readers each value has on the way to `target`."""
    counts, waiting, seen = Counter(), [target], {target}
    while waiting:
        for parent in waiting.pop().parents:
            counts[parent] += 1
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return counts


def gradients(target, sources, cotangent):
    grads = {target: np.ones_like(target.array) if cotangent is None else cotangent.array}
    missing, queue = readers(target), deque([target])
    while queue:
        value = queue.popleft()
        if value.rule is None:
            continue
        for parent, part in zip(value.parents, value.rule(grads[value]), strict=True):
            part = unbroadcast(part, parent.array.shape)
            grads[parent] = grads[parent] + part if parent in grads else part
            missing[parent] -= 1
            if not missing[parent]:
                queue.append(parent)
    return [grads.get(source) for source in sources]
