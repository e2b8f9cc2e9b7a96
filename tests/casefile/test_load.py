"""A file read to its end: what a broken case leaves of it, any bytes."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_file
from gradcheck.casefile.schema import CaseFields
from gradcheck.casefile.validate import ARRAY_KEYS

from .conftest import Load, Refused


def test_a_broken_case_does_not_hide_the_others(load: Load) -> None:
    loaded = load("""\
        cases:
          schema: {inputs: {x: 1}, expr: x, wrt: 3}
          good: {inputs: {x: 1}, expr: x}
          array: {inputs: {x: [[1], 2]}, expr: x}
          twice: {inputs: {x: 1, x: 2}, expr: x}
          bad name: {inputs: {x: 1}, expr: x}
          also_good: {inputs: {x: 1}, expr: x}
          good: {inputs: {x: 5}, expr: x}
          not even a case: 3
        """)
    assert [case.id for case in loaded.cases] == ["case.yaml::good", "case.yaml::also_good"]
    assert np.asarray(loaded.cases[0].inputs["x"].value) == 1
    assert [(each.code, each.span.line if each.span else 0) for each in loaded.errors] == [
        ("wrong-type", 2),
        ("ragged", 4),
        ("duplicate-key", 5),
        ("bad-name", 6),
        ("duplicate-key", 8),
        ("bad-name", 9),
        ("missing-key", 9),
        ("missing-key", 9),
        ("wrong-type", 9),
    ]


def test_an_alias_of_something_broken_is_broken(refused: Refused) -> None:
    text = "cases:\n  a: {inputs: &i {x: 1, x: 2}, expr: x}\n  b: {inputs: *i, expr: x}\n"
    assert refused(text).startswith("case.yaml:2:25: error[duplicate-key]")


def test_a_file_full_of_errors_is_not_checked_to_its_end(load: Load) -> None:
    lines = [f"  c{at}: {{inputs: {{x: one}}, expr: x}}" for at in range(1000)]
    loaded = load("\n".join(["cases:", "  good: {inputs: {x: 1}, expr: x}", *lines]))
    assert [case.name for case in loaded.cases] == ["good"]
    assert [each.span.line for each in loaded.errors[:-1] if each.span] == list(range(3, 103))
    assert loaded.errors[-1].render() == (
        "error[more-errors]: `case.yaml` has more errors than these; it was not checked to its end"
    )


def test_warnings_never_hide_a_case(load: Load) -> None:
    inputs = "{x: {shape: [], random: normal}, y: {shape: [], random: normal}}"
    loaded = load("cases:\n" + "".join(f"  c{at}: {{inputs: {inputs}, expr: x}}\n" for at in range(300)))
    assert len(loaded.cases) == len(loaded.warnings) == 300
    assert loaded.errors == ()


def test_windows_line_ends_and_a_byte_order_mark(load: Load) -> None:
    loaded = load(b"\xef\xbb\xbfinputs: {x: [1, 2]}\r\nexpr: |\r\n  y = x\r\n  y * 2\r\nwrt: z\r\n")
    assert [each.render() for each in loaded.diagnostics] == [
        "case.yaml:5:6: error[unknown-name]: there is no input `z`\n  |\n5 | wrt: z\n  |      ^"
    ]
    (case,) = load(b"\xef\xbb\xbfinputs: {x: [1, 2]}\r\nexpr: |\r\n  y = x\r\n  y * 2\r\n").cases
    assert case.expr.text == "y = x\ny * 2\n"
    assert str(case.expr.span(6, 7)) == "case.yaml:4:3"


def test_a_file_that_is_too_long(refused: Refused) -> None:
    text = "inputs: {x: 1}\nexpr: x\n#"
    assert refused(text, Limits(file_bytes=len(text) - 1)) == (
        "error[too-large]: the file `case.yaml` has too many bytes; the limit is 23\n"
        "  = help: raise the limit with `--limit file_bytes=VALUE`"
    )


CASE_KEYS = set(CaseFields.model_fields)
YAML = st.text("abxy01.-+:[]{},&*!|>'\"#%@ \n\tinputsexpr", max_size=80)
KEYS = st.sampled_from(sorted(CASE_KEYS | ARRAY_KEYS | {"cases", "defaults", "gradients", "output", "rtol", "x", "y"}))
SCALARS = st.sampled_from(
    ["1", "-1", "1e-5", ".nan", ".inf", "1e999", "99999999999", "true", "~", "''", "'x y'", "[]", "{}", "1j", "x", "y"]
) | st.sampled_from(["normal", "integers", "int32", "float16", "bool", "x.npy", "../x"])
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(KEYS, inner, max_size=5).map(
            lambda items: "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}"
        )
    ),
    max_leaves=20,
)


@given(st.one_of(st.text(), st.binary(), YAML, TREES, TREES.map(lambda inner: f"{{inputs: {{x: {inner}}}, expr: x}}")))
@example("inputs: {x: {nest: 3}}\nexpr: x")
@example("inputs: 3\nexpr: x\nwrt: x")
@example("cases: {a: ~}\ndefaults: 3")
@example("inputs: {x: {random: {}}}")
def test_any_file_gives_cases_or_errors(content: str | bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.yaml")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        loaded = load_file(path)
    assert loaded.cases or loaded.errors
    for each in loaded.diagnostics:
        assert "pydantic" not in each.render()
        assert "Input" not in each.message
