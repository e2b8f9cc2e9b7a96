"""What a dotted name means: an operation, a dtype, a constant, or a namespace on the way to one."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from gradcheck.diagnostics import did_you_mean
from gradcheck.dtypes import DTYPES
from gradcheck.language.static import FUNCTIONS, NAMES
from gradcheck.ops.declaration import all_names, find_op


@dataclass(frozen=True)
class Dotted:
    """A namespace: `tf`, `tf.math`, `math`, `np`."""

    name: str


class UnknownName(LookupError):
    """A dotted name that means nothing; `help` has the nearest that does."""

    def __init__(self, message: str, help: str | None) -> None:  # noqa: A002
        super().__init__(message)
        self.help = help


@cache
def _constants() -> dict[str, Any]:
    named: dict[str, Any] = dict(NAMES)
    named |= {f"tf.{name}": dtype for name, dtype in DTYPES.items()}
    named |= {f"tf.dtypes.{name}": dtype for name, dtype in DTYPES.items()}
    named |= {f"tf.experimental.numpy.{name}": NAMES[f"np.{name}"] for name in ("pi", "e", "inf", "newaxis")}
    named |= {f"tf.experimental.numpy.{name}": dtype for name, dtype in DTYPES.items() if name != "bfloat16"}
    named |= {"tf.UnconnectedGradients.NONE": "none", "tf.UnconnectedGradients.ZERO": "zero"}
    named |= {"tf.newaxis": None, "tf.half": DTYPES["float16"], "tf.double": DTYPES["float64"]}
    return named


@cache
def _namespaces() -> frozenset[str]:
    parts = [name.split(".") for name in (*all_names(), *_constants())]
    return frozenset(".".join(each[:length]) for each in parts for length in range(1, len(each)))


def root(name: str) -> Any:
    """What a bare name means that the user has not defined: a namespace or one of Python's functions.

    Raises `KeyError` if it is neither.
    """
    if name in _namespaces():
        return Dotted(name)
    return FUNCTIONS[name]


def roots() -> list[str]:
    """Every bare name that means something."""
    return sorted({name.partition(".")[0] for name in _namespaces()} | set(FUNCTIONS))


def member(namespace: Dotted, attribute: str) -> Any:
    """What `namespace.attribute` means: an `Op`, a dtype, a number, a function or a namespace.

    Raises `UnknownName`.
    """
    full = f"{namespace.name}.{attribute}"
    constants = _constants()
    if full in constants:
        return constants[full]
    try:
        return find_op(full)
    except KeyError:
        pass
    if full in _namespaces():
        return Dotted(full)
    if namespace.name.startswith("tf"):
        message = f"`{full}` is not an operation in the table"
        raise UnknownName(message, _nearest(full) or "`gradcheck ops` lists the operations")
    raise UnknownName(f"`{full}` is not part of the language", _nearest(full))


def _nearest(full: str) -> str | None:
    """The known name nearest to a wrong one: the same last part elsewhere comes first."""
    known = [*all_names(), *_constants()]
    last = full.rpartition(".")[2]
    for name in known:
        if name.rpartition(".")[2] == last:
            return f"did you mean `{name}`?"
    return did_you_mean(full, known)
