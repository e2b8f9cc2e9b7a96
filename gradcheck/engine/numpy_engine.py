"""Our engine as one side of a comparison."""

from dataclasses import replace

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.engine.differentiate import gradient
from gradcheck.engine.evaluate import evaluate
from gradcheck.engines import Failure, Outcome, Request
from gradcheck.ops.declaration import OpError


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
        if request.directions is not None:
            return self._run_twice(request)
        written = gradient(request.program, request.sources)
        count = len(request.program.outputs)
        outputs: tuple[Array | None, ...] = ()
        sets: list[tuple[Array | None, ...]] = []
        for cotangents in request.cotangents:
            results = evaluate(written.program, written.seeded(request.inputs, cotangents))
            outputs = tuple(results[:count])
            sets.append(
                tuple(
                    self._connected(request, name, each)
                    for name, each in zip(request.sources, results[count:], strict=True)
                )
            )
        return Outcome(outputs, tuple(sets))

    def _run_twice(self, request: Request) -> Outcome:
        """Second derivatives: a gradient program is differentiated like any other."""
        outputs = evaluate(request.program, request.inputs)
        second = [self._run(each).gradients[0] for each in about_gradients(request)]
        return Outcome(tuple(outputs), tuple(second))

    @staticmethod
    def _connected(request: Request, source: str, value: Array | None) -> Array | None:
        if value is None and request.unconnected == "zero":
            return np.zeros_like(request.inputs[source])
        return value


def about_gradients(request: Request) -> tuple[Request, ...]:
    """What `request`, which has directions, comes to: for each set of cotangents a request about first derivatives.

    Its program gives the first gradients, those left out that are not connected or have no direction; the directions
    of the others are its cotangents.
    """
    assert request.directions is not None
    written = gradient(request.program, request.sources)
    count = len(request.program.outputs)
    pairs = zip(written.program.outputs[count:], request.directions, strict=True)
    followed = [(index, each) for index, each in pairs if index is not None and each is not None]
    program = replace(written.program, outputs=tuple(index for index, _ in followed)).pruned()
    directions = tuple(each for _, each in followed)
    return tuple(
        replace(
            request,
            program=program,
            inputs=written.seeded(request.inputs, cotangents),
            cotangents=(directions,),
            directions=None,
        )
        for cotangents in request.cotangents
    )
