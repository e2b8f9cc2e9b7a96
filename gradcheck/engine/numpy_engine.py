"""Our engine as one side of a comparison."""

import numpy as np

from gradcheck.engine.differentiate import gradient
from gradcheck.engine.evaluate import evaluate
from gradcheck.engines import Failure, Outcome, Request
from gradcheck.ops.declaration import OpError
from gradcheck.program import Array


class NumpyEngine:
    """Differentiates the program with our rules and evaluates the result on NumPy."""

    name = "numpy"

    def run(self, request: Request) -> Outcome | Failure:
        """The outcome of `request`; a `Failure` where NumPy refuses an operand's values, such as a singular matrix."""
        try:
            return self._run(request)
        except (OpError, np.linalg.LinAlgError, ArithmeticError, ValueError, IndexError) as error:
            return Failure("error", str(error))
        except MemoryError:
            return Failure("error", "not enough memory")

    def _run(self, request: Request) -> Outcome:
        written = gradient(request.program, request.sources)
        count = len(request.program.outputs)
        outputs: tuple[Array, ...] = ()
        sets: list[tuple[Array | None, ...]] = []
        for cotangents in request.cotangents:
            results = evaluate(written.program, written.seeded(request.inputs, cotangents))
            outputs = tuple(each for each in results[:count] if each is not None)
            sets.append(
                tuple(
                    self._connected(request, name, each)
                    for name, each in zip(request.sources, results[count:], strict=True)
                )
            )
        return Outcome(outputs, tuple(sets))

    @staticmethod
    def _connected(request: Request, source: str, value: Array | None) -> Array | None:
        if value is None and request.unconnected == "zero":
            return np.zeros_like(request.inputs[source])
        return value
