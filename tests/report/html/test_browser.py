"""The page in a browser: what is seen, by mouse, by keyboard and by what a screen reader is told."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from gradcheck.dtypes import DTYPES
from gradcheck.report import text
from gradcheck.report.html.arrays import Arrays
from gradcheck.report.run import Run
from gradcheck.verdict.compare import compare_values
from gradcheck.verdict.record import Comparison, Result
from tests.report.html.conftest import HOSTILE, Opened

WORDS = [
    "mismatch",
    "mismatch",
    "mismatch",
    "mismatch",
    "error",
    "crashed",
    "known",
    "agree",
    "agree",
    "agree",
    "skipped",
]


def with_comparison(result: Result, comparison: Comparison) -> Run:
    return Run([replace(result, comparisons=[comparison])], 1, 1.0)


def compared(left: Any, right: Any) -> Comparison:
    limits = np.full(right.shape, 1e-3)
    return compare_values("gradient", "x", "ones", ("numpy", "tensorflow"), left, right, limits)


def open_all(page: Page) -> None:
    """Open whatever can be opened, also what appears only then."""
    while (folded := page.locator("details:not([open]):not([hidden]) > summary:visible")).count():
        folded.first.click()


def test_what_is_wrong_comes_first_and_is_open(opened: Opened, gallery: Run) -> None:
    page = opened(gallery)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "4 of 11 cases fail, 2 could not run, 1 problem in the files"
    )
    assert page.locator("#list .verdict").all_inner_texts() == WORDS
    assert page.evaluate("scrollY") == 0
    expect(page.locator("#list [aria-current]")).to_contain_text("attention")
    expect(page.locator("#case .finding")).to_have_text(
        "numpy is wrong: the gradient of tf.square (line 10) has the wrong sign"
    )
    expect(page.locator(".causes li").first).to_contain_text("the gradient of tf.square has the wrong sign")


def test_the_run_that_was_stopped_and_the_files_that_were_refused_are_told(opened: Opened, gallery: Run) -> None:
    page = opened(gallery)
    expect(page.locator(".notice").first).to_have_text("The run was stopped: 3 of 14 selected cases were not compared.")
    expect(page.get_by_role("region", name="Files that cannot be read")).to_contain_text("unknown key `tag`")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stopped", "tensorflow, crashed: the process ended by signal 6 (SIGABRT)The last lines of tensorflow"),
        ("stopped", "Check failed: 0 < n"),
        ("refused", '26 |   refused: {inputs: {x: [1.0]}, expr: "tf.reshape(x, ["}'),
        ("again", "marked as a known mismatch: it always did"),
        ("skipped", "skipped: not today"),
        ("shapes", "the output: shapes differ: [2] in numpy, [3] in expect"),
    ],
)
def test_what_became_of_a_case(opened: Opened, gallery: Run, name: str, said: str) -> None:
    expect(opened(gallery, name).locator("#case")).to_contain_text(said)


@pytest.mark.parametrize(
    ("words", "off", "left"),
    [
        ("image", [], ["image"]),
        ("SMALL", [], ["right"]),
        ("cases.yaml::a", [], ["attention", "again", "apart"]),
        ("agree", ["agree"], []),
        ("", ["mismatch", "agree", "known"], ["refused", "stopped", "skipped"]),
    ],
)
def test_the_list_is_filtered_and_says_how_many_are_left(
    opened: Opened, gallery: Run, words: str, off: list[str], left: list[str]
) -> None:
    page = opened(gallery)
    page.get_by_label("Filter by name, tag or verdict").fill(words)
    for word in off:
        page.get_by_role("group", name="Verdicts").get_by_role("checkbox", name=word).uncheck()
    assert page.locator("#list .name:visible").all_inner_texts() == left
    expect(page.locator("#shown")).to_have_text(f"{len(left)} of 11 cases")


def test_the_keyboard_finds_and_opens_a_case(opened: Opened, gallery: Run) -> None:
    page = opened(gallery)
    page.get_by_label("Filter by name, tag or verdict").focus()
    page.keyboard.press("ArrowDown")
    for key in ("End", "ArrowUp", "ArrowUp", "Home", "ArrowDown"):
        page.keyboard.press(key)
    expect(page.locator("#list a:focus")).to_contain_text("image")
    page.keyboard.press("Enter")
    title = page.get_by_role("heading", level=2, name="image")
    expect(title).to_be_focused()
    expect(title).to_be_in_viewport()
    expect(page.locator("#list [aria-current]")).to_contain_text("image")


def test_only_one_link_of_the_list_is_a_stop_for_tab(opened: Opened, gallery: Run) -> None:
    page = opened(gallery, "again")
    assert page.locator("#list a[tabindex='0'] .name").all_inner_texts() == ["again"]


def test_the_address_of_a_case_opens_it(opened: Opened, gallery: Run) -> None:
    page = opened(gallery, "loop")
    page.reload()
    expect(page.locator("#case h2")).to_contain_text("::loop")
    expect(page.locator("#list [aria-current]")).to_be_in_viewport()


def test_operations_are_marked_beside_their_line_and_in_the_graph(opened: Opened, gallery: Run) -> None:
    page = opened(gallery, "attention")
    rows = page.locator(".source tbody tr")
    assert rows.locator(".margin").all_inner_texts() == ["✓ 2 right", "✓ right", "✗ tf.square ✓ right"]
    assert page.locator(".source mark").all_inner_texts() == ["tf.square(p)"]
    assert page.locator(".graph .node").count() == 7
    expect(page.locator(".graph .blamed .call")).to_have_text("%6 = square(p)")
    expect(page.locator(".graph .blamed .sign")).to_have_text("✗")
    expect(page.locator(".graph svg")).to_have_attribute(
        "aria-label", "Graph of 5 operations, from the inputs at the top to the targets. To blame: %6 = square(p)."
    )


def test_what_was_not_tried_is_not_called_right(opened: Opened, gallery: Run) -> None:
    page = opened(gallery, "apart")
    expect(page.locator(".margin")).to_have_text("· not tried")
    assert page.locator(".graph .right").count() == 0


def test_arrow_keys_move_over_the_heat_map(opened: Opened, by_name: dict[str, Result]) -> None:
    left = np.float32([[1, 2, 3], [4, 5, 6]])
    right = left.copy()
    right[1, 2] = 7
    page = opened(with_comparison(by_name["attention"], compared(left, right)))
    heat, readout = page.get_by_role("application"), page.locator(".readout")
    expect(readout).to_have_text("[1, 2]: numpy 6, tensorflow 7; 1e+03 times the allowed")
    heat.focus()
    for key in ("ArrowUp", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    expect(readout).to_have_text("[0, 1]: numpy 2, tensorflow 2; equal")
    heat.locator("canvas").hover(position={"x": 5, "y": 40})
    expect(readout).to_contain_text("[1, 0]: numpy 4")


def painted(page: Page) -> Any:
    """The pixels of a heat map, by row and column."""
    pixels = """(canvas) => {
        const { width, height } = canvas;
        return [height, width, [...canvas.getContext("2d").getImageData(0, 0, width, height).data]];
    }"""
    height, width, values = page.locator(".map canvas").evaluate(pixels)
    return np.array(values).reshape(height, width, 4)[:, :, :3]


def test_the_picture_tells_equal_from_within_from_beyond(opened: Opened, by_name: dict[str, Result]) -> None:
    right = np.zeros((2, 2))
    page = opened(with_comparison(by_name["attention"], compared(np.float64([[0, 1e-3], [2e-3, 1.0]]), right)))
    pixels = painted(page)
    cell = len(pixels) // 2
    corners = pixels[4::cell, 4::cell]  # where neither a cross nor the mark of the place is
    assert corners[0].tolist() == [[232, 236, 241], [52, 104, 208]]
    assert corners[1, 1].tolist() == [140, 13, 13]
    red, green, blue = corners[1, 0]
    assert red > green > blue, "a little beyond is orange"


def test_slices_of_an_array_of_higher_rank(opened: Opened, by_name: dict[str, Result]) -> None:
    right = np.arange(120.0).reshape(2, 3, 4, 5)
    left = right.copy()
    left[1, 2, 3, 4] = 0
    page = opened(with_comparison(by_name["attention"], compared(left, right)))
    readout = page.locator(".readout")
    expect(readout).to_contain_text("[1, 2, 3, 4]: numpy 0, tensorflow 119")
    page.get_by_label("index along axis 0").fill("0")
    expect(readout).to_contain_text("[0, 2, 3, 4]: numpy 59, tensorflow 59")
    page.get_by_label("rows").select_option("axis 0")
    expect(page.get_by_label("rows")).to_be_focused()
    page.get_by_label("index along axis 2").fill("1")
    page.get_by_text("The values of this slice as a table").click()
    cells = page.locator(".heatmap tbody tr").evaluate_all("rows => rows.map((row) => row.innerText.split(/\\s+/))")
    expected = right[:, 2, 1, :]
    assert cells == [[str(at), *(f"{each:g}" for each in row)] for at, row in enumerate(expected)]


SPECIAL = [0.0, -0.0, 1.0, -2.5, 1 / 3, 1e-5, 1.25e-4, 123456.0, 6e4, float("nan"), float("inf"), -float("inf")]


def special(dtype: str) -> Any:
    kind = DTYPES[dtype].kind
    numbers: list[complex] = [*SPECIAL] if kind in "fVc" else [0, 1, 100]
    if kind == "c":
        numbers += [complex(1.5, -2.0), complex(0.0, -0.0), complex(1e-7, float("nan"))]
    with np.errstate(over="ignore"):
        return np.array(numbers).astype(DTYPES[dtype])


def test_numbers_are_written_as_in_the_other_reports(opened: Opened, by_name: dict[str, Result]) -> None:
    values = {dtype: special(dtype) for dtype in DTYPES}
    comparisons = [replace(compared(value, value), variable=dtype) for dtype, value in values.items()]
    page = opened(Run([replace(by_name["right"], comparisons=comparisons)], 1, 1.0))
    open_all(page)
    tables = page.locator(".heatmap tbody").all()
    shown = [table.locator("td").all_inner_texts() for table in tables]
    assert shown == [[text.number(complex(each), dtype) for each in value] for dtype, value in values.items()]


def test_both_values_stand_in_the_table_where_they_differ(opened: Opened, by_name: dict[str, Result]) -> None:
    page = opened(with_comparison(by_name["right"], compared(np.float32([1, 2]), np.float32([1, 2.5]))))
    open_all(page)
    assert page.locator(".heatmap tbody td").all_inner_texts() == ["1", "2\n2.5"]
    assert page.locator(".heatmap .beyond").count() == 1


def test_a_large_array_says_what_is_left_out(opened: Opened, gallery: Run) -> None:
    page = opened(gallery, "large")
    expect(page.locator("#case")).to_contain_text("Of 5400 elements a cell shows the worst in a block of 2 by 1")
    expect(page.locator("#case")).to_contain_text("the report that --report json=FILE writes has all of them")


def test_values_for_which_there_is_no_room_are_said_to_be_left_out(
    opened: Opened, gallery: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradcheck.report.html.page.Arrays", partial(Arrays, 10))
    page = opened(gallery, "image")
    expect(page.locator("#case")).to_contain_text(
        "no room left for these 120 values; the report that --report json=FILE"
    )
    expect(page.locator("#case")).to_contain_text("The elements that differ most")


def test_nothing_that_a_person_wrote_runs(opened: Opened, hostile: Run) -> None:
    for at in range(3):
        page = opened(hostile)
        page.locator("#list a").nth(at).click()
        open_all(page)
        assert page.locator("img").count() == 0
        expect(page).not_to_have_title("taken")
        expect(page.locator("#case")).to_contain_text(HOSTILE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["image", "stopped"])
def test_axe_finds_nothing(opened: Opened, gallery: Run, name: str, scheme: str) -> None:
    page = opened(gallery, name, scheme=scheme)
    open_all(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_appearance_is_that_of_the_system_until_it_is_chosen(opened: Opened, gallery: Run) -> None:
    page = opened(gallery, scheme="light")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_label("Appearance").select_option("dark")
    dark = page.evaluate(ground)
    assert light != dark
    page.get_by_label("Appearance").select_option("as the system")
    assert page.evaluate(ground) == light


@pytest.mark.parametrize("name", ["attention", "image", "refused"])
def test_a_narrow_window_scrolls_no_further_than_it_is_wide(opened: Opened, gallery: Run, name: str) -> None:
    page = opened(gallery, name, width=360)
    open_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_a_script_the_list_is_there(opened: Opened, gallery: Run) -> None:
    page = opened(gallery, script=False)
    assert page.locator("#list .verdict").all_inner_texts() == WORDS
    expect(page.locator("noscript p")).to_be_visible()


def test_a_run_without_a_result(opened: Opened) -> None:
    page = opened(Run([], 0, 1.0))
    expect(page.get_by_role("heading", level=1)).to_have_text("No case was compared")
    assert page.locator("#case").count() == 0
