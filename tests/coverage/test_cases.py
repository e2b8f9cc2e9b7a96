"""The cases that come with gradcheck show every operation that has a gradient."""

import ast

from gradcheck.cli.new import shipped_cases
from gradcheck.cli.options import select
from gradcheck.coverage.mentions import mentions
from gradcheck.diagnostics import Refused
from gradcheck.engine.expand import expand
from gradcheck.language import lower
from gradcheck.ops.declaration import OPS
from gradcheck.program import Program


def test_every_operation_with_a_gradient_stands_in_a_case() -> None:
    selection = select((str(shipped_cases()),), keyword=None, tags=(), dtypes=(), limits=())
    shown: set[str] = set()
    for case in {(case.span.source.name, case.name): case for case in selection.cases}.values():
        try:
            program = lower(case).program
        except Refused:  # a case may show what is refused
            continue
        shown |= _operations(program) | _operations(expand(program)) | mentions(ast.parse(case.expr.text))
    missing = [op.name for op in OPS.values() if op.differentiable and op.name not in shown]
    assert not missing, ", ".join(missing)


def _operations(program: Program) -> set[str]:
    return {each.op.name for each in program.instructions}
