"""What is covered and what is not, out of everything that counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

import yaml

from gradcheck.ops.declaration import DRAWN, OPS, Op

GROUPS = {
    "tf.experimental.numpy.": "tf.experimental.numpy",
    "tf.keras.": "Keras activations and losses",
    "tf.linalg.LinearOperator": "linear operators",
    "tf.Tensor.": "methods and operators of tensors",
    "tf.Variable.": "methods of variables",
    "tf.": "functions",
}
"""How public names are grouped, by what one of them begins with; the first that fits counts."""
FLAT = "has no gradient, in its declaration as in TensorFlow"
"""The reason that is measured: the tests of the table hold the declaration to it."""

AGAINST = ", where TensorFlow is wrong"
"""What follows the place of a case that shows TensorFlow's own gradient to be wrong, and ours to be right."""

Reasons = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Tally:
    """What is covered of a list, by what; what is missing; and what does not count, by reason."""

    covered: Mapping[str, str]
    missing: tuple[str, ...]
    beyond: Reasons

    @property
    def total(self) -> int:
        """How many count."""
        return len(self.covered) + len(self.missing)

    @property
    def against(self) -> tuple[str, ...]:
        """What is covered by nothing but a case in which TensorFlow is wrong."""
        return tuple(name for name, place in self.covered.items() if place.endswith(AGAINST))


@dataclass(frozen=True)
class Coverage:
    """The types of the gradient registry, and the public functions by group."""

    version: str
    types: Tally
    functions: Mapping[str, Tally]


@cache
def beyond(kind: str) -> Reasons:
    """What is left out of the `types` or of the `functions`, by reason; a function's name may be a pattern."""
    listed = yaml.safe_load(files("gradcheck.coverage").joinpath("beyond.yaml").read_text("utf-8"))
    return {reason: tuple(names) for reason, names in listed[kind].items()}


def of_types(registered: Iterable[str], covered: Mapping[str, str]) -> Tally:
    """The tally of operation types; `covered` says by what. A type that is driven counts, whatever was said of it."""
    reasons = {name: reason for reason, names in beyond("types").items() for name in names if name not in covered}
    return _tally({name: ((name,), reasons.get(name)) for name in sorted(registered)}, covered)


def of_functions(public: Iterable[tuple[str, ...]], covered: Mapping[str, str]) -> dict[str, Tally]:
    """The tallies of public functions by group; each is given with all its names."""
    groups: dict[str, dict[str, tuple[tuple[str, ...], str | None]]] = {name: {} for name in GROUPS.values()}
    declared = {name: op for op in OPS.values() for name in (op.name, *op.aliases)}
    for names in sorted(public):
        ops = [declared[name] for name in names if name in declared]
        reason = FLAT if ops and all(map(_flat, ops)) else _reason(names)
        shortest = min(names, key=lambda each: (each.count("."), each))
        groups[_group(names)][shortest] = (names, reason)
    return {group: _tally(entries, covered) for group, entries in groups.items()}


def _flat(op: Op) -> bool:
    """Whether no gradient flows to any tensor that it takes; what takes none, such as `tf.eye`, is not flat."""
    takes = any(role in DRAWN for role in op.roles.values())
    return not op.differentiable or (takes and not op.domains)


def _tally(entries: Mapping[str, tuple[tuple[str, ...], str | None]], covered: Mapping[str, str]) -> Tally:
    """What each name is also called, and why it does not count."""
    there: dict[str, str] = {}
    missing: list[str] = []
    left_out: dict[str, list[str]] = {}
    for name, (names, reason) in entries.items():
        place = next((covered[each] for each in names if each in covered), None)
        if reason is not None:
            left_out.setdefault(reason, []).append(name)
        elif place is not None:
            there[name] = place
        else:
            missing.append(name)
    return Tally(there, tuple(missing), {reason: tuple(each) for reason, each in left_out.items()})


def _group(names: tuple[str, ...]) -> str:
    return next(group for start, group in GROUPS.items() if any(name.startswith(start) for name in names))


def _reason(names: tuple[str, ...]) -> str | None:
    """Why a function does not count under any of its names."""
    reasons = [_reason_of(name) for name in names]
    return None if None in reasons else reasons[0]


def _reason_of(name: str) -> str | None:
    for reason, patterns in beyond("functions").items():
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            return reason
    return None
