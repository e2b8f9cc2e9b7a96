"""The marks of operations, and the lines that they stand at."""

from collections import Counter
from typing import Any

from gradcheck.report.html.graph import MOST, program_record
from gradcheck.report.html.source import marked_lines, marks
from gradcheck.report.program import program_of
from gradcheck.verdict.record import Result


def lines(result: Result) -> list[dict[str, Any]]:
    program = program_of(result.case)
    found = [] if program is None else marks(program, result.diagnosis)
    return marked_lines(result, program, found)


def marked(result: Result) -> list[str]:
    program = program_of(result.case)
    assert program is not None
    return [str(each) for each in marks(program, result.diagnosis)]


def test_the_blamed_operation_is_marked_and_the_others_are_right(by_name: dict[str, Result]) -> None:
    rows = lines(by_name["attention"])
    assert [row["operations"] for row in rows] == [
        {"right": ["tf.matmul", "tf.truediv"]},
        {"right": ["tf.nn.softmax"]},
        {"blamed": ["tf.square"], "right": ["tf.reduce_sum"]},
    ]
    assert rows[2]["parts"] == [["tf.reduce_sum(", False], ["tf.square(p)", True], [")", False]]
    assert [row["number"] for row in rows] == [8, 9, 10]


def test_where_nothing_differs_no_operation_has_been_tried(by_name: dict[str, Result]) -> None:
    assert marked(by_name["right"]) == ["untried"]
    assert lines(by_name["right"])[0]["parts"] == [["x * x", False]]


def test_on_request_all_have_been_tried(blamed: Result) -> None:
    assert marked(blamed) == ["right", "right"]


def test_a_line_to_which_the_program_comes_back_is_listed_once(by_name: dict[str, Result]) -> None:
    rows = lines(by_name["loop"])
    assert ["".join(text for text, _ in row["parts"]) for row in rows] == [
        "for _ in range(100):",
        "    x = x * 1.01",
        "x",
    ]
    assert rows[1]["operations"] == {"untried": ["tf.multiply"] * 100}


def test_text_that_is_no_expression_is_shown_as_it_is(by_name: dict[str, Result]) -> None:
    assert lines(by_name["refused"]) == [{"number": 26, "parts": [["tf.reshape(x, [", False]], "operations": {}}]


def test_the_graph_has_a_node_for_each_input_and_operation(by_name: dict[str, Result]) -> None:
    result = by_name["attention"]
    program = program_of(result.case)
    assert program is not None
    graph = program_record(program, marks(program, result.diagnosis))["graph"]
    assert Counter(node["kind"] for node in graph["nodes"]) == {"variable": 2, "operation": 4, "target": 1}
    assert [node["lines"][0] for node in graph["nodes"] if node["mark"] == "blamed"] == ["%6 = square(p)"]
    assert len(graph["edges"]) == 6


def test_a_program_that_is_too_large_to_draw_is_listed(by_name: dict[str, Result]) -> None:
    program = program_of(by_name["loop"].case)
    assert program is not None
    record = program_record(program, ["untried"] * len(program.instructions))
    assert len(program.instructions) > MOST
    assert record["graph"] is None
    assert record["lines"] == str(program).splitlines()
