"""The reference in a process of its own, which starts importing TensorFlow before anything else happens."""

from typing import TYPE_CHECKING

from gradcheck.engines import Failure, Request, Trace
from gradcheck.reference.answers import Driven, Surface
from gradcheck.workers import DEFAULT_TIMEOUT, Pending, Worker

if TYPE_CHECKING:
    from gradcheck.reference.surface import Surveyor
    from gradcheck.reference.tensorflow import TensorFlowEngine


class ReferenceWorker(Worker):
    """TensorFlow as an engine whose answers come later, and which shows all values of a run."""

    def __init__(self, timeout: float = DEFAULT_TIMEOUT) -> None:
        super().__init__("tensorflow", _load, timeout, called="TensorFlow")

    def trace(self, request: Request, position: int) -> Trace | Failure:
        """All values of a run, and all cotangents under the set of cotangents at `position`; see `Trace`."""
        answer: Trace | Failure = self._ask("trace", request, position).result()
        return answer


def _load() -> "TensorFlowEngine":
    from gradcheck.reference.tensorflow import TensorFlowEngine

    return TensorFlowEngine()


class SurveyWorker(Worker):
    """TensorFlow, asked what it has and which of it a program goes through."""

    def __init__(self, timeout: float = DEFAULT_TIMEOUT) -> None:
        super().__init__("tensorflow", _load_surveyor, timeout, called="TensorFlow")

    def surface(self) -> Pending[Surface]:
        """What there is to cover."""
        return self._ask("surface")

    def drive(self, request: Request) -> Pending[Driven]:
        """The outcome of a request, with the types of operations that the tape went through."""
        return self._ask("drive", request)


def _load_surveyor() -> "Surveyor":
    from gradcheck.reference.surface import Surveyor

    return Surveyor()
