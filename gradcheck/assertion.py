"""`assert_gradients`: for tests of Python functions that are written in the engine's API."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradcheck.casefile.case import Case, Expression, Positions, Tolerance
from gradcheck.diagnostics import Source, Span
from gradcheck.dtypes import Array, is_differentiable
from gradcheck.engine.tracing import trace
from gradcheck.language import Lowered
from gradcheck.language.derivatives import Quantity
from gradcheck.tensors import Tensor, as_array
from gradcheck.verdict.record import Status


def assert_gradients(
    function: Callable[..., Any],
    *inputs: Any,
    wrt: str | Sequence[str] | None = None,
    rtol: float | None = None,
    atol: float | None = None,
) -> None:
    """Assert that our gradients of `function` at `inputs` are TensorFlow's; an `AssertionError` says which are not.

    `function` takes tensors and gives one, or a list of them, computed by the operations of `gradcheck.tf`. It is
    called once; what it decides in Python is decided for good. `inputs` are arrays, tensors, numbers or nested lists,
    in the order of its parameters; a Python number is a float32 or int32, as in TensorFlow. `wrt` are the parameters to
    differentiate by, all floating and complex ones by default.

    What is compared, element by element, are the outputs and the gradients, under ones and under seeded cotangents. An
    element may differ by what rounding explains, or by `atol + rtol * abs(reference)` if either is given.

    TensorFlow is started for the first question that it has not answered before, and kept until the process ends.
    Raises `RuntimeError` if nothing could be compared because an engine crashed, took too long or refused the operands,
    `ValueError` for a bad `wrt`, and `TypeError` if `function` gives no tensors or hides them in a `custom_gradient`.

    >>> assert_gradients(lambda x, w: tf.tanh(x @ w), [[1.0, 2.0]], [[0.5], [-1.0]], wrt="w")
    """
    __tracebackhide__ = True
    from gradcheck.report.brief import brief
    from gradcheck.sides import compare_traced
    from gradcheck.workers import UNSTARTED

    lowered = _lowered(function, inputs, wrt, Tolerance(rtol, atol))
    result = compare_traced(lowered)
    if any(each.message.endswith(UNSTARTED) for _, each in result.failures):
        # the new process has read the script that called, and come here itself
        advice = "a script calls `assert_gradients` under `if __name__ == '__main__':`, as it starts a process"
        raise RuntimeError(f"TensorFlow cannot be started: {advice}")
    if result.status is not Status.PASSED:
        raised = AssertionError if result.status is Status.FAILED else RuntimeError
        raise raised(f"{result.case.name}: {brief(result, again=False)}")


def _lowered(
    function: Callable[..., Any], inputs: Sequence[Any], wrt: str | Sequence[str] | None, tolerance: Tolerance
) -> Lowered:
    name = getattr(function, "__qualname__", type(function).__name__)
    arrays = _named(function, inputs)

    def called(**tensors: Tensor) -> Sequence[Tensor]:
        made = function(*tensors.values())
        targets = [made] if isinstance(made, Tensor) else made
        if not isinstance(targets, (list, tuple)) or not all(isinstance(each, Tensor) for each in targets):
            raise TypeError(f"{name} gives {made!r}, not a tensor or a list of tensors")
        return targets

    program = trace(called, arrays)
    count = len(program.outputs)
    names = ["output"] if count == 1 else [f"output[{position}]" for position in range(count)]
    source = Source(name, "")
    return Lowered(
        case=Case(
            id=name,
            name=name,
            span=Span(source, 1, 1, 1),
            inputs={},
            expr=Expression("", source, Positions()),
            dtype="float32",
            tolerance=tolerance,
        ),
        program=program,
        quantities=tuple(Quantity("output", each) for each in names),
        inputs=arrays,
        sources=_sources(name, arrays, wrt),
        cotangents=(None,) * count,
        variables=frozenset(),
    )


def _named(function: Callable[..., Any], inputs: Sequence[Any]) -> dict[str, Array]:
    """The inputs as arrays, by the names of the parameters; those of `*args` are `args[0]`, `args[1]` and so on."""
    given = inspect.signature(function).bind(*inputs)
    named: dict[str, Any] = {}
    for name, value in given.arguments.items():
        if given.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
            named |= {f"{name}[{position}]": each for position, each in enumerate(value)}
        else:
            named[name] = value
    return {name: as_array(value.numpy() if hasattr(value, "numpy") else value) for name, value in named.items()}


def _sources(name: str, arrays: Mapping[str, Array], wrt: str | Sequence[str] | None) -> tuple[str, ...]:
    able = [each for each, array in arrays.items() if is_differentiable(array.dtype)]
    wanted = tuple(able if wrt is None else [wrt] if isinstance(wrt, str) else wrt)
    for each in wanted:
        if each not in able:
            raise ValueError(f"wrt: {each!r} is not a floating or complex input of {name}; these are {', '.join(able)}")
    if not wanted:
        raise ValueError(f"{name} has no floating or complex input to differentiate by")
    return wanted
