"""Arrays made, joined, padded and repeated: what the walk over the table does not reach."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import tensorflow

from gradcheck import GradientTape, tensor
from gradcheck.engine.evaluate import evaluate
from gradcheck.engine.tracing import trace
from gradcheck.ops import OpError, tf
from gradcheck.tensors import Builder, TooLarge, building
from tests.ops.calls import assert_same

X = np.arange(1.0, 7.0).reshape(2, 3)

SAME: dict[str, Callable[..., Any]] = {
    "cast to a narrower float": lambda tf, x: tf.cast(tf.cast(x, "float32"), "float64"),
    "cast through an integer": lambda tf, x: x * tf.cast(tf.cast(x, "int32"), "float64"),
    "concat of one tensor": lambda tf, x: tf.concat(x, 0),
    "concat of one tensor, axis outside": lambda tf, x: tf.concat([x], 7),
    "concat, axis in a list": lambda tf, x: tf.concat([x, x], [1]),
    "one part of a split": lambda tf, x: tf.split(x, [1, 2], axis=1)[1],
    "squeeze, an empty list is all axes": lambda tf, x: tf.squeeze(x[None], []),
    "squeeze, an axis named twice": lambda tf, x: tf.squeeze(x[None], [0, -3]),
    "roll by more than the size": lambda tf, x: tf.roll(x, -7, -1),
    "pad with a number": lambda tf, x: tf.pad(x, [[1, 0], [0, 2]], constant_values=2.5),
    "pad, mode in small letters": lambda tf, x: tf.pad(x, [[1, 0], [2, 1]], "reflect"),
    "repeat, negative counts": lambda tf, x: tf.repeat(x, [-1, 2], axis=0),
    "repeat, one count in a list": lambda tf, x: tf.repeat(x, [2], axis=1),
    "tile by nothing": lambda tf, x: tf.tile(x, [0, 1]),
    "constant of a tensor": lambda tf, x: tf.constant(x) * 2.0,
    "constant of a tensor, reshaped": lambda tf, x: tf.constant(x, shape=[3, 2]) * 2.0,
    "constant in float64": lambda tf, x: x * tf.constant(0.1, "float64"),
    "constant repeated": lambda tf, x: x * tf.constant([2], "float64", [2, 3]),
    "constant reshaped": lambda tf, x: x * tf.constant([1, 2, 3, 4, 5, 6], "float64", [2, 3]),
    "convert in float64": lambda tf, x: x * tf.convert_to_tensor(0.1, "float64"),
    "convert a list with tensors": lambda tf, x: tf.convert_to_tensor([x[0, 1], 2.0]),
    "convert a nested list with tensors": lambda tf, x: tf.convert_to_tensor([[x[0, 1], 2], [0, x[1, 1]]]),
    "zeros_like of another dtype": lambda tf, x: x + tf.cast(tf.zeros_like(x, "int32"), "float64"),
    "fill": lambda tf, x: tf.fill([2, 2], x[0, 1]),
    "linspace of one point": lambda tf, x: tf.linspace(x[0, 0], x[1, 2], 1),
    "linspace of no points": lambda tf, x: tf.linspace(x[0, 0], x[1, 2], 0),
    "linspace along the last axis": lambda tf, x: tf.linspace(x[0], x[1], 4, axis=-1),
    "linspace of integers": lambda tf, x: tf.linspace(0, 10, 4) * x[0, 0],
    "meshgrid": lambda tf, x: tf.meshgrid(x[0], x)[0] * tf.meshgrid(x[0], x)[1],
    "one_hot, on and off": lambda tf, x: tf.one_hot([0, 5, -1], 2, on_value=x[0, 0], off_value=x[0, 1]),
    "one_hot, integer on": lambda tf, x: tf.one_hot([0, 1], 3, on_value=5),
    "one_hot, only off": lambda tf, x: tf.one_hot([0, 1], 3, off_value=5.0),
    "one_hot of a dtype": lambda tf, x: x * tf.one_hot([0, 1], 3, on_value=5, dtype="float64"),
    "one_hot of booleans": lambda tf, x: tf.one_hot([0, 1], 3, on_value=True, off_value=False),
    "sequence_mask": lambda tf, x: x * tf.sequence_mask([1, 3], dtype="float64"),
    "large integers": lambda tf, x: tf.range(2**40, 2**40 + 2) + tf.constant([1, 2**50]),
    "range of a computed size": lambda tf, x: x * tf.cast(tf.range(tf.shape(x)[-1]), "float64"),
    "shape in a reshape": lambda tf, x: tf.reshape(x, [tf.shape(x)[1], -1]),
    "arithmetic on a shape": lambda tf, x: tf.reshape(x, [tf.shape(x)[0] * tf.shape(x)[1] // 2, 2]),
    "size as a number": lambda tf, x: tf.reduce_sum(x) / tf.cast(tf.size(x), "float64"),
    "rank as an axis": lambda tf, x: tf.expand_dims(x, tf.rank(x)),
    "size of a split": lambda tf, x: tf.split(x, [1, tf.shape(x)[1] - 1], axis=1)[1],
    "ensure_shape": lambda tf, x: tf.ensure_shape(x, [None, 3]) * 2.0,
}


@pytest.mark.parametrize("name", SAME)
def test_is_what_tensorflow_does(name: str) -> None:
    assert_same(SAME[name], X)


def test_published_mirror_padding_gradients() -> None:
    """The example of TensorFlow's own test of mirrored padding, and both modes by hand."""
    x = np.array([1.0, 2.0, 3.0])
    for mode, value, gradient in (
        ("REFLECT", [3, 2, 1, 2, 3, 2], [3, 12, 6]),
        ("SYMMETRIC", [2, 1, 1, 2, 3, 3], [5, 5, 11]),
    ):
        found = assert_same(lambda tf, x, mode=mode: tf.pad(x, [[2, 1]], mode), x)
        assert [each.tolist() for each in found if each is not None] == [value, gradient]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("bounds", [(5,), (1, 9, 3), (9, 1, -3), (0, 0), (2, 7, 7)])
def test_range_has_tensorflows_numbers(dtype: str, bounds: tuple[int, ...]) -> None:
    ours = tf.range(*bounds, dtype=dtype).numpy()
    np.testing.assert_array_equal(ours, tensorflow.range(*bounds, dtype=dtype).numpy(), strict=True)


@pytest.mark.parametrize("bounds", [(0.0, 1.0, 0.1), (0.0, 10.0, 0.1), (1.0, -1.0, -0.3), (2.5,), (0, 2.5), (3.0, 3.0)])
def test_range_of_fractions_is_rounded_as_in_tensorflow(bounds: tuple[float, ...]) -> None:
    np.testing.assert_array_equal(tf.range(*bounds).numpy(), tensorflow.range(*bounds).numpy(), strict=True)


def test_narrow_floats_are_moved_exactly() -> None:
    x = np.array([1.0, 1e-7, 65504.0, np.nan, -0.0], np.float16)
    for moved in (tf.reverse(tf.reverse(x, [0]), [0]), tf.concat([x, x], 0)[:5], tf.pad(x, [[0, 2]])[:5]):
        np.testing.assert_array_equal(moved.numpy(), x, strict=True)
    wide = tf.cast(tensor(x), "bfloat16").numpy()
    assert wide.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(wide.astype("float32"), tensorflow.cast(x, "bfloat16").numpy().astype("float32"))


def test_mirrored_padding_adds_narrow_floats_in_float32() -> None:
    """In float16, 2048 + 1 + 1 is 2048 when each sum is rounded and 2050 when only the last is."""
    x = tensor(np.ones(1, np.float16))
    with GradientTape() as tape:
        tape.watch(x)
        y = tf.pad(x, [[1, 1]], "SYMMETRIC")
    seed = tensor(np.array([1.0, 2048.0, 1.0], np.float16))
    assert tape.gradient(y, x, output_gradients=seed).numpy().tolist() == [2050.0]


def test_what_is_computed_from_constants_alone_is_known() -> None:
    builder = Builder(inline=False)
    with building(builder):
        x = builder.input("x", tensor(X).type)
        half = tf.shape(x)[1] // tf.constant(2) + 1
        flags = tf.range(4) > 1
        computed = tf.reduce_sum(x)
    assert builder.known(half).tolist() == 2
    assert builder.known(flags).tolist() == [False, False, True, True]
    assert builder.known(computed) is None


def test_a_traced_constant_is_still_an_instruction() -> None:
    program = trace(lambda x: tf.reshape(x, [tf.size(x), 1]) + tf.ones([6, 1], "float64"), {"x": X})
    assert [each.op.name for each in program.instructions] == ["tf.size", "tf.reshape", "tf.ones", "tf.add"]
    np.testing.assert_array_equal(evaluate(program, {"x": X})[0], X.reshape(6, 1) + 1)


def test_an_operand_behind_another_parameter_is_printed_by_name() -> None:
    program = trace(lambda x: tf.fill([2, 2], x), {"x": np.float64(3)})
    assert str(program).splitlines()[1] == "%1: float64[2, 2] = tf.fill(value=x, dims=[2, 2])"


def test_any_number_of_operands_is_printed_without_a_list() -> None:
    program = trace(lambda x, y: tf.meshgrid(x, y, indexing="ij"), {"x": X[0], "y": X[1, :2]})
    assert str(program).splitlines()[2] == ("%2: float64[3, 2], %3: float64[3, 2] = tf.meshgrid(x, y, indexing='ij')")


def test_nothing_larger_than_the_builder_allows_is_made() -> None:
    builder = Builder(inline=False, max_elements=1000)
    with building(builder):
        x = builder.input("x", tensor(X).type)
        for make in (
            lambda: tf.zeros([10**12]),
            lambda: tf.range(10**12),
            lambda: tf.repeat(x, 10**12),
            lambda: tf.sequence_mask([10**12], 10**12),
            lambda: tf.linspace(0.0, 1.0, 10**9),
            lambda: tf.one_hot([1], 10**12),
            lambda: tf.fill([10**6, 10**6], 1.0),
            lambda: tf.pad(x, [[0, 10**12], [0, 0]]),
        ):
            with pytest.raises(TooLarge):
                make()


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "transpose, axis twice": (lambda x: tf.transpose(x, [0, 0]), "`perm` [0, 0] is not an order of the axes of [2, 3]"),
    "transpose, too short": (lambda x: tf.transpose(x, [0]), "`perm` [0] is not an order of the axes of [2, 3]"),
    "transpose, outside": (lambda x: tf.transpose(x, [0, 2]), "`perm` 2 is outside a tensor of rank 2"),
    "transpose, no list": (lambda x: tf.transpose(x, 1), "`perm` must be a list of integers, not 1"),
    "concat, shapes": (
        lambda x: tf.concat([x, x[:1]], 1),
        "`tf.concat` along axis 1 of shapes [2, 3] and [1, 3]: all other axes must be equal",
    ),
    "concat, scalars": (
        lambda x: tf.concat([x[0, 0], x[0, 1]], 0),
        "`tf.concat` needs an axis to join along, and scalars have none",
    ),
    "concat, axis": (lambda x: tf.concat([x, x], 2), "`axis` 2 is outside a tensor of rank 2"),
    "split, uneven": (lambda x: tf.split(x, 2, 1), "axis 1 has size 3 and cannot be split into 2 equal parts"),
    "split, none": (lambda x: tf.split(x, 0, 1), "axis 1 has size 3 and cannot be split into 0 equal parts"),
    "split, sum": (lambda x: tf.split(x, [1, 1], 1), "the sizes [1, 1] do not divide axis 1, of size 3"),
    "split, too much": (lambda x: tf.split(x, [4, -1], 1), "the sizes [4, -1] do not divide axis 1, of size 3"),
    "split, two unknown": (lambda x: tf.split(x, [-1, -1], 1), "the sizes [-1, -1] do not divide axis 1, of size 3"),
    "split, empty": (lambda x: tf.split(x, [], 1), "the sizes [] do not divide axis 1, of size 3"),
    "split, num": (lambda x: tf.split(x, [1, 2], 1, num=3), "`num` is 3, but there are 2 sizes"),
    "squeeze": (lambda x: tf.squeeze(x, 0), "axis 0 of [2, 3] has size 2, not 1"),
    "expand_dims": (lambda x: tf.expand_dims(x, 3), "`axis` 3 is outside a tensor of rank 3"),
    "expand_dims, two": (lambda x: tf.expand_dims(x, [0, 1]), "`axis` must be one integer, not (0, 1)"),
    "reverse, no list": (lambda x: tf.reverse(x, 1), "`axis` must be a list of integers, not 1"),
    "reverse, twice": (lambda x: tf.reverse(x, [1, -1]), "`axis` names an axis twice: [1, -1]"),
    "roll, mismatch": (lambda x: tf.roll(x, [1, 2], [0]), "`shift` and `axis` must correspond, not (1, 2) and (0,)"),
    "roll, list and number": (lambda x: tf.roll(x, 1, [0]), "`shift` and `axis` must correspond, not 1 and (0,)"),
    "roll, scalar": (lambda x: tf.roll(x[0, 0], 1, 0), "`tf.roll` needs an axis, and a scalar has none"),
    "pad, negative": (
        lambda x: tf.pad(x, [[-1, 0], [0, 0]]),
        "`paddings` has a negative number: ((-1, 0), (0, 0))",
    ),
    "pad, rank": (lambda x: tf.pad(x, [[1, 0]]), "`paddings` must have a pair for each axis of [2, 3], not ((1, 0),)"),
    "pad, mode": (
        lambda x: tf.pad(x, [[0, 0], [0, 0]], "edge"),
        "`mode` must be 'CONSTANT', 'REFLECT' or 'SYMMETRIC', not 'edge'",
    ),
    "pad, reflect": (
        lambda x: tf.pad(x, [[2, 0], [0, 0]], "REFLECT"),
        "axis 0 of [2, 3] has size 2 and cannot be padded by 2 in mode 'REFLECT': 1 is the most",
    ),
    "pad, symmetric": (
        lambda x: tf.pad(x, [[0, 0], [0, 4]], "SYMMETRIC"),
        "axis 1 of [2, 3] has size 3 and cannot be padded by 4 in mode 'SYMMETRIC': 3 is the most",
    ),
    "pad, vector": (
        lambda x: tf.pad(x, [[0, 0], [0, 1]], constant_values=[1.0]),
        "`constant_values` must be one number for all borders",
    ),
    "tile, rank": (
        lambda x: tf.tile(x, [2]),
        "`multiples` must have a number of copies for each axis of [2, 3], not [2]",
    ),
    "tile, negative": (
        lambda x: tf.tile(x, [2, -1]),
        "`multiples` must have a number of copies for each axis of [2, 3], not [2, -1]",
    ),
    "tile, no list": (lambda x: tf.tile(x[0], 2), "`multiples` must be a list of integers, not 2"),
    "repeat, counts": (lambda x: tf.repeat(x, [1, 2, 3], 0), "3 `repeats` for axis 0 of [2, 3]"),
    "repeat, negative": (lambda x: tf.repeat(x, -1), "`repeats` is negative: -1"),
    "constant, list of tensors": (lambda x: tf.constant([x, x]), "`tf.constant` takes numbers, not a list of tensors"),
    "constant, dtype": (
        lambda x: tf.constant(x, "float32"),
        "`tf.constant`: `value` is float64 where float32 is needed; TensorFlow never promotes",
    ),
    "constant, fraction": (lambda _: tf.constant(1.5, "int32"), "`tf.constant`: `value`: a float cannot become int32"),
    "constant, shape": (
        lambda _: tf.constant([1, 2, 3], shape=[2]),
        "3 numbers cannot fill a tensor of shape [2]",
    ),
    "convert, dtype": (
        lambda x: tf.convert_to_tensor(x, "float32"),
        "`tf.convert_to_tensor`: `value` is float64 where float32 is needed; TensorFlow never promotes",
    ),
    "zeros, negative": (lambda _: tf.zeros([2, -1]), "`shape` [2, -1] has a negative size"),
    "fill, vector": (lambda x: tf.fill([2], x[0]), "`tf.fill` repeats a scalar, not a tensor of shape [3]"),
    "range, backwards": (lambda _: tf.range(5, 0), "`tf.range` does not come from 5 to 0 in steps of 1"),
    "range, no step": (lambda _: tf.range(5, 6, 0), "`tf.range` does not come from 5 to 6 in steps of 0"),
    "range, infinite": (lambda _: tf.range(float("inf")), "`tf.range` has no end"),
    "range, dtype": (lambda _: tf.range(3, dtype="int8"), "`tf.range` has no int8"),
    "range, too large": (lambda _: tf.range(2**40, dtype="int32"), f"`limit` {2**40} is not of dtype int32"),
    "range, fraction": (lambda _: tf.range(3.5, dtype="int32"), "`limit` 3.5 is not of dtype int32"),
    "linspace, negative": (lambda _: tf.linspace(0.0, 1.0, -1), "`num` is -1: a negative number of points"),
    "linspace, axis": (lambda x: tf.linspace(x[0], x[1], 3, axis=2), "`axis` 2 is outside a tensor of rank 2"),
    "shape, dtype": (lambda x: tf.shape(x, "float32"), "`out_type` must be tf.int32 or tf.int64, not float32"),
    "meshgrid, order": (lambda x: tf.meshgrid(x, x, indexing="zz"), "`indexing` must be 'xy' or 'ij', not 'zz'"),
    "meshgrid, name": (lambda x: tf.meshgrid(x, x, foo=1), "`tf.meshgrid` has no parameter `foo`"),
    "one_hot, dtypes": (
        lambda x: tf.one_hot([0], 2, on_value=x[0, 0], off_value=1),
        "`on_value` and `off_value` must both be float64",
    ),
    "one_hot, bool": (
        lambda _: tf.one_hot([0], 2, dtype="bool"),
        "`tf.one_hot` needs `on_value` and `off_value` for bool",
    ),
    "one_hot, axis": (lambda _: tf.one_hot([0], 2, axis=-2), "`axis` must be -1 or between 0 and 1, not -2"),
    "one_hot, depth": (lambda _: tf.one_hot([0], -2), "`depth` is negative: -2"),
    "one_hot, floats": (
        lambda x: tf.one_hot(x, 2),
        (
            "`tf.one_hot` does not take float64 as `indices`; "
            "it takes int8, int16, int32, int64, uint8, uint16, uint32, uint64"
        ),
    ),
    "ensure_shape": (
        lambda x: tf.ensure_shape(x, [3, None]),
        "a tensor of shape [2, 3] is not of shape [3, None]",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_in_words(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(OpError) as caught:
        call(tensor(X))
    assert str(caught.value) == message


@pytest.mark.parametrize("name", [name for name in REFUSED if name != "range, too large"])
def test_tensorflow_refuses_the_same(name: str) -> None:
    call, _ = REFUSED[name]
    code = call.__code__
    theirs = type(call)(code, {**call.__globals__, "tf": tensorflow})
    with pytest.raises((ValueError, TypeError, tensorflow.errors.OpError)):
        theirs(tensorflow.constant(X))


def test_a_size_that_depends_on_an_input_is_refused() -> None:
    builder = Builder(inline=False)
    with building(builder):
        x = builder.input("x", tensor(np.array(3)).type)
        with pytest.raises(OpError) as caught:
            tf.range(x)
    assert str(caught.value) == "`start` must be known when the case is read, not computed from its inputs"
