"""Resized, cut and transformed images: what the walk over the table does not reach."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import FLOAT32, Array
from gradcheck.ops import OpError, tf
from gradcheck.ops.image.taps import KERNELS
from gradcheck.program import TensorType
from gradcheck.reference.tensorflow import REFUSALS
from gradcheck.tensors import Builder, TooLarge, building

SIZES = [(1, 3), (3, 1), (2, 7), (7, 16), (33, 10), (100, 101)]


def _resized(where: Any, method: str, image: Any, size: int, antialias: bool = False) -> Any:
    return where.image.resize(image, [size, 1], method, antialias=antialias)


def _sampled(where: Any, kernel: str, image: Any, size: int, antialias: bool) -> Any:
    return where.raw_ops.ScaleAndTranslate(
        images=image, size=[size, 2], scale=[0.7, 1.6], translation=[1.3, -2.2], kernel_type=kernel, antialias=antialias
    )


def _impulses(size: int) -> Array:
    """An image for each pixel, in which it alone is 1, as channels: resized they are the weights."""
    return np.eye(size, dtype=np.float32).reshape(1, size, 1, size)


@pytest.mark.parametrize(("before", "after"), SIZES)
@pytest.mark.parametrize("method", ["bilinear", "nearest", "bicubic", "area"])
def test_weights_of_methods(method: str, before: int, after: int) -> None:
    image = _impulses(before)
    ours = _resized(tf, method, tensor(image), after).numpy()
    np.testing.assert_allclose(ours, _resized(tensorflow, method, image, after).numpy(), rtol=3e-7, atol=0, strict=True)


@pytest.mark.parametrize(("before", "after"), SIZES)
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("kernel", KERNELS)
def test_weights_of_kernels(kernel: str, before: int, after: int, antialias: bool) -> None:
    image = _impulses(before)
    ours = _sampled(tf, kernel, tensor(image), after, antialias).numpy()
    theirs = _sampled(tensorflow, kernel, image, after, antialias).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-7, strict=True)


@pytest.mark.parametrize("method", ["area", "lanczos3"])
def test_gradient_that_tensorflow_lacks_is_the_transposed_map(method: str) -> None:
    """By area TensorFlow has none at all, by kernels none in float64."""
    x = tensor(_impulses(7).astype(np.float64))
    with GradientTape() as tape:
        tape.watch(x)
        y = _resized(tf, method, x, 4)
    cotangent = np.random.default_rng(1).normal(size=y.shape).astype(np.float32)
    found = tape.gradient(y, x, output_gradients=tensor(cotangent)).numpy()
    weights = y.numpy()[0, :, 0, :]
    np.testing.assert_allclose(found[0, :, 0, :], weights.T.astype(float) @ cotangent[0, :, 0, :], rtol=1e-5, atol=1e-6)


def test_what_is_not_finite_stays_in_its_neighbourhood() -> None:
    image = np.zeros((1, 40, 1, 1), np.float32)
    image[0, 20] = np.nan
    found = tf.image.resize(tensor(image), [80, 2]).numpy()
    theirs = tensorflow.image.resize(image, [80, 2]).numpy()
    np.testing.assert_array_equal(found, theirs)
    assert np.isnan(found).sum() == 2 * 4


@pytest.mark.parametrize("fill_mode", ["CONSTANT", "REFLECT", "WRAP", "NEAREST"])
@pytest.mark.parametrize("interpolation", ["NEAREST", "BILINEAR"])
def test_pixels_from_far_away(interpolation: str, fill_mode: str) -> None:
    """Beyond the border more than one period of what it is continued by, and through a horizon."""
    rng = np.random.default_rng(3)
    images = rng.normal(size=(8, 3, 5, 2)).astype(np.float32)
    transforms = (rng.normal(size=(8, 8)) * [1, 1, 9, 1, 1, 9, 0.2, 0.2]).astype(np.float32)
    transforms[0] = [1, 0, 0, 0, 1, 0, -0.5, 0]  # infinitely far away where x is 2
    given = {"output_shape": [4, 4], "fill_value": 1.5, "interpolation": interpolation, "fill_mode": fill_mode}
    found = tf.raw_ops.ImageProjectiveTransformV3(images=tensor(images), transforms=tensor(transforms), **given)
    theirs = tensorflow.raw_ops.ImageProjectiveTransformV3(images=images, transforms=transforms, **given)
    np.testing.assert_allclose(found.numpy(), theirs.numpy(), rtol=1e-4, atol=1e-4)


def _resize(size: Any, method: str = "bilinear") -> Callable[[Any, Any], Any]:
    return lambda where, x: where.image.resize(x, size, method)


def _scale(scale: Any, kernel: str = "lanczos3") -> Callable[[Any, Any], Any]:
    return lambda where, x: where.raw_ops.ScaleAndTranslate(
        images=x, size=[2, 2], scale=scale, translation=[0.0, 0.0], kernel_type=kernel
    )


def _boxes(boxes: Any, indices: Any, size: Any = (2, 2), method: str = "bilinear") -> Callable[[Any, Any], Any]:
    rows = np.asarray(boxes, np.float32)
    return lambda where, x: where.image.crop_and_resize(
        x, tensor(rows) if where is tf else rows, np.asarray(indices, np.int32), list(size), method
    )


def _transform(rows: int, size: Any) -> Callable[[Any, Any], Any]:
    numbers = np.ones((rows, 8), np.float32)
    return lambda where, x: where.raw_ops.ImageProjectiveTransformV3(
        images=x,
        transforms=tensor(numbers) if where is tf else numbers,
        output_shape=size,
        fill_value=0.0,
        interpolation="NEAREST",
    )


def _patches(sizes: Any, strides: Any = (1, 1, 1, 1), padding: str = "VALID") -> Callable[[Any, Any], Any]:
    return lambda where, x: where.image.extract_patches(x, list(sizes), list(strides), [1, 1, 1, 1], padding)


REFUSED = {
    "rank": ((3, 4), _resize([2, 2])),
    "no_rows": ((1, 0, 2, 1), _resize([2, 2])),
    "no_channels": ((1, 2, 2, 0), _resize([2, 2], "bicubic")),
    "no_new_rows": ((1, 2, 2, 1), _resize([0, 2], "nearest")),
    "negative_size": ((1, 2, 2, 1), _resize([2, -2])),
    "three_sizes": ((1, 2, 2, 1), _resize([2, 2, 1])),
    "one_size": ((1, 2, 2, 1), _resize(2)),
    "unknown_method": ((1, 2, 2, 1), _resize([2, 2], "cubic")),
    "unknown_kernel": ((1, 2, 2, 1), _scale([1.0, 1.0], "sinc")),
    "negative_scale": ((1, 2, 2, 1), _scale([1.0, -1.0])),
    "one_scale": ((1, 2, 2, 1), _scale([1.0])),
    "crop_beyond": ((2, 3, 1), lambda where, x: where.image.crop_to_bounding_box(x, 1, 0, 2, 2)),
    "crop_before": ((2, 3, 1), lambda where, x: where.image.crop_to_bounding_box(x, -1, 0, 2, 2)),
    "crop_of_nothing": ((2, 3, 1), lambda where, x: where.image.crop_to_bounding_box(x, 0, 0, 0, 2)),
    "pad_too_little": ((2, 3, 1), lambda where, x: where.image.pad_to_bounding_box(x, 1, 0, 2, 3)),
    "no_target": ((2, 3, 1), lambda where, x: where.image.resize_with_crop_or_pad(x, 2, 0)),
    "no_padded_target": ((2, 3, 1), lambda where, x: where.image.resize_with_pad(x, 0, 2)),
    "fraction_of_nothing": ((2, 3, 1), lambda where, x: where.image.central_crop(x, 0.0)),
    "fraction_above_one": ((2, 3, 1), lambda where, x: where.image.central_crop(x, 1.5)),
    "fraction_of_a_row": ((2, 3), lambda where, x: where.image.central_crop(x, 0.5)),
    "box_of_three": ((1, 2, 2, 1), _boxes([[0, 0, 1]], [0])),
    "box_of_another_image": ((1, 2, 2, 1), _boxes([[0, 0, 1, 1]], [1])),
    "box_without_image": ((1, 2, 2, 1), _boxes([[0, 0, 1, 1]], [0, 0])),
    "box_without_end": ((1, 2, 2, 1), _boxes([[0, 0, np.inf, 1]], [0])),
    "box_of_no_pixels": ((1, 2, 2, 1), _boxes([[0, 0, 1, 1]], [0], (0, 2))),
    "box_by_unknown_method": ((1, 2, 2, 1), _boxes([[0, 0, 1, 1]], [0], method="area")),
    "transforms_for_others": ((2, 2, 2, 1), _transform(3, [2, 2])),
    "transformed_to_nothing": ((2, 2, 2, 1), _transform(1, [0, 2])),
    "windows_of_channels": ((1, 2, 2, 2), _patches([1, 1, 1, 2])),
    "windows_by_three": ((1, 2, 2, 2), _patches([1, 1, 1])),
    "windows_without_stride": ((1, 2, 2, 2), _patches([1, 1, 1, 1], [1, 0, 1, 1])),
    "unknown_padding": ((1, 2, 2, 2), _patches([1, 1, 1, 1], padding="FULL")),
}


@pytest.mark.parametrize(("shape", "call"), REFUSED.values(), ids=REFUSED)
def test_what_tensorflow_refuses(shape: tuple[int, ...], call: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(REFUSALS):
        call(tensorflow, np.ones(shape, np.float32))
    with pytest.raises(OpError):
        call(tf, tensor(np.ones(shape, np.float32)))


@pytest.mark.parametrize("option", [{"interpolation": "CUBIC"}, {"fill_mode": "MIRROR"}], ids=["kernel", "fill"])
def test_unknown_words_are_refused(option: dict[str, str]) -> None:
    """TensorFlow writes to its log and gives what is in memory."""
    given = {"output_shape": [2, 2], "fill_value": 0.0, "interpolation": "NEAREST", **option}
    with pytest.raises(OpError):
        tf.raw_ops.ImageProjectiveTransformV3(
            images=tensor(np.ones((1, 2, 2, 1), np.float32)), transforms=tensor(np.ones((1, 8), np.float32)), **given
        )


def test_kernel_that_reaches_over_everything_needs_room() -> None:
    """The result has no more pixels than the image, but each is a sum of all of them."""
    builder = Builder(inline=True, max_elements=10_000)
    x = builder.input("x", TensorType((1, 1000, 1, 1), FLOAT32))
    call = _scale([1e-3, 1.0])
    with building(builder):
        call(tf, x)
        with pytest.raises(TooLarge):
            tf.raw_ops.ScaleAndTranslate(images=x, size=[1000, 1], scale=[1e-3, 1.0], translation=[0.0, 0.0])
