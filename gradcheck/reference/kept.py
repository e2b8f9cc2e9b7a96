"""The reference, whose answers are kept: TensorFlow is started for the first question that was never asked before."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from hashlib import sha256
from types import TracebackType
from typing import Self

from gradcheck.engines import Failure, Outcome, Request, Trace
from gradcheck.keeping.store import Store, default_folder
from gradcheck.reference.answers import Awaited, Known, Reference, lasting
from gradcheck.reference.encoding import Answer, decode, encode
from gradcheck.reference.environment import NoTensorFlow, environment


class KeptReference:
    """TensorFlow as `ReferenceWorker` is, with its answers from `store` where they are there.

    `start` makes the worker. `environment` is what answers depend on beside the question.
    """

    name = "tensorflow"

    def __init__(self, start: Callable[[], AbstractContextManager[Reference]], store: Store, environment: str) -> None:
        self.trouble = ""
        """Why answers could not be kept; empty if they could."""
        self._start = start
        self._store = store
        self._environment = environment
        self._stack = ExitStack()
        self._started: Reference | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._store.trim()

    def start(self) -> None:
        """Let TensorFlow be loaded, if it is not, for questions to come."""
        self._worker()

    def submit(self, request: Request) -> Awaited[Outcome]:
        """The answer, if it is kept, or else what TensorFlow will say."""
        address = self._address(request, None)
        found = self._find(address)
        if isinstance(found, (Outcome, Failure)):
            return Known(found)
        return _Fresh(self._worker().submit(request), lambda answer: self._keep(address, answer))

    def run(self, request: Request) -> Outcome | Failure:
        """The answer, waited for."""
        return self.submit(request).result()

    def trace(self, request: Request, position: int) -> Trace | Failure:
        """All values of a run; see `ReferenceWorker.trace`."""
        address = self._address(request, position)
        found = self._find(address)
        if isinstance(found, (Trace, Failure)):
            return found
        answer = self._worker().trace(request, position)
        self._keep(address, answer)
        return answer

    def _worker(self) -> Reference:
        if self._started is None:
            self._started = self._stack.enter_context(self._start())
        return self._started

    def _address(self, request: Request, position: int | None) -> str | None:
        """Where the answer is kept; None if it cannot be."""
        from gradcheck.reference.fingerprint import (
            Unnamed,
            fingerprint,
        )  # loads the table, which TensorFlow need not await

        try:
            question = fingerprint(request, position)
        except Unnamed:
            return None
        return sha256(f"{self._environment}\n{question}".encode()).hexdigest()

    def _find(self, address: str | None) -> Answer | None:
        data = None if address is None else self._store.get(address)
        return None if data is None else decode(data)

    def _keep(self, address: str | None, answer: Answer) -> None:
        if address is None or (isinstance(answer, Failure) and not lasting(answer)):
            return
        try:
            self._store.put(address, encode(answer))
        except OSError as error:  # no room, no permission: that costs time in the next run, nothing else
            self.trouble = f"{self._store.folder}: {error.strerror or error}"


def kept_reference(start: Callable[[], AbstractContextManager[Reference]]) -> KeptReference | None:
    """TensorFlow with the answers that are kept in the user's folder; None if it does not tell its version."""
    try:
        return KeptReference(start, Store(default_folder()), environment())
    except NoTensorFlow:
        return None


@dataclass(frozen=True, eq=False)
class _Fresh:
    """An answer of TensorFlow that is kept as soon as it is read."""

    pending: Awaited[Outcome]
    keep: Callable[[Outcome | Failure], None]

    @property
    def done(self) -> bool:
        return self.pending.done

    def result(self) -> Outcome | Failure:
        answer = self.pending.result()
        self.keep(answer)
        return answer
