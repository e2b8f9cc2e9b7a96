"""Colours where channels tie or are missing, conversions to integers at the ends of their range, and refusals."""

from itertools import product

import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.dtypes import DTYPES
from gradcheck.ops import OpError, find_op, tf
from gradcheck.program import TensorType
from gradcheck.reference.tensorflow import REFUSALS, function
from gradcheck.tensors import Builder, TooLarge, building

LEVELS = (-0.5, 0.0, 0.25, 0.75, 1.5)
PIXELS = np.array(list(product(LEVELS, repeat=3)))


def _slopes(pixels: np.ndarray, channel: int) -> np.ndarray:
    given = tensor(pixels)
    with GradientTape() as tape:
        tape.watch(given)
        colours = tf.image.rgb_to_hsv(given)[:, channel]
    return tape.gradient(colours, given).numpy()


def test_values_of_every_order_of_the_channels() -> None:
    theirs = tensorflow.image.rgb_to_hsv(tensorflow.constant(PIXELS)).numpy()
    np.testing.assert_allclose(tf.image.rgb_to_hsv(tensor(PIXELS)).numpy(), theirs, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_slopes_at_every_tie_of_the_channels(channel: int) -> None:
    pixels = PIXELS[(PIXELS > 0).all(1)]
    given = tensorflow.constant(pixels)
    with tensorflow.GradientTape() as tape:
        tape.watch(given)
        colours = tensorflow.image.rgb_to_hsv(given)[:, channel]
    expected = tape.gradient(colours, given).numpy()
    np.testing.assert_allclose(_slopes(pixels, channel), expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("channel", [0, 1])
def test_slopes_of_channels_that_are_not_above_zero(channel: int) -> None:
    """TensorFlow's are wrong; differences of its values are not. Where the largest channel is 0 there is a jump."""
    pixels = PIXELS[[len(set(each)) == 3 and each.max() != 0 and each.min() <= 0 for each in PIXELS]]
    step = 1e-5
    steps = np.array([step, -step]).reshape(2, 1, 1, 1) * np.eye(3)
    moved = tensorflow.image.rgb_to_hsv(tensorflow.constant(pixels[:, np.newaxis] + steps)).numpy()
    above, below = moved[..., channel]
    np.testing.assert_allclose(_slopes(pixels, channel), (above - below) / (2 * step), rtol=1e-7, atol=1e-8)


def test_hue_and_back() -> None:
    pixels = np.random.default_rng(1).random((1000, 3))
    back = tf.image.hsv_to_rgb(tf.image.rgb_to_hsv(tensor(pixels))).numpy()
    np.testing.assert_allclose(back, pixels, rtol=0, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_back_from_any_hue(dtype: str) -> None:
    pixels = PIXELS.astype(DTYPES[dtype])
    theirs = tensorflow.image.hsv_to_rgb(tensorflow.constant(pixels)).numpy().astype(float)
    ours = tf.image.hsv_to_rgb(tensor(pixels)).numpy().astype(float)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol={"float16": 2e-3, "bfloat16": 2e-2}.get(dtype, 3e-7))


FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "uint8", "uint16")


@pytest.mark.parametrize("saturate", [False, True])
@pytest.mark.parametrize(("source", "target"), [*product(FLOATS, INTEGERS), *product(INTEGERS, FLOATS + INTEGERS)])
def test_conversions(source: str, target: str, saturate: bool) -> None:
    """Of shares that fit; saturated ones of shares that do not, too."""
    shares = np.array([0.0, 0.25, 0.5] + [1.0, -0.25, 2.0, -2.0] * saturate)
    if source in INTEGERS:
        bounds = np.iinfo(source)
        shares = np.array([0, 1, bounds.max // 3, bounds.max] + [bounds.min] * saturate)
    image = shares.astype(DTYPES[source])
    ours = tf.image.convert_image_dtype(tensor(image), DTYPES[target], saturate=saturate).numpy()
    with np.errstate(over="ignore"):  # TensorFlow makes the bounds by NumPy
        theirs = tensorflow.image.convert_image_dtype(tensorflow.constant(image), target, saturate=saturate).numpy()
    np.testing.assert_array_equal(ours, theirs, strict=True)


@pytest.mark.parametrize("k", range(-5, 6))
@pytest.mark.parametrize("shape", [(2, 3, 2), (2, 3, 4, 1)])
def test_quarter_turns(shape: tuple, k: int) -> None:
    image = np.arange(np.prod(shape)).reshape(shape)
    height = len(shape) - 3
    np.testing.assert_array_equal(tf.image.rot90(tensor(image), k).numpy(), np.rot90(image, k, (height, height + 1)))


def test_similarity_with_the_published_weights() -> None:
    """Five scales and windows of 11 by 11 need 176 pixels; Wang et al. 2003."""
    rng = np.random.default_rng(1)
    image = rng.random((1, 176, 177, 1), np.float32)
    noisy = image + 0.1 * rng.random(image.shape, np.float32)
    ours = tf.image.ssim_multiscale(tensor(image), tensor(noisy), 1.0).numpy()
    theirs = tensorflow.image.ssim_multiscale(image, noisy, 1.0).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_equal_images_are_alike() -> None:
    image = tensor(np.random.default_rng(1).random((12, 11, 3), np.float32))
    np.testing.assert_allclose(tf.image.ssim(image, image, 1.0).numpy(), 1, rtol=1e-6)


IMAGE = np.ones((1, 2, 2, 3), np.float32)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("adjust_gamma", (IMAGE, -1.0)),
        ("convert_image_dtype", (IMAGE, "bool")),
        ("flip_left_right", (IMAGE[0, 0],)),
        ("flip_up_down", (IMAGE[np.newaxis],)),
        ("flip_up_down", (IMAGE[:, :0],)),
        ("grayscale_to_rgb", (IMAGE,)),
        ("grayscale_to_rgb", (np.ones(1, np.float32),)),
        ("hsv_to_rgb", (IMAGE[..., :2],)),
        ("image_gradients", (IMAGE[0],)),
        ("per_image_standardization", (IMAGE[0, 0],)),
        ("psnr", (IMAGE, IMAGE[:, :1], 1.0)),
        ("psnr", (IMAGE[0, 0], IMAGE[0, 0], 1.0)),
        ("rgb_to_grayscale", (IMAGE[..., :2],)),
        ("rgb_to_hsv", (IMAGE[..., :2],)),
        ("rgb_to_yuv", (IMAGE[..., :2],)),
        ("rot90", (IMAGE, 0.5)),
        ("sobel_edges", (IMAGE[0],)),
        ("sobel_edges", (IMAGE[:, :1],)),
        ("ssim", (IMAGE, IMAGE, 1.0, 3)),
        ("ssim", (np.repeat(IMAGE, 2, 0), np.repeat(IMAGE, 3, 0), 1.0, 2)),
        ("ssim_multiscale", (IMAGE, IMAGE, 1.0, [0.5, 0.5], 2)),
        ("total_variation", (IMAGE[0, 0],)),
        ("transpose", (IMAGE[0, 0],)),
    ],
)
def test_refusals(name: str, arguments: tuple) -> None:
    """TensorFlow refuses the same calls."""
    with pytest.raises(OpError):
        find_op(f"tf.image.{name}")(*[tensor(each) if isinstance(each, np.ndarray) else each for each in arguments])
    tensors = [tensorflow.constant(each) if isinstance(each, np.ndarray) else each for each in arguments]
    with pytest.raises(REFUSALS):
        function(f"tf.image.{name}")(*tensors)


def test_size_is_bounded() -> None:
    builder = Builder(inline=False, max_elements=50)
    with building(builder), pytest.raises(TooLarge):
        tf.image.sobel_edges(builder.input("x", TensorType((1, 4, 4, 2), np.dtype(np.float32))))
