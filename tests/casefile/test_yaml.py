import math
from textwrap import dedent

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gradcheck.casefile.limits import Limits
from gradcheck.casefile.yaml import Tree, parse
from gradcheck.diagnostics import Diagnostic, Refused, Source


def tree_of(text: str, limits: Limits | None = None) -> Tree:
    return parse(Source("a.yaml", dedent(text)), limits or Limits())


def message(text: str, limits: Limits | None = None) -> str:
    with pytest.raises(Refused) as caught:
        tree_of(text, limits)
    return "\n".join(each.render() for each in caught.value.diagnostics)


def problems(text: str) -> str:
    return "\n".join(each.render() for each in tree_of(text).problems)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.inf", -math.inf),
        ("-12", -12),
        ("0o17", 15),
        ("0x1F", 31),
        ("012", 12),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2001-01-01", "2001-01-01"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("!!float 5", 5.0),
        ("! 5", "5"),
        ("1.5-0.5j", "1.5-0.5j"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    found = tree_of(f"a: {text}").root.data["a"]
    assert found == value
    assert type(found) is type(value)


def test_nan_is_a_number() -> None:
    assert math.isnan(tree_of("a: .nan").root.data["a"])


def test_keys_and_values_have_places() -> None:
    tree = tree_of("""\
        inputs:
          x: [1, [2, 33]]
        wrt:
        """)
    assert tree.root.data == {"inputs": {"x": [1, [2, 33]]}, "wrt": None}
    assert str(tree.key_span(("inputs", "x"))) == "a.yaml:2:3"
    span = tree.value_span(("inputs", "x", 1, 1))
    assert (span.line, span.column, span.end) == (2, 14, 16)
    assert str(tree.value_span(("inputs", "x", 7))) == "a.yaml:2:6", "the nearest value around it"
    assert str(tree.value_span(("wrt",))) == "a.yaml:3:1", "the key stands for a blank value"
    assert str(tree.value_span(())) == "a.yaml:1:1"


def test_an_alias_has_the_place_of_its_anchor() -> None:
    tree = tree_of("a: &n [1, 2]\nb: *n\n")
    assert tree.root.data == {"a": [1, 2], "b": [1, 2]}
    assert str(tree.value_span(("b", 1))) == "a.yaml:1:11"


def test_an_anchor_can_be_given_again() -> None:
    assert tree_of("a: &n 1\nb: &n 2\nc: *n\n").root.data["c"] == 2


def test_a_key_given_twice_keeps_its_first_value_and_marks_what_is_around() -> None:
    tree = tree_of("a:\n  x: 1\n  x: 2\nb: {c: 1}\n")
    assert tree.root.data == {"a": {"x": 1}, "b": {"c": 1}}
    assert tree.node(("a",)).broken
    assert tree.root.broken
    assert not tree.node(("b",)).broken


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "inputs:\n  x: 1\n  x: 2\n",
            """\
a.yaml:3:3: error[duplicate-key]: the key `x` is given twice, first at line 2, column 3
  |
3 |   x: 2
  |   ^""",
        ),
        (
            "a: &n {b: 1}\nc:\n  <<: *n\n",
            """\
a.yaml:3:3: error[merge-key]: YAML 1.2 has no merge keys
  |
3 |   <<: *n
  |   ^^
  = help: share values with `defaults`, or repeat them with an alias""",
        ),
        (
            "a: {1: 2}\n",
            """\
a.yaml:1:5: error[bad-key]: the key `1` is not text
  |
1 | a: {1: 2}
  |     ^
  = help: write `"1"`""",
        ),
        (
            "a: [1e999]\n",
            """\
a.yaml:1:5: error[bad-number]: `1e999` is larger than any floating-point number
  |
1 | a: [1e999]
  |     ^^^^^
  = help: write `.inf` for infinity""",
        ),
    ],
    ids=["duplicate", "merge", "number", "overflow"],
)
def test_problems_that_do_not_stop_the_reading(text: str, expected: str) -> None:
    assert problems(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "expr: x +\ninputs: {x: [1, 2}\n",
            """\
a.yaml:2:18: error[yaml-syntax]: YAML syntax: did not find expected ',' or ']' while parsing a flow sequence \
(line 2, column 13)
  |
2 | inputs: {x: [1, 2}
  |                  ^""",
        ),
        (
            "a: b: c\n",
            """\
a.yaml:1:5: error[yaml-syntax]: YAML syntax: mapping values are not allowed in this context
  |
1 | a: b: c
  |     ^
  = help: text with `: ` in it needs quotes, or `|` and lines of its own""",
        ),
        (
            "a:\n\tb: 1\n",
            """\
a.yaml:2:1: error[yaml-syntax]: YAML syntax: found character that cannot start any token while scanning for the \
next token (line 2, column 1)
  |
2 |     b: 1
  | ^^^^
  = help: indent with spaces, not tabs; quote text that starts with `@`""",
        ),
        (
            "é: [1\n",
            """\
a.yaml:1:5: error[yaml-syntax]: YAML syntax: did not find expected ',' or ']' while parsing a flow sequence \
(line 1, column 4)
  |
1 | é: [1
  |     ^""",
        ),
        (
            "a: !!python/object/apply:os.system [ls]\n",
            """\
a.yaml:1:4: error[yaml-tag]: the tag `!!python/object/apply:os.system` is not allowed here
  |
1 | a: !!python/object/apply:os.system [ls]
  |    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: leave it out""",
        ),
        (
            "a: !!int x\n",
            """\
a.yaml:1:4: error[yaml-tag]: the tag `!!int` is not allowed here
  |
1 | a: !!int x
  |    ^^^^^
  = help: leave it out""",
        ),
        (
            "a: 1\n---\nb: 2\n",
            """\
a.yaml:2:1: error[yaml-syntax]: a second document starts here; a case file is one document
  |
2 | ---
  | ^^^""",
        ),
        (
            "[a]: 1\n",
            """\
a.yaml:1:1: error[bad-key]: a list or mapping cannot be a key
  |
1 | [a]: 1
  | ^""",
        ),
        (
            "a: &n [*n]\n",
            """\
a.yaml:1:8: error[yaml-alias]: the alias `*n` stands inside of what it repeats
  |
1 | a: &n [*n]
  |        ^^""",
        ),
        (
            "a: *n\n",
            """\
a.yaml:1:4: error[yaml-alias]: there is no anchor `&n` before this alias
  |
1 | a: *n
  |    ^^""",
        ),
        (
            "# nothing\n",
            """\
a.yaml:1:1: error[empty-file]: the file is empty
  |
1 | # nothing
  | ^""",
        ),
        (
            "a: \x1b[31m\n",
            """\
a.yaml:1:4: error[yaml-syntax]: the character U+001B is not allowed in YAML
  |
1 | a: \ufffd[31m
  |    ^""",
        ),
    ],
    ids=["flow", "colon", "tab", "end", "tag", "false tag", "documents", "key", "loop", "anchor", "empty", "control"],
)
def test_what_stops_the_reading(text: str, expected: str) -> None:
    assert message(text) == expected


def test_an_alias_bomb_is_refused_at_once() -> None:
    lines = ["a0: &a0 [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 60)]
    assert message("\n".join(lines)) == (
        """\
a.yaml:5:45: error[too-large]: the file has too many values, its aliases written out; the limit is 100,000
  |
5 | a4: &a4 [*a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3]
  |                                             ^^^
  = help: raise the limit with `--limit nodes=VALUE`"""
    )


def test_deep_nesting_is_refused_at_once() -> None:
    text = message("a: " + "[" * 100_000)
    assert text.splitlines()[0] == "a.yaml:1:103: error[too-large]: this is nested too deeply; the limit is 100"


def test_deep_nesting_through_aliases_is_refused() -> None:
    text = "a: &a [[[[1]]]]\nb: &b [[[[*a]]]]\nc: [[*b]]\n"
    tree_of(text, Limits(depth=12))
    assert "nested too deeply; the limit is 11" in message(text, Limits(depth=11))


def test_the_limit_of_nodes_counts_every_value() -> None:
    text = "[1, 2, 3, 4]"
    tree_of(text, Limits(nodes=5))
    assert "the limit is 4" in message(text, Limits(nodes=4))


def test_a_number_of_very_many_digits_is_refused() -> None:
    assert problems("a: " + "9" * 5000).startswith(
        "a.yaml:1:4: error[bad-number]: a number of 5,000 digits is too large\n"
    )


@given(st.text() | st.text("ab01.-+:[]{},&*!|>'\"#%@\\ \n\t?<~\x85\u2028", max_size=60))
@example("\ufeffa: 1")
@example('"\\')
@example("%YAML 3.0\n---\na")
@example("? a\n: b")
def test_arbitrary_text_is_a_tree_or_refused(text: str) -> None:
    try:
        tree_of_any = parse(Source("a.yaml", text), Limits())
    except Refused as refused:
        found = refused.diagnostics
    else:
        found = (Diagnostic("good", "", tree_of_any.value_span(())),)
    assert all(each.render() for each in found)
    assert found
