"""Cases made out: every key, what it defaults to, a case for each dtype, defaults of a file."""

import numpy as np

from gradcheck.casefile.case import Expect, Tolerance

from .conftest import Load, Only


def test_a_case_with_nothing_but_inputs_and_an_expression(only: Only) -> None:
    case = only("inputs: {x: [1, 2], i: {value: 3, dtype: int32}}\nexpr: x * 2\n")
    assert (case.id, case.name, case.dtype) == ("case.yaml", "case", "float32")
    assert str(case.span) == "case.yaml:1:1"
    assert list(case.inputs) == ["x", "i"]
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
