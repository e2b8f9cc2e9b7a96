"""A case to start from: what is known of it, the text that says so, and what is wrong with that."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import yaml
import yamlcore

from gradcheck.casefile.errors import quoted
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_source
from gradcheck.casefile.names import input_name_problem
from gradcheck.casefile.yaml import parse
from gradcheck.diagnostics import Diagnostic, Refused, Source
from gradcheck.dtypes import DTYPES, is_differentiable
from gradcheck.language import lower

SHAPE = re.compile(r"\d+(\s*,\s*\d+)*\s*,?")
"""Whole numbers with commas between them: the shape of random numbers."""


@dataclass(frozen=True)
class Review:
    """What is wrong with a starter; `missing` are the names in its expression that could be inputs and are not."""

    missing: Mapping[str, Diagnostic]
    errors: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class Starter:
    """A case before it is written; `inputs` are by name what the file will say of them."""

    description: str
    expr: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    dtypes: tuple[str, ...] = ()

    def with_input(self, name: str, said: str) -> "Starter":
        """With one more input, which is `said` to be a shape (`3,4`) or what a case file says, then perhaps a dtype.

        Raises `Refused`.
        """
        problem = f"{quoted(name)} is given twice" if name in self.inputs else input_name_problem(name)
        if problem:
            raise Refused([Diagnostic("bad-name", problem)])
        text, dtype = _dtype_apart(said.strip())
        if SHAPE.fullmatch(text):
            spec = self._drawn([int(size) for size in re.findall(r"\d+", text)], dtype)
        else:
            data = parse(Source(f"input {name}", text), Limits()).root.data
            spec = data if dtype is None else {"value": data, "dtype": dtype}
        return replace(self, inputs={**self.inputs, name: spec})

    def with_inputs(self, said: Iterable[tuple[str, str]]) -> "Starter":
        """With several more, by name. Raises `Refused`."""
        starter = self
        for name, each in said:
            starter = starter.with_input(name, each)
        return starter

    def _drawn(self, shape: list[int], dtype: str | None) -> dict[str, Any]:
        """Random numbers, with a seed that no other input has."""
        if dtype is not None and not is_differentiable(DTYPES[dtype]):
            hint = f"write the numbers out, as in `[0, 1] {dtype}`"
            raise Refused(
                [Diagnostic("bad-value", f"no {dtype} numbers can be drawn by their shape alone", None, hint)]
            )
        taken = [spec.get("seed") for spec in self.inputs.values() if isinstance(spec, dict)]
        seed = next(each for each in count(1) if each not in taken)
        return {"shape": shape, "random": "normal", "seed": seed} | ({} if dtype is None else {"dtype": dtype})

    def text(self, schema: str | None = None) -> str:
        """The case file; `schema` is the path of the JSON Schema that editors check it by, relative to it."""
        lines = [f"# yaml-language-server: $schema={schema}"] if schema else []
        lines.append(f"description: {_scalar(self.description)}")
        lines.append("inputs:" if self.inputs else "inputs: {}")
        lines += [f"  {_scalar(name)}: {_flow(spec)}" for name, spec in self.inputs.items()]
        if len(self.dtypes) == 1:
            lines.append(f"dtype: {_scalar(self.dtypes[0])}")
        elif self.dtypes:
            lines.append(f"dtype: {_flow(list(self.dtypes))}  # the case runs once in each")
        if _is_plain(self.expr):
            lines.append(f"expr: {self.expr}")
        else:
            lines += ["expr: |", *(f"  {line}".rstrip() for line in self.expr.split("\n"))]
        return "\n".join(lines) + "\n"

    def review(self, path: Path, schema: str | None = None) -> Review:
        """What a file at `path` with this text would be told."""
        limits = Limits()
        loaded = load_source(Source(path.as_posix(), self.text(schema)), path, limits)
        found = {each.render(): each for each in loaded.diagnostics}
        for case in (*loaded.cases, *loaded.flawed):
            try:
                warnings = lower(case).warnings
            except Refused as refused:
                warnings = refused.diagnostics
            found |= {each.render(): each for each in warnings}
        missing: dict[str, Diagnostic] = {}
        errors = []
        for each in found.values():
            if name := _missing(each):
                missing.setdefault(name, each)
            elif each.severity == "error":
                errors.append(each)
        return Review(missing, tuple(errors), tuple(each for each in found.values() if each.severity == "warning"))


def _dtype_apart(said: str) -> tuple[str, str | None]:
    """What comes before the dtype at the end, and the dtype if there is one."""
    text, _, last = said.rpartition(" ")
    return (text.rstrip(), last) if text and last in DTYPES else (said, None)


def _missing(error: Diagnostic) -> str | None:
    """The name that the expression uses as an input, if there is none and it could be one."""
    if error.code != "unknown-name" or error.span is None:
        return None
    line = error.span.source.lines[error.span.line - 1]
    name, after = line[error.span.column - 1 : error.span.end - 1], line[error.span.end - 1 :]
    called = after.lstrip().startswith("(")
    return None if called or input_name_problem(name) else name


def _is_plain(text: str) -> bool:
    """Whether YAML reads `text` as itself if it stands behind a key without quotes."""
    try:
        return bool(parse(Source("", f"key: {text}"), Limits()).root.data == {"key": text})
    except Refused:
        return False


def _scalar(text: str) -> str:
    return text if _is_plain(text) else _dumped(text, default_style='"')


def _flow(data: Any) -> str:
    return _dumped(data, default_flow_style=True)


def _dumped(data: Any, **style: Any) -> str:
    """YAML in one line."""
    text: str = yaml.dump(
        data, Dumper=yamlcore.CCoreDumper, width=1 << 30, sort_keys=False, allow_unicode=True, **style
    )
    return text.removesuffix("\n").removesuffix("\n...")


EXAMPLE_INPUTS = {"x": "[[1.0, 2.0], [3.0, 4.0]]", "w": "2,3"}
EXAMPLE = Starter(
    description="What this case protects, in one sentence.",
    expr="h = tf.nn.softmax(x @ w, axis=-1)\ntf.reduce_sum(h * tf.math.log(h))",
).with_inputs(EXAMPLE_INPUTS.items())
"""The case that is written if nothing is said."""
