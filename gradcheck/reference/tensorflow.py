"""TensorFlow's side: the same program under a `tf.GradientTape`. Nothing outside of this package imports TensorFlow."""

import inspect
import os
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from functools import cache, partial, reduce
from typing import Any

import numpy as np
import tensorflow as tf

from gradcheck.dtypes import Array
from gradcheck.engines import Cotangents, Failure, Outcome, Request, Trace
from gradcheck.nests import leaves
from gradcheck.ops.declaration import Op
from gradcheck.ops.random.seeds import Seed
from gradcheck.program import Instruction, Program, Tape, Template
from gradcheck.reference.drawing import rewind

REFUSALS = (tf.errors.OpError, ValueError, TypeError, LookupError, NotImplementedError, AttributeError)
"""What TensorFlow raises for a program that it cannot run or differentiate; each becomes a finding in its words."""


class TensorFlowEngine:
    """Runs programs eagerly, every operation by TensorFlow's own function of that name."""

    name = "tensorflow"

    def run(self, request: Request) -> Outcome | Failure:
        """The outcome of `request`, dense (`tf.IndexedSlices` are summed); a `Failure` with TensorFlow's own words."""
        try:
            return _run(request)
        except REFUSALS as error:
            return Failure("error", _first_line(error))

    def trace(self, request: Request, position: int) -> Trace | Failure:
        """All values, and all cotangents under the set of cotangents at `position`."""
        try:
            return _trace(request, position)
        except REFUSALS as error:
            return Failure("error", _first_line(error))


def _values(request: Request) -> dict[int, Any]:
    """The program's inputs and constants by index, as TensorFlow's tensors and variables."""
    program = request.program
    values: dict[int, Any] = {index: tf.constant(value) for index, value in program.constants.items()}
    for name, index in program.inputs.items():
        make = tf.Variable if name in request.variables else tf.constant
        values[index] = make(request.inputs[name])
    return values


def _sources(request: Request, values: dict[int, Any]) -> list[Any]:
    return [values[request.program.inputs[name]] for name in request.sources]


def _taped(request: Request, values: dict[int, Any]) -> tuple[Any, list[Any]]:
    """A tape of the request's program, and the targets; `values` receives everything computed."""
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(_sources(request, values))
        targets = forward(request.program, values)
    return tape, targets


def _seeds(targets: list[Any], cotangents: Cotangents) -> list[Any]:
    return [
        tf.ones_like(target) if each is None else tf.constant(each)
        for target, each in zip(targets, cotangents, strict=True)
        if target is not None
    ]


def _there(targets: list[Any]) -> list[Any]:
    return [each for each in targets if each is not None]


def _trace(request: Request, position: int) -> Trace:
    values = _values(request)
    tape, targets = _taped(request, values)
    values = {index: value for index, value in values.items() if value is not None}
    indices = [index for index, value in values.items() if value.dtype.is_floating or value.dtype.is_complex]
    seeds = _seeds(targets, request.cotangents[position])
    found = tape.gradient(_there(targets), [values[index] for index in indices], output_gradients=seeds)
    cotangents = {index: None if each is None else _dense(each) for index, each in zip(indices, found, strict=True)}
    return Trace({index: _dense(value) for index, value in values.items()}, cotangents)


def _run(request: Request) -> Outcome:
    if request.directions is not None:
        return _run_twice(request, request.directions)
    values = _values(request)
    tape, targets = _taped(request, values)
    sources = _sources(request, values)
    gradients = []
    again = any(each.op.name == "tf.py_function" for each in request.program.instructions)
    for position, cotangents in enumerate(request.cotangents):
        if position and again:  # TensorFlow forgets what a Python function did once a gradient was taken
            values = _values(request)
            tape, targets = _taped(request, values)
            sources = _sources(request, values)
        seeds = _seeds(targets, cotangents)
        found = tape.gradient(
            _there(targets), sources, output_gradients=seeds, unconnected_gradients=request.unconnected
        )
        gradients.append(_all_dense(found))
    return Outcome(_all_dense(targets), tuple(gradients))


def _run_twice(request: Request, directions: tuple[Array | None, ...]) -> Outcome:
    """The gradients of the gradients: the first ones are taken under a tape of their own."""
    values = _values(request)
    sources = _sources(request, values)
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as outer:
        outer.watch(sources)
        tape, targets = _taped(request, values)
        first = [
            tape.gradient(_there(targets), sources, output_gradients=_seeds(targets, cotangents))
            for cotangents in request.cotangents
        ]
        first = [[None if each is None else tf.convert_to_tensor(each) for each in row] for row in first]
    second = []
    for row in first:
        pairs = zip(row, directions, strict=True)
        followed = [
            (each, tf.constant(direction)) for each, direction in pairs if each is not None and direction is not None
        ]
        found = outer.gradient(
            [each for each, _ in followed],
            sources,
            output_gradients=[direction for _, direction in followed],
            unconnected_gradients=request.unconnected,
        )
        second.append(_all_dense(found))
    return Outcome(_all_dense(targets), tuple(second))


def forward(program: Program, values: dict[int, Any]) -> list[Any]:
    """The targets as tensors, None for a gradient that is not connected.

    `values` has the inputs and constants by index and receives everything computed.
    """
    tapes = _Tapes()
    try:
        _all(program.instructions, values, tapes)
    finally:
        tapes.only(())
    return [values[index] for index in program.outputs if index is not None]


def _all(instructions: Iterable[Instruction], values: dict[int, Any], tapes: "_Tapes") -> None:
    for instruction in instructions:
        tapes.only(instruction.tapes)
        if instruction.op.family == "taping":
            results = tapes.act(instruction, values)
            values.update(zip(instruction.outputs, results, strict=True))
        else:
            _step(instruction, values)


def _custom(instruction: Instruction, values: dict[int, Any]) -> list[Any]:
    """The outputs of a function with a gradient of its own, by `tf.custom_gradient`."""
    forward: Template = instruction.attributes["forward"]
    backward: Template = instruction.attributes["backward"]

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def function(*inputs: Any) -> Any:
        inside = {**values, **dict(zip(forward.inputs, inputs, strict=True))}
        _all(forward.instructions, inside, _Tapes())  # TensorFlow itself leaves out what happens in here

        def grad(*cotangents: Any) -> list[Any]:
            again = {**inside, **dict(zip(backward.inputs, cotangents, strict=True))}
            _all(backward.instructions, again, _Tapes())
            return [None if index is None else again[index] for index in backward.outputs]

        return [inside[index] for index in forward.outputs if index is not None], grad

    return list(function(*[values[index] for index in forward.inputs]))


def _inside(body: Template, values: dict[int, Any], inputs: Iterable[Any]) -> list[Any]:
    """What instructions that stand by themselves give, with `inputs` in the place of theirs."""
    inside = {**values, **dict(zip(body.inputs, inputs, strict=True))}
    _all(body.instructions, inside, _Tapes())
    return [inside[index] for index in body.outputs if index is not None]


def _py_function(given: dict[str, Any], attributes: Mapping[str, Any], values: dict[int, Any]) -> Any:
    """The outputs of a function that TensorFlow calls back."""
    types = [tf.as_dtype(dtype) for dtype in attributes["dtypes"]]
    return tf.py_function(lambda *inputs: _inside(attributes["body"], values, inputs), given["inputs"], types)


def _branch(given: dict[str, Any], attributes: Mapping[str, Any], values: dict[int, Any]) -> Any:
    """The outputs of a branch that is chosen inside a graph."""
    branches = [partial(_inside, each, values, ()) for each in attributes["branches"]]
    if attributes["name"] == "tf.cond":
        return tf.function(lambda pred: tf.cond(pred, *branches))(given["index"])
    return tf.function(lambda index: tf.switch_case(index, branches))(given["index"])


def _loop(given: dict[str, Any], attributes: Mapping[str, Any], values: dict[int, Any]) -> Any:
    """The outputs of a loop inside a graph."""

    def run(*inputs: Any) -> Any:
        return tf.while_loop(
            lambda *held: _inside(attributes["cond"], values, held)[0],
            lambda *held: _inside(attributes["body"], values, held),
            list(inputs),
            maximum_iterations=attributes["most"],
        )

    return tf.function(run)(*given["inputs"])


class _Tapes:
    """The tapes and accumulators of the user's own code, as TensorFlow's, and its variables."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}
        self._active: dict[int, Any] = {}

    def only(self, wanted: tuple[Tape, ...]) -> None:
        """Let these record what follows, and no others."""
        if not wanted and not self._active:
            return
        numbers = [each.number for each in wanted]
        for number in [each for each in self._active if each not in numbers]:
            self._active.pop(number).__exit__(None, None, None)
        for tape in wanted:
            if tape.number not in self._active:
                self._active[tape.number] = self._tape(tape).__enter__()

    def _tape(self, tape: Tape) -> Any:
        """TensorFlow's own; persistent, so that it can be left and entered again wherever the user's stops."""
        if tape.number not in self._made:
            watched = tape.watch_accessed
            self._made[tape.number] = tf.GradientTape(persistent=True, watch_accessed_variables=watched)
        return self._made[tape.number]

    def act(self, instruction: Instruction, values: dict[int, Any]) -> list[Any]:
        """Do what an instruction of `gradcheck.ops.taping` says; gives its values, None for one not connected."""
        given: dict[str, Any] = {
            name: [values[index] for index in operand] if isinstance(operand, tuple) else values[operand]
            for name, operand in instruction.operands
        }
        attributes = instruction.attributes
        match instruction.op.name:
            case "tf.custom_gradient":
                return _custom(instruction, values)
            case "tf.py_function":
                return list(_py_function(given, attributes, values))
            case "graph.branch":
                return list(_branch(given, attributes, values))
            case "graph.loop":
                return list(_loop(given, attributes, values))
            case "graph.print":
                tf.print(*given["inputs"], output_stream=f"file://{os.devnull}")
                return []
            case "variable.new":
                return [tf.Variable(given["initial"])]
            case "variable.read":
                return [given["variable"].read_value()]
            case "variable.sparse_read":
                return [given["variable"].sparse_read(given["indices"])]
            case "variable.gather_nd":
                return [given["variable"].gather_nd(given["indices"])]
            case "variable.assign":
                given["variable"].assign(given["value"])
                return []
            case "accumulator.watch":
                accumulator = tf.autodiff.ForwardAccumulator(given["primals"], given["tangents"])
                self._made[attributes["tape"].number] = accumulator
                return []
        tape = self._tape(attributes["tape"])
        match instruction.op.name:
            case "tape.watch":
                tape.watch(given["tensors"])
                return []
            case "tape.gradient":
                cotangents = iter(given["output_gradients"])
                pairs = zip(given["targets"], attributes["given"], strict=True)
                seeds = [next(cotangents) if own else tf.ones_like(target) for target, own in pairs]
                options = {"output_gradients": seeds, "unconnected_gradients": attributes["unconnected"]}
                found = tape.gradient(given["targets"], given["sources"], **options)
            case "tape.jacobian":
                target, sources = given["target"], given["sources"]
                # Row by row is quicker, because nothing is traced; but TensorFlow cannot do so without rows, nor where
                # a source has another dtype than the target.
                rows = bool(tf.size(target)) and all(each.dtype == target.dtype for each in sources)
                options = {"unconnected_gradients": attributes["unconnected"], "experimental_use_pfor": not rows}
                if attributes["batch"]:
                    found = [tape.batch_jacobian(target, sources[0], **options)]
                else:
                    found = tape.jacobian(target, sources, **options)
            case _:
                found = tape.jvp(given["targets"], unconnected_gradients=attributes["unconnected"])
        return [None if each is None else tf.convert_to_tensor(each) for each in found]


def _step(instruction: Instruction, values: dict[int, Any]) -> None:
    operands = {
        name: [values[index] for index in operand] if isinstance(operand, tuple) else values[operand]
        for name, operand in instruction.operands
    }
    sparse = {name: tf.SparseTensor(*operands[name]) for name in operands if instruction.op.roles[name] == "Sparse"}
    attributes = {name: _attribute(value) for name, value in instruction.attributes.items()}
    arguments = {**operands, **sparse, **attributes}
    if isinstance(seed := instruction.attributes.get("seed"), Seed):
        rewind(seed)
    signature = instruction.op.signature
    ordered = OrderedDict((name, arguments[name]) for name in signature.parameters if name in arguments)
    bound = inspect.BoundArguments(signature, ordered)
    name = instruction.op.name
    raw = name.startswith("tf.raw_ops.")
    # Raw operations take keywords only, though they do not show it.
    result = function(name)(**bound.arguments) if raw else function(name)(*bound.args, **bound.kwargs)
    several = len(instruction.outputs) != 1 or isinstance(result, (list, tuple))
    results = [each for each in leaves(result) if each is not None] if several else [result]
    # The last that a raw operation gives may be for its kernels alone, of a shape that depends on the machine.
    values.update(zip(instruction.outputs, results, strict=not raw))


@cache
def function(name: str) -> Any:
    """TensorFlow's public function of that name: `tf.math.asin`."""
    return reduce(getattr, name.split(".")[1:], tf)


def _attribute(value: Any) -> Any:
    if isinstance(value, np.dtype):
        return tf.as_dtype(value)
    if isinstance(value, Op):
        return function(value.name)
    return [_attribute(each) for each in value] if isinstance(value, tuple) else value


def _all_dense(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(None if each is None else _dense(each) for each in values)


def _dense(value: Any) -> Any:
    return np.asarray(tf.convert_to_tensor(value).numpy())


def _first_line(error: Exception) -> str:
    """TensorFlow's own words, without the placement before and the operation's internal name behind them."""
    text = getattr(error, "message", None) or str(error)
    lines = re.sub(r"\{\{.*?\}\} ?", "", text).strip().splitlines()
    words = re.sub(r" ?\[Op:.*", "", lines[0]) if lines else ""
    return f"{type(error).__name__}: {words}"
