"""A run with something to look at, and a browser to look with."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from gradcheck.casefile.load import load_file
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Failure
from gradcheck.reference.worker import ReferenceWorker
from gradcheck.report.html import render
from gradcheck.report.run import Run
from gradcheck.selftest.changes import negated
from gradcheck.selftest.faults import Fault
from gradcheck.session import compare_cases
from gradcheck.verdict.inquiry import Inquiry
from gradcheck.verdict.record import Result, Verdict

expect.set_options(timeout=30_000)  # a machine that is busy with other tests is slow, not wrong

HOSTILE = "</script><script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\"><!--"

CASES = """\
cases:
  right: {inputs: {x: [1.0, 2.0]}, expr: x * x, tags: [small]}
  attention:
    inputs:
      q: {shape: [2, 4, 3], random: normal, seed: 1}
      k: {shape: [2, 4, 3], random: normal, seed: 2}
    expr: |
      s = tf.matmul(q, k, transpose_b=True) / math.sqrt(q.shape[-1])
      p = tf.nn.softmax(s, axis=-1)
      tf.reduce_sum(tf.square(p))
  image:
    inputs:
      x: {shape: [2, 5, 4, 3], random: normal, seed: 3}
      w: {shape: [3, 3, 3, 2], random: normal, seed: 4}
    expr: tf.square(tf.nn.conv2d(x, w, strides=1, padding="SAME"))
  large: {inputs: {x: {shape: [90, 60], random: normal, seed: 5}}, expr: tf.square(x)}
  shapes: {inputs: {x: [1.0, 2.0]}, expr: x * x, expect: {output: [1.0, 4.0, 9.0]}}
  again: {inputs: {x: 1.5}, expr: tf.square(x), known_mismatch: it always did}
  loop:
    inputs: {x: 1.5}
    expr: |
      for _ in range(100):
          x = x * 1.01
      x
  apart: {inputs: {x: 1.0, y: 2.0}, expr: x * 2}
  refused: {inputs: {x: [1.0]}, expr: "tf.reshape(x, ["}
  stopped: {inputs: {x: 1.0}, expr: x * x}
  skipped: {inputs: {x: 1.0}, expr: x * x, skip: not today}
"""


@pytest.fixture(scope="session")
def gallery(reference: ReferenceWorker, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run in which the rule of `tf.square` has the wrong sign, one engine crashes, one file is refused, and three
    cases were not reached."""
    folder = tmp_path_factory.mktemp("50% & more")
    (folder / "cases.yaml").write_text(CASES, encoding="utf-8")
    (folder / "unread.yaml").write_text("inputs: {x: 1.0}\nexpr: x\ntag: a\n", encoding="utf-8")
    cases = load_file(folder / "cases.yaml").cases
    with Fault("is turned", "tf.square", 0, "sign", negated).planted():
        results = list(compare_cases(cases, NumpyEngine(), reference))
    crash = [("tensorflow", Failure("crashed", "the process ended by signal 6 (SIGABRT)", "Check failed: 0 < n"))]
    crashed = [_crashed(each, crash) if each.case.name == "stopped" else each for each in results]
    return Run(crashed, len(crashed) + 3, 2.75, load_file(folder / "unread.yaml").diagnostics)


def _crashed(result: Result, failures: list[tuple[str, Failure]]) -> Result:
    return Result(result.case, Verdict.CRASHED, failures=failures)


@pytest.fixture
def by_name(gallery: Run) -> dict[str, Result]:
    return {each.case.name: each for each in gallery.results}


@pytest.fixture(scope="session")
def blamed(reference: ReferenceWorker, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A case that agrees, and of which every operation has been tried."""
    path = tmp_path_factory.mktemp("blamed") / "case.yaml"
    path.write_text("inputs: {x: [1.0, 2.0]}\nexpr: |\n  y = x * x\n  tf.sin(y)\n", encoding="utf-8")
    cases = load_file(path).cases
    (result,) = compare_cases(cases, NumpyEngine(), reference, inquiry=Inquiry(blame=True))
    return result


@pytest.fixture
def hostile(by_name: dict[str, Result]) -> Run:
    """What comes from case files and engines, all of it markup."""
    failed, stopped = by_name["attention"], by_name["stopped"]
    assert failed.diagnosis is not None
    case = replace(
        failed.case, id=f"{HOSTILE}::{HOSTILE}", description=HOSTILE, tags=(HOSTILE,), known_mismatch=HOSTILE
    )
    accused = tuple(replace(each, sentence=HOSTILE) for each in failed.diagnosis.accused)
    diagnosis = replace(failed.diagnosis, sentence=HOSTILE, note=HOSTILE, accused=accused)
    comparisons = [replace(each, note=HOSTILE, variable=HOSTILE) for each in failed.comparisons]
    first = replace(failed, case=case, diagnosis=diagnosis, comparisons=comparisons, note=HOSTILE)
    failures = [(HOSTILE, Failure("crashed", HOSTILE, HOSTILE))]
    expression = replace(stopped.case.expr, text=HOSTILE, positions=tuple((1, at + 1) for at in range(len(HOSTILE))))
    second = replace(stopped, case=replace(stopped.case, expr=expression), failures=failures)
    told = [replace(each, message=HOSTILE, help=HOSTILE) for each in by_name["refused"].diagnostics]
    return Run([first, second, replace(by_name["refused"], diagnostics=told)], 3, 1.0, told, HOSTILE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or Chrome; closed before another module's tests, which may need the event loop."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    assert chromium is not None, "the tests of the HTML report need a browser: apt-get install chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium)
        yield launched
        launched.close()


Opened = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    """Open the report of a run, at a case if one is named; at the end nothing may have been loaded or complained of."""
    path = tmp_path / "report.html"
    complaints: list[str] = []
    requests: list[str] = []

    def show(run: Run, name: str = "", *, scheme: str = "light", width: int = 1280, script: bool = True) -> Page:
        path.write_text(render(run), encoding="utf-8")
        context = browser.new_context(
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": width, "height": 900},
            java_script_enabled=script,
        )
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        if name:
            page.locator("#list a", has_text=name).first.click()
        return page

    yield show
    for context in browser.contexts:
        context.close()
    assert complaints == []
    assert set(requests) == {path.as_uri()}
