"""What is in the page before a browser has it."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from gradcheck.report.html import render
from gradcheck.report.run import Run
from gradcheck.verdict.record import Result
from tests.report.html.conftest import HOSTILE


def data(page: str) -> dict[str, Any]:
    return {
        name: json.loads(text)
        for name, text in re.findall(r'<script type="application/json" id="(.*?)">(.*?)</script>', page)
    }


def test_a_block_for_each_case_and_one_for_programs_that_are_the_same(by_name: dict[str, Result]) -> None:
    right = by_name["right"]
    twice = [right, replace(right, case=replace(right.case, id="another"))]
    found = data(render(Run(twice, 2, 1.0)))
    assert sorted(found) == ["case-0", "case-1", "program-0"]
    assert [found[name]["program"] for name in ("case-0", "case-1")] == ["program-0", "program-0"]


def test_nothing_that_a_person_wrote_becomes_markup(hostile: Run) -> None:
    page = render(hostile)
    assert HOSTILE not in page
    assert "<img" not in page
    assert page.count("<script") == page.count("</script>")
    assert len(re.findall(r"<script(?! type=\"application/json\")", page)) == 1


def test_the_page_refuses_everything_that_is_not_its_own(gallery: Run) -> None:
    page = render(gallery)
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page)
    assert policy is not None
    assert re.fullmatch(
        r"default-src &#39;none&#39;; style-src &#39;sha256-[^ ]+&#39;; script-src &#39;sha256-[^ ]+&#39;; "
        r"base-uri &#39;none&#39;",
        policy[1],
    )
    assert not re.search(r"""\b(src|href)=["'](?!#)""", page)


@pytest.mark.parametrize(
    ("names", "diagnosed", "headline"),
    [
        (["right", "apart"], False, "2 cases pass"),
        (["right", "skipped"], False, "1 case passes, 1 apart"),
        (["right", "attention"], False, "1 of 2 cases fails"),
        (["stopped"], False, "1 case could not run"),
        (["attention", "stopped"], True, "1 of 2 cases fails, 1 could not run, 1 problem in the files"),
        ([], False, "No case was compared"),
        ([], True, "1 problem in the files"),
    ],
)
def test_the_headline(
    gallery: Run, by_name: dict[str, Result], names: list[str], diagnosed: bool, headline: str
) -> None:
    results = [by_name[name] for name in names]
    page = render(Run(results, len(results), 1.0, gallery.diagnostics if diagnosed else ()))
    assert f">{headline}</h1>" in page
    assert f"<title>{headline} | gradcheck</title>" in page
