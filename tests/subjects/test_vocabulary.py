"""What an engine's functions are called with, under TensorFlow's names."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck import tf, trace
from gradcheck.subjects.arrays import Unusable
from gradcheck.subjects.findings import Lacking, Raised
from gradcheck.subjects.forward import forward
from gradcheck.subjects.vocabulary import Vocabulary

X = np.arange(6.0).reshape(2, 3)


class Number:
    """Stands for a tensor of an engine: it has no operators and knows what it was made from."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def exp(self) -> tuple[str]:
        return ("exp as a method",)


class Counted(Number):
    """A tensor with operators, which say how they were called."""

    def __add__(self, other: Any) -> tuple[str, Any]:
        return ("add", other)

    def __radd__(self, other: Any) -> tuple[str, Any]:
        return ("radd", other)

    def __sub__(self, other: Any) -> tuple[str, Any]:
        return ("sub", other)

    def __neg__(self) -> tuple[str]:
        return ("neg",)

    def __gt__(self, other: Any) -> tuple[str, Any]:
        return ("gt", other)

    def __getitem__(self, key: Any) -> tuple[str, Any]:
        return ("getitem", key)


class Calls:
    """A function that takes anything, and keeps what it was called with."""

    def __call__(self, *arguments: Any, **named: Any) -> Number:
        self.arguments, self.named = arguments, named
        return Number("what it gives")


def last(function: Callable[..., Any], functions: dict[str, Any], tensor: type[Number] = Number, **inputs: Any) -> Any:
    """What comes of the last operation of a program; only `x` is an input of the engine."""
    arrays = {"x": X, **inputs}
    program = trace(function, arrays)
    values = forward(program, arrays, {"x": tensor(X)}, Vocabulary(functions, tensor).apply)
    return values[program.instructions[-1].outputs[0]]


@pytest.mark.parametrize(
    ("function", "name", "named"),
    [
        (lambda x: tf.reduce_sum(x), "tf.reduce_sum", {}),
        (lambda x: tf.reduce_sum(x, axis=1), "tf.reduce_sum", {"axis": 1}),
        (lambda x: tf.reduce_sum(x, -1, True), "tf.reduce_sum", {"axis": -1, "keepdims": True}),
        (lambda x: tf.reduce_max(x, axis=[0, -1]), "tf.reduce_max", {"axis": (0, -1)}),
        (lambda x: tf.nn.softmax(x, axis=-1), "tf.nn.softmax", {"axis": -1}),
        (lambda x: tf.cumsum(x, exclusive=True), "tf.math.cumsum", {"exclusive": True}),
    ],
)
def test_arguments_come_as_the_user_wrote_them_by_name(
    function: Callable[..., Any], name: str, named: dict[str, Any]
) -> None:
    calls = Calls()
    assert last(function, {name: calls}).array == "what it gives"
    assert len(calls.arguments) == 1
    assert calls.named == named


def test_required_arguments_come_by_position_after_the_tensors_and_positions_as_arrays() -> None:
    calls = Calls()
    last(lambda x: tf.reshape(x, [3, -1]), {"tf.reshape": calls})
    assert calls.arguments[1:] == ((3, 2),)
    last(lambda x: tf.gather(x, [1, 0], axis=1), {"tf.gather": calls})
    np.testing.assert_array_equal(calls.arguments[1], [1, 0])
    assert isinstance(calls.arguments[1], np.ndarray)
    assert calls.named == {"axis": 1}


def test_a_list_of_tensors_comes_as_a_list_and_constants_as_tensors() -> None:
    calls = Calls()
    last(lambda x: tf.concat([x, [[1.0, 2.0, 3.0]]], 0), {"tf.concat": calls})
    (first, second), axis = calls.arguments
    assert axis == 0
    np.testing.assert_array_equal(first.array, X)
    np.testing.assert_array_equal(second.array, [[1, 2, 3]])


def test_what_depends_on_no_input_of_the_engine_is_computed_beforehand() -> None:
    calls = Calls()
    last(lambda x, n: tf.gather(x, n + 1), {"tf.gather": calls}, n=np.array([0, -1], np.int32))
    np.testing.assert_array_equal(calls.arguments[1], [1, 0])


def test_an_alias_in_the_table_stands_for_the_operation() -> None:
    assert last(lambda x: tf.math.exp(x), {"tf.exp": lambda x: ("exp",)}) == ("exp",)
    assert last(lambda x: tf.exp(x), {"tf.math.exp": lambda x: ("exp",)}) == ("exp",)


def test_a_name_in_the_table_is_a_method() -> None:
    assert last(lambda x: tf.exp(x), {"tf.exp": "exp"}) == ("exp as a method",)
    with pytest.raises(Lacking, match=r"^`tf.exp`: its tensors have no method `expo`$"):
        last(lambda x: tf.exp(x), {"tf.exp": "expo"})


@pytest.mark.parametrize(
    ("function", "called"),
    [
        (lambda x: x + 2.0, ("add", 2.0)),
        (lambda x: 2.0 + x, ("radd", 2.0)),
        (lambda x: x - 1, ("sub", 1.0)),
        (lambda x: -x, ("neg",)),
        (lambda x: x > 0.0, ("gt", 0.0)),
        (lambda x: x[0], ("getitem", 0)),
        (lambda x: x[..., None], ("getitem", (..., None))),
        (lambda x: x[1:, ::-1], ("getitem", (slice(1, None, 1), slice(None, None, -1)))),
    ],
)
def test_operators_are_pythons_with_numbers_as_they_were_written(function: Callable[..., Any], called: Any) -> None:
    assert last(function, {}, Counted) == called


def test_an_array_beside_an_operator_is_a_tensor() -> None:
    name, other = last(lambda x: x + np.ones(3), {}, Counted)
    assert name == "add"
    np.testing.assert_array_equal(other.array, np.ones(3))


def test_a_function_in_the_table_comes_before_an_operator() -> None:
    assert last(lambda x: x + 1.0, {"tf.add": lambda x, y: ("table",)}, Counted) == ("table",)


CALL = "its function does not take this call"


def refuses(x: Any) -> None:
    raise NotImplementedError("only for matrices")


@pytest.mark.parametrize(
    ("function", "functions", "message"),
    [
        (lambda x: tf.exp(x), {}, "`tf.exp` is not in its table of functions"),
        (lambda x: x + 1.0, {}, "`tf.add` is not in its table of functions, and its tensors have no `__add__`"),
        (lambda x: x > 1.0, {}, "`tf.math.greater` is not in its table of functions, and its tensors have no `__gt__`"),
        (lambda x: x[0], {}, "`tf.strided_slice`: its tensors have no `__getitem__`"),
        (
            lambda x: tf.reduce_sum(x, axis=0),
            {"tf.reduce_sum": lambda x: x},
            f"`tf.reduce_sum` with `axis`: {CALL}: got an unexpected keyword argument 'axis'",
        ),
        (lambda x: tf.exp(x), {"tf.exp": refuses}, "`tf.exp`: only for matrices"),
    ],
)
def test_what_is_lacking_is_named(function: Callable[..., Any], functions: dict[str, Any], message: str) -> None:
    with pytest.raises(Lacking) as lacking:
        last(function, functions)
    assert str(lacking.value) == message


def test_what_a_function_raises_is_kept_with_the_operation() -> None:
    with pytest.raises(Raised, match=r"^`tf.exp`$") as raised:
        last(lambda x: tf.exp(x), {"tf.exp": lambda x: 1 / 0})
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "`tf.split` gives None, not 2 tensors"),
        ([1], "`tf.split` gives a list, not 2 tensors"),
        ([1, None], "`tf.split` gives None, not a tensor"),
        ([1, "two" * 30], f"`tf.split` gives {repr('two' * 30)[:40]}…, not a tensor"),
    ],
)
def test_an_operation_with_several_outputs_gives_that_many(result: Any, message: str) -> None:
    with pytest.raises(Unusable) as unusable:
        last(lambda x: tf.split(x, [1, 2], axis=1), {"tf.split": lambda *_, **__: result})
    assert str(unusable.value) == message
