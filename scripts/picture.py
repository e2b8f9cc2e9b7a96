"""The picture of the table in the README: a case that agrees, and the same with a full transpose in the matmul rule.

python scripts/picture.py .github/compare.svg
"""

import io
import re
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from gradcheck.casefile.load import load_file
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.ops import find_op, tf
from gradcheck.ops.declaration import substituted
from gradcheck.reference.worker import ReferenceWorker
from gradcheck.report.table import case_report
from gradcheck.session import compare_cases
from gradcheck.tensors import Tensor

CASE = "cases/matmul_chain.yaml"


def full_transpose(g: Tensor, _y: Tensor, _a: Tensor, b: Tensor, **_flags: bool) -> Tensor:
    """What people write: right for two matrices, wrong for a batch of them."""
    product: Tensor = tf.matmul(g, tf.transpose(b))
    return product


def main() -> None:
    path = Path(sys.argv[1])
    out = Console(record=True, width=80, file=io.StringIO(), force_terminal=True)
    cases = load_file(CASE).cases
    op = find_op("tf.matmul")
    assert op.vjp is not None
    faulty = replace(op, vjp=(full_transpose, op.vjp[1]))
    with ReferenceWorker() as reference:
        out.print(f"$ gradcheck compare {CASE}", style="bold")
        for result in compare_cases(cases, NumpyEngine(), reference):
            out.print(case_report(result, "values"))
        out.print(f"\n$ gradcheck compare {CASE}    # a full transpose in our rule", style="bold")
        with substituted(faulty):
            for result in compare_cases(cases, NumpyEngine(), reference):
                out.print(case_report(result, "worst"))
    svg = out.export_svg(title="gradcheck")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # a picture that loads nothing from outside
    path.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
