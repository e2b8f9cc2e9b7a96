import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gradcheck.casefile.case import Case, Expect, Tolerance
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import find, load_file
from gradcheck.casefile.names import RESERVED_NAMES
from gradcheck.casefile.schema import CaseFields
from gradcheck.casefile.validate import ARRAY_KEYS

from .conftest import Load, Only

Refused = Callable[..., str]


def names_of(case: Case) -> list[str]:
    return list(case.inputs)


def test_a_case_with_nothing_but_inputs_and_an_expression(only: Only) -> None:
    case = only("inputs: {x: [1, 2], i: {value: 3, dtype: int32}}\nexpr: x * 2\n")
    assert (case.id, case.name, case.dtype) == ("case.yaml", "case", "float32")
    assert str(case.span) == "case.yaml:1:1"
    assert names_of(case) == ["x", "i"]
    assert str(case.inputs["i"].span) == "case.yaml:1:21"
    assert not case.inputs["x"].variable
    assert case.expr.text == "x * 2"
    assert str(case.expr.span(4, 5)) == "case.yaml:2:11"
    assert (case.description, case.wrt, case.output_gradients, case.unconnected_gradients) == ("", None, None, "none")
    assert case.expect == Expect()
    assert (case.tags, case.skip, case.known_mismatch, case.tolerance) == ((), None, None, Tolerance())


def test_a_case_with_everything(only: Only) -> None:
    case = only("""\
        description: Everything.
        inputs:
          x: {value: [1, 2], variable: true}
          y: {nest: [1, [2, 3]]}
          z: 1j
        expr: x
        wrt: [z, x, y]
        dtype: float64
        output_gradients: [3, 4]
        unconnected_gradients: zero
        derivative: gradient
        expect:
          output: [1, 2]
          gradients: {z: ~, x: [3, 4], y: {nest: [0, [0, 0]]}}
        tags: [a, b]
        skip: not now
        known_mismatch: a reason
        tolerance: {atol: 1}
        """)
    assert case.description == "Everything."
    assert case.inputs["x"].variable
    assert case.wrt is not None
    assert {name: str(span) for name, span in case.wrt.items()} == {
        "z": "case.yaml:7:7",
        "x": "case.yaml:7:10",
        "y": "case.yaml:7:13",
    }
    assert case.output_gradients is not None
    assert [(each.tolist(), each.dtype.name) for each in case.output_gradients] == [([3, 4], "float64")]
    assert case.unconnected_gradients == "zero"
    assert np.asarray(case.expect.output).tolist() == [1, 2]
    assert case.expect.gradients["z"] is None
    assert np.asarray(case.expect.gradients["x"]).tolist() == [3, 4]
    assert [each.tolist() for each in case.expect.gradients["y"] or ()] == [0, [0, 0]]
    assert (case.tags, case.skip, case.known_mismatch) == (("a", "b"), "not now", "a reason")
    assert case.tolerance == Tolerance(rtol=None, atol=1.0)


def test_one_name_in_wrt(only: Only) -> None:
    case = only("inputs: {x: 1, y: 1}\nexpr: x\nwrt: y\n")
    assert case.wrt is not None
    assert {name: str(span) for name, span in case.wrt.items()} == {"y": "case.yaml:3:6"}
    assert only("inputs: {x: 1}\nexpr: x\nwrt: []\n").wrt == {}


def test_several_cotangents_are_a_nest(only: Only) -> None:
    case = only("inputs: {x: 1}\nexpr: (x, x)\noutput_gradients: {nest: [1, {shape: [2], random: uniform}]}\n")
    assert case.output_gradients is not None
    assert [each.shape for each in case.output_gradients] == [(), (2,)]


def test_a_pinned_gradient_has_the_dtype_of_its_input(only: Only) -> None:
    case = only("""\
        inputs: {x: {value: 1, dtype: float64}, z: {value: 1, dtype: complex64}}
        expr: x
        dtype: float16
        expect: {output: 1, gradients: {x: 0.1, z: 1}}
        """)
    made = {name: np.asarray(value).dtype.name for name, value in case.expect.gradients.items()}
    assert made == {"x": "float64", "z": "complex64"}
    assert np.asarray(case.expect.output).dtype == np.float16
    assert case.expect.gradients["x"] == 0.1


def test_skip_without_a_reason(only: Only) -> None:
    assert only("inputs: {x: 1}\nexpr: x\nskip: true\n").skip == "no reason given"
    assert only("inputs: {x: 1}\nexpr: x\nskip: false\n").skip is None


def test_an_expected_error(only: Only) -> None:
    assert only("inputs: {x: 1}\nexpr: x\nexpect: {error: no}\n").expect == Expect(error="no")


def test_words_of_yaml_1_1_are_names(only: Only) -> None:
    assert names_of(only("inputs: {no: 1, on: 1, y: 1, off: 1e-5}\nexpr: no\n")) == ["no", "on", "y", "off"]


def test_a_list_of_dtypes_makes_a_case_for_each(load: Load) -> None:
    cases = load("inputs: {x: 0.1}\nexpr: x\ndtype: [float32, tf.float64]\nexpect: {output: 0.1}\n").cases
    assert [(case.id, case.dtype) for case in cases] == [
        ("case.yaml[float32]", "float32"),
        ("case.yaml[float64]", "float64"),
    ]
    assert [np.asarray(case.inputs["x"].value).dtype.name for case in cases] == ["float32", "float64"]
    assert [np.asarray(case.expect.output).dtype.name for case in cases] == ["float32", "float64"]


def test_defaults(load: Load) -> None:
    loaded = load("""\
        defaults:
          dtype: [float32, float64]
          inputs: {x: 1, y: 2}
          expr: x + y
          tags: [a, b]
          skip: not yet
          tolerance: {rtol: 1}
        cases:
          plain: {}
          own:
            inputs: {y: 3, z: 4}
            expr: z
            dtype: float16
            tags: [b, c]
            skip: false
            tolerance: {atol: 1}
        """)
    assert loaded.diagnostics == ()
    first, second, own = loaded.cases
    assert [case.id for case in loaded.cases] == [
        "case.yaml::plain[float32]",
        "case.yaml::plain[float64]",
        "case.yaml::own",
    ]
    assert (first.name, first.expr.text, first.tags, first.skip) == ("plain", "x + y", ("a", "b"), "not yet")
    assert second.dtype == "float64"
    assert str(first.span) == "case.yaml:9:3"
    assert str(first.inputs["y"].span) == "case.yaml:3:18"
    assert {name: np.asarray(each.value).item() for name, each in own.inputs.items()} == {"x": 1, "y": 3, "z": 4}
    assert str(own.inputs["y"].span) == "case.yaml:11:14"
    assert (own.expr.text, own.tags, own.skip, own.tolerance) == ("z", ("a", "b", "c"), None, Tolerance(atol=1.0))
    assert str(own.expr.span(0, 1)) == "case.yaml:12:11"


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


def test_broken_defaults_leave_no_case_and_are_reported_once(refused: Refused) -> None:
    text = refused("defaults: {inputs: {x: [[1], 2]}}\ncases:\n  a: {expr: x}\n  b: {expr: x}\n  c: {expr: 3}\n")
    assert text == (
        """\
case.yaml:1:30: error[ragged]: ragged: this is no list, the one before it has length 1
  |
1 | defaults: {inputs: {x: [[1], 2]}}
  |                              ^
case.yaml:5:13: error[wrong-type]: `expr` must be text, not the number 3
  |
5 |   c: {expr: 3}
  |             ^"""
    )
    assert refused("defaults: {tag: [a]}\ncases:\n  a: {inputs: {x: 1}, expr: x}\n").count("error[") == 1


ERRORS = {
    "no mapping": (
        "3\n",
        """\
case.yaml:1:1: error[wrong-type]: a case file is a mapping with `inputs` and `expr`, not the number 3
  |
1 | 3
  | ^""",
    ),
    "key beside cases": (
        "expr: x\ncases: {a: {inputs: {x: 1}, expr: 3}}\n",
        """\
case.yaml:1:1: error[unknown-key]: `expr` belongs to a case: move it into one of `cases`, or into `defaults`
  |
1 | expr: x
  | ^^^^
case.yaml:2:35: error[wrong-type]: `expr` must be text, not the number 3
  |
2 | cases: {a: {inputs: {x: 1}, expr: 3}}
  |                                   ^""",
    ),
    "unknown key beside cases": (
        "default: {}\ncases: {a: {inputs: {x: 1}}}\n",
        """\
case.yaml:1:1: error[unknown-key]: unknown key `default`
  |
1 | default: {}
  | ^^^^^^^
  = help: did you mean `defaults`?
case.yaml:2:9: error[missing-key]: `expr` is missing
  |
2 | cases: {a: {inputs: {x: 1}}}
  |         ^""",
    ),
    "defaults without cases": (
        "defaults: {expr: x}\n",
        """\
case.yaml:1:1: error[missing-key]: `cases` is missing
  |
1 | defaults: {expr: x}
  | ^^^^^^^^""",
    ),
    "cases in a list": (
        "cases: [{expr: x}]\n",
        """\
case.yaml:1:8: error[wrong-type]: `cases` must be a mapping of names to cases
  |
1 | cases: [{expr: x}]
  |        ^^^^^^^^^^^""",
    ),
    "name of a case": (
        "cases: {a/b: {inputs: {x: 1}, expr: x}}\n",
        """\
case.yaml:1:9: error[bad-name]: `a/b` is not a name for a case: use letters, digits, `_`, `-` and `.`
  |
1 | cases: {a/b: {inputs: {x: 1}, expr: x}}
  |         ^^^""",
    ),
    "name of an input": (
        "inputs: {a-b: 1}\nexpr: x\n",
        """\
case.yaml:1:10: error[bad-name]: `a-b` is not a name: an input is called by letters, digits and `_`
  |
1 | inputs: {a-b: 1}
  |          ^^^""",
    ),
    "unknown name in wrt": (
        "inputs: {weight: 1}\nexpr: weight\nwrt: wieght\n",
        """\
case.yaml:3:6: error[unknown-name]: there is no input `wieght`
  |
3 | wrt: wieght
  |      ^^^^^^
  = help: did you mean `weight`?""",
    ),
    "integer in wrt": (
        "inputs: {i: {value: 1, dtype: int32}}\nexpr: i\nwrt: [i]\n",
        """\
case.yaml:3:7: error[bad-value]: `i` is int32, which has no gradient
  |
3 | wrt: [i]
  |       ^""",
    ),
    "unknown name in expect": (
        "inputs: {weight: 1}\nexpr: weight\nexpect:\n  gradients: {weigth: ~}\n",
        """\
case.yaml:4:15: error[unknown-name]: there is no input `weigth`
  |
4 |   gradients: {weigth: ~}
  |               ^^^^^^
  = help: did you mean `weight`?""",
    ),
    "gradient that is not asked for": (
        "inputs: {x: 1, y: 1}\nexpr: x\nwrt: y\nexpect:\n  gradients: {x: 1}\n",
        """\
case.yaml:5:15: error[bad-value]: `x` is not in `wrt`
  |
5 |   gradients: {x: 1}
  |               ^""",
    ),
    "gradient of an integer": (
        "inputs: {i: {value: 1, dtype: int32}}\nexpr: i\nexpect: {gradients: {i: ~}}\n",
        """\
case.yaml:3:22: error[bad-value]: `i` is int32, which has no gradient
  |
3 | expect: {gradients: {i: ~}}
  |                      ^""",
    ),
    "shape of a gradient": (
        "inputs: {x: [[1, 2]]}\nexpr: x\nexpect:\n  gradients: {x: [1, 2]}\n",
        """\
case.yaml:4:18: error[bad-shape]: this gradient has shape (2,), but `x` has shape (1, 2)
  |
4 |   gradients: {x: [1, 2]}
  |                  ^^^^^^""",
    ),
    "shape of the gradient of a nest": (
        "inputs: {x: {nest: [1, [2]]}}\nexpr: x\nexpect:\n  gradients: {x: [1]}\n",
        """\
case.yaml:4:18: error[bad-shape]: this gradient has shape (1,), but `x` has shape [(), (1,)]
  |
4 |   gradients: {x: [1]}
  |                  ^^^""",
    ),
    "missing keys": (
        "description: nothing\n",
        """\
case.yaml:1:1: error[missing-key]: `inputs` is missing
  |
1 | description: nothing
  | ^^^^^^^^^^^^^^^^^^^^
case.yaml:1:1: error[missing-key]: `expr` is missing
  |
1 | description: nothing
  | ^^^^^^^^^^^^^^^^^^^^""",
    ),
    "not UTF-8": (
        b"inputs: {x: 1}\r\nexpr: \xc3\xa9 \xe9\n",
        """\
case.yaml:2:9: error[encoding]: the file is not UTF-8 text: byte 0xe9
  |
2 | expr: é \ufffd
  |         ^""",
    ),
    "UTF-16": (
        "expr: x".encode("utf-16-le"),
        """\
case.yaml:1:2: error[yaml-syntax]: the character U+0000 is not allowed in YAML
  |
1 | e\ufffdx\ufffdp\ufffdr\ufffd:\ufffd \ufffdx\ufffd
  |  ^""",
    ),
    "NUL": (
        b"expr: \0x\n",
        """\
case.yaml:1:7: error[yaml-syntax]: the character U+0000 is not allowed in YAML
  |
1 | expr: \ufffdx
  |       ^""",
    ),
    "nothing": (
        b"",
        """\
case.yaml:1:1: error[empty-file]: the file is empty
  |
1 |\x20
  | ^""",
    ),
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS.keys())
def test_errors(refused: Refused, error: tuple[str | bytes, str]) -> None:
    text, expected = error
    assert refused(text) == expected


@pytest.mark.parametrize("name", [*sorted(RESERVED_NAMES), "lambda", "None", "__x", "1x", "x y", "ﬁ", "", r"x\n"])
def test_names_that_no_input_can_have(refused: Refused, name: str) -> None:
    text = refused(f'inputs: {{"{name}": 1}}\nexpr: x\n')
    assert text.startswith("case.yaml:1:10: error[bad-name]: ")


@pytest.mark.parametrize("name", ["x", "x_1", "_x", "Å", "match", "_"])
def test_names_that_an_input_can_have(only: Only, name: str) -> None:
    assert names_of(only(f"inputs: {{{name}: 1}}\nexpr: {name}\n")) == [name]


def test_windows_line_ends_and_a_byte_order_mark(load: Load) -> None:
    loaded = load(b"\xef\xbb\xbfinputs: {x: [1, 2]}\r\nexpr: |\r\n  y = x\r\n  y * 2\r\nwrt: z\r\n")
    assert [each.render() for each in loaded.diagnostics] == [
        "case.yaml:5:6: error[unknown-name]: there is no input `z`\n  |\n5 | wrt: z\n  |      ^"
    ]
    (case,) = load(b"\xef\xbb\xbfinputs: {x: [1, 2]}\r\nexpr: |\r\n  y = x\r\n  y * 2\r\n").cases
    assert case.expr.text == "y = x\ny * 2\n"
    assert str(case.expr.span(6, 7)) == "case.yaml:4:3"


def test_inputs_that_draw_the_same_numbers_are_warned_of(load: Load) -> None:
    loaded = load("""\
        inputs:
          q: {shape: [2], random: normal}
          k: {shape: [3], random: normal}
          u: {shape: [3], random: uniform}
          v: {nest: [{shape: [2], random: normal, seed: 0}]}
        expr: q
        dtype: [float32, float64]
        """)
    assert len(loaded.cases) == 2
    assert loaded.errors == ()
    assert [each.render() for each in loaded.warnings] == [
        """\
case.yaml:3:3: warning[same-seed]: `k` draws the same numbers as `q`
  |
3 |   k: {shape: [3], random: normal}
  |   ^
  = help: give each a `seed` of its own""",
        """\
case.yaml:5:14: warning[same-seed]: `v` draws the same numbers as `q`
  |
5 |   v: {nest: [{shape: [2], random: normal, seed: 0}]}
  |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: give each a `seed` of its own""",
    ]


def test_the_same_seed_on_purpose_is_not_warned_of(load: Load) -> None:
    text = "inputs: {a: {shape: [2], random: normal, seed: 4}, b: {shape: [2], random: normal, seed: 4}}\nexpr: a\n"
    assert load(text).diagnostics == ()


def test_a_file_that_is_too_long(refused: Refused) -> None:
    text = "inputs: {x: 1}\nexpr: x\n#"
    assert refused(text, Limits(file_bytes=len(text) - 1)) == (
        "error[too-large]: the file `case.yaml` has too many bytes; the limit is 23\n"
        "  = help: raise the limit with `--limit file_bytes=VALUE`"
    )


def messages(path: str) -> list[str]:
    loaded = load_file(path)
    assert loaded.cases == ()
    return [each.render() for each in loaded.diagnostics]


def test_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").mkdir()
    os.mkfifo("pipe.yaml")
    Path("loop.yaml").symlink_to("loop.yaml")
    assert messages("nope.yaml") == ["error[not-found]: there is no file `nope.yaml`"]
    assert messages("x.yaml") == ["error[unreadable]: `x.yaml` is a folder"]
    assert messages("pipe.yaml") == ["error[unreadable]: `pipe.yaml` is not a regular file"]
    assert messages("loop.yaml") == ["error[unreadable]: `loop.yaml` cannot be read: Too many levels of symbolic links"]
    assert messages("a\0b") == [r"error[unreadable]: `a\x00b` cannot be read: not a usable path"]


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text("expr: x")
    monkeypatch.setattr(Path, "open", denied)
    assert messages("x.yaml") == ["error[unreadable]: `x.yaml` cannot be read: Permission denied"]


def test_files_are_found_in_folders_sorted_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("c/z.yaml", "c/a.yml", "c/b/m.yaml", "c/notes.txt", "c/.git/x.yaml", "c/d.yaml/n.yaml", "one.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("")
    Path("c/b/up").symlink_to("..")
    Path("c/link.yaml").symlink_to("z.yaml")
    found = find(["one.txt", "c/z.yaml", "c", "./c"])
    assert [path.as_posix() for path in found.files] == [
        "one.txt",
        "c/z.yaml",
        "c/a.yml",
        "c/b/m.yaml",
        "c/d.yaml/n.yaml",
    ]
    assert found.diagnostics == ()


def test_paths_without_cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("good.yaml").write_text("")
    Path("loop").symlink_to("loop")
    found = find(["empty", "nope", "good.yaml", "a\0b"])
    assert found.files == (Path("good.yaml"),)
    assert [each.render() for each in found.diagnostics] == [
        "error[no-cases]: the folder `empty` has no .yaml or .yml files in it",
        "error[not-found]: there is no file or folder `nope`",
        r"error[not-found]: there is no file or folder `a\x00b`",
    ]
    assert [each.code for each in find(["loop"]).diagnostics] in (["not-found"], ["unreadable"])


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
