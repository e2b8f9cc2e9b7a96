"""The reference without TensorFlow: what was recorded of it."""

import shlex
from pathlib import Path

from gradcheck.casefile.ids import file_of
from gradcheck.engines import Failure, Outcome, Request
from gradcheck.reference.answers import Known
from gradcheck.reference.fingerprint import Unnamed, fingerprint
from gradcheck.reference.lockfile import Lock, NotALock, Recorded, entry_name, lock_path, read


class RecordedReference:
    """TensorFlow as `ReferenceWorker` is, with answers from the lock files beside those of the cases."""

    name = "tensorflow"

    def __init__(self) -> None:
        self._locks: dict[Path, Lock | NotALock] = {}

    def submit(self, request: Request) -> Known[Outcome]:
        """What was recorded; a `Failure` that says what to run if that was nothing, or for another question."""
        return Known(self.run(request))

    def run(self, request: Request) -> Outcome | Failure:
        """What was recorded; see `submit`."""
        case_id, place = request.about, lock_path(request.about)
        if place not in self._locks:
            self._locks[place] = _read(place)
        lock = self._locks[place]
        if isinstance(lock, NotALock):
            return Failure("error", f"{lock}; take the file as it was committed, or record anew")
        recorded = lock.cases.get(entry_name(case_id))
        if recorded is None:
            message = f"no answer of TensorFlow is recorded for this case in {place.as_posix()}"
            return _refusal(case_id, message, "")
        if recorded.question != _question(request):
            return _refusal(case_id, "the recorded answer is stale: it was given for another program, or other inputs")
        if isinstance(recorded.answer, Outcome) and not _complete(recorded, recorded.answer, request):
            return _refusal(case_id, "the recorded answer is damaged: it has other variables than the case")
        return recorded.answer

    def trace(self, request: Request, position: int) -> Failure:  # noqa: ARG002  # as `ReferenceWorker` has it
        """Nothing: values within a program are not recorded."""
        return Failure("error", "TensorFlow's values in between are not recorded; to have them, run without --offline")


def _read(path: Path) -> Lock | NotALock:
    try:
        return read(path)
    except NotALock as error:
        return error


def _question(request: Request) -> str:
    try:
        return fingerprint(request)
    except Unnamed:
        return ""


def _complete(recorded: Recorded, answer: Outcome, request: Request) -> bool:
    """Whether the answer has what was asked for; only an edited file has not."""
    sizes = [len(answer.outputs), *map(len, answer.gradients)]
    wanted = [len(request.program.outputs), *(len(request.sources) for _ in request.cotangents)]
    return recorded.sources == request.sources and sizes == wanted


def _refusal(case_id: str, message: str, option: str = " --update") -> Failure:
    return Failure("error", f"{message}; run `gradcheck record {shlex.quote(file_of(case_id))}{option}`")
