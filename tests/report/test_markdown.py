"""The markdown report, as a renderer reads it."""

from dataclasses import replace

import pytest

from gradcheck.diagnostics import Source, Span
from gradcheck.report import markdown
from gradcheck.report.run import Problem, Run


def rows(text: str) -> list[list[str]]:
    """The cells of the first table, without its head."""
    lines = [line for line in text.partition("<details>")[0].splitlines() if line.startswith("|")]
    return [line.strip("| ").replace("\\|", "¦").split(" | ") for line in lines[2:]]


def test_what_is_wrong_then_the_rest(run: Run) -> None:
    text = markdown.render(run)
    assert text.startswith("**gradcheck:** 11 cases: 4 agree, 2 mismatch, ")
    assert [row[0] for row in rows(text)] == [
        "unknown-key",
        "sign",
        "mismatch",
        "known\\_mismatch",
        "refused",
        "crashed",
        "unsupported",
    ]
    file = run.results[0].case.span.source.name
    assert rows(text)[1][1:3] == [f"`{file}:6`", f"`{file}::turned`"]
    assert "<details><summary>5 without a finding</summary>" in text
    assert f"| skipped | `{file}::skipped` | not \\| today |" in text


def test_a_run_that_was_stopped_says_so(run: Run) -> None:
    text = markdown.render(replace(run, selected=20))
    assert "9 of 20 selected cases were not compared." in text


@pytest.mark.parametrize(
    ("sentence", "cell"),
    [
        ("`tf.a|b` is wrong", "`tf.a\\|b` is wrong"),
        ("at [0, 1]: a_b * c", "at \\[0, 1\\]: a\\_b \\* c"),
        ("<b>\n& a `lonely", "&lt;b&gt; &amp; a 'lonely"),
    ],
)
def test_a_sentence_is_one_cell_and_no_markup(
    run: Run, monkeypatch: pytest.MonkeyPatch, sentence: str, cell: str
) -> None:
    span = Span(Source("a|b.yaml", "x\n"), 3, 1, 2)
    monkeypatch.setattr(markdown, "problems", lambda _: [Problem("rule", "error", sentence, span, "c")])
    assert f"| rule | `a\\|b.yaml:3` | `c` | {cell} |" in markdown.render(run).splitlines()


def test_a_long_table_is_cut(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Problem("rule", "error", str(at), None) for at in range(markdown.MOST + 7)]
    monkeypatch.setattr(markdown, "problems", lambda _: found)
    text = markdown.render(run)
    assert len(rows(text)) == markdown.MOST
    assert "\nand 7 more\n" in text
