"""Convolutions, poolings and blocks: what the walk over the table does not reach."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import Array
from gradcheck.engine.differentiate import differentiate
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.tracing import trace
from gradcheck.ops import OpError, tf
from gradcheck.reference.tensorflow import REFUSALS
from tests.ops.support import differences


def drawn(*shape: int, seed: int = 0, dtype: Any = np.float64) -> Array:
    return np.random.default_rng([seed, *shape]).uniform(-2, 2, shape).astype(dtype)


def gradients(function: Callable[..., Any], cotangent: Array, *operands: Array) -> list[Array]:
    """The output and the gradient of each operand, eagerly."""
    tensors = [tensor(each) for each in operands]
    with GradientTape() as tape:
        tape.watch(tensors)
        y = function(*tensors)
    found = tape.gradient(y, tensors, output_gradients=tensor(cotangent))
    return [y.numpy(), *(each.numpy() for each in found)]


def theirs(function: Callable[..., Any], cotangent: Array, *operands: Array) -> list[Array]:
    """The same by TensorFlow."""
    tensors = [tensorflow.constant(each) for each in operands]
    with tensorflow.GradientTape() as tape:
        tape.watch(tensors)
        y = function(*tensors)
    found = tape.gradient(y, tensors, output_gradients=tensorflow.constant(cotangent))
    return [y.numpy(), *(each.numpy() for each in found)]


def assert_all_near(left: list[Array], right: list[Array], tolerance: float = 1e-12) -> None:
    for one, other in zip(left, right, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance, strict=True)


def convolved(x: Array, w: Array, step: tuple[int, int], hole: tuple[int, int]) -> Array:
    """A convolution by its definition, one number at a time, without padding and in groups."""
    kh, kw, c, f = w.shape
    groups = x.shape[3] // c
    rows = (x.shape[1] - (kh - 1) * hole[0] - 1) // step[0] + 1
    columns = (x.shape[2] - (kw - 1) * hole[1] - 1) // step[1] + 1
    y = np.zeros((x.shape[0], rows, columns, f))
    for n, i, j, k in np.ndindex(y.shape):
        first = k // (f // groups) * c
        for a, b, m in np.ndindex(kh, kw, c):
            y[n, i, j, k] += x[n, i * step[0] + a * hole[0], j * step[1] + b * hole[1], first + m] * w[a, b, m, k]
    return y


@pytest.mark.parametrize(
    ("image", "kernel", "strides", "dilations"),
    [
        ((2, 6, 5, 2), (2, 3, 2, 3), (1, 1), (1, 1)),
        ((1, 6, 5, 2), (2, 2, 2, 1), (2, 3), (1, 1)),
        ((1, 7, 6, 2), (3, 2, 2, 2), (1, 1), (2, 3)),
        ((1, 7, 6, 1), (2, 2, 1, 2), (2, 1), (3, 2)),
        ((2, 4, 4, 6), (2, 2, 2, 9), (1, 1), (1, 1)),
        ((1, 6, 5, 4), (2, 2, 1, 4), (2, 1), (1, 2)),
    ],
)
def test_is_what_the_definition_says(image: Any, kernel: Any, strides: Any, dilations: Any) -> None:
    """Also where TensorFlow has no gradient on a CPU: both strided and dilated, dilated in float64, in groups."""
    inputs = {"x": drawn(*image), "w": drawn(*kernel, seed=1)}
    program = trace(lambda x, w: tf.nn.conv2d(x, w, strides, "VALID", dilations=dilations), inputs)
    (y,) = evaluate(program, inputs)
    np.testing.assert_allclose(y, convolved(inputs["x"], inputs["w"], strides, dilations), rtol=1e-13, atol=1e-13)
    assert y is not None
    seed = drawn(*y.shape, seed=2)
    _, *found = evaluate(differentiate(program, ["x", "w"]), {**inputs, "cotangent": seed})
    for one, other in zip(found, differences(program, inputs, ["x", "w"], [seed]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-8)


def test_second_order_where_tensorflow_has_no_first() -> None:
    inputs = {"x": drawn(1, 5, 4, 2), "w": drawn(2, 2, 1, 2, seed=1)}
    program = trace(lambda x, w: tf.reduce_sum(tf.nn.conv2d(x, w, 2, "SAME", dilations=2) ** 3), inputs)
    first = differentiate(program, ["x", "w"])
    values = {**inputs, "cotangent": np.ones(())}
    weights = [np.zeros(()), drawn(*inputs["x"].shape, seed=3), drawn(*inputs["w"].shape, seed=4)]
    loss = trace(
        lambda x, w: sum(
            tf.reduce_sum(each * weight)
            for each, weight in zip(_tape_gradients(x, w), map(tensor, weights[1:]), strict=True)
        ),
        inputs,
    )
    (_, *found) = evaluate(differentiate(loss, ["x", "w"]), values)
    for one, other in zip(found, differences(first, values, ["x", "w"], weights), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-7)


def _tape_gradients(x: Any, w: Any) -> Any:
    y = tf.nn.conv2d(x, w, 2, "SAME", dilations=2)
    g = 3.0 * y * y
    call = {"strides": [1, 2, 2, 1], "padding": "SAME", "dilations": [1, 2, 2, 1]}
    return (
        tf.raw_ops.Conv2DBackpropInput(x.shape, w, g, **call),
        tf.raw_ops.Conv2DBackpropFilter(x, w.shape, g, **call),
    )


@pytest.mark.parametrize("padding", ["SAME", "VALID", [[0, 0], [1, 2], [0, 1], [0, 0]]])
def test_a_dilated_convolution_is_one_with_holes_in_its_kernel(padding: Any) -> None:
    x, w = drawn(1, 6, 7, 2), drawn(2, 3, 2, 2, seed=1)
    wide = np.zeros((3, 5, 2, 2))
    wide[::2, ::2] = w
    ours = tf.nn.conv2d(tensor(x), tensor(w), 1, padding, dilations=2)
    np.testing.assert_allclose(ours.numpy(), tensorflow.nn.conv2d(x, wide, 1, padding).numpy(), atol=1e-13)


FIRST: dict[str, tuple[Callable[..., Any], tuple[int, ...], tuple[int, ...] | None]] = {
    "conv1d": (lambda tf, f, x, w: tf.nn.conv1d(x, w, 2, "SAME", data_format=f), (2, 5, 3), (2, 3, 2)),
    "conv2d": (lambda tf, f, x, w: tf.nn.conv2d(x, w, [2, 1], "SAME", data_format=f), (2, 5, 4, 3), (2, 3, 3, 2)),
    "explicit": (
        lambda tf, f, x, w: tf.nn.conv2d(
            x,
            w,
            1,
            [[0, 0], [1, 0], [2, 1], [0, 0]] if f == "NHWC" else [[0, 0], [0, 0], [1, 0], [2, 1]],
            data_format=f,
        ),
        (1, 3, 4, 2),
        (2, 2, 2, 2),
    ),
    "conv3d": (lambda tf, f, x, w: tf.nn.conv3d(x, w, [1] * 5, "SAME", f), (1, 2, 3, 4, 2), (2, 1, 2, 2, 3)),
    "depthwise": (
        lambda tf, f, x, w: tf.nn.depthwise_conv2d(x, w, [1] * 4, "SAME", f),
        (1, 4, 3, 2),
        (2, 2, 2, 3),
    ),
    "avg_pool2d": (lambda tf, f, x: tf.nn.avg_pool2d(x, [2, 3], [1, 2], "SAME", f), (2, 4, 5, 3), None),
    "avg_pool1d": (lambda tf, f, x: tf.nn.avg_pool1d(x, 2, 1, "VALID", f), (2, 4, 3), None),
}
FORMATS = {3: ("NWC", "NCW"), 4: ("NHWC", "NCHW"), 5: ("NDHWC", "NCDHW")}


@pytest.mark.parametrize("name", FIRST)
def test_channels_may_come_first(name: str) -> None:
    """What TensorFlow gives with the channels last is given with the channels first, and the gradients too."""
    function, image, kernel = FIRST[name]
    x = drawn(*image, dtype=np.float32)
    others = [] if kernel is None else [drawn(*kernel, seed=1, dtype=np.float32)]
    last, first = FORMATS[len(image)]
    shape = function(tensorflow, last, x, *others).shape
    seed = drawn(*shape, seed=2, dtype=np.float32)
    y, dx, *rest = theirs(lambda *each: function(tensorflow, last, *each), seed, x, *others)
    expected = [np.moveaxis(y, -1, 1), np.moveaxis(dx, -1, 1), *rest]
    found = gradients(
        lambda *each: function(tf, first, *each), np.moveaxis(seed, -1, 1), np.moveaxis(x, -1, 1).copy(), *others
    )
    assert_all_near(found, expected, 2e-5)


def test_an_image_without_windows_gives_nothing_back() -> None:
    """TensorFlow's answer for the kernel is memory that nobody has written to."""
    x, w = drawn(1, 1, 2, 1), drawn(2, 2, 1, 1)
    y, dx, dw = gradients(lambda x, w: tf.nn.conv2d(x, w, 1, "VALID"), np.zeros((1, 0, 1, 1)), x, w)
    assert y.shape == (1, 0, 1, 1)
    assert not dx.any()
    assert not dw.any()


def test_an_image_without_channels_is_refused() -> None:
    with pytest.raises(OpError, match=r"the image of shape .* has 0"):
        tf.nn.conv2d(tensor(np.ones((1, 2, 2, 0))), tensor(np.ones((1, 1, 2, 1))), 1, "VALID")


def test_a_layer_of_ordinary_size() -> None:
    """More than a toy, so that a sum in a wrong order of axes could not agree by chance."""
    x, w = drawn(1, 66, 66, 32), drawn(3, 3, 32, 32, seed=1)
    seed = drawn(1, 64, 64, 32, seed=2)
    assert_all_near(
        gradients(lambda x, w: tf.nn.conv2d(x, w, 1, "VALID"), seed, x, w),
        theirs(lambda x, w: tensorflow.nn.conv2d(x, w, 1, "VALID"), seed, x, w),
        1e-10,
    )


NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    "row", [[1, NAN, 2, 0], [NAN, 1, 2, 0], [1, 2, NAN, NAN], [2, 2, 1, 2], [-INF, -INF, -INF, -INF], [0, -0.0, -1, 0]]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", ["max_pool2d", "max_pool_with_argmax"])
def test_ties_and_nan_in_poolings_are_tensorflows(row: list[float], dtype: str, function: str) -> None:
    x = np.array(row, dtype).reshape(1, 2, 2, 1)

    def pooled(tf: Any, x: Any) -> Any:
        found = getattr(tf.nn, function)(x, 2, 1, "SAME")
        return found if function == "max_pool2d" else found[0]

    seed = drawn(1, 2, 2, 1, dtype=dtype)
    ours, other = (
        gradients(lambda x: pooled(tf, x), seed, x),
        theirs(lambda x: pooled(tensorflow, x), seed, x),
    )
    for left, right in zip(ours, other, strict=True):
        np.testing.assert_array_equal(left, right, strict=True)


def test_along_three_axes_all_that_tie_have_everything() -> None:
    x, seed = np.zeros((1, 2, 2, 2, 1), np.float32), drawn(1, 2, 2, 2, 1, dtype=np.float32)
    assert_all_near(
        gradients(lambda x: tf.nn.max_pool3d(x, 2, 1, "SAME"), seed, x),
        theirs(lambda x: tensorflow.nn.max_pool3d(x, 2, 1, "SAME"), seed, x),
        1e-6,
    )


def test_the_places_of_the_largest_are_tensorflows() -> None:
    x = drawn(2, 5, 4, 3)
    for call in (
        {"ksize": 2, "strides": 2, "padding": "SAME"},
        {"ksize": [3, 2], "strides": 1, "padding": "VALID", "include_batch_in_index": True},
    ):
        ours, other = tf.nn.max_pool_with_argmax(tensor(x), **call), tensorflow.nn.max_pool_with_argmax(x, **call)
        for left, right in zip(ours, other, strict=True):
            np.testing.assert_array_equal(left.numpy(), right.numpy(), strict=True)


@pytest.mark.parametrize(
    ("operation", "shapes", "call"),
    [
        ("max_pool3d", [(1, 4, 3, 4, 2)], {"ksize": 2, "strides": 2, "padding": "SAME"}),
        ("avg_pool3d", [(1, 4, 3, 4, 2)], {"ksize": [2, 1, 2], "strides": [1, 1, 2], "padding": "VALID"}),
    ],
)
def test_second_order_along_three_axes(operation: str, shapes: Any, call: dict[str, Any]) -> None:
    """The table tries second order in float64, which TensorFlow lacks here."""
    x, weight = drawn(*shapes[0], dtype=np.float32), drawn(*shapes[0], seed=1, dtype=np.float32)

    def second(tf: Any, tape: Any, tensor: Any) -> Array:
        point = tensor(x)
        with tape() as outer:
            outer.watch(point)
            with tape() as inner:
                inner.watch(point)
                y = getattr(tf.nn, operation)(point, **call) ** 3
            first = inner.gradient(y, point)
        found: Array = outer.gradient(first, point, output_gradients=tensor(weight)).numpy()
        return found

    np.testing.assert_allclose(
        second(tf, GradientTape, tensor),
        second(tensorflow, tensorflow.GradientTape, tensorflow.constant),
        rtol=2e-5,
        atol=2e-5,
    )


def test_second_order_of_an_explicitly_padded_pooling() -> None:
    """TensorFlow has none; the second derivative of the sum of cubes is 6 x where x is the largest, once per window."""
    x = drawn(1, 3, 3, 1)
    point = tensor(x)
    with GradientTape() as outer:
        outer.watch(point)
        with GradientTape() as inner:
            inner.watch(point)
            y = tf.nn.max_pool2d(point, 2, 2, [[0, 0], [1, 0], [0, 1], [0, 0]]) ** 3.0
        first = inner.gradient(y, point)
    found = outer.gradient(first, point).numpy()[0, :, :, 0]
    padded = np.pad(x[0, :, :, 0], [(1, 0), (0, 1)], constant_values=-INF)
    expected = np.zeros((4, 4))
    for i, j in ((0, 0), (0, 2), (2, 0), (2, 2)):
        at = np.unravel_index(padded[i : i + 2, j : j + 2].argmax(), (2, 2))
        expected[i + at[0], j + at[1]] += 6 * padded[i + at[0], j + at[1]]
    np.testing.assert_allclose(found, expected[1:, :3], rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sixteen_bit_sums_are_accumulated_in_float32(dtype: str) -> None:
    count = 5000 if dtype == "float16" else 4992
    ones = tf.cast(tensor(np.ones((1, 1, 1, 5000))), dtype)
    kernel = tf.cast(tensor(np.ones((1, 1, 5000, 1))), dtype)
    assert tf.nn.conv2d(ones, kernel, 1, "VALID").numpy().item() == count


IMAGE, KERNEL = (1, 4, 4, 2), (2, 2, 2, 3)
REFUSED: dict[str, tuple[Callable[..., Any], str]] = {
    "channels": (lambda tf, x, w: tf.nn.conv2d(x[..., :1], w, 1, "SAME"), "is for 2 channels and gives 3"),
    "rank": (lambda tf, x, w: tf.nn.conv2d(x[0], w, 1, "SAME"), "an image of rank 4"),
    "kernel rank": (lambda tf, x, w: tf.nn.conv2d(x, w[0], 1, "SAME"), "a kernel of rank 4"),
    "window too large": (lambda tf, x, w: tf.nn.conv2d(x[:, :1, :, :], w, 1, "VALID", dilations=4), "does not fit"),
    "no stride": (lambda tf, x, w: tf.nn.conv2d(x, w, 0, "SAME"), "`strides` [0, 0] must be positive"),
    "stride over the batch": (lambda tf, x, w: tf.nn.conv2d(x, w, [2, 1, 1, 1], "SAME"), "must be 1 along the batch"),
    "three strides": (lambda tf, x, w: tf.nn.conv2d(x, w, [1, 1, 1], "SAME"), "1, 2 or 4 numbers, not 3"),
    "padding": (lambda tf, x, w: tf.nn.conv2d(x, w, 1, "FULL"), "must be 'SAME', 'VALID' or a list of pairs"),
    "padding of channels": (
        lambda tf, x, w: tf.nn.conv2d(x, w, 1, [[0, 0], [0, 0], [0, 0], [1, 0]]),
        "must be [0, 0] for the batch and the channels",
    ),
    "three pairs": (lambda tf, x, w: tf.nn.conv2d(x, w, 1, [[0, 0]] * 3), "a pair for each of 4 axes"),
    "format": (lambda tf, x, w: tf.nn.conv2d(x, w, 1, "SAME", data_format="NWHC"), "'NHWC' or 'NCHW', not 'NWHC'"),
    "channels first in float64": (
        lambda tf, x, w: tf.nn.conv2d(x, w[:, :, :1], 1, "SAME", data_format="NCHW"),
        "TensorFlow has no kernel for the format NCHW in float64 on a CPU",
    ),
    "unequal depthwise strides": (
        lambda tf, x, w: tf.nn.depthwise_conv2d(x, w, [1, 1, 2, 1], "SAME"),
        "one stride for both axes of a depthwise convolution, not [1, 2]",
    ),
    "list along one axis": (
        lambda tf, x, w: tf.nn.conv1d(x[0], w[0], 1, [[0, 0], [1, 0], [0, 0]]),
        "takes 'SAME' or 'VALID', not a list",
    ),
    "strided and dilated": (
        lambda tf, x, w: tf.nn.convolution(x, w, 2, "SAME", dilations=2),
        "takes `strides` or `dilations` above 1, not both",
    ),
    "list without dilations": (
        lambda tf, x, w: tf.nn.convolution(x, w, padding=[[0, 0]] * 4),
        "takes a list as `padding` only",
    ),
    "output shape": (
        lambda tf, x, w: tf.nn.conv2d_transpose(x, w[..., :2], [1, 9, 8, 2], 2),
        "`tf.nn.conv2d_transpose`: a convolution of shape [1, 9, 8, 2] gives [1, 5, 4, 2], not [1, 4, 4, 2]",
    ),
    "output channels": (
        lambda tf, x, w: tf.nn.conv2d_transpose(x, w[..., :2], [1, 8, 8, 3], 2),
        "`tf.nn.conv2d_transpose`: a kernel of shape [2, 2, 2, 2] is for 2 channels",
    ),
    "depthwise channels": (
        lambda tf, x, w: tf.nn.depthwise_conv2d(x[..., :1], w, [1] * 4, "SAME"),
        "is for 2 channels",
    ),
    "depthwise strides": (lambda tf, x, w: tf.nn.depthwise_conv2d(x, w, [1, 1], "SAME"), "must have 4 numbers"),
    "pointwise": (
        lambda tf, x, w: tf.nn.separable_conv2d(x, w, w, [1] * 4, "SAME"),
        "must have shape [1, 1, channels, results]",
    ),
    "pooling the batch": (lambda tf, x, w: tf.nn.max_pool2d(x, [2, 1, 1, 1], 1, "VALID"), "must be 1 along the batch"),
    "pooling rank": (lambda tf, x, w: tf.nn.avg_pool2d(x[0], 2, 1, "VALID"), "a tensor of rank 4"),
    "mean with a list": (lambda tf, x, w: tf.nn.avg_pool2d(x, 2, 1, [[0, 0]] * 4), "'SAME' or 'VALID', not"),
    "pool strides": (lambda tf, x, w: tf.nn.pool(x, [2, 2], "MAX", [3, 1]), "must not be larger than the window"),
    "pool kind": (lambda tf, x, w: tf.nn.pool(x, [2, 2], "MIN"), "must be 'MAX' or 'AVG', not 'MIN'"),
    "pool with holes": (
        lambda tf, x, w: tf.nn.pool(x, [2, 2], "MAX", None, "SAME", "NHWC", [2, 2]),
        "takes `dilations`",
    ),
    "blocks": (lambda tf, x, w: tf.nn.space_to_depth(x, 3), "multiples of 3"),
    "depth": (lambda tf, x, w: tf.nn.depth_to_space(x, 2), "a multiple of 4"),
    "batch": (lambda tf, x, w: tf.batch_to_space(x, [2, 2], [[0, 0], [0, 0]]), "is no multiple of the block"),
    "block": (lambda tf, x, w: tf.space_to_batch(x, [3], [[0, 0]]), "must be multiples of the block"),
    "kernel of a dilation": (
        lambda tf, x, w: tf.nn.dilation2d(x, w, [1] * 4, "SAME", "NHWC", [1] * 4),
        "a kernel of rank 3",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_tensorflow_refuses_is_refused(name: str) -> None:
    function, words = REFUSED[name]
    x, w = drawn(*IMAGE), drawn(*KERNEL, seed=1)
    with pytest.raises(OpError) as refused:
        function(tf, tensor(x), tensor(w))
    assert words in str(refused.value)
    with pytest.raises(REFUSALS):
        function(tensorflow, tensorflow.constant(x), tensorflow.constant(w))
