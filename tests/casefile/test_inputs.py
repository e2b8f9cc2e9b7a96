"""Inputs as a user writes them: literals and random numbers; files have a module of their own."""

from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.casefile.case import Case
from gradcheck.casefile.limits import Limits
from gradcheck.dtypes import DTYPES

from .conftest import Load, Only


def x_of(case: Case) -> np.ndarray:
    value = case.inputs["x"].value
    assert isinstance(value, np.ndarray)
    return value


def one(x: str, dtype: str | None = None) -> str:
    return f"inputs:\n  x: {x}\nexpr: x\n" + (f"dtype: {dtype}\n" if dtype else "")


@pytest.mark.parametrize(
    ("x", "case", "dtype", "value"),
    [
        ("3", None, "float32", 3),
        ("[1, 2]", None, "float32", [1, 2]),
        ("[[1], [2.5]]", "float64", "float64", [[1], [2.5]]),
        ("[1]", "bfloat16", "bfloat16", [1]),
        ("[1]", "tf.float16", "float16", [1]),
        ("[1]", "complex64", "complex64", [1]),
        ("[]", None, "float32", []),
        ("[[], []]", None, "float32", [[], []]),
        ("[.inf, -.inf]", None, "float32", [np.inf, -np.inf]),
        ('["1.5-0.5j", 2]', None, "complex64", [1.5 - 0.5j, 2]),
        ("[1, -j]", "float64", "complex128", [1, -1j]),
        ("2e3j", "complex64", "complex64", 2e3j),
        ("+1e-5-inf j".replace(" ", ""), None, "complex64", complex(1e-5, -np.inf)),
        ("{value: [1, 2], dtype: int32}", None, "int32", [1, 2]),
        ("{value: [1.0, 2e0], dtype: uint8}", None, "uint8", [1, 2]),
        ("{value: 9007199254740993, dtype: int64}", None, "int64", 9007199254740993),
        ("{value: 18446744073709551615, dtype: uint64}", None, "uint64", 18446744073709551615),
        ("{value: [1, 0], dtype: bool}", None, "bool", [True, False]),
        ("{value: [true, false], dtype: bool}", None, "bool", [True, False]),
        ("{value: 1, dtype: float64}", "float32", "float64", 1),
        ("{value: 1, dtype: tf.complex128}", "float16", "complex128", 1),
        ("{value: [], shape: [3, 0]}", None, "float32", [[], [], []]),
        ("{value: [1, 2, 3, 4], shape: [2, 2]}", None, "float32", [[1, 2], [3, 4]]),
        ("{value: 7, shape: [2, 3]}", None, "float32", [[7, 7, 7], [7, 7, 7]]),
        ("{value: [7], shape: []}", None, "float32", 7),
    ],
)
def test_literals(only: Only, x: str, case: str | None, dtype: str, value: object) -> None:
    made = x_of(only(one(x, case)))
    assert made.dtype == DTYPES[dtype]
    expected = np.array(value, DTYPES[dtype])
    assert made.shape == expected.shape
    assert made.tolist() == expected.tolist()


def test_nan_is_allowed(only: Only) -> None:
    assert np.isnan(x_of(only(one("[.nan]")))).all()


def test_a_decimal_is_rounded_once_to_its_dtype(only: Only) -> None:
    assert x_of(only(one("0.1", "float16"))) == np.float16("0.1")
    assert x_of(only(one("0.1", "float64"))) == 0.1


ERRORS = {
    "ragged": (
        "[[1, 2], [3]]",
        "case.yaml:2:15: error[ragged]: ragged: this list has length 1, the one before it has 2",
        "               ^^^",
    ),
    "ragged deep down": (
        "[[[1], [2]], [[3], [4, 5]]]",
        "case.yaml:2:25: error[ragged]: ragged: this list has length 2, the one before it has 1",
        "                         ^^^^^^",
    ),
    "a number among lists": (
        "[[1, 2], 3]",
        "case.yaml:2:15: error[ragged]: ragged: this is no list, the one before it has length 2",
        "               ^",
    ),
    "a number after an empty list": (
        "[[], 3]",
        "case.yaml:2:11: error[ragged]: ragged: this is no list, the one before it has length 0",
        "           ^",
    ),
    "a list among numbers": (
        "[1, [2]]",
        "case.yaml:2:10: error[ragged]: ragged: this is a list where a number stood before",
        "          ^^^",
    ),
    "mixed": (
        "[1, true]",
        "case.yaml:2:10: error[wrong-type]: numbers and true/false cannot be mixed in one array",
        "          ^^^^",
    ),
    "bool unsaid": (
        "[true]",
        "case.yaml:2:7: error[wrong-type]: true and false make an input of dtype bool, which must be said",
        "       ^^^^",
        "write `{value: ..., dtype: bool}`",
    ),
    "text": (
        "[1, one]",
        "case.yaml:2:10: error[wrong-type]: the text `one` is not a number",
        "          ^^^",
        "a complex number looks like `1.5-0.5j`",
    ),
    "number in quotes": (
        "'1.5'",
        "case.yaml:2:6: error[wrong-type]: the text `1.5` is not a number",
        "      ^^^^^",
        "leave the quotes out",
    ),
    "nothing": (
        "[1, ~]",
        "case.yaml:2:10: error[wrong-type]: a number is missing here",
        "          ^",
    ),
    "a mapping": (
        "[{value: 1}]",
        "case.yaml:2:7: error[wrong-type]: a mapping cannot stand inside of a literal",
        "       ^^^^^^^^^^",
        "several arrays are a `nest`",
    ),
    "not whole": (
        "{value: [1, 2.5], dtype: int32}",
        "case.yaml:2:18: error[out-of-range]: 2.5 is not a whole number, as `int32` needs",
        "                  ^^^",
    ),
    "infinite": (
        "{value: .inf, dtype: int32}",
        "case.yaml:2:14: error[out-of-range]: inf is not a whole number, as `int32` needs",
        "              ^^^^",
    ),
    "out of range": (
        "{value: [1, 300], dtype: uint8}",
        "case.yaml:2:18: error[out-of-range]: 300 does not fit `uint8` (0 to 255)",
        "                  ^^^",
    ),
    "complex under a real dtype": (
        "{value: 1j, dtype: float32}",
        "case.yaml:2:14: error[wrong-type]: complex numbers do not go with `dtype: float32`",
        "              ^^",
        "say `dtype: complex64`",
    ),
    "wrong size": (
        "{value: [1, 2, 3], shape: [2, 2]}",
        "case.yaml:2:32: error[bad-shape]: 3 numbers do not fill the shape (2, 2), which has 4",
        "                                ^^^^^^",
    ),
    "negative axis": (
        "{value: 1, shape: [-2]}",
        "case.yaml:2:24: error[bad-shape]: an axis cannot have -2 elements",
        "                        ^^^^",
    ),
    "huge": (
        "{shape: [100000, 100000], random: normal}",
        (
            "case.yaml:2:14: error[too-large]: an array of shape (100000, 100000) is too large; the limit is "
            "10,000,000 elements"
        ),
        "              ^^^^^^^^^^^^^^^^",
        "raise the limit with `--limit elements=VALUE`",
    ),
    "huge around nothing": (
        "{value: [], shape: [0, 100000000000000000000]}",
        (
            "case.yaml:2:25: error[too-large]: an array of shape (0, 100000000000000000000) is too large; the limit is "
            "10,000,000 elements"
        ),
        "                         ^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "raise the limit with `--limit elements=VALUE`",
    ),
    "too many axes": (
        f"{{value: 1, shape: [{', '.join('1' * 65)}]}}",
        "case.yaml:2:24: error[too-large]: an array has at most 64 axes, not 65",
        " " * 24 + "^" * 195,
    ),
    "neither value nor random": (
        "{shape: [2], seed: 3}",
        "case.yaml:2:6: error[missing-key]: the array has no numbers",
        "      ^^^^^^^^^^^^^^^^^^^^^",
        "give it one of `value`, `random` and `file`",
    ),
    "misspelt key": (
        "{valeu: 1}",
        "case.yaml:2:7: error[unknown-key]: unknown key `valeu`",
        "       ^^^^^",
        "did you mean `value`?",
    ),
    "misspelt dtype": (
        "{value: 1, dtype: flaot64}",
        "case.yaml:2:24: error[unknown-dtype]: `flaot64` is not a dtype",
        "                        ^^^^^^^",
        "did you mean `float64`?",
    ),
    "misspelt distribution": (
        "{shape: [2], random: normall}",
        (
            "case.yaml:2:27: error[bad-value]: `inputs.x.random` must be `normal`, `uniform` or `integers`, not the "
            "text `normall`"
        ),
        "                           ^^^^^^^",
        "did you mean `normal`?",
    ),
    "parameter of another": (
        "{shape: [2], random: normal, low: 1}",
        "case.yaml:2:35: error[unknown-key]: `low` does not go with `random: normal`",
        "                                   ^^^",
    ),
    "random without shape": (
        "{random: normal}",
        "case.yaml:2:6: error[missing-key]: `shape` is missing",
        "      ^^^^^^^^^^^^^^^^",
    ),
    "integers without dtype": (
        "{shape: [2], random: integers, high: 3}",
        "case.yaml:2:6: error[missing-key]: `random: integers` needs `dtype`",
        "      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
    ),
    "normal integers": (
        "{shape: [2], random: normal, dtype: int32}",
        "case.yaml:2:6: error[wrong-type]: `random: normal` draws no int32",
        "      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "say `random: integers`, with `low` and `high`",
    ),
    "empty range": (
        "{shape: [2], random: uniform, low: 1, high: 1}",
        "case.yaml:2:6: error[bad-value]: `low` is 1 and `high` is 1: nothing lies between",
        "      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
    ),
    "negative seed": (
        "{shape: [2], random: normal, seed: -1}",
        "case.yaml:2:41: error[wrong-type]: `inputs.x.seed` must be at least 0, not the number -1",
        "                                         ^^",
    ),
    "seed not whole": (
        "{shape: [2], random: normal, seed: 1.0}",
        "case.yaml:2:41: error[wrong-type]: `inputs.x.seed` must be a whole number, not the number 1.0",
        "                                         ^^^",
    ),
    "infinite mean": (
        "{shape: [2], random: normal, mean: .inf}",
        "case.yaml:2:41: error[wrong-type]: `inputs.x.mean` must be a finite number, not the number inf",
        "                                         ^^^^",
    ),
    "infinite random numbers": (
        "{shape: [2], random: uniform, low: -1e308, high: 1e308}",
        "case.yaml:2:6: error[out-of-range]: the parameters are so large that the numbers drawn are not finite",
        "      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
    ),
    "nest in a nest": (
        "{nest: [{nest: [1]}]}",
        "case.yaml:2:14: error[missing-key]: the array has no numbers",
        "              ^^^^^^^^^^^",
        "give it one of `value`, `random` and `file`",
    ),
    "empty nest": (
        "{nest: []}",
        "case.yaml:2:13: error[bad-value]: `inputs.x.nest` is empty",
        "             ^^",
    ),
}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS.keys())
def test_errors(refused: Callable[..., str], error: tuple[str, ...]) -> None:
    x, message, caret, *hint = error
    expected = f"{message}\n  |\n2 |   x: {x}\n  |{caret}" + "".join(f"\n  = help: {each}" for each in hint)
    assert refused(one(x)) == expected


def test_a_literal_overflows_float16_at_its_place(refused: Callable[..., str]) -> None:
    assert refused(one("[1, 1e5]", "[float32, float16]")) == (
        """\
case.yaml:2:10: error[out-of-range]: 100000.0 overflows `float16`, which ends at 65504
  |
2 |   x: [1, 1e5]
  |          ^^^"""
    )


def test_an_integer_too_long_for_any_float(refused: Callable[..., str]) -> None:
    text = refused(one("1" + "0" * 350))
    assert text.startswith("case.yaml:2:6: error[out-of-range]: a number of 351 digits overflows `float32`\n")


def test_complex_numbers_have_no_16_bit_dtype(refused: Callable[..., str]) -> None:
    assert refused(one("[1, 1j]", "float16")) == (
        """\
case.yaml:2:7: error[wrong-type]: there are no complex numbers of the width of the case's dtype, float16
  |
2 |   x: [1, 1j]
  |       ^
  = help: say `dtype: complex64` here"""
    )


@pytest.mark.parametrize("text", ["1+", "j1", "1 + 2j", "1+2i", "(1+2j)", "__import__('os')", "1_0j", "1+2j+3j", "٣j"])
def test_only_plain_complex_numbers_are_read(refused: Callable[..., str], text: str) -> None:
    assert "is not a number" in refused(one(f'"{text}"'))


def random_x(only: Only, spec: str, dtype: str | None = None) -> np.ndarray:
    return x_of(only(one(f"{{{spec}}}", dtype)))


def test_normal_numbers_are_those_of_numpy(only: Only) -> None:
    expected = np.random.default_rng(1).standard_normal((2, 3)).astype(np.float32)
    np.testing.assert_array_equal(random_x(only, "shape: [2, 3], random: normal, seed: 1"), expected, strict=True)
    expected = np.random.default_rng(0).standard_normal((2,)) * 2.5 - 1
    made = random_x(only, "shape: [2], random: normal, mean: -1, std: 2.5", "float64")
    np.testing.assert_array_equal(made, expected, strict=True)


def test_uniform_numbers_are_those_of_numpy(only: Only) -> None:
    expected = np.random.default_rng(3).random((4,)).astype(np.float16)
    np.testing.assert_array_equal(
        random_x(only, "shape: [4], random: uniform, seed: 3", "float16"), expected, strict=True
    )
    expected = 2 + (5 - 2) * np.random.default_rng(0).random((4,))
    made = random_x(only, "shape: [4], random: uniform, low: 2, high: 5", "float64")
    np.testing.assert_array_equal(made, expected, strict=True)


def test_random_integers_are_those_of_numpy(only: Only) -> None:
    expected = np.random.default_rng(5).integers(-3, 9, (6,)).astype(np.int8)
    made = random_x(only, "shape: [6], random: integers, low: -3, high: 9, seed: 5, dtype: int8")
    np.testing.assert_array_equal(made, expected, strict=True)
    expected = np.random.default_rng(0).integers(2**53 + 1, 2**53 + 4, (6,))
    made = random_x(only, f"shape: [6], random: integers, low: {2**53 + 1}, high: {2**53 + 4}, dtype: int64")
    np.testing.assert_array_equal(made, expected, strict=True)


def test_a_random_mask(only: Only) -> None:
    expected = np.random.default_rng(0).integers(0, 2, (9,)).astype(bool)
    made = random_x(only, "shape: [9], random: integers, high: 2, dtype: bool")
    np.testing.assert_array_equal(made, expected, strict=True)


def test_complex_random_numbers_draw_real_then_imaginary_parts(only: Only) -> None:
    rng = np.random.default_rng(7)
    real = rng.standard_normal((3,))
    expected = (real + 1j * rng.standard_normal((3,))).astype(np.complex64)
    made = random_x(only, "shape: [3], random: normal, seed: 7, dtype: complex64")
    np.testing.assert_array_equal(made, expected, strict=True)


def test_a_random_scalar_is_an_array(only: Only) -> None:
    for spec in ("random: normal", "random: uniform", "random: integers, high: 3, dtype: int32"):
        assert random_x(only, f"shape: [], {spec}").shape == ()


def test_a_nest_is_a_tuple_of_arrays(only: Only) -> None:
    value = only(one("{nest: [1, [2, 3], {value: 4, dtype: int32}], variable: true}")).inputs["x"]
    assert isinstance(value.value, tuple)
    assert [(each.tolist(), each.dtype.name) for each in value.value] == [
        (1.0, "float32"),
        ([2.0, 3.0], "float32"),
        (4, "int32"),
    ]
    assert value.variable


def test_all_errors_of_a_nest_are_reported(refused: Callable[..., str]) -> None:
    text = refused(one("{nest: [[[1], 2], [true], 3]}"))
    assert "case.yaml:2:20: error[ragged]" in text
    assert "case.yaml:2:25: error[wrong-type]" in text


def test_the_arrays_of_a_file_have_a_limit_together(load: Load) -> None:
    text = "cases:\n" + "".join(f"  c{i}: {{inputs: {{x: [1, 2, 3]}}, expr: x}}\n" for i in range(4))
    assert len(load(text, Limits(file_elements=12)).cases) == 4
    loaded = load(text, Limits(file_elements=11))
    assert [case.name for case in loaded.cases] == ["c0", "c1", "c2"]
    assert loaded.diagnostics[0].render() == (
        """\
case.yaml:5:20: error[too-large]: the arrays of this file are too large; the limit is 11 elements
  |
5 |   c3: {inputs: {x: [1, 2, 3]}, expr: x}
  |                    ^^^^^^^^^
  = help: raise the limit with `--limit file_elements=VALUE`"""
    )


def test_the_limit_of_elements_holds_for_literals_too(load: Load) -> None:
    assert load(one("[1, 2, 3]"), Limits(elements=3)).cases
    assert not load(one("[1, 2, 3]"), Limits(elements=2)).cases
