"""`closures.Tensor` with the mistakes that people make, one at a time."""

from dataclasses import replace

import numpy as np
from closures import Tensor
from closures_adapter import engine


class FullTranspose(Tensor):
    def __matmul__(self, other):
        def backward(grad):
            self.receive(grad @ other.data.T)
            other.receive(self.data.T @ grad)

        return self.make(self.data @ other.data, (self, other), backward)


class DropsAxes(Tensor):
    def unbroadcast(self, grad):
        grad = grad.sum(axis=tuple(range(grad.ndim - self.data.ndim)))
        return grad.sum(axis=tuple(axis for axis, size in enumerate(self.data.shape) if size == 1))


class KeepsAxes(Tensor):
    def unbroadcast(self, grad):
        return grad.sum(axis=tuple(range(grad.ndim - self.data.ndim)))


class AddsFromTheRight(Tensor):
    def __rsub__(self, other):
        return self + other


class ExchangesFromTheRight(Tensor):
    def __rsub__(self, other):
        return self - other


class NotFromTheRight(Tensor):
    def __rmul__(self, other):
        return NotImplemented  # as if it were not there


class NegativeAxis(Tensor):
    def sum(self, axis=None, keepdims=False):
        def backward(grad):
            if axis is not None and not keepdims:
                grad = np.expand_dims(grad, axis + grad.ndim if axis < 0 else axis)
            self.receive(np.broadcast_to(grad, self.data.shape))

        return self.make(self.data.sum(axis, keepdims=keepdims), (self,), backward)


class OncePerPath(Tensor):
    def receive(self, grad):
        super().receive(grad)
        self._backward(self.unbroadcast(grad))

    def backward(self):
        self.receive(np.ones_like(self.data))


class Overwrites(Tensor):
    def gather(self, indices, axis=0):
        def backward(grad):
            full = np.zeros_like(self.data)
            full[indices] = grad
            self.receive(full)

        return self.make(self.data.take(indices, axis), (self,), backward)


class ElementwiseSoftmax(Tensor):
    def softmax(self, axis=-1):
        powers = np.exp(self.data - self.data.max(axis, keepdims=True))
        p = powers / powers.sum(axis, keepdims=True)
        return self.elementwise(p, p * (1 - p))


class NoConjugate(Tensor):
    def __matmul__(self, other):
        def backward(grad):
            self.receive(grad @ other.data.swapaxes(-1, -2))
            other.receive(self.data.swapaxes(-1, -2) @ grad)

        return self.make(self.data @ other.data, (self, other), backward)


class DividesTwice(Tensor):
    def mean(self, axis=None, keepdims=False):
        out = self.data.mean(axis, keepdims=True)
        count = self.data.size / out.size

        def backward(grad):
            self.receive(np.broadcast_to(grad.reshape(out.shape) / count, self.data.shape) / count)

        return self.make(out if keepdims else self.data.mean(axis), (self,), backward)


class ConstantVariance(Tensor):
    def moments(self, axes, keepdims=False):
        return self.mean(axes, keepdims), type(self)(self.data.var(axes, keepdims=keepdims))


class PassesAtZero(Tensor):
    def relu(self):
        return self.elementwise(np.maximum(self.data, 0), self.data >= 0)


class InPlaceRelu(Tensor):
    def relu(self):
        np.maximum(self.data, 0, out=self.data)
        return self.elementwise(self.data.copy(), self.data > 0)


class InPlaceBackward(Tensor):
    def tanh(self):
        def backward(grad):
            np.tanh(self.data, out=self.data)
            self.receive(grad * (1 - self.data**2))

        return self.make(np.tanh(self.data), (self,), backward)


class TwiceTheProduct(Tensor):
    def __mul__(self, other):
        other = self.lift(other)

        def backward(grad):
            self.receive(2 * grad * other.data)
            other.receive(grad * self.data)

        return self.make(self.data * other.data, (self, other), backward)


KNOWN = {}


class Keeps(Tensor):
    """A parameter is known by its numbers, and keeps the gradient of the last run."""

    @classmethod
    def of(cls, data):
        data = np.asarray(data)
        return KNOWN.setdefault((data.dtype, data.shape, data.tobytes()), cls(data))

    def lift(self, other):
        return other if isinstance(other, Tensor) else self.of(np.asarray(other, self.data.dtype))


class Merges(Keeps):
    """What has equal numbers is one; nothing is kept."""

    def backward(self):
        super().backward()
        KNOWN.clear()


def using(kind):
    return replace(engine, variable=getattr(kind, "of", kind))


full_transpose = using(FullTranspose)
drops_axes = using(DropsAxes)
keeps_axes = using(KeepsAxes)
adds_from_the_right = using(AddsFromTheRight)
exchanges_from_the_right = using(ExchangesFromTheRight)
not_from_the_right = using(NotFromTheRight)
negative_axis = using(NegativeAxis)
once_per_path = using(OncePerPath)
overwrites = using(Overwrites)
elementwise_softmax = using(ElementwiseSoftmax)
no_conjugate = using(NoConjugate)
divides_twice = using(DividesTwice)
constant_variance = using(ConstantVariance)
passes_at_zero = using(PassesAtZero)
in_place_relu = using(InPlaceRelu)
in_place_backward = using(InPlaceBackward)
twice_the_product = using(TwiceTheProduct)
merges = using(Merges)
keeps = using(Keeps)
