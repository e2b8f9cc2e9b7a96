"""Convolutions and poolings as TensorFlow calls them, in terms of a library's own, which have the channels first."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from gradcheck.dtypes import FLOAT32
from gradcheck.ops.nn.transposed import UNEXPECTED
from gradcheck.ops.nn.windows import Axis, Sliding, sliding, spatial
from gradcheck.program import Shape
from gradcheck.subjects.vocabulary import Function

Axes = tuple[Axis, ...]


@dataclass(frozen=True, kw_only=True)
class Windows:
    """What a library has for tensors of the shape `(batch, channels, *space)`, with 1, 2 or 3 axes of space.

    Where the windows lie is given axis by axis; what lies outside of the image is 0 in a convolution, below everything
    in the largest element and not counted in a mean.
    """

    permute: Callable[[Any, tuple[int, ...]], Any]
    convolved: Callable[[Any, Any, Axes, int], Any]
    """An image under a kernel `(out, in / groups, *space)`, and the number of groups of channels."""
    transposed: Callable[[Any, Any, Axes, Shape], Any]
    """The image of a given space that a convolution with the kernel `(in, out, *space)` would have been of."""
    largest: Callable[[Any, Axes], Any]
    mean: Callable[[Any, Axes], Any]

    def table(self) -> dict[str, Function]:
        """The functions by TensorFlow's names."""
        return self._convolutions() | self._transposed() | self._poolings() | self._blocks()

    def _convolutions(self) -> dict[str, Function]:
        def convolution(input: Any, filters: Any, strides: Any = None, padding: Any = "VALID", **rest: Any) -> Any:
            return self._convolve(input, filters, _call(filters.ndim - 2, strides, padding, **rest))

        def atrous(value: Any, filters: Any, rate: Any, padding: Any) -> Any:
            return self._convolve(value, filters, _call(2, 1, padding, dilations=spatial(rate, 2, False, "rate")))

        def depthwise(input: Any, filter: Any, strides: Any, padding: Any, **rest: Any) -> Any:
            alone = filter.reshape(*filter.shape[:2], 1, filter.shape[2] * filter.shape[3])
            return self._convolve(input, alone, _call(2, strides, padding, **rest))

        def separable(input: Any, depth: Any, point: Any, strides: Any, padding: Any, **rest: Any) -> Any:
            each = depthwise(input, depth, strides, padding, **rest)
            return convolution(each, point, data_format=rest.get("data_format"))

        return {
            "tf.nn.conv1d": convolution,
            "tf.nn.conv2d": convolution,
            "tf.nn.conv3d": convolution,
            "tf.nn.convolution": convolution,
            "tf.nn.atrous_conv2d": atrous,
            "tf.nn.depthwise_conv2d": depthwise,
            "tf.nn.separable_conv2d": separable,
        }

    def _transposed(self) -> dict[str, Function]:
        def transpose(
            input: Any, filters: Any, output_shape: Shape, strides: Any, padding: Any = "SAME", **rest: Any
        ) -> Any:
            call = _call(filters.ndim - 2, strides, padding, **rest)
            sizes = output_shape[2:] if call.channels_first else output_shape[1:-1]
            axes = call.axes(sizes, tuple(filters.shape[:-2]))
            kernel = self._channels_in_front(filters)
            return self._as_given(self.transposed(self._channels_first(input, call), kernel, axes, sizes), input, call)

        def atrous(value: Any, filters: Any, output_shape: Shape, rate: Any, padding: Any) -> Any:
            return transpose(value, filters, output_shape, 1, padding, dilations=rate)

        return {
            "tf.nn.conv1d_transpose": transpose,
            "tf.nn.conv2d_transpose": transpose,
            "tf.nn.conv3d_transpose": transpose,
            "tf.nn.conv_transpose": transpose,
            "tf.nn.atrous_conv2d_transpose": atrous,
        }

    def _poolings(self) -> dict[str, Function]:
        def pooling(function: Callable[[Any, Axes], Any]) -> Callable[..., Any]:
            def run(input: Any, ksize: Any, strides: Any, padding: Any, **rest: Any) -> Any:
                call = _call(input.ndim - 2, strides, padding, **rest)
                images = self._channels_first(input, call)
                kernel = spatial(ksize, call.rank, call.channels_first, "ksize")
                return self._as_given(function(images, call.axes(images.shape[2:], kernel)), input, call)

            return run

        largest, mean = pooling(self.largest), pooling(self.mean)

        def pool(
            input: Any, window_shape: Any, pooling_type: str, strides: Any = None, padding: Any = "VALID", **rest: Any
        ) -> Any:
            return (largest if pooling_type == "MAX" else mean)(input, window_shape, strides, padding, **rest)

        names = {f"tf.nn.{kind}_pool{rank}" for kind in ("max", "avg") for rank in ("", "1d", "2d", "3d")}
        functions: dict[str, Function] = {name: largest if "max" in name else mean for name in sorted(names)}
        return functions | {"tf.nn.pool": pool}

    def _blocks(self) -> dict[str, Function]:
        def to_space(input: Any, block_size: int) -> Any:
            batch, height, width, depth = input.shape
            channels = depth // block_size**2
            blocks = input.reshape(batch, height, width, block_size, block_size, channels)
            moved = self.permute(blocks, (0, 1, 3, 2, 4, 5))
            return moved.reshape(batch, height * block_size, width * block_size, channels)

        def to_depth(input: Any, block_size: int) -> Any:
            batch, height, width, channels = input.shape
            height, width = height // block_size, width // block_size
            blocks = input.reshape(batch, height, block_size, width, block_size, channels)
            moved = self.permute(blocks, (0, 1, 3, 2, 4, 5))
            return moved.reshape(batch, height, width, block_size**2 * channels)

        return {"tf.nn.depth_to_space": to_space, "tf.nn.space_to_depth": to_depth}

    def _convolve(self, x: Any, filters: Any, call: Sliding) -> Any:
        images = self._channels_first(x, call)
        axes = call.axes(images.shape[2:], tuple(filters.shape[:-2]))
        groups = images.shape[1] // filters.shape[-2]
        return self._as_given(self.convolved(images, self._channels_in_front(filters), axes, groups), x, call)

    def _channels_in_front(self, filters: Any) -> Any:
        """TensorFlow's kernel `(*space, one, other)` as `(other, one, *space)`."""
        rank = filters.ndim - 2
        return self.permute(filters, (rank + 1, rank, *range(rank)))

    def _channels_first(self, x: Any, call: Sliding) -> Any:
        """The images with one batch axis and the channels behind it."""
        batch, rest = x.shape[: -call.rank - 1], x.shape[-call.rank - 1 :]
        images = x.reshape(prod(batch), *rest)
        return images if call.channels_first else self.permute(images, (0, call.rank + 1, *range(1, call.rank + 1)))

    def _as_given(self, found: Any, x: Any, call: Sliding) -> Any:
        """What was found, with the channels where the call has them and the batch axes of `x`."""
        moved = found if call.channels_first else self.permute(found, (0, *range(2, call.rank + 2), 1))
        return moved.reshape(*x.shape[: -call.rank - 1], *moved.shape[1:])


def _call(rank: int, strides: Any, padding: Any, data_format: Any = None, dilations: Any = None) -> Sliding:
    """The arguments of a call that has been checked already; `tf.nn.conv1d` takes the formats of images, too."""
    given = UNEXPECTED.get(data_format, data_format) if rank == 1 else data_format
    return sliding(rank, strides, padding, given, dilations, dtype=FLOAT32)


def pads(axes: Axes) -> list[int]:
    """What is added before and after each axis, the last one first, in one list: so that torch takes it."""
    return [each for axis in reversed(axes) for each in (axis.before, axis.after)]
