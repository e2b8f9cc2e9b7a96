"""Gradients on their way from an engine to an outcome."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from gradcheck.dtypes import Array, is_differentiable
from gradcheck.engines import Request
from gradcheck.program import TensorType
from gradcheck.subjects.arrays import Unusable, checked
from gradcheck.subjects.findings import Lacking


def require(request: Request, dtypes: Collection[str] | None, *, twice: bool) -> None:
    """Raises `Lacking` where an engine that runs programs cannot run this one.

    It may lack a dtype, or second derivatives that are asked for; and tapes that the expression uses are not its own.
    """
    if request.directions is not None and not twice:
        raise Lacking("it has no second derivatives")
    if any(each.op.family == "taping" for each in request.program.instructions):
        raise Lacking("it cannot be asked to run tapes and variables, which the expression itself uses")
    if dtypes is None:
        return
    for type_ in request.program.types:
        if is_differentiable(type_.dtype) and type_.dtype.name not in dtypes:
            raise Lacking(f"it has no {type_.dtype.name}")


def exactly(found: Any, count: int, what: str = "gradients") -> Sequence[Any | None]:
    """`found` as a sequence of `count` gradients, or whatever it is; a lone one may stand for a list of one."""
    several = isinstance(found, (list, tuple))
    if count == 1 and not several:
        return [found]
    if not several or len(found) != count:
        raise Unusable(f"it gives {len(found) if several else type(found).__name__} where {count} {what} belong")
    gradients: Sequence[Any | None] = found
    return gradients


class Total:
    """One gradient per source of a request, summed over the targets; None as long as nothing has reached it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._sums: list[Array | None] = [None] * len(request.sources)

    def add(self, found: Sequence[Any | None]) -> None:
        """Add what one target gives; raises `Unusable` for what is no array of the source's kind."""
        program = self._request.program
        for position, (name, each) in enumerate(zip(self._request.sources, found, strict=True)):
            if each is None:
                continue
            type_: TensorType = program.types[program.inputs[name]]
            array = checked(each, type_, f"its gradient with respect to `{name}`")
            before = self._sums[position]
            self._sums[position] = array if before is None else np.asarray(before + array, type_.dtype)

    @property
    def gradients(self) -> tuple[Array | None, ...]:
        """The sums, with zeros for what is not connected where the request wants these."""
        if self._request.unconnected == "none":
            return tuple(self._sums)
        inputs = self._request.inputs
        return tuple(
            np.zeros_like(inputs[name]) if each is None else each
            for name, each in zip(self._request.sources, self._sums, strict=True)
        )
