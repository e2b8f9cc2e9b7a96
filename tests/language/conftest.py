"""Expressions read as they are in a case file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_file
from gradcheck.diagnostics import Diagnostic, Refused
from gradcheck.language import Lowered, lower

INPUTS = """\
inputs:
  x: [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
  v: [1.0, 2.0, 3.0]
  s: 2.0
  z: {value: ["1+2j", "3-1j"], dtype: complex64}
  i: {value: [0, 1, 1], dtype: int32}
  m: {value: [true, false, true], dtype: bool}
  pair: {nest: [[1.0, 2.0], [3.0, 4.0]]}
expr: |
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Lowered]:
    """Lower an expression over some inputs: `x` (2, 3), `v` (3,), `s` (), `z` complex, `i` int32, `m` bool, `pair`."""

    def lowered(expression: str, limits: Limits | None = None) -> Lowered:
        path = tmp_path / "case.yaml"
        indented = "".join(f"  {line}\n" for line in expression.split("\n"))
        path.write_text(INPUTS + indented, encoding="utf-8")
        loaded = load_file(path, limits or Limits())
        assert not loaded.errors, loaded.errors
        (case,) = loaded.cases
        return lower(case)

    return lowered


@pytest.fixture
def refused(read: Callable[..., Lowered]) -> Callable[..., list[Diagnostic]]:
    """The findings about an expression that cannot be read."""

    def diagnostics(expression: str, limits: Limits | None = None) -> list[Diagnostic]:
        with pytest.raises(Refused) as caught:
            read(expression, limits)
        return list(caught.value.diagnostics)

    return diagnostics
