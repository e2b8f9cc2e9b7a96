"""Arrays for a case: written out, drawn or read from a file."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath

import numpy as np

from gradcheck.casefile import files, generate, literal
from gradcheck.casefile.case import Arrays
from gradcheck.casefile.casts import cast, complex_in
from gradcheck.casefile.errors import CaseError, sized
from gradcheck.casefile.limits import Limits, raise_limit
from gradcheck.casefile.schema import ArraysSpec, File, Nest, Random, Value
from gradcheck.casefile.yaml import Path, Tree
from gradcheck.diagnostics import Diagnostic, Refused
from gradcheck.dtypes import DTYPES, Array, DType, is_complex, is_float


@dataclass
class Budget:
    """How many elements the arrays of a case file have had so far, and may have; and from where they were read."""

    limits: Limits
    made: int = field(default=0, init=False)
    files: dict[FilePath, None] = field(default_factory=dict, init=False)
    """The files beside it that have been asked for, there or not, in order."""

    def take(self, shape: Iterable[int]) -> None:
        """Account for an array of this shape. Raises `CaseError`, before anything is allocated, if it is too large."""
        shape = tuple(shape)
        # An axis of length zero does not excuse the others: NumPy cannot make them either.
        elements = math.prod(max(1, size) for size in shape)
        if len(shape) > literal.MOST_AXES:
            raise CaseError("too-large", f"an array has at most {literal.MOST_AXES} axes, not {len(shape)}")
        if elements > self.limits.elements:
            message = f"an array of shape {sized(shape)} is too large; the limit is {self.limits.elements:,} elements"
            raise CaseError("too-large", message, raise_limit("elements"))
        self.made += elements
        if self.made > self.limits.file_elements:
            message = f"the arrays of this file are too large; the limit is {self.limits.file_elements:,} elements"
            raise CaseError("too-large", message, raise_limit("file_elements"))


@dataclass(frozen=True)
class Maker:
    """Makes arrays from what the file says, for one case in one dtype.

    `dtype` is the dtype of the case; arrays from files take it only if the case `says_dtype`.
    """

    tree: Tree
    folder: FilePath
    dtype: DType
    says_dtype: bool
    budget: Budget

    def arrays(self, spec: ArraysSpec, path: Path) -> Arrays:
        """The array, or the tuple of arrays, that `spec` at `path` describes. Raises `Refused`, with every error."""
        if not isinstance(spec, Nest):
            return self.array(spec, path)
        made: list[Array] = []
        wrong: list[Diagnostic] = []
        for at, inner in enumerate(spec.nest):
            try:
                made.append(self.array(inner, (*path, "nest", at)))
            except Refused as refused:
                wrong.extend(refused.diagnostics)
        if wrong:
            raise Refused(wrong)
        return tuple(made)

    def like(self, value: Arrays) -> "Maker":
        """A maker of arrays in the dtype of `value` (of its first array, if there are several)."""
        first = value[0] if isinstance(value, tuple) else value
        return replace(self, dtype=first.dtype, says_dtype=True)

    def array(self, spec: object, path: Path) -> Array:
        """The one array that `spec` at `path` describes. Raises `Refused`."""
        try:
            match spec:
                case Random():
                    self.budget.take(spec.shape)
                    return generate.draw(spec, self._own(spec.dtype) or self.dtype)
                case File():
                    return self._from_file(spec)
                case Value():
                    return self._from_value(spec, path)
                case _:
                    return self._from_literal(path, None)
        except CaseError as error:
            place = (
                (*path, "file") if isinstance(spec, File) else (*path, "shape") if error.code == "too-large" else path
            )
            raise Refused([error.diagnostic(self.tree.value_span(place))]) from None

    def _from_literal(self, path: Path, dtype: DType | None) -> Array:
        form = literal.read(self.tree, self.tree.node(path))
        self.budget.take(form.shape)
        return literal.array_of(self.tree, form, dtype, self.dtype)

    def _from_value(self, spec: Value, path: Path) -> Array:
        array = self._from_literal((*path, "value"), self._own(spec.dtype))
        if "shape" not in spec.model_fields_set:
            return array
        shape = tuple(spec.shape)
        self.budget.take(shape)
        if array.ndim == 0:
            return np.full(shape, array)
        if math.prod(shape) != array.size:
            message = f"{array.size} numbers do not fill the shape {sized(shape)}, which has {math.prod(shape)}"
            raise Refused([CaseError("bad-shape", message).diagnostic(self.tree.value_span((*path, "shape")))])
        return array.reshape(shape)

    def _from_file(self, spec: File) -> Array:
        self.budget.files[self.folder / spec.file] = None
        array = files.read(self.folder, spec.file, spec.key, self.budget.take)
        own = self._own(spec.dtype)
        if own is not None:
            return cast(array, own)
        if not self.says_dtype:
            return array
        if is_complex(array.dtype):
            return cast(array, complex_in(self.dtype))
        return cast(array, self.dtype) if is_float(array.dtype) else array

    @staticmethod
    def _own(name: str) -> DType | None:
        return DTYPES[name] if name else None
