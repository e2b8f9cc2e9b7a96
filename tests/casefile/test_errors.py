"""What is wrong with a case file, word for word and at its place."""

import pytest

from .conftest import Refused

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
