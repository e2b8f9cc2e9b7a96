"""What one engine made of a case: outputs and gradients as arrays."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from gradcheck.engines import Failure
from gradcheck.evaluation import Evaluated
from gradcheck.report import text


def outcome_report(evaluated: Evaluated) -> RenderableType:
    """The case's id, then each output and gradient; or why there are none."""
    parts: list[RenderableType] = [Text(evaluated.case.id, style="bold")]
    outcome = evaluated.outcome
    if evaluated.case.skip is not None:
        parts.append(_line(f"skipped: {evaluated.case.skip}"))
    elif isinstance(outcome, Failure):
        parts.append(_line(outcome.message))
    elif outcome is not None and evaluated.lowered is not None:
        several = len(outcome.outputs) > 1
        for position, value in enumerate(outcome.outputs):
            parts.append(_line(text.labelled(f"output[{position}]" if several else "output", value)))
        for source, gradient in zip(evaluated.lowered.sources, outcome.gradients[0], strict=True):
            parts.append(_line(text.labelled(f"d/d{source}", gradient)))
    return Group(*parts)


def _line(line: str) -> Padding:
    return Padding(Text(line), (0, 0, 0, 2), expand=False)
