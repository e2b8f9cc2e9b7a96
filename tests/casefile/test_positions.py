import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gradcheck.casefile.case import Expression
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.positions import expression
from gradcheck.casefile.yaml import parse
from gradcheck.diagnostics import Refused, Source


def expr_of(text: str) -> Expression:
    tree = parse(Source("a.yaml", text), Limits())
    return expression(tree, tree.node(("expr",)))


STYLES = {
    "plain": "expr: foo(x) + bar",
    "plain on several lines": "expr: foo(x)\n  +\n\n  bar\ninputs: 1",
    "plain on the next line": "expr:\n  foo(x) +\n  bar",
    "single quotes": "expr: 'foo(x) + bar'",
    "double quotes": 'expr: "foo(x) + bar"',
    "double quotes, folded": 'expr: "foo(x)\n  +   \\\n  bar"',
    "literal": "expr: |\n  foo(x) +\n    bar\ninputs: 1",
    "literal, stripped, with a comment": "expr: |- # foo bar\n\n  foo(x) +\n  bar\n",
    "literal, indented by two": "expr: |2\n    foo(x) +\n  bar\n",
    "folded": "expr: >\n  foo(x)\n  + bar\n",
    "folded, kept": "expr: >+\n  foo(x)\n\n\n  + bar\n\n\n",
    "anchor and tag": "expr: &a !!str foo(x) + bar",
    "tag with a comment": "expr: !!str # foo bar\n  foo(x) +\n  bar",
    "alias": "a: &n |\n  foo(x) + bar\nexpr: *n",
    "in braces": "{inputs: 1, expr: foo(x) + bar}",
    "accents before": "é: ü\n'expr': foo(x) + bar",
}


@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES.keys())
def test_every_word_is_found_at_its_own_place(text: str) -> None:
    expr = expr_of(text)
    lines = text.split("\n")
    assert len(expr.positions) == len(expr.text)
    for word in ("foo", "(", "x", ")", "+", "bar"):
        start = expr.text.index(word)
        span = expr.span(start, start + len(word))
        assert lines[span.line - 1][span.column - 1 : span.end - 1] == word


def test_escapes_between_double_quotes() -> None:
    text = r'expr: "a\x41\n\u0042 \"c\" d"'
    expr = expr_of(text)
    assert expr.text == 'aA\nB "c" d'
    places = {character: text[column - 1] for character, (_, column) in zip(expr.text, expr.positions, strict=True)}
    assert places["d"] == "d"
    assert places["c"] == "c"
    assert [column for _, column in expr.positions][:4] == [8, 9, 13, 15]


def test_doubled_quotes_between_single_quotes() -> None:
    text = "expr: 'a[''b''''c'']'"
    expr = expr_of(text)
    assert expr.text == "a['b''c']"
    assert [column for _, column in expr.positions] == [8, 9, 10, 12, 13, 15, 17, 18, 20]


def test_a_blank_takes_the_place_after_the_character_before() -> None:
    expr = expr_of("expr: |\n  a\n  b c\n")
    assert expr.text == "a\nb c\n"
    assert tuple(expr.positions) == ((2, 3), (2, 4), (3, 3), (3, 4), (3, 5), (3, 6))


@given(st.text("ab+( )\n\t#'\"\\:|>", min_size=1), st.sampled_from(["|\n  {}", ">-\n  {}", '"{}"', "'{}'", "{}"]))
def test_positions_lie_in_the_text_and_never_go_back(value: str, style: str) -> None:
    text = "expr: " + style.format(value.replace("\n", "\n  "))
    try:
        tree = parse(Source("a.yaml", text), Limits())
    except Refused:
        assume(False)
    node = tree.node(("expr",))
    assume(isinstance(node.data, str))
    lines = text.split("\n")
    expr = expression(tree, node)
    assert list(expr.positions) == sorted(expr.positions)
    for character, (line, column) in zip(expr.text, expr.positions, strict=True):
        if not character.isspace() and "\\" not in text:
            assert lines[line - 1][column - 1] == character
