"""What calls with a state draw, one after the other and in programs of which only a part is carried out."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow

from gradcheck import tensor
from gradcheck.dtypes import FLOAT32, FLOAT64
from gradcheck.engine.evaluate import evaluate
from gradcheck.ops import tf
from gradcheck.ops.declaration import OpError
from gradcheck.ops.random.seeds import GLOBAL_SEED, Draws, Kernel, Seed
from gradcheck.program import Program
from gradcheck.reference.tensorflow import forward
from gradcheck.tensors import Builder, building

Call = Callable[[Any], Any]
CALLS: list[Call] = [
    lambda api: api.random.uniform([3], seed=1),
    lambda api: api.random.normal([5], seed=1),
    lambda api: api.random.uniform([2], seed=1),
    lambda api: api.random.uniform([2], dtype=api.float64 if api is tensorflow else FLOAT64, seed=1),
    lambda api: api.random.uniform([7], 0, 10, dtype=api.int32 if api is tensorflow else np.dtype(np.int32), seed=1),
    lambda api: api.random.uniform([3]),
    lambda api: api.random.normal([5], seed=1),
    lambda api: api.random.uniform([7], 0, 10, dtype=api.int32 if api is tensorflow else np.dtype(np.int32), seed=1),
    lambda api: api.random.normal([2, 2]),
    lambda api: api.random.gamma([2], [0.5, 3.0], seed=1),
    lambda api: api.nn.dropout(np.ones(4, np.float32), 0.5, seed=1),
    lambda api: api.nn.dropout(np.ones(4, np.float32), 0, seed=None),
    lambda api: api.random.gamma([3], [0.5, 3.0], seed=1),
    lambda api: api.random.uniform([3], seed=2**31 - 1 + 1),
    lambda api: api.random.truncated_normal([3], seed=-1),
    lambda api: api.random.truncated_normal([3], seed=-1),
    lambda api: api.nn.dropout(np.ones(4, np.float32), 0.5),
]


def _program() -> Program:
    builder = Builder(inline=False)
    with building(builder):
        return builder.finish([call(tf) for call in CALLS])


def _close(ours: Any, theirs: Any) -> None:
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-6, strict=True)


def test_calls_one_after_the_other_draw_what_they_do_in_tensorflow() -> None:
    program = _program()
    tensorflow.random.set_seed(GLOBAL_SEED)
    theirs = [call(tensorflow).numpy() for call in CALLS]
    _close(evaluate(program, {}), theirs)


def test_the_reference_draws_the_same_for_any_part_of_a_program() -> None:
    program = _program()
    for index in program.outputs:
        part = replace(program, outputs=(index,)).pruned()
        values = {key: tensorflow.constant(value) for key, value in part.constants.items()}
        _close(evaluate(part, {}), [each.numpy() for each in forward(part, values)])


def test_a_program_starts_anew() -> None:
    for one, other in zip(evaluate(_program(), {}), evaluate(_program(), {}), strict=True):
        np.testing.assert_array_equal(one, other)


def test_kernels_of_other_names_and_dtypes_are_apart() -> None:
    draws = Draws()
    kernels = [
        Kernel("RandomUniform", FLOAT32, 3),
        Kernel("RandomUniform", FLOAT64, 3),
        Kernel("RandomGamma", FLOAT32, 3),
    ]
    assert [draws.settled(1, each).before for each in (*kernels, kernels[0])] == [0, 0, 0, 3]


def test_a_settled_seed_survives_the_way_to_another_process() -> None:
    draws = Draws()
    draws.settled(4, Kernel("RandomGamma", FLOAT64, 3))
    seed = draws.settled(4, Kernel("RandomGamma", FLOAT64, 1))
    copy = pickle.loads(pickle.dumps(seed))
    assert isinstance(copy, Seed)
    assert (copy, copy.kernel, copy.dtype, copy.before) == (4, "RandomGamma", FLOAT64, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tf.random.normal([3], seed=1.5), "`seed` must be an integer"),
        (lambda: tf.random.normal(3), "`shape` must be a list"),
        (lambda: tf.random.normal([-3]), "negative size"),
        (lambda: tf.random.normal([3], dtype=np.dtype(np.int32)), "a float cannot become int32"),
        (lambda: tf.random.uniform([3], dtype=np.dtype(np.int8), maxval=1), "does not take int8"),
        (lambda: tf.random.stateless_uniform([3], [1, 2], None, None, np.dtype(np.int8)), "draws no int8"),
        (lambda: tf.random.uniform([3], dtype=np.dtype(np.int32)), "int32 needs `maxval`"),
        (lambda: tf.random.uniform([3], [0, 1, 2], 5, np.dtype(np.int32)), "must be a scalar"),
        (lambda: tf.random.stateless_uniform([3], [1]), "two integers, not 1"),
        (lambda: tf.random.stateless_uniform([3], [1, 2**63]), "does not fit into int64"),
        (lambda: tf.random.stateless_uniform([3], [1, 2], alg="threefry"), "'auto_select' or 'philox'"),
        (lambda: tf.random.stateless_uniform([3], [1, 2], maxval=3, dtype=np.dtype(np.uint32)), "does not take uint32"),
        (lambda: tf.random.stateless_uniform([3], [1, 2], dtype=np.dtype(np.int32)), "both `minval` and `maxval`"),
        (lambda: tf.random.stateless_gamma([3, 2], [1, 2], [1.0, 2.0, 3.0]), "must end with that of the parameters"),
        (lambda: tf.nn.dropout([1.0], 1.0), "from 0 to below 1"),
        (lambda: tf.nn.dropout([1.0], tensor([0.5])), "must be a scalar"),
        (lambda: tf.nn.experimental.general_dropout([1.0], 0.5, 3), "must be a function"),
        (lambda: tf.image.random_crop([1.0, 2.0], [3]), "no part of size [3]"),
        (lambda: tf.image.random_brightness([[[1.0]]], -0.5), "is negative"),
        (lambda: tf.image.random_flip_up_down([[1.0]]), "an image has"),
        (lambda: tf.nn.fractional_max_pool(np.ones((1, 4, 4, 1)), 1.5), "write `seed=1`"),
        (lambda: tf.nn.fractional_max_pool(np.ones((1, 4, 4, 1)), [1.5], seed=1), "`pooling_ratio` of"),
        (lambda: tf.nn.fractional_max_pool(np.ones((1, 4, 4, 1)), 4.5, seed=1), "nothing is left of 4 positions"),
        (lambda: tf.nn.fractional_avg_pool(np.ones((1, 4, 4, 1)), 1.5, seed=1), "each of the four axes"),
        (lambda: tf.nn.fractional_avg_pool(np.ones((4, 4)), [1.0, 1.5, 1.5, 1.0], seed=1), "rank 4"),
    ],
)
def test_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(OpError) as caught:
        call()
    assert message in f"{caught.value} {caught.value.help}"
