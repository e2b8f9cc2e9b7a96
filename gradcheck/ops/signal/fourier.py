"""Fourier transforms over the last one, two or three axes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from gradcheck.dtypes import COMPLEXES, FLOAT32, FLOAT64, Array, complex_of, real_of
from gradcheck.ops.batching import aligned
from gradcheck.ops.declaration import REAL, OpError, Sample, declare, sample
from gradcheck.ops.shapes import Typed, as_row, check_room
from gradcheck.ops.signal.transforms import fast, fitted, spread_error, transformed_axes
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor


def _suffix(rank: int) -> str:
    return "" if rank == 1 else f"{rank}d"


def _find(name: str) -> Callable[..., Tensor]:
    """The operation of that name, when a rule is carried out."""
    found: Callable[..., Tensor] = getattr(tf.signal, name)
    return found


# Between complex numbers


def _complex_transform(rank: int, inverse: bool, samples: tuple[Sample, ...]) -> None:
    name, other = f"fft{_suffix(rank)}", f"ifft{_suffix(rank)}"
    if inverse:
        name, other = other, name
    axes = tuple(range(-rank, 0))

    def function(input: Tensor, name: str | None = None) -> Typed:  # noqa: A002  # TensorFlow's name
        transformed_axes(op, "input", input, rank)
        return input.type, {}

    def forward(x: Array) -> Array:
        if x.size == 0:
            return x
        transformed: Array = fast().ifftn(x, axes=axes) if inverse else fast().fftn(x, axes=axes)
        return transformed

    def vjp(g: Tensor, y: Tensor, x: Tensor) -> Tensor:
        count = max(prod(x.shape[-rank:]), 1)
        part: Tensor = _find(other)(g) * (1 / count if inverse else count)
        return part

    def rounding(x: Array) -> Array:
        sizes = x.shape[-rank:]
        return spread_error(x, rank, sizes) / (max(prod(sizes), 1) if inverse else 1)

    op = f"tf.signal.{name}"
    declare(
        op,
        function,
        forward=forward,
        vjp=(vjp,),
        batching=aligned,
        domains=(REAL,),
        dtypes=COMPLEXES,
        rounding=rounding,
        samples=samples,
        source="the adjoint of the transform is the inverse one, times the number n of points: F^H = n F^-1",
    )


for _inverse in (False, True):
    _complex_transform(1, _inverse, (sample((2, 5)), sample((4,)), sample((1,)), sample((0, 3)), sample((2, 0))))
    _complex_transform(2, _inverse, (sample((2, 3, 4)), sample((1, 5)), sample((2, 0))))
    _complex_transform(3, _inverse, (sample((2, 3, 2)), sample((2, 1, 2, 4))))


# Between real numbers and the half of their spectrum that the other half repeats


def _bins(count: int) -> int:
    """How many numbers of the spectrum of `count` real ones are stored."""
    return count // 2 + 1 if count else 0


def _paired(count: int, factor: float) -> Array:
    """`factor` for every stored number that stands for its conjugate too, 1 for those at 0 and at half of `count`."""
    row = np.full(_bins(count), factor)
    row[:1] = 1
    if count % 2 == 0:
        row[-1:] = 1
    return row


def _fft_length(op: str, given: Any, natural: Shape, x: Tensor, stored: Callable[[Shape], Shape]) -> Shape:
    """The sizes to transform; `stored` gives how much of `x` they take."""
    rank = len(natural)
    sizes = natural if given is None else as_row(given, "fft_length")
    if len(sizes) != rank or any(each < 0 for each in sizes):
        numbers = "one number" if rank == 1 else f"{rank} numbers"
        raise OpError(f"`fft_length` is {numbers} and none is negative, not {list(sizes)}", argument="fft_length")
    present = x.shape[-rank:]
    if 0 in x.shape:
        if any(wanted > there for wanted, there in zip(stored(sizes), present, strict=True)):
            raise OpError(
                f"`{op}` does not pad a tensor without elements, of shape {list(x.shape)}, to {list(sizes)}",
                argument="fft_length",
            )
    elif 0 in sizes and given is not None:
        raise OpError(f"`{op}` over {list(sizes)} points has no result", argument="fft_length")
    check_room((*x.shape[:-rank], *sizes))
    return sizes


def _half(sizes: Shape) -> Shape:
    return (*sizes[:-1], _bins(sizes[-1]))


def _real_transform(rank: int, samples: tuple[Sample, ...], **details: Any) -> None:
    name, back = f"tf.signal.rfft{_suffix(rank)}", f"irfft{_suffix(rank)}"
    axes = tuple(range(-rank, 0))

    def function(input_tensor: Tensor, fft_length: Any = None, name: str | None = None) -> Typed:
        natural = transformed_axes(op, "input_tensor", input_tensor, rank)
        sizes = _fft_length(op, fft_length, natural, input_tensor, lambda sizes: sizes)
        shape = (*input_tensor.shape[:-rank], *_half(sizes))
        return TensorType(shape, complex_of(input_tensor.dtype)), {"fft_length": sizes}

    def forward(x: Array, fft_length: Shape) -> Array:
        if x.size == 0:
            return np.zeros((*x.shape[:-rank], *_half(fft_length)), np.result_type(x.dtype, np.complex64))
        transformed: Array = fast().rfftn(x, fft_length, axes)
        return transformed

    def vjp(g: Tensor, y: Tensor, x: Tensor, fft_length: Shape) -> Tensor:
        halved = g * _paired(fft_length[-1], 0.5)
        return fitted(_find(back)(halved, fft_length) * prod(fft_length), x.shape)

    op = name
    declare(
        op,
        function,
        forward=forward,
        vjp=(vjp,),
        batching=aligned,
        domains=(REAL,),
        dtypes=(FLOAT32, FLOAT64),
        rounding=lambda x, fft_length: spread_error(x, rank, fft_length),
        samples=samples,
        source="the inverse transform of the cotangent times n, halved where a number stands for its conjugate too",
        **details,
    )


def _real_inverse(rank: int, samples: tuple[Sample, ...], **details: Any) -> None:
    name, back = f"tf.signal.irfft{_suffix(rank)}", f"rfft{_suffix(rank)}"
    axes = tuple(range(-rank, 0))

    def function(input_tensor: Tensor, fft_length: Any = None, name: str | None = None) -> Typed:
        *outer, last = transformed_axes(op, "input_tensor", input_tensor, rank)
        sizes = _fft_length(op, fft_length, (*outer, max(2 * (last - 1), 0)), input_tensor, _half)
        shape = (*input_tensor.shape[:-rank], *sizes)
        return TensorType(shape, real_of(input_tensor.dtype)), {"fft_length": sizes}

    def forward(x: Array, fft_length: Shape) -> Array:
        if x.size == 0:
            return np.zeros((*x.shape[:-rank], *fft_length), x.real.dtype)
        if 0 in fft_length:  # not before it runs: TensorFlow takes the program, and ends its process
            help_ = "give `fft_length`: one number of a spectrum does not tell how many points there are"
            raise OpError(f"`{op}` over {list(fft_length)} points has no result", argument="input_tensor", help=help_)
        transformed: Array = fast().irfftn(x, fft_length, axes)
        return transformed

    def vjp(g: Tensor, y: Tensor, x: Tensor, fft_length: Shape) -> Tensor:
        doubled = _paired(fft_length[-1], 2.0) / max(prod(fft_length), 1)
        return fitted(_find(back)(g, fft_length) * doubled, x.shape)

    op = name
    declare(
        op,
        function,
        forward=forward,
        vjp=(vjp,),
        batching=aligned,
        domains=(REAL,),
        dtypes=COMPLEXES,
        rounding=lambda x, fft_length: 2 * spread_error(x, rank, fft_length) / max(prod(fft_length), 1),
        samples=samples,
        source="the transform of the cotangent over n, doubled where a number stands for its conjugate too",
        **details,
    )


CROPPED = (
    "what `fft_length` cuts off gets 0, where TensorFlow fails to differentiate or, for a length of 1, repeats the "
    "cotangent"
)
HALF = "the variable is what is stored, and of the numbers at 0 and at half the length the imaginary parts get 0"
_real_transform(
    1,
    (
        sample((2, 5)),
        sample((4,)),
        sample((1,)),
        sample((2,), [2]),
        sample((2, 3), [7]),
        sample((3,), fft_length=[4]),
        sample((0, 4)),
        sample((2, 0)),
    ),
    convention=CROPPED,
)
_real_transform(
    2,
    (sample((2, 3, 4)), sample((3, 5)), sample((2, 3), [3, 6]), sample((1, 1)), sample((2, 0))),
    convention=CROPPED,
)
_real_inverse(
    1,
    (
        sample((2, 3)),
        sample((4,)),
        sample((3,), [5]),
        sample((2, 2), [7]),
        sample((1,), fft_length=[1]),
        sample((1,), [2]),
        sample((0, 3)),
    ),
    convention=f"{HALF}; {CROPPED}",
)
_real_inverse(
    2,
    (sample((2, 3, 3)), sample((3, 2), [4, 5]), sample((1, 2), [1, 3])),
    convention=f"{HALF}; {CROPPED}",
)
ALONE = "TensorFlow has no gradient in three dimensions"
_real_transform(3, (sample((2, 2, 3)), sample((2, 1, 2, 2), [2, 2, 3])), errata=("gradient",), convention=ALONE)
_real_inverse(3, (sample((2, 2, 3)), sample((1, 2, 2), [2, 2, 3])), errata=("gradient",), convention=f"{HALF}; {ALONE}")
