"""Where windows lie that slide over the spatial axes of a tensor: the arguments of convolutions and poolings.

They are as TensorFlow takes them: one number for all spatial axes, one for each, or one for every axis of the tensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gradcheck.dtypes import DType
from gradcheck.ops.declaration import OpError
from gradcheck.ops.shapes import as_row, as_shape
from gradcheck.program import Shape

LAST = {1: "NWC", 2: "NHWC", 3: "NDHWC"}
FIRST = {1: "NCW", 2: "NCHW", 3: "NCDHW"}


class Axis(NamedTuple):
    """How windows lie along one axis."""

    kernel: int
    stride: int
    dilation: int
    before: int
    after: int
    windows: int

    @property
    def extent(self) -> int:
        """How many elements a window reaches over."""
        return (self.kernel - 1) * self.dilation + 1


Paddings = str | tuple[tuple[int, int], ...]
"""`SAME`, `VALID`, or what is added before and after each spatial axis."""


class Sliding(NamedTuple):
    """The arguments of a call that say where its windows lie, for the spatial axes alone."""

    strides: Shape
    dilations: Shape
    padding: Paddings
    channels_first: bool = False

    @property
    def rank(self) -> int:
        return len(self.strides)

    def axes(self, sizes: Shape, kernel: Shape) -> tuple[Axis, ...]:
        """Where windows of the shape `kernel` lie in an image of `sizes`; `OpError` if one does not fit."""
        padding: tuple[Any, ...] = self.padding if isinstance(self.padding, tuple) else (self.padding,) * self.rank
        rows = zip(sizes, kernel, self.strides, self.dilations, padding, strict=True)
        return tuple(_axis(*each) for each in rows)

    def whole(self, values: Shape) -> Shape:
        """One number for every axis of the tensor, from those of the spatial axes."""
        return (1, 1, *values) if self.channels_first else (1, *values, 1)

    @property
    def given(self) -> dict[str, Any]:
        """The arguments as a public function takes them, without those that have their default."""
        found: dict[str, Any] = {"strides": self.whole(self.strides), "padding": self.padding}
        if isinstance(self.padding, tuple):
            none = (0, 0)
            found["padding"] = (none, none, *self.padding) if self.channels_first else (none, *self.padding, none)
        if self.channels_first:
            found["data_format"] = FIRST[self.rank]
        if self.dilated:
            found["dilations"] = self.whole(self.dilations)
        return found

    @property
    def raw(self) -> dict[str, Any]:
        """The same as a raw operation takes them: explicit paddings have an argument of their own."""
        found = self.given
        if isinstance(self.padding, tuple):
            flat = tuple(each for pair in found["padding"] for each in pair)
            found |= {"padding": "EXPLICIT", "explicit_paddings": flat}
        return found

    @property
    def dilated(self) -> bool:
        return any(each != 1 for each in self.dilations)


def _axis(size: int, kernel: int, stride: int, dilation: int, padding: str | tuple[int, int]) -> Axis:
    extent = (kernel - 1) * dilation + 1
    if padding == "SAME":
        count = -(-size // stride)
        missing = max((count - 1) * stride + extent - size, 0)
        return Axis(kernel, stride, dilation, missing // 2, missing - missing // 2, count)
    before, after = padding if isinstance(padding, tuple) else (0, 0)
    room = size + before + after - extent + stride
    if room < 0:
        raise OpError(f"a window that reaches over {extent} does not fit into {size + before + after}")
    return Axis(kernel, stride, dilation, before, after, room // stride)


def sliding(
    rank: int,
    strides: Any,
    padding: Any,
    data_format: Any = None,
    dilations: Any = None,
    *,
    explicit: bool = True,
    dtype: DType | None = None,
) -> Sliding:
    """The checked arguments of a call with `rank` spatial axes; `OpError` where TensorFlow would refuse them.

    `explicit`: whether a list may be the padding. `dtype`: of the tensor, where channels may come first.
    """
    first = channels_first(data_format, rank, dtype)
    checked = Sliding(
        spatial(strides, rank, first, "strides"), spatial(dilations, rank, first, "dilations"), "VALID", first
    )
    if isinstance(padding, (tuple, list)) and explicit:
        return checked._replace(padding=_pairs(padding, checked))
    if padding not in ("SAME", "VALID"):
        allowed = "'SAME', 'VALID' or a list of pairs" if explicit else "'SAME' or 'VALID'"
        raise OpError(f"`padding` must be {allowed}, not {padding!r}", argument="padding")
    return checked._replace(padding=padding)


def channels_first(data_format: Any, rank: int, dtype: DType | None = None) -> bool:
    """Whether a format has the channels before the spatial axes, which a CPU takes in float32 and bfloat16 only."""
    if data_format is None or data_format == LAST[rank]:
        return False
    if data_format != FIRST[rank]:
        raise OpError(
            f"`data_format` must be {LAST[rank]!r} or {FIRST[rank]!r}, not {data_format!r}", argument="data_format"
        )
    if dtype is None or dtype.name not in ("float32", "bfloat16"):
        where = "" if dtype is None else f" in {dtype.name}"
        raise OpError(
            f"TensorFlow has no kernel for the format {data_format}{where} on a CPU",
            argument="data_format",
            help=f"transpose to {LAST[rank]}",
        )
    return True


def spatial(value: Any, rank: int, first: bool, name: str) -> Shape:
    """A positive integer for each spatial axis, from one for all, one for each, or one for each axis of the tensor."""
    if value is None:
        return (1,) * rank
    row = as_shape(value, name)
    if len(row) == rank + 2:
        outer = (row[0], row[1]) if first else (row[0], row[-1])
        if outer != (1, 1):
            raise OpError(
                f"`{name}` {list(row)} must be 1 along the batch and the channels, where TensorFlow moves no windows",
                argument=name,
            )
        row = row[2:] if first else row[1:-1]
    elif len(row) == 1:
        row *= rank
    if len(row) != rank:
        raise OpError(f"`{name}` must have 1, {rank} or {rank + 2} numbers, not {len(row)}", argument=name)
    if any(each < 1 for each in row):
        raise OpError(f"`{name}` {list(row)} must be positive", argument=name)
    return row


def _pairs(padding: Sequence[Any], call: Sliding) -> tuple[tuple[int, int], ...]:
    wanted = f"`padding` must have a pair for each of {call.rank + 2} axes, `[before, after]`, not {list(padding)}"
    if len(padding) != call.rank + 2 or not all(isinstance(each, (tuple, list)) and len(each) == 2 for each in padding):
        raise OpError(wanted, argument="padding")
    pairs = [as_row(each, "padding") for each in padding]
    outer, inner = (pairs[:2], pairs[2:]) if call.channels_first else ([pairs[0], pairs[-1]], pairs[1:-1])
    if any(each != (0, 0) for each in outer):
        raise OpError("`padding` must be [0, 0] for the batch and the channels", argument="padding")
    if any(min(each) < 0 for each in inner):
        raise OpError(f"`padding` {[list(each) for each in inner]} must not be negative", argument="padding")
    return tuple((before, after) for before, after in inner)


def flat(call: Sliding) -> Sliding:
    """What is meant along one axis as the same for an image of height 1."""
    padding = ((0, 0), *call.padding) if isinstance(call.padding, tuple) else call.padding
    return Sliding((1, *call.strides), (1, *call.dilations), padding, call.channels_first)


def from_raw(
    rank: int,
    strides: Any,
    padding: Any,
    explicit_paddings: Any,
    data_format: Any,
    dilations: Any,
    dtype: DType | None,
) -> Sliding:
    """The same from the arguments of a raw operation, whose explicit paddings are one flat list."""
    for name, value in (("strides", strides), ("dilations", dilations)):
        if len(as_row(value, name)) != rank + 2:
            raise OpError(f"`{name}` must have {rank + 2} numbers, not {len(value)}", argument=name)
    flat = as_row(explicit_paddings, "explicit_paddings")
    if (padding == "EXPLICIT") != bool(flat):
        raise OpError("`explicit_paddings` belong to the padding 'EXPLICIT' alone", argument="explicit_paddings")
    if flat:
        padding = [flat[at : at + 2] for at in range(0, len(flat), 2)]
    return sliding(rank, strides, padding, data_format, dilations, dtype=dtype)
