"""One run for all reports: a case for each thing that may become of one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gradcheck.casefile.case import Case, Loaded
from gradcheck.casefile.load import load_file
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Failure
from gradcheck.reference.worker import ReferenceWorker
from gradcheck.report.run import Run
from gradcheck.selftest.changes import negated
from gradcheck.selftest.faults import Fault
from gradcheck.session import compare_cases
from gradcheck.verdict.record import Result, Verdict

CASES = """\
cases:
  right: {inputs: {x: [1.0, 2.0]}, expr: x * x, dtype: [float32, float64]}
  turned:
    inputs: {x: [1.0, 2.0]}
    expr: |
      y = tf.square(x)
      y + 1.0
  pinned: {inputs: {x: [1.0, 2.0]}, expr: x * x, expect: {gradients: {x: [2.0, 5.0]}}}
  mended: {inputs: {x: 1.0}, expr: x * x, known_mismatch: it never did}
  refused: {inputs: {x: [1.0]}, expr: "tf.reshape(x, [7])"}
  crashed: {inputs: {x: 1.0}, expr: x * x}
  lacking: {inputs: {x: 1.0}, expr: x * x}
  skipped: {inputs: {x: 1.0}, expr: x * x, skip: "not | today"}
  infinite: {inputs: {x: [0.0, -1.0]}, expr: tf.math.log(x)}
  complex: {inputs: {x: ["1+2j"]}, expr: x * x, dtype: complex64}
"""
LAST_WORDS = "\x1b[31mCheck failed: 0 < n & n <]]> 1\x00"
"""Of a process that has ended: what XML cannot hold, and what it holds only escaped."""


def loaded(path: Path, text: str) -> Loaded:
    path.write_text(text, encoding="utf-8")
    return load_file(path)


def stopped(case: Case) -> Result | None:
    """What no engine that is at hand can be brought to do."""
    if case.name == "crashed":
        failure = Failure("crashed", "the process ended by signal 6 (SIGABRT)", LAST_WORDS)
        return Result(case, Verdict.CRASHED, failures=[("tensorflow", failure)])
    if case.name == "lacking":
        return Result(case, Verdict.UNSUPPORTED, failures=[("mine", Failure("unsupported", "`tf.pow` is not there"))])
    return None


@pytest.fixture(scope="session")
def run(reference: ReferenceWorker, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A result for each case and a file that cannot be read; the rule of `tf.square` has the wrong sign."""
    folder = tmp_path_factory.mktemp("50% & more")
    cases = loaded(folder / "cases.yaml", CASES).cases
    unread = loaded(folder / "unread.yaml", "inputs: {x: 1.0}\nexpr: x\ntag: a\n")
    with Fault("is turned", "tf.square", 0, "sign", negated).planted():
        made = [replace(each, seconds=0.25) for each in compare_cases(cases, NumpyEngine(), reference)]
    results = [stopped(each.case) or each for each in made]
    return Run(results, len(results), 2.75, unread.diagnostics)


@pytest.fixture
def where(run: Run) -> Callable[[str], str]:
    """The file and line of a case in the run."""
    found = {each.case.name: each.case.span for each in run.results}
    return lambda name: f"{found[name].source.name}:{found[name].line}"
