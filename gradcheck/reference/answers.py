"""What the reference is asked and what TensorFlow says of itself, in a module that can be read without importing it."""

from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from gradcheck.engines import Engine, Failure, Outcome, Request, Trace

Answer = TypeVar("Answer", covariant=True)


class Awaited(Protocol[Answer]):
    """An answer that comes later; see `gradcheck.workers.Pending`."""

    @property
    def done(self) -> bool:
        """Whether the answer is there."""
        ...

    def result(self) -> Answer | Failure:
        """Wait for the answer."""
        ...


class Reference(Engine, Protocol):
    """What a comparison asks of the reference, whoever answers: TensorFlow in its process, or what it answered before.

    See `gradcheck.reference.worker.ReferenceWorker`.
    """

    def submit(self, request: Request) -> Awaited[Outcome]:
        """Hand over a request."""
        ...

    def trace(self, request: Request, position: int) -> Trace | Failure:
        """All values of a run, and all cotangents under the set of cotangents at `position`."""
        ...


@dataclass(frozen=True, eq=False)
class Known(Generic[Answer]):
    """An answer that is there already."""

    answer: Answer | Failure
    done: bool = True

    def result(self) -> Answer | Failure:
        """The answer."""
        return self.answer


LASTING = frozenset(
    {
        "AttributeError",
        "FailedPreconditionError",
        "IndexError",
        "InvalidArgumentError",
        "KeyError",
        "LookupError",
        "NotFoundError",
        "NotImplementedError",
        "OutOfRangeError",
        "TypeError",
        "UnimplementedError",
        "ValueError",
    }
)
"""How messages of TensorFlow begin that are about the program: it says the same again. Others, of memory that ran out
or of a library that cannot be imported, are about the moment."""


def lasting(failure: Failure) -> bool:
    """Whether TensorFlow will say the same again."""
    return failure.kind == "error" and failure.message.partition(":")[0] in LASTING


class Surface(NamedTuple):
    """What there is to cover."""

    version: str
    types: frozenset[str]
    names: list[tuple[str, ...]]
    """Every public function with all its names."""


class Driven(NamedTuple):
    """What TensorFlow answers, and the types whose gradient functions it asked for on the way."""

    answer: Outcome | Failure
    types: frozenset[str]
