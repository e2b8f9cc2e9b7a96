"""The catalogue of faults: some for each family of operations with rules, and those of the walk."""

from collections.abc import Iterator

from gradcheck.ops.declaration import OPS, Op
from gradcheck.selftest import pointwise, specialized, structured
from gradcheck.selftest.changes import scaled
from gradcheck.selftest.faults import AnyFault, Fault
from gradcheck.selftest.walk import WALK

CHOSEN: tuple[Fault, ...] = (
    *pointwise.ARITHMETIC,
    *pointwise.ELEMENTWISE,
    *pointwise.TRIGONOMETRIC,
    *pointwise.SPECIAL,
    *structured.REDUCTION,
    *structured.RUNNING,
    *structured.CONTRACTION,
    *structured.CONVOLUTION,
    *structured.POOLING,
    *structured.SOLVING,
    *structured.DIAGONALS,
    *structured.ARRAY,
    *structured.GATHERING,
    *pointwise.NN,
    *pointwise.COMPLEX,
    *specialized.GAMMA,
    *specialized.DECOMPOSITIONS,
    *specialized.SEGMENTS,
    *specialized.SIGNALS,
    *specialized.IMAGES,
    *specialized.QUANTIZATION,
)


def _doubled(op: Op) -> Fault:
    """The plainest fault, of the first operand that has a rule."""
    rules = op.vjp or (None,)
    argument = next((at for at, rule in enumerate(rules) if rule is not None), 0)
    return Fault("is doubled", op.name, argument, "factor", scaled(2))


def _others() -> Iterator[Fault]:
    """One fault for each family with rules that none has been thought up for."""
    families = {each.family for each in CHOSEN}
    for op in OPS.values():
        if op.differentiable and not op.composite and op.family not in families:
            families.add(op.family)
            yield _doubled(op)


CATALOGUE: tuple[AnyFault, ...] = (*CHOSEN, *_others(), *WALK)
