"""A tensor class with a closure for every operation and a topological `backward()`."""

import numpy as np


class Tensor:
    def __init__(self, data, parents=()):
        self.data = np.asarray(data)
        self.grad = None
        self.parents = parents
        self._backward = lambda grad: None

    def make(self, data, parents, backward):
        out = type(self)(data, parents)
        out._backward = backward
        return out

    def lift(self, other):
        return other if isinstance(other, Tensor) else type(self)(np.asarray(other, self.data.dtype))

    def receive(self, grad):
        grad = self.unbroadcast(grad)
        self.grad = grad if self.grad is None else self.grad + grad

    def unbroadcast(self, grad):
        """Sum over the axes along which this tensor was repeated."""
        grad = grad.sum(axis=tuple(range(grad.ndim - self.data.ndim)))
        repeated = tuple(axis for axis, size in enumerate(self.data.shape) if size < grad.shape[axis])
        return grad.sum(axis=repeated, keepdims=True)

    def backward(self):
        order, seen = [], set()

        def visit(tensor):
            if tensor not in seen:
                seen.add(tensor)
                for parent in tensor.parents:
                    visit(parent)
                order.append(tensor)

        visit(self)
        self.grad = np.ones_like(self.data)
        for tensor in reversed(order):
            if tensor.grad is not None:
                tensor._backward(tensor.grad)

    def __add__(self, other):
        other = self.lift(other)

        def backward(grad):
            self.receive(grad)
            other.receive(grad)

        return self.make(self.data + other.data, (self, other), backward)

    def __mul__(self, other):
        other = self.lift(other)

        def backward(grad):
            self.receive(grad * np.conj(other.data))
            other.receive(grad * np.conj(self.data))

        return self.make(self.data * other.data, (self, other), backward)

    def __pow__(self, exponent):
        if isinstance(exponent, Tensor):
            raise NotImplementedError("the exponent must be a number")

        def backward(grad):
            self.receive(grad * np.conj(exponent * self.data ** (exponent - 1)) if exponent else grad * 0)

        return self.make(self.data**exponent, (self,), backward)

    def __matmul__(self, other):
        def backward(grad):
            self.receive(grad @ np.conj(other.data.swapaxes(-1, -2)))
            other.receive(np.conj(self.data.swapaxes(-1, -2)) @ grad)

        return self.make(self.data @ other.data, (self, other), backward)

    def __getitem__(self, key):
        def backward(grad):
            full = np.zeros_like(self.data)
            full[key] = grad
            self.receive(full)

        return self.make(self.data[key], (self,), backward)

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -self.lift(other)

    def __rsub__(self, other):
        return self.lift(other) - self

    def __truediv__(self, other):
        return self * self.lift(other) ** -1.0

    def __rtruediv__(self, other):
        return self.lift(other) * self**-1.0

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def elementwise(self, data, slope):
        return self.make(data, (self,), lambda grad: self.receive(grad * np.conj(slope)))

    def exp(self):
        return self.elementwise(np.exp(self.data), np.exp(self.data))

    def log(self):
        return self.elementwise(np.log(self.data), 1 / self.data)

    def tanh(self):
        return self.elementwise(np.tanh(self.data), 1 - np.tanh(self.data) ** 2)

    def relu(self):
        return self.elementwise(np.maximum(self.data, 0), self.data > 0)

    def sum(self, axis=None, keepdims=False):
        def backward(grad):
            grad = grad if keepdims or axis is None else np.expand_dims(grad, axis)
            self.receive(np.broadcast_to(grad, self.data.shape))

        return self.make(self.data.sum(axis, keepdims=keepdims), (self,), backward)

    def mean(self, axis=None, keepdims=False):
        total = self.sum(axis, keepdims)
        return total * (total.data.size / self.data.size)

    def moments(self, axes, keepdims=False):
        apart = self - self.mean(axes, keepdims=True)
        return self.mean(axes, keepdims), (apart * apart).mean(axes, keepdims)

    def softmax(self, axis=-1):
        powers = np.exp(self.data - self.data.max(axis, keepdims=True))
        p = powers / powers.sum(axis, keepdims=True)

        def backward(grad):
            self.receive(p * (grad - (grad * p).sum(axis, keepdims=True)))

        return self.make(p, (self,), backward)

    def gather(self, indices, axis=0):
        def backward(grad):
            full = np.zeros_like(self.data)
            np.add.at(np.moveaxis(full, axis, 0), indices, np.moveaxis(grad, axis, 0))
            self.receive(full)

        return self.make(self.data.take(indices, axis), (self,), backward)

    def reshape(self, shape):
        return self.make(self.data.reshape(shape), (self,), lambda grad: self.receive(grad.reshape(self.data.shape)))

    def transpose(self, perm=None):
        back = None if perm is None else np.argsort(perm)
        return self.make(self.data.transpose(perm), (self,), lambda grad: self.receive(grad.transpose(back)))
