"""TensorFlow's side: the same program under a `tf.GradientTape`. The only module that imports TensorFlow."""

import inspect
import re
from collections import OrderedDict
from functools import cache, reduce
from typing import Any

import numpy as np
import tensorflow as tf

from gradcheck.engines import Cotangents, Failure, Outcome, Request, Trace
from gradcheck.program import Instruction, Program

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


def _taped(request: Request) -> tuple[Any, dict[int, Any], list[Any]]:
    """A tape of the request's program, all values by index, and the targets."""
    program = request.program
    values: dict[int, Any] = {index: tf.constant(value) for index, value in program.constants.items()}
    for name, index in program.inputs.items():
        make = tf.Variable if name in request.variables else tf.constant
        values[index] = make(request.inputs[name])
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch([values[program.inputs[name]] for name in request.sources])
        targets = forward(program, values)
    return tape, values, targets


def _seeds(targets: list[Any], cotangents: Cotangents) -> list[Any]:
    return [
        tf.ones_like(target) if each is None else tf.constant(each)
        for target, each in zip(targets, cotangents, strict=True)
    ]


def _trace(request: Request, position: int) -> Trace:
    tape, values, targets = _taped(request)
    indices = [index for index, value in values.items() if value.dtype.is_floating or value.dtype.is_complex]
    seeds = _seeds(targets, request.cotangents[position])
    found = tape.gradient(targets, [values[index] for index in indices], output_gradients=seeds)
    cotangents = {index: None if each is None else _dense(each) for index, each in zip(indices, found, strict=True)}
    return Trace({index: _dense(value) for index, value in values.items()}, cotangents)


def _run(request: Request) -> Outcome:
    tape, values, targets = _taped(request)
    sources = [values[request.program.inputs[name]] for name in request.sources]
    gradients = []
    for cotangents in request.cotangents:
        seeds = _seeds(targets, cotangents)
        found = tape.gradient(targets, sources, output_gradients=seeds, unconnected_gradients=request.unconnected)
        gradients.append(tuple(None if each is None else _dense(each) for each in found))
    return Outcome(tuple(_dense(target) for target in targets), tuple(gradients))


def forward(program: Program, values: dict[int, Any]) -> list[Any]:
    """The targets as tensors; `values` has the inputs and constants by index and receives everything computed."""
    for instruction in program.instructions:
        _step(instruction, values)
    return [values[index] for index in program.outputs if index is not None]


def _step(instruction: Instruction, values: dict[int, Any]) -> None:
    operands = {
        name: [values[index] for index in operand] if isinstance(operand, tuple) else values[operand]
        for name, operand in instruction.operands
    }
    attributes = {name: _attribute(value) for name, value in instruction.attributes.items()}
    arguments = {**operands, **attributes}
    signature = instruction.op.signature
    ordered = OrderedDict((name, arguments[name]) for name in signature.parameters if name in arguments)
    bound = inspect.BoundArguments(signature, ordered)
    name = instruction.op.name
    if name.startswith("tf.raw_ops."):  # these take keywords only, though they do not show it
        result = function(name)(**bound.arguments)
    else:
        result = function(name)(*bound.args, **bound.kwargs)
    results = [result] if len(instruction.outputs) == 1 and not isinstance(result, (list, tuple)) else list(result)
    values.update(zip(instruction.outputs, results, strict=True))


@cache
def function(name: str) -> Any:
    """TensorFlow's public function of that name: `tf.math.asin`."""
    return reduce(getattr, name.split(".")[1:], tf)


def _attribute(value: Any) -> Any:
    if isinstance(value, np.dtype):
        return tf.as_dtype(value)
    return [_attribute(each) for each in value] if isinstance(value, tuple) else value


def _dense(value: Any) -> Any:
    return np.asarray(tf.convert_to_tensor(value).numpy())


def _first_line(error: Exception) -> str:
    """TensorFlow's own words, without the placement before and the operation's internal name behind them."""
    text = getattr(error, "message", None) or str(error)
    lines = re.sub(r"\{\{.*?\}\} ?", "", text).strip().splitlines()
    words = re.sub(r" ?\[Op:.*", "", lines[0]) if lines else ""
    return f"{type(error).__name__}: {words}"
