"""What many results have in common: one wrong operation is one finding, however many cases it spoils."""

import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

from gradcheck.verdict.record import Result, Status, Verdict

_PLACE = re.compile(r" \(line \d+\)")

_OPERATION = re.compile(r"`(tf\.[\w.]+)`")


@dataclass(eq=False)
class Finding:
    """One thing that is wrong or missing, and the cases in which it shows, in order."""

    sentence: str
    status: Status
    results: list[Result] = field(default_factory=list)

    @property
    def lacks(self) -> str:
        """The operation that an engine lacks, where that is the finding."""
        found = _OPERATION.search(self.sentence)
        return found[1] if found and self.status is Status.UNSUPPORTED else ""

    @property
    def witness(self) -> Result:
        """The first case in which it showed."""
        return self.results[0]


class Findings:
    """What has been found so far; `add` says whether a result brought anything new."""

    def __init__(self, results: Iterable[Result] = ()) -> None:
        self._found: dict[Hashable, Finding] = {}
        for each in results:
            self.add(each)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found.values())

    def add(self, result: Result) -> bool:
        """Take in a result; False if all that is wrong with it is known from an earlier one."""
        if result.status not in (Status.FAILED, Status.NOT_RUN, Status.UNSUPPORTED):
            return True
        causes = list(_causes(result))
        new = not causes
        for key, sentence in causes:
            if key not in self._found:
                self._found[key] = Finding(sentence, result.status)
                new = True
            spoiled = self._found[key].results
            if result not in spoiled[-1:]:
                spoiled.append(result)
        return new

    def known(self, result: Result) -> list[Finding]:
        """The findings that show in a result that has been added."""
        return [each for each in self if any(each_result is result for each_result in each.results)]


def _causes(result: Result) -> Iterator[tuple[Hashable, str]]:
    """By what it can be recognised, each thing that is wrong with a case, and in words."""
    if result.status is Status.FAILED and result.diagnosis is not None:
        for each in result.diagnosis.accused:
            yield (each.kind, each.call.operation, each.slip), _PLACE.sub("", each.sentence)
    if result.verdict in (Verdict.ERROR, Verdict.UNSUPPORTED):
        for name, failure in result.failures:
            message = _PLACE.sub("", failure.message)
            operation = _OPERATION.search(message)
            lacks = operation[1] if operation and result.verdict is Verdict.UNSUPPORTED else message
            yield (name, failure.kind, lacks), f"{name}: {message}"
