"""What the user's own code does with tapes and variables, as instructions of a program.

They are operations only so that a program stays one flat list: they have no name under `tf`. Our engine replaces each
by what it means before anything runs (`gradcheck.engine.taping`), and TensorFlow's side does it with a tape or a
variable of its own.
"""

from typing import Any

from gradcheck.dtypes import DTYPES
from gradcheck.ops.declaration import Op, conceal

_EVERY = tuple(DTYPES.values())


def _never(*_: Any, **__: Any) -> Any:
    raise AssertionError("this instruction is replaced before a program runs")


def _effect(name: str, function: Any, source: str) -> Op:
    return conceal(
        Op(
            name=name, function=function, family="taping", domains=(), forward=_never, dtypes=_EVERY, several=True,
            source=source,
        )
    )  # fmt: skip


def _watch(tensors: Any, tape: Any) -> Any: ...
def _gradient(targets: Any, sources: Any, output_gradients: Any, tape: Any, unconnected: Any, given: Any) -> Any: ...
def _jacobian(target: Any, sources: Any, tape: Any, unconnected: Any, batch: Any) -> Any: ...
def _assign(variable: Any, value: Any) -> Any: ...
def _new(initial: Any) -> Any: ...
def _accumulate(primals: Any, tangents: Any, tape: Any) -> Any: ...
def _custom(inputs: Any, captured: Any, forward: Any, backward: Any) -> Any: ...
def _py_function(inputs: Any, captured: Any, body: Any, dtypes: Any) -> Any: ...
def _branch(index: Any, captured: Any, name: Any, branches: Any, chosen: Any) -> Any: ...
def _loop(inputs: Any, captured: Any, cond: Any, body: Any, rounds: Any, most: Any) -> Any: ...
def _print(inputs: Any) -> Any: ...
def _jvp(targets: Any, tape: Any, unconnected: Any) -> Any: ...
def _read(variable: Any, current: Any) -> Any: ...
def _read_at(variable: Any, current: Any, indices: Any) -> Any: ...


WATCH = _effect("tape.watch", _watch, "from now on `tape` records what is computed from `tensors`")
GRADIENT = _effect(
    "tape.gradient",
    _gradient,
    "one gradient per source of all targets together; `given` says which targets have cotangents of their own",
)
JACOBIAN = _effect(
    "tape.jacobian",
    _jacobian,
    "one Jacobian per source, shaped target then source; with `batch` the first axis of both is one and the same",
)
ASSIGN = _effect("variable.assign", _assign, "`variable` has these numbers from now on; no gradient flows to `value`")
NEW = _effect("variable.new", _new, "a variable that starts with these numbers; no gradient flows to `initial`")
ACCUMULATE = _effect("accumulator.watch", _accumulate, "the tangents with which `primals` start")
JVP = _effect("accumulator.jvp", _jvp, "one tangent per target")
CUSTOM = _effect(
    "tf.custom_gradient", _custom, "what `forward` gives of `inputs`; its gradient is what `backward` says"
)
PY_FUNCTION = _effect(
    "tf.py_function", _py_function, "what `body` gives of `inputs`, by a function that TensorFlow calls"
)
BRANCH = _effect(
    "graph.branch", _branch, "what that of `branches` gives that `index` chooses: the one at `chosen`, at this point"
)
LOOP = _effect(
    "graph.loop", _loop, "what `body` makes of `inputs` while `cond` holds: for so many `rounds`, at this point"
)
PRINT = _effect("graph.print", _print, "nothing; but what it is part of has a side effect")
SPARSE_READ = _effect("variable.sparse_read", _read_at, "the rows at `indices` of what a variable holds")
GATHER_ND = _effect("variable.gather_nd", _read_at, "the slices at `indices` of what a variable holds")
WRITTEN_OUT = (PY_FUNCTION, BRANCH, LOOP)
"""What is replaced by the instructions that it holds."""
TAPING = (
    *(CUSTOM, WATCH, GRADIENT, JACOBIAN, ASSIGN, NEW, ACCUMULATE, JVP, SPARSE_READ, GATHER_ND, PRINT),
    *WRITTEN_OUT,
)
"""What is replaced before a program runs."""
RULED = (CUSTOM, GRADIENT, JACOBIAN, JVP)
"""What only rules can give: a derivative inside a program, or a gradient that the user prefers to it."""

READ = conceal(
    Op(
        name="variable.read",
        function=_read,
        family="taping",
        domains=(),
        forward=lambda variable, current: current,
        vjp=(lambda g, y, variable, current: g, None),
        dtypes=_EVERY,
        moves=True,
        source="the gradient belongs to the variable, whatever was assigned to it",
    )
)
"""What a variable holds now: its gradient is the variable's, not that of what it was computed from."""
