"""A draft made out: `Case` records with every array, one for each dtype."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any

from gradcheck.casefile.case import Arrays, Case, Expect, Input, Tolerance
from gradcheck.casefile.draft import Draft
from gradcheck.casefile.errors import quoted, sized, suggestion
from gradcheck.casefile.inputs import Budget, Maker
from gradcheck.casefile.names import input_name_problem
from gradcheck.casefile.positions import expression
from gradcheck.casefile.schema import Nest, Random
from gradcheck.casefile.yaml import Path, Tree
from gradcheck.diagnostics import Diagnostic, Refused, Span
from gradcheck.dtypes import DTYPES, is_differentiable

NO_REASON = "no reason given"
"""The reason that goes with `skip: true`."""


@dataclass
class Builder:
    """Makes the cases of a draft; `found` collects the errors and warnings, once for each dtype that has them."""

    draft: Draft
    folder: FilePath
    budget: Budget
    found: list[Diagnostic] = field(default_factory=list, init=False)

    @cached_property
    def names(self) -> set[str]:
        return self.draft.names()

    @property
    def tree(self) -> Tree:
        return self.draft.tree

    def cases(self, name: str, case_id: str) -> list[Case]:
        """One case per dtype; those of a draft that has `failed` are good for reading their expression, no more."""
        for key in ("inputs", "expr"):
            if not self.draft.writes(key):
                span = self.tree.key_span(self.draft.path)
                self.found.append(Diagnostic("missing-key", f"`{key}` is missing", span))
        for given, (_, path) in self.draft.inputs().items():
            if problem := input_name_problem(given):
                self.found.append(Diagnostic("bad-name", problem, self.tree.key_span(path)))
        self.found.extend(_same_numbers(self.tree, self.draft))
        dtypes = self.draft.get("dtype") if self.draft.says("dtype") or not self.draft.writes("dtype") else ["float64"]
        made = [self.case(name, f"{case_id}[{dtype}]" if len(dtypes) > 1 else case_id, dtype) for dtype in dtypes]
        return [case for case in made if case]

    def failed(self) -> bool:
        return any(each.severity == "error" for each in self.found)

    def case(self, name: str, case_id: str, dtype: str) -> Case | None:
        """The case in one dtype, or None if its expression or an input is missing; what is wrong goes to `found`."""
        draft, tree = self.draft, self.tree
        maker = Maker(tree, self.folder, DTYPES[dtype], draft.says("dtype"), self.budget)
        inputs = self.inputs(maker)
        wrt = self.wrt(inputs)
        cotangents = self.make(maker, draft.get("output_gradients"), "output_gradients")
        tangents = self.tangents(maker, inputs)
        expect = self.expect(maker, inputs, wrt)
        if not draft.says("expr") or set(inputs) != self.names:
            return None
        given = draft.get("tolerance")
        return Case(
            id=case_id,
            name=name,
            span=tree.key_span(draft.path),
            inputs=inputs,
            expr=expression(tree, tree.node(draft.where("expr"))),
            dtype=dtype,
            description=draft.get("description"),
            wrt=wrt,
            output_gradients=cotangents if cotangents is None or isinstance(cotangents, tuple) else (cotangents,),
            unconnected_gradients=draft.get("unconnected_gradients"),
            derivative=draft.get("derivative"),
            tangents=tangents,
            expect=expect,
            tags=draft.tags(),
            skip=NO_REASON if draft.get("skip") is True else draft.get("skip") or None,
            known_mismatch=draft.get("known_mismatch") or None,
            tolerance=Tolerance(**{key: float(getattr(given, key)) for key in given.model_fields_set}),
            limits=self.budget.limits,
        )

    def inputs(self, maker: Maker) -> dict[str, Input]:
        """The inputs whose arrays could be made."""
        made = {}
        for name, (spec, path) in self.draft.inputs().items():
            value = self.attempt(maker, spec, path)
            if value is not None:
                made[name] = Input(value, self.tree.key_span(path), getattr(spec, "variable", False))
        return made

    def wrt(self, inputs: Mapping[str, Input]) -> dict[str, Span] | None:
        """The sources that the author names, which must be inputs of a dtype that has gradients."""
        if not self.draft.says("wrt"):
            return None
        spans = {}
        for at, name in enumerate(self.draft.get("wrt")):
            spans[name] = self.tree.value_span(self.draft.where("wrt", at))
            if self.is_input(name, spans[name]) and name in inputs and not _differentiable(inputs[name].value):
                message = f"{quoted(name)} is {_dtypes(inputs[name].value)}, which has no gradient"
                self.found.append(Diagnostic("bad-value", message, spans[name]))
        return spans

    def expect(self, maker: Maker, inputs: Mapping[str, Input], wrt: Mapping[str, Span] | None) -> Expect:
        """The pinned numbers: each gradient has the dtype and the shape of its input."""
        given = self.draft.get("expect")
        output = self.make(maker, given.output, "expect", "output") if "output" in given.model_fields_set else None
        gradients: dict[str, Arrays | None] = {}
        for name, spec in given.gradients.items():
            path = self.draft.where("expect", "gradients", name)
            span = self.tree.key_span(path)
            if not self.is_input(name, span) or name not in inputs:
                continue
            value = inputs[name].value
            if wrt is not None and name not in wrt:
                self.found.append(Diagnostic("bad-value", f"{quoted(name)} is not in `wrt`", span))
            elif not _differentiable(value):
                message = f"{quoted(name)} is {_dtypes(value)}, which has no gradient"
                self.found.append(Diagnostic("bad-value", message, span))
            else:
                gradients[name] = None if spec is None else self.gradient(maker, spec, path, value)
        return Expect(output, gradients, self.derivatives(maker, given), given.error or None)

    def derivatives(self, maker: Maker, given: Any) -> dict[str, Arrays | None]:
        """The pinned numbers of the case's derivative, which is not the gradient; their shapes are those of results."""
        wanted = self.draft.get("derivative")
        for derivative, key in PINNED_BY.items():
            if key in given.model_fields_set and derivative != wanted:
                span = self.tree.key_span(self.draft.where("expect", key))
                self.found.append(Diagnostic("bad-value", f"{quoted(key)} goes with `derivative: {derivative}`", span))
        if wanted == "gradient" or PINNED_BY[wanted] not in given.model_fields_set:
            return {}
        key = PINNED_BY[wanted]
        if key == "jvp":
            made = self.make(maker, given.jvp, "expect", key)
            several = made if isinstance(made, tuple) else (made,)
            return {"output" if len(several) == 1 else f"output[{at}]": each for at, each in enumerate(several)}
        return {
            name: None if spec is None else self.attempt(maker, spec, self.draft.where("expect", key, name))
            for name, spec in getattr(given, key).items()
        }

    def tangents(self, maker: Maker, inputs: Mapping[str, Input]) -> dict[str, Arrays]:
        """The given directions, each with the dtype and the shape of its input."""
        made: dict[str, Arrays] = {}
        for name, spec in self.draft.get("tangents").items():
            path = self.draft.where("tangents", name)
            if self.draft.get("derivative") not in ("jvp", "hvp"):
                message = "tangents go with `derivative: jvp` and `derivative: hvp`"
                self.found.append(Diagnostic("bad-value", message, self.tree.key_span(path)))
            elif self.is_input(name, self.tree.key_span(path)) and name in inputs:
                value = self.gradient(maker, spec, path, inputs[name].value, "tangent")
                if value is not None:
                    made[name] = value
        return made

    def gradient(self, maker: Maker, spec: Any, path: Path, value: Arrays, what: str = "gradient") -> Arrays | None:
        made = self.attempt(maker.like(value), spec, path)
        if made is not None and _shapes(made) != _shapes(value):
            message = f"this {what} has shape {_shapes(made)}, but {quoted(str(path[-1]))} has shape {_shapes(value)}"
            self.found.append(Diagnostic("bad-shape", message, self.tree.value_span(path)))
        return made

    def is_input(self, name: str, span: Span) -> bool:
        """Whether the case has an input of that name; reported at `span` if not."""
        if name not in self.names:
            message = f"there is no input {quoted(name)}"
            self.found.append(Diagnostic("unknown-name", message, span, suggestion(name, self.names)))
        return name in self.names

    def make(self, maker: Maker, spec: Any, key: str, *steps: str) -> Arrays | None:
        """The arrays under a key, if it is given."""
        return self.attempt(maker, spec, self.draft.where(key, *steps)) if self.draft.says(key) else None

    def attempt(self, maker: Maker, spec: Any, path: Path) -> Arrays | None:
        """The arrays of `spec`, or None and the reasons in `found`."""
        try:
            return maker.arrays(spec, path)
        except Refused as refused:
            self.found.extend(refused.diagnostics)
            return None


PINNED_BY = {"gradient": "gradients", "jacobian": "jacobians", "hessian": "hessians", "jvp": "jvp", "hvp": "hvp"}
"""The key of `expect` that pins each derivative."""


def _same_numbers(tree: Tree, draft: Draft) -> Iterator[Diagnostic]:
    """Warn of an array whose numbers are those of one before it because a seed is left out."""
    drawn: dict[tuple[str, int], tuple[str, bool]] = {}
    for name, (spec, path) in draft.inputs().items():
        for each, place in _parts(spec, path):
            if isinstance(each, Random):
                seeded = "seed" in each.model_fields_set
                stream = (each.random, each.seed)
                if stream in drawn and not (seeded and drawn[stream][1]):
                    message = f"{quoted(name)} draws the same numbers as {quoted(drawn[stream][0])}"
                    hint = "give each a `seed` of its own"
                    yield Diagnostic("same-seed", message, tree.key_span(place), hint, "warning")
                drawn.setdefault(stream, (name, seeded))


def _parts(spec: Any, path: Path) -> list[tuple[Any, Path]]:
    """The arrays under one input, each with its path."""
    return (
        [(inner, (*path, "nest", at)) for at, inner in enumerate(spec.nest)]
        if isinstance(spec, Nest)
        else [(spec, path)]
    )


def _tuple(value: Arrays) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _differentiable(value: Arrays) -> bool:
    return any(is_differentiable(array.dtype) for array in _tuple(value))


def _dtypes(value: Arrays) -> str:
    return ", ".join(dict.fromkeys(array.dtype.name for array in _tuple(value)))


def _shapes(value: Arrays) -> str:
    shapes = [sized(array.shape) for array in _tuple(value)]
    return f"[{', '.join(shapes)}]" if isinstance(value, tuple) else shapes[0]
