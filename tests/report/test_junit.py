"""JUnit XML, against the schema of Jenkins' xUnit plugin, which refuses what does not fulfil it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from xmlschema import XMLSchema

from gradcheck.report.junit import render
from gradcheck.report.run import Run

SCHEMA = XMLSchema(Path(__file__).with_name("junit-10.xsd"))


@pytest.fixture(scope="module")
def root(run: Run) -> Element:
    text = render(run)
    SCHEMA.validate(text)
    return ElementTree.fromstring(text)


def by_name(root: Element) -> dict[str, Element]:
    return {str(each.get("name")): each for each in root.iter("testcase")}


def test_a_suite_for_each_file_and_a_test_for_each_case_and_dtype(root: Element) -> None:
    suites = {Path(str(each.get("file"))).name: [test.get("name") for test in each] for each in root}
    assert [len(names) for names in suites.values()] == [1, 11]
    assert suites["cases.yaml"][:3] == ["right[float32]", "right[float64]", "turned"]
    assert str(suites["unread.yaml"][0]).endswith("unread.yaml:3:1 is well formed")


@pytest.mark.parametrize(
    ("name", "outcome", "type_", "message"),
    [
        ("right[float64]", None, None, ""),
        ("infinite", None, None, ""),
        ("turned", "failure", "mismatch", "numpy is wrong: "),
        ("pinned", "failure", "mismatch", "the gradient with respect to `x` at [1]: numpy 4, expect 5"),
        ("mended", "failure", "agree", "no longer mismatches"),
        ("refused", "error", "error", "cannot become (7,)"),
        ("crashed", "error", "crashed", "tensorflow: the process ended by signal 6 (SIGABRT)"),
        ("lacking", "skipped", "unsupported", "mine: `tf.pow` is not there"),
        ("skipped", "skipped", None, "not | today"),
    ],
)
def test_what_becomes_of_a_case(root: Element, name: str, outcome: str | None, type_: str | None, message: str) -> None:
    found = [each for each in by_name(root)[name] if each.tag != "system-out"]
    assert [each.tag for each in found] == ([outcome] if outcome else [])
    for each in found:
        assert each.get("type") == type_
        assert message in str(each.get("message"))


def test_every_case_says_its_file_and_line(root: Element, run: Run, where: Callable[[str], str]) -> None:
    found = by_name(root)
    for result in run.results:
        test = found[result.case.id.partition("::")[2]]
        assert test.findtext("system-out") == where(result.case.name)
        assert test.get("classname") == result.case.span.source.name


def test_a_failure_tells_all_that_the_table_tells(root: Element) -> None:
    account = str(by_name(root)["turned"].findtext("failure"))
    assert "run again: gradcheck compare" in account
    assert "6 |       y = tf.square(x)" in account


def test_what_xml_cannot_hold_is_replaced(root: Element) -> None:
    assert "�[31mCheck failed: 0 < n & n <]]> 1�" in str(by_name(root)["crashed"].findtext("error"))


def test_the_counts(root: Element) -> None:
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "time")} == {
        "tests": "12",
        "failures": "3",
        "errors": "3",
        "time": "2.750",
    }
    suite = root.findall("testsuite")[1]
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["11", "3", "2", "2"]


def test_a_run_without_a_result_is_valid(run: Run) -> None:
    SCHEMA.validate(render(replace(run, results=[], diagnostics=())))
