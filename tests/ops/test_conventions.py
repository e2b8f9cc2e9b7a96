"""What calculus leaves open is held by shipped cases with pinned numbers."""

import ast
from collections.abc import Iterable
from pathlib import Path

from gradcheck.casefile.case import Case, Expect
from gradcheck.casefile.load import load_file
from gradcheck.coverage.mentions import mentions
from gradcheck.ops import OPS, Op

CASES = Path(__file__).parents[2] / "cases"
HELD_BY = [*sorted(CASES.glob("conventions/*.yaml")), CASES / "defects.yaml"]


class Unabbreviated(ast.NodeTransformer):
    """Writes out what was named once: `tnp.floor(x)` after `tnp = tf.experimental.numpy`."""

    def __init__(self, tree: ast.Module) -> None:
        assignments = [each for each in ast.walk(tree) if isinstance(each, ast.Assign)]
        self._names = {
            ast.unparse(each.targets[0]): each.value for each in assignments if isinstance(each.value, ast.Attribute)
        }

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._names.get(node.id, node)


def pinned(expect: Expect) -> bool:
    return bool(expect.output is not None or expect.gradients or expect.derivatives or expect.error)


def named_in(expression: str) -> frozenset[str]:
    tree = ast.parse(expression)
    return mentions(Unabbreviated(tree).visit(tree))


def not_held(operations: Iterable[Op], cases: Iterable[Case]) -> list[str]:
    """The operations with a convention that no expression with an expected answer names."""
    named = frozenset(name for case in cases if pinned(case.expect) for name in named_in(case.expr.text))
    return [op.name for op in operations if op.convention and named.isdisjoint((op.name, *op.aliases))]


def test_every_convention_is_held_by_a_case() -> None:
    assert not_held(OPS.values(), (case for path in HELD_BY for case in load_file(path).cases)) == []
