"""Failures that a team knows of: they do not fail a run, new ones do, and those that are fixed are told.

The file names each case by its id as seen from the file's own folder, so that it holds wherever a run starts.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from gradcheck.casefile.case import Case
from gradcheck.casefile.ids import seen_from
from gradcheck.verdict.record import Result, Status, Verdict

FAILURES = (Status.FAILED, Status.NOT_RUN)


class NotABaseline(Exception):
    """A file that is there and is no baseline; the message says why."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal["gradcheck baseline"] = "gradcheck baseline"
    version: Literal[1] = 1
    failures: dict[str, Verdict]


@dataclass(frozen=True)
class Baseline:
    """The known failures: by case id, as seen from `folder`, the verdict."""

    folder: Path
    failures: Mapping[str, Verdict]

    def applied(self, case: Case) -> Case:
        """`case`, knowing by which verdict it may fail."""
        if not self.failures:
            return case
        return replace(case, known_failure=self.failures.get(self._name(case)))

    def fixed(self, results: Iterable[Result]) -> list[Result]:
        """The results that are known to fail and pass."""
        return [each for each in results if self._name(each.case) in self.failures and each.found is Status.PASSED]

    def holding(self, results: Sequence[Result]) -> "Baseline":
        """A baseline with the failures among `results`, sorted by name, and no others."""
        failures = {self._name(each.case): each.verdict for each in results if each.found in FAILURES and each.verdict}
        return replace(self, failures=dict(sorted(failures.items())))

    def _name(self, case: Case) -> str:
        return seen_from(case.id, self.folder)


def read(path: Path) -> Baseline:
    """The baseline in the file `path`; raises `OSError` if it cannot be read, and `NotABaseline`."""
    try:
        file = _File.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise NotABaseline(f"{f'`{place}`: ' if place else ''}{first['msg']}") from None
    return Baseline(path.parent, file.failures)


def write(baseline: Baseline, path: Path) -> None:
    """Write one line for each failure, for people to review; raises `OSError`."""
    file = _File(failures=dict(baseline.failures))
    path.write_text(json.dumps(file.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
