"""What is refused, with the place in the user's text: adding a feature to the language is a decision."""

from collections.abc import Callable

import pytest

from gradcheck.casefile.limits import Limits
from gradcheck.diagnostics import Diagnostic

Refused = Callable[..., list[Diagnostic]]

MISTAKES = [
    ("tf.math.log1(x)", "unknown-op", "tf.math.log1", "did you mean `tf.math.log1p`?"),
    ("tf.reduce_sun(x * x)", "unknown-op", "tf.reduce_sun", "did you mean `tf.reduce_sum`?"),
    ("tf.nn.exp(x)", "unknown-op", "tf.nn.exp", "did you mean `tf.exp`?"),
    ("X * 2", "unknown-name", "X", None),
    ("vv * 2", "unknown-name", "vv", None),
    ("tf.reduce_sum(x, axes=1)", "refused", "axes=1", "did you mean `axis`?"),
    ("tf.reduce_sum(x, 1, True, 2, 3)", "refused", "tf.reduce_sum(x, 1, True, 2, 3)", None),
    ("tf.reduce_sum()", "refused", "tf.reduce_sum()", None),
    ("tf.reduce_sum(x, axis=2)", "refused", "axis=2", None),
    ("x @ v", "refused", "x @ v", None),
    ("x @ x", "refused", "x @ x", None),
    ("x + tf.ones([4])", "refused", "x + tf.ones([4])", None),
    ("x + i", "refused", "x + i", None),
    ("tf.exp(i)", "refused", "i", None),
    ("i + 1.5", "refused", "i + 1.5", None),
    ("z + x[0]", "refused", "z + x[0]", None),
    ("tf.concat([x, v], 0)", "refused", "[x, v]", None),
    ("+x", "refused", "+x", None),
    ("x[5]", "refused", "x[5]", None),
    ("x[0, 0, 0]", "refused", "x[0, 0, 0]", None),
    ("x[0.5]", "refused", "x[0.5]", None),
    ("x.shpe", "unknown-attribute", "x.shpe", "did you mean `shape`?"),
    ("x.set_shape([3])\nx", "arithmetic", "x.set_shape([3])", None),
    ("x[[0, 1], [5, 0]]", "refused", "x[[0, 1], [5, 0]]", None),
    ("x[[0, 1], [0, 1, 2]]", "refused", "x[[0, 1], [0, 1, 2]]", None),
    ("tf.TensorArray(x.dtype, size=1).write(1, s)", "arithmetic", None, None),
    ("tf.TensorArray(x.dtype, size=1).read(0)", "arithmetic", "tf.TensorArray(x.dtype, size=1).read(0)", None),
    ("tf.linalg.LinearOperatorDiag(v, v)", "arithmetic", "tf.linalg.LinearOperatorDiag(v, v)", None),
    ("tf.linalg.LinearOperatorDiag(v).mul(x)", "unknown-attribute", "tf.linalg.LinearOperatorDiag(v).mul", None),
    ("tf.linalg.experimental.conjugate_gradient(tf.linalg.LinearOperatorDiag(v), v)", "arithmetic", None, None),
    (
        "tf.function(lambda: tf.cond(s > 0.0, lambda: x, lambda: s))()",
        "arithmetic",
        "tf.cond(s > 0.0, lambda: x, lambda: s)",
        None,
    ),
    ("tf.py_function(lambda a: a * 2.0, [x], tf.int32)", "arithmetic", None, None),
    ("tf.gradients(s, v, stop_gradients=[s])", "arithmetic", None, None),
    ("math.sqrt(x)", "static-only", "math.sqrt(x)", "write `tf.math.sqrt`"),
    ("x and v", "tensor-as-truth", "x", "use `tf.where(condition, a, b)`"),
    ("not x", "tensor-as-truth", "not x", "write `tf.logical_not(x)`"),
    ("1 < v < 2", "tensor-as-truth", "1 < v < 2", "write `tf.logical_and(a < b, b < c)`"),
    ("v if v[0] > 0 else s", "tensor-as-truth", "v[0] > 0", "use `tf.where(condition, a, b)`"),
    ("a, b = v", "unpack", "a, b", None),
    ("x[0] = 1.0\nx", "unsupported-syntax", "x[0]", "write `tf.tensor_scatter_nd_update(x, indices, updates)`"),
    ("tf = 3\nx", "reserved-name", "tf", None),
    ("3 + 4", "no-target", "3 + 4", None),
    ("s()", "not-callable", "s", None),
    ("tf.math(x)", "not-callable", "tf.math", None),
    ("[1, 2][5] * x", "arithmetic", "[1, 2][5]", None),
    ("x +* 2", "syntax", "*", None),
    ("tf.exp(x", "syntax", "(", None),
]


@pytest.mark.parametrize(("expression", "code", "marked", "hint"), MISTAKES)
def test_a_mistake_is_shown_where_it_is(
    refused: Refused, expression: str, code: str, marked: str | None, hint: str | None
) -> None:
    (found,) = refused(expression)
    assert found.code == code, found.render()
    assert found.span is not None
    line = found.span.source.lines[found.span.line - 1]
    assert line[found.span.column - 1 : found.span.end - 1] == (marked or expression), found.render()
    if hint is not None:
        assert found.help == hint


UNSUPPORTED = [
    ("import os\nx", "`import`"),
    ("while True: pass\nx", "`while`"),
    ("class A: pass\nx", "`class`"),
    ("try: x\nexcept: x", "`try`"),
    ("global x\nx", "`global`"),
    ("assert x\nx", "`assert`"),
    ("raise x", "`raise`"),
    ("{x}", "a set"),
    ("f'{x}'", "an f-string"),
    ("(y := x)", "`:=`"),
]


@pytest.mark.parametrize(("expression", "construct"), UNSUPPORTED)
def test_unsupported_syntax_is_named(refused: Refused, expression: str, construct: str) -> None:
    messages = [each.message for each in refused(expression) if each.code == "unsupported-syntax"]
    assert messages[0] == f"{construct} is not part of the language"


HOSTILE = [
    "__import__('os').system('true')",
    "x.__class__.__mro__",
    "tf.__class__",
    "tf.io.read_file('/etc/passwd')",
    "tf.reduce_sum.__globals__",
    "math.__loader__",
    "(1).__class__",
    "''.join(['a'])",
    "'{0.__class__}'.format(x)",
    "open('/etc/passwd')",
    "eval('1')",
    "exec('1')",
    "getattr(x, 'shape')",
    "globals()",
    "10 ** 10 ** 10 * x",
    "2 ** 100000 * x",
    "1 << 100000000",
    "range(10 ** 12)",
    "list(range(10 ** 9))",
    "[0] * 10 ** 10",
    "'a' * 10 ** 10",
    "[[0] * 1000] * 100000",
    "[0, [0] * 1000] * 1000",
    "row = [0] * 1000\n[row for i in range(1000)]",
    "row = [0] * 60000\n[row, row]",
    "row = [0] * 60000\nlist(enumerate(row))",
    "tf.zeros([10 ** 6, 10 ** 6])",
    "tf.ones([10 ** 12])",
    "tf.fill([10 ** 12], 1.0)",
    "tf.range(10 ** 12)",
    "tf.broadcast_to(x[0, 0], [10 ** 6, 10 ** 6])",
    "tf.tile(v, [10 ** 12])",
    "tf.eye(10 ** 7)",
    "tf.one_hot(i, 10 ** 12)",
    "tf.linspace(0.0, 1.0, 10 ** 12)",
    "tf.repeat(v, 10 ** 12)",
    "tf.pad(v, [[0, 10 ** 12]])",
    "math.gamma(10 ** 9)",
    "math.prod(range(1, 100000))",
    "for a in range(90000):\n  for b in range(90000):\n    x = x + 1\nx",
    "(" * 5000 + "x" + ")" * 5000,
    "-" * 50000 + "x",
    "x" + " + x" * 50000,
    "x" + ".shape" * 50000,
    "[" * 150 + "]" * 150,
    "max(range(100000), key=len)",
    "round(10 ** 4000, -10 ** 9)",
    "int('9' * 5000)",
    "x" + "[0]" * 10000,
]


@pytest.mark.parametrize("expression", HOSTILE, ids=lambda each: each[:40])
def test_hostile_text_is_refused_at_once(refused: Refused, expression: str) -> None:
    """Nothing is executed, nothing grows, nothing is raised but a refusal that points into the text."""
    found = refused(expression)
    assert found
    assert all(each.span is not None for each in found)


@pytest.mark.parametrize(
    "expression",
    [
        "[[0] * 1000] * 100000",
        "[0, [0] * 1000] * 1000",
        "[[0] * 50000] + [[0] * 60000]",
        "row = [0] * 60000\n[row for i in range(2)]",
        "row = [0] * 60000\n(row, row)",
        "row = [0] * 60000\nlist(enumerate(row))",
    ],
)
def test_lists_within_a_list_count(refused: Refused, expression: str) -> None:
    (found,) = refused(expression)
    assert found.message == "the list would be longer than 100000 entries, with those of the lists in it"


def test_all_errors_of_an_expression_come_at_once(refused: Refused) -> None:
    found = refused("a = tf.expp(x)\nb = a + unknown\nc = x @ v\nb + c + tf.reduce_sum(x, axes=0)")
    assert [(each.code, each.span.line) for each in found if each.span] == [
        ("unknown-op", 10),
        ("unknown-name", 11),
        ("refused", 12),
        ("refused", 13),
    ]


def test_a_whole_message(refused: Refused) -> None:
    (found,) = refused("tf.matmul(x, tf.transpose(x)[:, :1] @ v)")
    rest = found.render().partition("case.yaml")[2]
    assert rest == (
        ":10:16: error[refused]: `tf.matmul` needs matrices, not shapes [3, 1] and [3]\n"
        "   |\n"
        "10 |   tf.matmul(x, tf.transpose(x)[:, :1] @ v)\n"
        "   |                " + "^" * 26 + "\n"
        "  = help: a vector needs an axis of size 1: `x[:, tf.newaxis]`, or use `tf.linalg.matvec`"
    )


def test_the_number_of_instructions_is_limited(refused: Refused) -> None:
    (found,) = refused("for _ in range(1000):\n  x = x + 1\nx", Limits(instructions=100))
    assert found.code == "too-long"
