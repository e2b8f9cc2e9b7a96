"""The generator and the distributions, against published blocks and against TensorFlow's kernels."""

import numpy as np
import pytest
import tensorflow as tf

from gradcheck.dtypes import DTYPES, FLOATS, DType
from gradcheck.ops.random import distributions
from gradcheck.ops.random.distributions import Draw
from gradcheck.ops.random.philox import Stream, scrambled

SHAPES = [(), (3,), (2, 3, 5), (0, 3), (1025,)]
SEED = [-5, 2**40]


# The known answers for philox4x32 with 10 rounds that come with Random123, the authors' own library.
@pytest.mark.parametrize(
    ("counter", "key", "block"),
    [
        ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((2**32 - 1,) * 4, (2**32 - 1,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_blocks_are_those_that_were_published(counter: tuple[int, ...], key: tuple[int, int], block: str) -> None:
    stream = Stream(key, sum(word << 32 * place for place, word in enumerate(counter)))
    assert " ".join(f"{word:08x}" for word in stream.blocks(1)[0]) == block


@pytest.mark.parametrize("counter", [0, 2**32 - 3, 2**64 - 3, 2**128 - 3])
def test_a_skipped_stream_goes_on_where_it_is(counter: int) -> None:
    stream = Stream((1, 2), counter)
    np.testing.assert_array_equal(stream.skipped(4).blocks(3), stream.blocks(7)[4:])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_uniform_numbers_are_tensorflow_s_to_the_bit(dtype: DType, shape: tuple[int, ...]) -> None:
    theirs = tf.random.stateless_uniform(shape, SEED, dtype=tf.as_dtype(dtype)).numpy()
    np.testing.assert_array_equal(distributions.uniform(scrambled((-5, 2**40)), shape, dtype), theirs, strict=True)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("stateless_normal", distributions.normal),
        ("stateless_truncated_normal", distributions.truncated_normal),
    ],
)
def test_normal_numbers_are_tensorflow_s_to_rounding(
    name: str, draw: Draw, dtype: DType, shape: tuple[int, ...]
) -> None:
    theirs = getattr(tf.random, name)(shape, SEED, dtype=tf.as_dtype(dtype)).numpy()
    found = draw(scrambled((-5, 2**40)), shape, dtype)
    assert found.dtype == theirs.dtype
    bound = {"float64": 5e-16, "float32": 3e-7, "float16": 1e-3, "bfloat16": 8e-3}[dtype.name]
    np.testing.assert_allclose(found.astype(np.float64), theirs.astype(np.float64), rtol=bound, strict=True)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize(("low", "high"), [(0, 10), (-5, 2**31 - 1), (-(2**31), 2**31 - 1)])
def test_integers_between_bounds_are_tensorflow_s(dtype: str, low: int, high: int) -> None:
    theirs = tf.random.stateless_uniform([33], SEED, low, high, dtype=dtype).numpy()
    found = distributions.integers(scrambled((-5, 2**40)), (33,), DTYPES[dtype], low, high)
    np.testing.assert_array_equal(found, theirs, strict=True)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32", "uint64"])
def test_integers_of_the_whole_range_are_tensorflow_s(dtype: str) -> None:
    theirs = tf.random.stateless_uniform([33], SEED, None, None, dtype=dtype).numpy()
    found = distributions.whole(scrambled((-5, 2**40)), (33,), DTYPES[dtype])
    np.testing.assert_array_equal(found, theirs, strict=True)
