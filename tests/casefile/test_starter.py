from pathlib import Path

import pytest
import yaml
import yamlcore

from gradcheck.casefile.starter import EXAMPLE, Starter
from gradcheck.diagnostics import Refused

PATH = Path("mine.yaml")


def test_the_example_is_written_as_people_write() -> None:
    assert EXAMPLE.text("../gradcheck.schema.json") == (
        "# yaml-language-server: $schema=../gradcheck.schema.json\n"
        "description: What this case protects, in one sentence.\n"
        "inputs:\n"
        "  x: [[1.0, 2.0], [3.0, 4.0]]\n"
        "  w: {shape: [2, 3], random: normal, seed: 1}\n"
        "expr: |\n"
        "  h = tf.nn.softmax(x @ w, axis=-1)\n"
        "  tf.reduce_sum(h * tf.math.log(h))\n"
    )


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("3", "{shape: [3], random: normal, seed: 1}"),
        (" 3 , 4 ", "{shape: [3, 4], random: normal, seed: 1}"),
        ("3,4 complex64", "{shape: [3, 4], random: normal, seed: 1, dtype: complex64}"),
        ("3.0", "3.0"),
        ("[3]", "[3]"),
        ("[[1,2],[3,1e-5]]", "[[1, 2], [3, 1.0e-05]]"),
        ("[0,2,1] int32", "{value: [0, 2, 1], dtype: int32}"),
        ("true bool", "{value: true, dtype: bool}"),
        ("1.5-0.5j", "1.5-0.5j"),
        ("{shape: [2], random: uniform, low: -1}", "{shape: [2], random: uniform, low: -1}"),
        ("{file: x.npy}", "{file: x.npy}"),
    ],
)
def test_an_input_is_a_shape_or_what_a_case_file_says(said: str, written: str) -> None:
    assert f"\n  x: {written}\n" in Starter("", "x").with_input("x", said).text()


def test_random_inputs_have_seeds_of_their_own() -> None:
    said = {"a": "2", "b": "{shape: [2], random: normal, seed: 2}", "c": "2", "d": "1.0", "e": "2"}
    made = Starter("", "a + b + c + d + e").with_inputs(said.items())
    assert [made.inputs[name].get("seed") for name in "abce"] == [1, 2, 3, 4]
    assert made.review(PATH).warnings == ()


@pytest.mark.parametrize(
    ("name", "said", "words"),
    [
        ("x", "2", "`x` is given twice"),
        ("tf", "2", "`tf` means something else in an expression"),
        ("a b", "2", "`a b` is not a name"),
        ("i", "3 int32", "no int32 numbers can be drawn by their shape alone"),
        ("w", "[[1, 2", "YAML syntax"),
        ("w", "", "the file is empty"),
    ],
)
def test_what_is_no_input_is_refused(name: str, said: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        Starter("", "x").with_input("x", "2").with_input(name, said)


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "with: colon",
        "a # hash",
        "'quoted'",
        '"twice"',
        "no",
        "3",
        "null",
        "two\nlines",
        "",
        "ünïcödé",
        "{a",
    ],
)
def test_any_description_and_expression_can_be_read_again(text: str) -> None:
    made = Starter(text, f"{text}\n{text}".strip()).text()
    assert yaml.load(made, yamlcore.CCoreLoader) | {"expr": ""} == {"description": text, "inputs": {}, "expr": ""}


def test_a_name_that_yaml_reads_otherwise_is_quoted() -> None:
    review = Starter("", "true + null").with_input("true", "2").with_input("null", "2").review(PATH)
    assert review.errors == ()
    assert review.missing == {}


@pytest.mark.parametrize(
    ("expr", "missing", "errors"),
    [
        ("x @ w + x", ["x", "w"], []),
        ("h = x + 1\nh * y", ["x", "y"], []),
        ("reduce_sum(x)", ["x"], ["unknown-name"]),  # what is called is no input
        ("np.foo + x", ["x"], ["unknown-name"]),
        ("tf.reduce_sun(x)", ["x"], ["unknown-op"]),
        ("x +", [], ["syntax"]),
        ("", [], ["bad-value"]),
    ],
)
def test_names_that_could_be_inputs_are_told_from_mistakes(expr: str, missing: list[str], errors: list[str]) -> None:
    review = Starter("", expr).review(PATH)
    assert list(review.missing) == missing
    assert [each.code for each in review.errors] == errors


def test_what_is_wrong_in_several_dtypes_is_said_once() -> None:
    made = Starter("", "x @ w", dtypes=("float32", "complex64")).with_input("x", "3,4").with_input("w", "3,4")
    assert "dtype: [float32, complex64]  # the case runs once in each\n" in made.text()
    assert len(made.review(PATH).errors) == 1


def test_a_dtype_cannot_bring_other_keys_in() -> None:
    review = Starter("", "1.0 * x", dtypes=("float32\nskip: true",)).with_input("x", "2").review(PATH)
    assert [each.code for each in review.errors] == ["unknown-dtype"]
