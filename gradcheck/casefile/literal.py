"""Numbers written out in a case file, as arrays."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.casefile.casts import cast, check_integer, complex_in
from gradcheck.casefile.errors import CaseError, described, quoted
from gradcheck.casefile.yaml import Node, Tree
from gradcheck.diagnostics import Diagnostic, Refused
from gradcheck.dtypes import BOOL, COMPLEX128, FLOAT64, Array, DType, is_integer

_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|inf|nan"
COMPLEX = re.compile(rf"(?:[-+]?(?:{_NUMBER}))?[-+](?:{_NUMBER})?[jJ]|(?:{_NUMBER})?[jJ]")
"""A complex number as text: `1.5-0.5j`, `-j`, `2e3j`."""

MOST_AXES = 64
"""How many axes NumPy's arrays can have."""


@dataclass(frozen=True)
class Literal:
    """A literal that is a full box: its scalars in row-major order, each with its node."""

    shape: tuple[int, ...]
    leaves: Sequence[Node]
    values: Sequence[Any]


def read(tree: Tree, root: Node) -> Literal:
    """Check the form of a literal: one kind of scalar, lists equally long on each level.

    Raises `Refused` for the first element that does not fit those before it.
    """
    shape: list[int] = []
    leaves: list[Node] = []
    rank: int | None = None
    stack = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        if isinstance(node.children, dict):
            raise _refused(
                tree, node, "wrong-type", "a mapping cannot stand inside of a literal", "several arrays are a `nest`"
            )
        if isinstance(node.data, list):
            length = len(node.data)
            if depth == rank:
                raise _refused(tree, node, "ragged", "ragged: this is a list where a number stood before")
            if depth == MOST_AXES:
                raise _refused(tree, node, "too-large", f"an array has at most {MOST_AXES} axes")
            if depth == len(shape):
                shape.append(length)
            elif length != shape[depth]:
                raise _refused(
                    tree, node, "ragged", f"ragged: this list has length {length}, the one before it has {shape[depth]}"
                )
            stack.extend((child, depth + 1) for child in reversed(node.children))
        else:
            if rank is None and depth == len(shape):
                rank = depth
            elif depth != rank:
                message = f"ragged: this is no list, the one before it has length {shape[depth]}"
                raise _refused(tree, node, "ragged", message)
            leaves.append(node)
    return Literal(tuple(shape), leaves, [_scalar(tree, leaf, leaves[0]) for leaf in leaves])


def array_of(tree: Tree, literal: Literal, dtype: DType | None, case: DType) -> Array:
    """The literal as an array in `dtype`, or else in that of the `case`, complex if its numbers are.

    Raises `Refused` at the first number that does not fit the dtype.
    """
    try:
        return _converted(literal, dtype, case).reshape(literal.shape)
    except CaseError as error:
        place = literal.leaves[error.at or 0]
        raise Refused([error.diagnostic(tree.span(place))]) from None


def _converted(literal: Literal, dtype: DType | None, case: DType) -> Array:
    """The literal's scalars as a flat array. Raises `CaseError`."""
    values = literal.values
    if values and isinstance(values[0], bool):
        if dtype is None:
            hint = "write `{value: ..., dtype: bool}`"
            raise CaseError("wrong-type", "true and false make an input of dtype bool, which must be said", hint)
        return cast(np.array(values, BOOL), dtype)
    first_complex = next((at for at, value in enumerate(values) if isinstance(value, complex)), None)
    if dtype is None:
        dtype = complex_in(case) if first_complex is not None else case
    if first_complex is None and is_integer(dtype):
        return _integers(values, dtype)
    wide = np.empty(len(values), FLOAT64 if first_complex is None else COMPLEX128)
    for at, value in enumerate(values):
        try:
            wide[at] = value
        except OverflowError:
            raise CaseError(
                "out-of-range", f"a number of {len(str(value))} digits overflows `{dtype.name}`", at=at
            ) from None
    return cast(wide, dtype)


def _integers(values: Sequence[int | float], dtype: DType) -> Array:
    """Exactly these numbers, however far they are beyond the integers that a float can tell apart."""
    for at, value in enumerate(values):
        if isinstance(value, float) and not value.is_integer():
            raise CaseError("out-of-range", f"{value} is not a whole number, as `{dtype.name}` needs", at=at)
        try:
            check_integer(int(value), dtype)
        except CaseError as error:
            raise CaseError(error.code, error.message, at=at) from None
    return np.array([int(value) for value in values], dtype)


def _scalar(tree: Tree, leaf: Node, first: Node) -> bool | int | float | complex:
    value = leaf.data
    if isinstance(value, str):
        value = _complex(tree, leaf)
    elif value is None:
        raise _refused(tree, leaf, "wrong-type", "a number is missing here")
    if isinstance(value, bool) != isinstance(first.data, bool):
        message = "numbers and true/false cannot be mixed in one array"
        raise _refused(tree, leaf, "wrong-type", message)
    return value  # type: ignore[no-any-return]


def _complex(tree: Tree, leaf: Node) -> complex:
    text = leaf.data
    number = complex(text) if COMPLEX.fullmatch(text) else None
    if number is None:
        hint = "leave the quotes out" if leaf.style in ("'", '"') and re.fullmatch(_NUMBER, text) else None
        raise _refused(
            tree,
            leaf,
            "wrong-type",
            f"{described(text)} is not a number",
            hint or "a complex number looks like `1.5-0.5j`",
        )
    if np.isinf(number) and "inf" not in text:
        raise _refused(tree, leaf, "bad-number", f"{quoted(text)} is larger than any floating-point number")
    return number


def _refused(tree: Tree, node: Node, code: str, message: str, hint: str | None = None) -> Refused:
    return Refused([Diagnostic(code, message, tree.span(node), hint)])
