"""What is asked of an engine about a case: its gradients under two sets of cotangents."""

import numpy as np

from gradcheck.dtypes import Array, is_complex, is_differentiable
from gradcheck.engines import Request
from gradcheck.language import Lowered
from gradcheck.program import Program, TensorType

SEED = 20_260_101
"""The seed of the non-uniform cotangent that every case is also differentiated with."""


def request(lowered: Lowered) -> Request:
    """What to ask of both sides: gradients under the case's own cotangents, and under seeded ones.

    Errors can cancel when all cotangents are equal, as they are by default; under a non-uniform one they do not.
    """
    program = lowered.program
    return Request(
        program=program,
        inputs=lowered.inputs,
        sources=lowered.sources,
        cotangents=(lowered.cotangents, seeded_cotangents(program)) if lowered.sources else (lowered.cotangents,),
        unconnected=lowered.case.unconnected_gradients,
        variables=lowered.variables,
        about=lowered.case.id,
    )


def seeded_cotangents(program: Program) -> tuple[Array | None, ...]:
    """One standard normal array per target, in the target's shape and dtype."""
    rng = np.random.default_rng(SEED)
    types = [program.types[index] for index in program.outputs if index is not None]
    return tuple(drawn(type_, rng) if is_differentiable(type_.dtype) else None for type_ in types)


def drawn(type_: TensorType, rng: np.random.Generator) -> Array:
    """Standard normal numbers of a floating or complex type; in the complex plane both parts are."""
    real = rng.standard_normal(type_.shape)
    return np.asarray(real + 1j * rng.standard_normal(type_.shape) if is_complex(type_.dtype) else real, type_.dtype)
