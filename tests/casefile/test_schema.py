from collections.abc import Callable
from textwrap import dedent

import pytest
from jsonschema import Draft202012Validator

from gradcheck.casefile.limits import Limits
from gradcheck.casefile.schema import CaseFields, json_schema
from gradcheck.casefile.yaml import parse
from gradcheck.diagnostics import Source
from gradcheck.dtypes import DTYPES

Refused = Callable[..., str]

GOOD = [
    "{inputs: {x: [[1, 2]], y: 1.5-0.5j, m: {value: true, dtype: bool}}, expr: x}",
    "{inputs: {x: {shape: [2], random: normal, seed: 3, mean: 1, std: 2, variable: true}}, expr: x, wrt: x}",
    "{inputs: {x: {file: x.npz, key: a}, l: {nest: [1, {value: 2}]}}, expr: x, wrt: [x], dtype: [float32, float64]}",
    "{inputs: {x: 1}, expr: x, expect: {output: 1, gradients: {x: ~}}, tolerance: {rtol: 1, atol: 1e-3}, skip: true}",
    "{inputs: {x: 1}, expr: x, expect: {error: no}, tags: [a-b], skip: why, known_mismatch: why, derivative: gradient}",
    "{inputs: {x: 1}, expr: x, output_gradients: {nest: [1, 2]}, unconnected_gradients: zero, description: d}",
    "{defaults: {dtype: float16, tags: [a]}, cases: {a: {expr: x, inputs: {x: 1}}, b: {}}}",
]
BAD = {
    "unknown key": "{inputs: {x: 1}, expr: x, exprr: y}",
    "no expression": "{inputs: {x: 1}}",
    "no inputs": "{expr: x}",
    "no cases": "{defaults: {}}",
    "case key beside cases": "{cases: {a: {}}, expr: x}",
    "dtype": "{inputs: {x: 1}, expr: x, dtype: float23}",
    "integer case": "{inputs: {x: 1}, expr: x, dtype: int32}",
    "text for a number": "{inputs: {x: one}, expr: x}",
    "distribution": "{inputs: {x: {shape: [1], random: norm}}, expr: x}",
    "negative axis": "{inputs: {x: {shape: [-1], random: normal}}, expr: x}",
    "tolerance": "{inputs: {x: 1}, expr: x, tolerance: {rtol: -1}}",
    "tag": "{inputs: {x: 1}, expr: x, tags: [a b]}",
    "empty nest": "{inputs: {x: {nest: []}}, expr: x}",
}


def data(text: str) -> object:
    return parse(Source("a.yaml", text), Limits()).root.data


def test_the_json_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("text", GOOD)
def test_the_json_schema_accepts_what_is_good(text: str) -> None:
    Draft202012Validator(json_schema()).validate(data(text))


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_the_json_schema_refuses_what_is_bad_and_so_do_we(refused: Refused, text: str) -> None:
    assert not Draft202012Validator(json_schema()).is_valid(data(text))
    assert "error[" in refused(text)


def test_every_key_is_described() -> None:
    for name, model in json_schema()["$defs"].items():
        assert model["description"], name
        assert model["title"], name
        assert model["additionalProperties"] is False, name
        for key, value in model["properties"].items():
            assert value["description"].endswith("."), f"{name}.{key}"


def test_the_keys_of_a_case() -> None:
    keys = """
        description inputs expr wrt dtype output_gradients unconnected_gradients derivative tangents expect tags
        skip known_mismatch tolerance
    """
    assert " ".join(CaseFields.model_fields) == " ".join(keys.split())


ERRORS = {
    "unknown key": (
        "exprr: y",
        "3:1: error[unknown-key]: unknown key `exprr`",
        "^^^^^",
        "did you mean `expr`?",
    ),
    "unknown key, none near": (
        "tolerance: {zzz: 1}",
        "3:13: error[unknown-key]: unknown key `zzz`",
        "            ^^^",
        "the keys here are `rtol` and `atol`",
    ),
    "control characters in a key": (
        r'"a\e[31m": 1',
        r"3:1: error[unknown-key]: unknown key `a\x1b[31m`",
        "^^^^^^^^^",
        f"the keys here are {', '.join(f'`{key}`' for key in list(CaseFields.model_fields)[:-1])} and `tolerance`",
    ),
    "wrt": (
        "wrt: 5",
        "3:6: error[wrong-type]: `wrt` must be a name or a list of names, not the number 5",
        "     ^",
    ),
    "wrt blank": (
        "wrt:",
        "3:1: error[wrong-type]: `wrt` must be a name or a list of names, not nothing",
        "^^^",
    ),
    "wrt of numbers": (
        "wrt: [x, 3]",
        "3:10: error[wrong-type]: `wrt[1]` must be text, not the number 3",
        "         ^",
    ),
    "wrt twice": ("wrt: [x, x]", "3:6: error[bad-value]: `x` is listed twice", "     ^^^^^^"),
    "dtype": (
        "dtype: [float32, flota32]",
        "3:18: error[unknown-dtype]: `flota32` is not a dtype",
        "                 ^^^^^^^",
        "did you mean `float32`?",
    ),
    "dtype, none near": (
        "dtype: zzz",
        "3:8: error[unknown-dtype]: `zzz` is not a dtype",
        "       ^^^",
        f"the dtypes are {', '.join(DTYPES)}",
    ),
    "integer dtype": (
        "dtype: int32",
        "3:8: error[bad-value]: a case is differentiated, so its dtype cannot be `int32`",
        "       ^^^^^",
        "leave it out here, and give the input that needs it a `dtype` of its own",
    ),
    "no dtypes": ("dtype: []", "3:8: error[bad-value]: `dtype` is empty", "       ^^"),
    "derivative": (
        "derivative: hesian",
        (
            "3:13: error[bad-value]: `derivative` must be `gradient`, `jacobian`, `hessian`, `jvp` or `hvp`, "
            "not the text `hesian`"
        ),
        "            ^^^^^^",
        "did you mean `hessian`?",
    ),
    "unconnected gradients": (
        "unconnected_gradients: nonne",
        "3:24: error[bad-value]: `unconnected_gradients` must be `none` or `zero`, not the text `nonne`",
        "                       ^^^^^",
        "did you mean `none`?",
    ),
    "unconnected gradients blank": (
        "unconnected_gradients: ~",
        "3:24: error[wrong-type]: `unconnected_gradients` must be `none` or `zero`, not nothing",
        "                       ^",
    ),
    "rtol": (
        "tolerance: {rtol: true}",
        "3:19: error[wrong-type]: `tolerance.rtol` must be a number, not `true`",
        "                  ^^^^",
    ),
    "atol": (
        "tolerance: {atol: -1}",
        "3:19: error[wrong-type]: `tolerance.atol` must be at least 0, not the number -1",
        "                  ^^",
    ),
    "infinite tolerance": (
        "tolerance: {atol: .inf}",
        "3:19: error[wrong-type]: `tolerance.atol` must be a finite number, not the number inf",
        "                  ^^^^",
    ),
    "tolerance": (
        "tolerance: 1e-3",
        "3:12: error[wrong-type]: `tolerance` must be a mapping, not the number 0.001",
        "           ^^^^",
    ),
    "tags": (
        "tags: [good, not good]",
        "3:14: error[wrong-type]: `tags[1]` must be letters, digits, `_`, `-` and `.`, not the text `not good`",
        "             ^^^^^^^^",
    ),
    "skip": ("skip: 3", "3:7: error[wrong-type]: `skip` must be a reason, or true, not the number 3", "      ^"),
    "skip blank": ("skip: ' '", "3:7: error[bad-value]: the text is empty", "      ^^^"),
    "known mismatch": (
        "known_mismatch: true",
        "3:17: error[wrong-type]: `known_mismatch` must be text, not `true`",
        "                ^^^^",
    ),
    "expect": (
        "expect: {gradient: {x: 1}}",
        "3:10: error[unknown-key]: unknown key `gradient`",
        "         ^^^^^^^^",
        "did you mean `gradients`?",
    ),
    "expected gradients": (
        "expect: {gradients: [1]}",
        "3:21: error[wrong-type]: `expect.gradients` must be a mapping, not a list",
        "                    ^^^",
    ),
    "expected error and output": (
        "expect: {error: words, output: 1}",
        "3:10: error[bad-value]: `error` goes with no pinned number",
        "         ^^^^^",
    ),
    "variable where none can be": (
        "output_gradients: {value: 1, variable: true}",
        "3:30: error[unknown-key]: `variable` is said of an input as a whole",
        "                             ^^^^^^^^",
    ),
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS.keys())
def test_errors(refused: Refused, error: tuple[str, ...]) -> None:
    line, message, caret, *hint = error
    expected = f"case.yaml:{message}\n  |\n3 | {line}\n  | {caret}" + "".join(f"\n  = help: {each}" for each in hint)
    assert refused(f"inputs: {{x: 1}}\nexpr: x\n{line}\n") == expected


def test_errors_are_all_reported_in_the_order_of_the_file(refused: Refused) -> None:
    text = """\
        inputs:
          x: [[1], [2, 3]]
          y: {vaule: 1}
          idx: {value: [1], dtype: int32}
        expr: x + y
        wrt: [y, z, idx]
        dtype: flaot32
        tolerance: 3
        """
    assert [
        line.split(": ")[0] + " " + line.split(": ")[1]
        for line in refused(dedent(text)).split("\n")
        if "error[" in line
    ] == [
        "case.yaml:2:12 error[ragged]",
        "case.yaml:3:7 error[unknown-key]",
        "case.yaml:6:10 error[unknown-name]",
        "case.yaml:6:13 error[bad-value]",
        "case.yaml:7:8 error[unknown-dtype]",
        "case.yaml:8:12 error[wrong-type]",
    ]
