"""JAX as the subject: its table on every declared sample, and the adapter around `jax.vjp`."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.dtypes import COMPLEX64, COMPLEXES, DTYPES, FLOATS
from gradcheck.engines import Engine
from gradcheck.ops import tf
from gradcheck.ops.declaration import Op
from gradcheck.reference.tensorflow import TensorFlowEngine
from gradcheck.subjects.included.jax import engine
from tests.subjects.included import transforming
from tests.subjects.included.trying import known, tried

DIFFERS = {
    "tf.nn.gelu": {"float64"},
    "tf.sign": {"complex64"},  # it counts as constant
}
"""The dtypes in which an operation differs from TensorFlow."""

LACKS = {
    "tf.linalg.diag_part": "bands of diagonals",
    "tf.linalg.set_diag": "bands of diagonals",
}
"""Why the sample with the most arguments cannot be run."""


@pytest.mark.parametrize("op", known(engine), ids=lambda op: op.name)
def test_every_sample_agrees_with_tensorflow(op: Op) -> None:
    dtype = "complex64" if COMPLEX64 in op.dtypes else "float64"  # JAX compiles for every shape and dtype
    found = tried(engine, op, (dtype,), one=True)
    wrong = found.wrong(engine)
    assert found.compared
    assert {each.split()[1] for each in wrong} == DIFFERS.get(op.name, set()), "\n".join(wrong)
    assert bool(found.lacking) == (op.name in LACKS), found.lacking
    assert all(LACKS[op.name] in why for _, why in found.lacking), found.lacking


@pytest.mark.parametrize(
    "check", [each for name, each in vars(transforming).items() if name.startswith("assert_")], ids=lambda f: f.__name__
)
def test_the_adapter(check: Callable[[Engine], None]) -> None:
    check(engine)


@pytest.mark.parametrize(
    ("call", "inputs", "chosen", "other"),
    [
        (lambda x: tf.abs(x), {"x": 0.0}, 1.0, 0.0),
        (lambda x, y: tf.maximum(x, y), {"x": 2.0, "y": 2.0}, 0.5, 1.0),
        (lambda x, y: tf.minimum(x, y), {"x": 2.0, "y": 2.0}, 0.5, 1.0),
        (lambda x: tf.clip_by_value(x, -1.0, 1.0), {"x": 1.0}, 0.5, 1.0),
        (lambda u, x: tf.tensor_scatter_nd_update(x, [[0], [0]], u), {"u": [5.0, 6.0], "x": [1.0]}, [0, 1], 1),
        (
            lambda x: tf.nn.max_pool3d(x, [1, 1, 2], 1, "VALID"),
            {"x": np.full((1, 1, 1, 2, 1), 3.0, np.float32)},
            [[[[[1.0], [0.0]]]]],
            [[[[[1.0], [1.0]]]]],
        ),
    ],
    ids=["abs", "maximum", "minimum", "clip_by_value", "tensor_scatter_nd_update", "max_pool3d"],
)
def test_where_it_differs_by_choice(call: Any, inputs: dict[str, Any], chosen: Any, other: Any) -> None:
    for side, right in ((engine, chosen), (TensorFlowEngine(), other)):
        np.testing.assert_array_equal(transforming.gradients(side, call, inputs)[0], right)


@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEXES], ids=lambda dtype: dtype.name)
def test_every_dtype_is_kept(dtype: np.dtype) -> None:
    assert engine.tensor(np.ones(3, dtype)).dtype == dtype
    found = transforming.asked(engine, lambda x: x * x, {"x": np.full(3, 1.5, dtype)})
    assert found.outputs[0].dtype == found.gradients[0][0].dtype == DTYPES[dtype.name]
    np.testing.assert_array_equal(found.gradients[0][0].astype(np.complex128), 3.0)


def test_it_has_at_least_120_operations() -> None:
    assert len(known(engine)) >= 120
