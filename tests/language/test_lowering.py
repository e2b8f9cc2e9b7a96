"""What expressions become, and that they mean in our engine what they mean in TensorFlow."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow

from gradcheck.engine.evaluate import evaluate
from gradcheck.language import Lowered

Read = Callable[..., Lowered]

MEANT_ALIKE = [
    "x + v * 2 - 1",
    "2 ** v / x",
    "x @ x[0][:, tf.newaxis]",
    "7 // v + v % 2",
    "-x + x",
    "abs(-x)",
    "1 - x",
    "tf.where((v > 1) & ~(v >= 3) | m, v, 0.0)",
    "tf.where(v != 2.0, v, -v) + tf.cast(v == 2.0, tf.float32)",
    "x[1]",
    "x[-1, 1:]",
    "x[..., ::-1]",
    "x[:, tf.newaxis, 0]",
    "x[:, None, -2:]",
    "x[::1, ::2]",
    "v[m]",
    "a, b = x\na * b",
    "a, b, c = 1.0, 2.0, v\na + b * c",
    "y = x\ny += v\ny *= 2\ny -= 1\ny /= 3\ny",
    "tf.concat([x, x * 2], axis=0)",
    "tf.stack([v, v * v])",
    "tf.add_n([v, v, v])",
    "tf.reshape(x, [x.shape[0] * 3 // 2, -1])",
    "x / math.sqrt(x.shape[-1]) + len(v)",
    "tf.reduce_sum(x, axis=-1, keepdims=True)",
    "total = s\nfor k in range(3):\n  total += k * v\ntotal",
    "tf.stack([row * k for k, row in enumerate(x) if k > 0])",
    "sum([v * k for k in range(4)])",
    "if x.shape[0] == 2:\n  y = v\nelse:\n  y = -v\ny * s",
    "v if x.shape[1] == 3 else -v",
    "tf.cast(i, x.dtype) * v",
    "tf.gather(v, [2, 0]) * s",
    "tf.gather(v, i)",
    "pair[0] * pair[1]",
    "tf.norm(pair)",
    "tf.convert_to_tensor([s, s * 2])",
    "[[s, 1.0], [2.0, s]] @ x",
    "z * (2 + 1j)",
    "tf.math.real(z) * tf.math.imag(z)",
    "tf.reshape(x, tf.shape(x)[::-1])",
    "tf.zeros_like(x) + tf.ones([3]) + tf.fill([3], 2.0)",
    "x.shape.rank * v + x.ndim",
    "tf.matmul(x, x, transpose_b=True)",
    "tf.matmul(b=x, a=tf.transpose(x))",
    "y = v * 2; y + 1",
]


@pytest.mark.parametrize("expression", MEANT_ALIKE)
def test_means_what_tensorflow_means(read: Read, expression: str) -> None:
    """Python itself runs the text on TensorFlow's tensors: the expressions of this list are ours, and trusted."""
    lowered = read(expression)
    names: dict[str, object] = {"tf": tensorflow, "math": __import__("math")}
    for name, given in lowered.case.inputs.items():
        value = given.value
        leaves = (
            [tensorflow.constant(each) for each in value] if isinstance(value, tuple) else tensorflow.constant(value)
        )
        names[name] = leaves
    *statements, last = expression.replace("; ", "\n").split("\n")
    exec("\n".join(statements), names)
    theirs = np.asarray(eval(last, names))
    (ours,) = evaluate(lowered.program, lowered.inputs)
    assert ours is not None
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_prints_as_a_list_of_operations_with_places(read: Read) -> None:
    lowered = read("h = tf.tanh(x * 2.0)\ntf.reduce_sum(h, axis=1)")
    *_, second, third, last = str(lowered.program).splitlines()
    assert second.partition(": ")[2] == "float32[2, 3] = tf.tanh(%9)"
    assert third.partition(": ")[2] == "float32[2] = tf.reduce_sum(%10, axis=[1])"
    assert last == "return %11"
    places = [(each.op.name, str(each.span).rpartition("/")[2]) for each in lowered.program.instructions]
    assert places == [
        ("tf.multiply", "case.yaml:10:15"),
        ("tf.tanh", "case.yaml:10:7"),
        ("tf.reduce_sum", "case.yaml:11:3"),
    ]


def test_every_floating_and_complex_input_is_a_source_by_default(read: Read) -> None:
    assert read("x").sources == ("x", "v", "s", "z", "pair[0]", "pair[1]")


def test_several_targets(read: Read) -> None:
    lowered = read("[x * 2, v]")
    assert [lowered.program.types[index].shape for index in lowered.program.outputs if index is not None] == [
        (2, 3),
        (3,),
    ]


def test_an_unused_input_is_a_warning(read: Read) -> None:
    warnings = [(each.code, each.message) for each in read("x * v * s").warnings]
    assert warnings == [("unused-input", f"input `{name}` is not used in `expr`") for name in ("z", "i", "m", "pair")]
