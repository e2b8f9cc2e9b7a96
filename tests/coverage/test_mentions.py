"""What an expression mentions."""

import ast

import pytest

from gradcheck.coverage.mentions import mentions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tf.map_fn(lambda e: e * 2.0, x)", {"tf.map_fn", ".__mul__", "tf"}),
        ("2.0 ** x", {".__rpow__"}),
        ("x ** 2.0", {".__pow__"}),
        ("[[1.0]] @ x", {".__rmatmul__"}),
        ("-abs(x)[0]", {".__neg__", ".__abs__", ".__getitem__"}),
        ("[len(a) for a in x]", {".__iter__", ".__len__"}),
        ("v.assign(y)", {".assign"}),
        ("tf.linalg.LinearOperatorDiag(x).matmul(y)", {"tf.linalg.LinearOperatorDiag", ".matmul"}),
    ],
)
def test_functions_methods_and_operators(text: str, expected: set[str]) -> None:
    # The namespace on the way to a name is mentioned as well, which names no function.
    assert mentions(ast.parse(text)) - {".linalg", "tf.linalg"} == expected - {"tf"}
