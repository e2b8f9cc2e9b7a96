"""Results of earlier runs: found again whole where nothing has changed, and only there."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from gradcheck.casefile.case import Case, Tolerance
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_file
from gradcheck.diagnostics import Diagnostic, Source, Span
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Failure
from gradcheck.keeping.packing import NotPlain
from gradcheck.keeping.store import Store
from gradcheck.reference.worker import ReferenceWorker
from gradcheck.report.json import case_record
from gradcheck.report.table import case_report
from gradcheck.running import kept as module
from gradcheck.running.encoding import decode, encode
from gradcheck.running.kept import KeptResults, remembered
from gradcheck.selftest.changes import negated
from gradcheck.selftest.faults import Fault
from gradcheck.session import compare_cases
from gradcheck.verdict.inquiry import Inquiry
from gradcheck.verdict.record import Diagnosis, Estimate, Judged, Result, Ruling, Verdict

CASES = """\
cases:
  agrees: {inputs: {x: [1.0, 2.0]}, expr: tf.reduce_sum(x * x), dtype: [float32, float64, bfloat16]}
  complex: {dtype: complex128, inputs: {x: ["1+2j", 2]}, expr: x * x}
  undefined: {inputs: {x: [0.0]}, expr: tf.sqrt(x)}
  wrong: {inputs: {x: [[2.0, 3.0]]}, expr: tf.square(x) + 1.0}
  wrong_complex: {dtype: complex64, inputs: {x: ["1+2j", 2]}, expr: tf.square(x)}
  pinned: {inputs: {x: 2.0}, expr: x * x, expect: {output: 4.0}}
"""


@pytest.fixture(scope="session")
def results(reference: ReferenceWorker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """A result of each kind, by the case's name; the rule of `tf.square` has the wrong sign."""
    file = tmp_path_factory.mktemp("kept") / "cases.yaml"
    file.write_text(CASES)
    cases = load_file(file, Limits()).cases
    with Fault("has the wrong sign", "tf.square", 0, "sign", negated).planted():
        found = compare_cases(cases, NumpyEngine(), reference, inquiry=Inquiry(bounds=True))
        return {result.case.id.rpartition("::")[2]: result for result in found}


@pytest.fixture
def kept(tmp_path: Path) -> KeptResults:
    return KeptResults(Store(tmp_path / "kept"), Inquiry())


def test_what_is_read_is_what_was_written(results: dict[str, Result]) -> None:
    assert {each.verdict for each in results.values()} == {Verdict.AGREE, Verdict.UNDEFINED, Verdict.MISMATCH}
    for result in results.values():
        again = decode(encode(result), result.case)
        assert case_record(again) == case_record(result)
        assert encode(again) == encode(result)
        for mine, theirs in zip(again.comparisons, result.comparisons, strict=True):
            for one, other in ((mine.left, theirs.left), (mine.right, theirs.right), (mine.limits, theirs.limits)):
                assert (one is None) == (other is None)
                if one is not None and other is not None:
                    assert (one.dtype, one.tobytes()) == (other.dtype, other.tobytes())


def test_the_report_of_what_is_read_is_the_same(results: dict[str, Result]) -> None:
    from io import StringIO

    from rich.console import Console

    def shown(result: Result) -> str:
        console = Console(file=StringIO(), width=120)
        console.print(case_report(result, "values", ""))
        return console.file.getvalue()  # type: ignore[attr-defined]

    for name in ("wrong", "wrong_complex"):
        result = results[name]
        assert "referee" in shown(result)
        assert shown(decode(encode(result), result.case)) == shown(result)


def test_a_place_in_another_file_is_not_kept(results: dict[str, Result], kept: KeptResults) -> None:
    elsewhere = Diagnostic("code", "message", Span(Source("other.yaml", "x"), 1, 1, 2))
    result = replace(results["pinned"], diagnostics=(elsewhere,))
    with pytest.raises(NotPlain):
        encode(result)
    kept.keep(result)
    assert kept.find(result.case) is None


def test_a_result_is_found_for_the_same_case_and_known_to_be_an_old_one(
    results: dict[str, Result], kept: KeptResults
) -> None:
    for result in results.values():
        assert kept.find(result.case) is None
        kept.keep(result)
        found = kept.find(result.case)
        assert found is not None
        assert found.kept
        assert case_record(found) == case_record(result) | {"kept": True}


def other_text(case: Case) -> Case:
    source = Source(case.span.source.name, case.span.source.text + "# a comment\n")
    return replace(case, span=replace(case.span, source=source))


def other_input(case: Case) -> Case:
    x = case.inputs["x"]
    return replace(case, inputs={"x": replace(x, value=np.nextafter(x.value, np.inf))})


CHANGES: list[Callable[[Case], Case]] = [
    other_text,
    other_input,
    lambda case: replace(case, id="another"),
    lambda case: replace(case, dtype="float64"),
    lambda case: replace(case, tolerance=Tolerance(rtol=1e-3)),
    lambda case: replace(case, limits=Limits(instructions=7)),
    lambda case: replace(case, known_mismatch="since today"),
    lambda case: replace(case, expect=replace(case.expect, output=np.float32(5.0))),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_case_that_has_changed_has_no_result(
    results: dict[str, Result], kept: KeptResults, change: Callable[[Case], Case]
) -> None:
    result = results["pinned"]
    kept.keep(result)
    assert kept.find(result.case) is not None
    assert kept.find(change(result.case)) is None


def test_what_a_baseline_says_changes_nothing(results: dict[str, Result], kept: KeptResults) -> None:
    result = results["wrong"]
    kept.keep(result)
    found = kept.find(replace(result.case, known_failure="mismatch"))
    assert found is not None
    assert found.known


def test_another_question_has_another_result(results: dict[str, Result], tmp_path: Path) -> None:
    store = Store(tmp_path / "kept")
    KeptResults(store, Inquiry()).keep(results["pinned"])
    assert KeptResults(store, Inquiry(blame=True)).find(results["pinned"].case) is None


def test_other_surroundings_have_other_results(
    results: dict[str, Result], kept: KeptResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.keep(results["pinned"])
    monkeypatch.setattr(module, "environment", lambda: "another TensorFlow")
    module._surroundings.cache_clear()
    try:
        assert kept.find(results["pinned"].case) is None
    finally:
        module._surroundings.cache_clear()


def unsettled(result: Result) -> Result:
    (first, *_) = (each for each in result.comparisons if each.worst)
    assert first.worst is not None
    judged = Judged(first, first.worst, Estimate(0.0, np.inf, "out of time"), Ruling.INCONCLUSIVE)
    return replace(result, diagnosis=Diagnosis((judged,), (), ""))


@pytest.mark.parametrize(
    "change",
    [
        unsettled,
        lambda result: replace(result, verdict=Verdict.CRASHED, failures=[("tensorflow", Failure("crashed", "?"))]),
        lambda result: replace(result, verdict=Verdict.TIMEOUT, failures=[("gradcheck", Failure("timeout", "?"))]),
        lambda result: replace(result, verdict=Verdict.ERROR, failures=[("numpy", Failure("error", "no memory"))]),
        lambda result: replace(result, verdict=None),
    ],
)
def test_what_the_next_run_may_find_otherwise_is_not_kept(
    results: dict[str, Result], kept: KeptResults, change: Callable[[Result], Result]
) -> None:
    result = change(results["wrong"])
    kept.keep(result)
    assert kept.find(result.case) is None


def test_what_is_damaged_is_found_anew(results: dict[str, Result], tmp_path: Path) -> None:
    store = Store(tmp_path / "kept")
    kept = KeptResults(store, Inquiry())
    result = results["pinned"]
    kept.keep(result)
    (entry,) = store.entries()
    store.put(entry.path.name, b"\x91\x01")  # whole, and not a result
    assert kept.find(result.case) is None
    kept.keep(result)
    assert kept.find(result.case) is not None


class Fresh:
    """Compares what it is given, two cases ahead of what is taken."""

    def __init__(self, results: dict[str, Result]) -> None:
        self.results = {each.case.id: each for each in results.values()}
        self.asked: list[str] = []

    def __call__(self, cases: Iterable[Case]) -> Iterator[Result]:
        ahead: list[Case] = []
        coming = iter(cases)
        while True:
            ahead += islice(coming, 2 - len(ahead))
            if not ahead:
                return
            case = ahead.pop(0)
            self.asked.append(case.id)
            yield self.results[case.id]


@pytest.mark.parametrize("known", ["", "0", "6", "01", "56", "024", "135", "01234567", "03", "36"])
def test_results_come_in_order_and_each_once(results: dict[str, Result], kept: KeptResults, known: str) -> None:
    everything = list(results.values())
    for position in map(int, known):
        kept.keep(everything[position])
    fresh = Fresh(results)
    found = list(remembered([each.case for each in everything], kept, fresh))
    assert [each.case.id for each in found] == [each.case.id for each in everything]
    assert [each.kept for each in found] == [str(position) in known for position in range(len(everything))]
    assert fresh.asked == [each.case.id for at, each in enumerate(everything) if str(at) not in known]
    assert all(each.kept for each in remembered([each.case for each in everything], kept, fresh))
