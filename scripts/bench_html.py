"""How large the HTML report of a thousand cases is, and how soon a browser has it open.

python scripts/bench_html.py

The cases are the shipped ones, again under other ids where they are not enough. A report is open when its list and its
first case have been drawn, counted from the start of the navigation. Needs Debian's `chromium` and the extra `test`.
"""

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

from measure import show
from playwright.sync_api import Browser, sync_playwright

from gradcheck.casefile.case import Case
from gradcheck.casefile.find import find
from gradcheck.casefile.load import load_file
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.reference.worker import ReferenceWorker
from gradcheck.report.html import render
from gradcheck.report.run import Run
from gradcheck.session import compare_cases
from gradcheck.verdict.record import Result

CASES = 1000
ROUNDS = 7
OPEN = """
addEventListener("DOMContentLoaded", () =>
  requestAnimationFrame(() => requestAnimationFrame(() => (window.opened = performance.now()))));
"""
"""Drawn is what was there in the frame before."""


def main() -> None:
    chromium = shutil.which("chromium") or sys.exit("chromium is not installed: apt-get install chromium")
    cases = [case for path in find(["cases"]).files for case in load_file(path).cases]
    with ReferenceWorker() as reference:
        results = list(islice(_repeated(compare_cases(cases[:CASES], NumpyEngine(), reference)), CASES))
    run = Run(results, len(results), 0.0)
    started = time.perf_counter()
    page = render(run)
    written = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "report.html"
        path.write_text(page, encoding="utf-8", errors="backslashreplace")
        browser = playwright.chromium.launch(executable_path=chromium)
        seconds = [_opened(browser, path.as_uri()) for _ in range(ROUNDS)]
        browser.close()
        size = path.stat().st_size
    show(
        f"The HTML report of {len(results)} cases",
        ["measure", "median", "worst"],
        [
            ["seconds until it is open", f"{statistics.median(seconds):.2f}", f"{max(seconds):.2f}"],
            ["megabytes", f"{size / 1e6:.1f}", ""],
            ["seconds to write it", f"{written:.2f}", ""],
        ],
    )


def _repeated(results: Iterator[Result]) -> Iterator[Result]:
    """The results, and then again and again under other ids."""
    first: list[Result] = []
    for each in results:
        first.append(each)
        yield each
    for round_ in count(2):
        yield from (replace(each, case=_renamed(each.case, round_)) for each in first)


def _renamed(case: Case, round_: int) -> Case:
    return replace(case, id=f"{case.id} ({round_})")


def _opened(browser: Browser, address: str) -> float:
    """Seconds from the start of the navigation; in a new window, so that nothing is kept."""
    window = browser.new_page(viewport={"width": 1280, "height": 900})
    window.add_init_script(OPEN)
    window.goto(address)
    window.wait_for_function("window.opened")
    rows: Sequence[str] = window.locator("#list a").all_text_contents()
    assert len(rows) == CASES, f"{len(rows)} of {CASES} cases are listed"
    assert window.locator("#case h2").count() == 1, "no case is open"
    milliseconds = float(window.evaluate("window.opened"))
    window.close()
    return milliseconds / 1000


if __name__ == "__main__":
    main()
