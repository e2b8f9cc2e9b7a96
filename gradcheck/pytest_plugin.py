"""The pytest plugin: `pytest cases/ --gradcheck` runs case files as tests, one for each case and dtype.

Every pytest run of every project loads this module, so nothing else of gradcheck is imported before there is a case.
"""

import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gradcheck.casefile.case import Case
    from gradcheck.verdict.baseline import Baseline

SUFFIXES = (".yaml", ".yml")
MARK = "gradcheck"
NOT_MARKS = frozenset({"skip", "skipif", "xfail", "usefixtures", "parametrize", "filterwarnings"})
"""Tags that are no marks, because pytest itself gives these a meaning."""
BASELINE: "pytest.StashKey[Baseline | None]" = pytest.StashKey()
"""The known failures, once they have been read."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Two ways to ask for the case files and to name the known failures: on the command line, or for good."""
    group = parser.getgroup("gradcheck")
    group.addoption("--gradcheck", action="store_true", help="Run the .yaml and .yml files that are found as cases.")
    group.addoption("--gradcheck-baseline", metavar="FILE", help="Failures listed in this file are expected.")
    parser.addini("gradcheck_files", "Case files to run without --gradcheck, e.g. `cases/*.yaml`.", type="args")
    parser.addini("gradcheck_baseline", "A file of known failures, as `gradcheck compare --write-baseline` makes it.")


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark that all cases have; those of their tags are registered as they are read."""
    config.addinivalue_line("markers", f"{MARK}: a case of gradcheck.")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "CaseFile | None":
    """A case file, if such files are asked for and this is one."""
    if file_path.suffix not in SUFFIXES or not _wanted(file_path, parent.config):
        return None
    return CaseFile.from_parent(parent, path=file_path)


def pytest_sessionfinish() -> None:
    """Stop TensorFlow, if a test has started it."""
    if sides := sys.modules.get("gradcheck.sides"):
        sides.stop()


def _wanted(path: Path, config: pytest.Config) -> bool:
    """Whether to read the file; `*` in a pattern, which starts at pytest's root folder, stands for folders too."""
    if config.getoption("--gradcheck"):
        return True
    patterns = config.getini("gradcheck_files")
    if not patterns or not path.is_relative_to(config.rootpath):
        return False
    name = path.relative_to(config.rootpath).as_posix()
    return any(fnmatch(name, each) for each in patterns)


def _baseline(config: pytest.Config) -> "Baseline | None":
    """The known failures; a path of the command line starts where that runs, one of the ini file at the root folder.

    Raises `_NoBaseline`.
    """
    if BASELINE not in config.stash:
        given, named = config.getoption("--gradcheck-baseline"), config.getini("gradcheck_baseline")
        path = config.invocation_params.dir / given if given else config.rootpath / named if named else None
        config.stash[BASELINE] = _read(path) if path else None
    return config.stash[BASELINE]


def _read(path: Path) -> "Baseline":
    from gradcheck.verdict.baseline import NotABaseline, read

    try:
        return read(path)
    except OSError as error:
        raise _NoBaseline(f"the baseline {path} cannot be read: {error.strerror}") from None
    except NotABaseline as error:
        raise _NoBaseline(f"{path} is not a baseline: {error}") from None


class CaseFile(pytest.File):
    """One file of cases."""

    def collect(self) -> "Iterator[CaseItem]":
        """A test for each case and dtype; a file with an error in it gives none, and says all that is wrong."""
        from gradcheck.casefile.load import load_file

        here = Path.cwd()
        loaded = load_file(self.path.relative_to(here) if self.path.is_relative_to(here) else self.path)
        if loaded.errors:
            raise self.CollectError("\n".join(each.render() for each in loaded.errors))
        for warning in loaded.warnings:
            self.warn(pytest.PytestCollectionWarning(warning.render()))
        try:
            baseline = _baseline(self.config)
        except _NoBaseline as error:
            raise self.CollectError(str(error)) from None
        for each in loaded.cases:
            case = baseline.applied(each) if baseline else each
            dtype = f"[{case.dtype}]"
            name = case.name + dtype if case.id.endswith(dtype) else case.name
            yield CaseItem.from_parent(self, name=name, case=case)


class CaseItem(pytest.Item):
    """One case in one dtype."""

    def __init__(self, *, case: "Case", **rest: Any) -> None:
        super().__init__(**rest)
        self.case = case
        registered = {line.partition(":")[0] for line in self.config.getini("markers")}
        for tag in (MARK, *(each for each in case.tags if each not in NOT_MARKS)):
            if tag not in registered:
                self.config.addinivalue_line("markers", f"{tag}: a tag of gradcheck's cases.")
            self.add_marker(tag)
        if case.skip is not None:
            self.add_marker(pytest.mark.skip(reason=case.skip))
        if case.known_failure is not None:  # one that is fixed is told as passed against expectation, and fails nothing
            reason = f"known failure: {case.known_failure}"
            self.add_marker(pytest.mark.xfail(reason=reason, raises=KnownFailure, strict=False))
        elif case.known_mismatch is not None:
            reason = f"known mismatch: {case.known_mismatch}"
            self.add_marker(pytest.mark.xfail(reason=reason, raises=Disagreement, strict=True))

    def runtest(self) -> None:
        """Compare the gradients; raises `Disagreement` or `NotCompared`, of which pytest shows the text alone."""
        from gradcheck.configuration import NotFound, configured
        from gradcheck.report.brief import brief
        from gradcheck.sides import compare_case
        from gradcheck.verdict.record import COUNTS_AS, Status

        folder = self.config.rootpath
        try:
            engine = configured(folder) or ""
            result = compare_case(self.case, engine, folder)
        except NotFound as error:
            raise NotCompared(str(error)) from None
        self.user_properties.append(("verdict", str(result.verdict)))
        if result.verdict is None:
            return
        if result.known:
            raise KnownFailure(brief(result, engine=engine))
        status = COUNTS_AS[result.verdict]  # a known mismatch fails here, as its mark expects
        if self.case.known_failure:
            status = result.found  # it has the mark of the known failure in the place of that
        if status is Status.UNSUPPORTED:  # the engine lacks an operation: apart, as `gradcheck compare` counts it
            pytest.skip("; ".join(failure.message for _, failure in result.failures))
        if status is Status.NOT_RUN:
            raise NotCompared(brief(result, engine=engine))
        if status is Status.FAILED and (self.case.known_mismatch or not result.convention):
            raise Disagreement(brief(result, engine=engine))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *rest: Any, **named: Any) -> Any:
        """The text of what was found; only what gradcheck itself is at fault for has a traceback."""
        if isinstance(excinfo.value, (Disagreement, NotCompared, KnownFailure)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *rest, **named)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the case is, its line counted from 0, and what heads its failure."""
        return self.path, self.case.span.line - 1, self.case.id


class Disagreement(Exception):
    """The gradients of a case differ."""


class NotCompared(Exception):
    """A case could not be compared."""


class KnownFailure(Exception):
    """A case fails as the baseline says."""


class _NoBaseline(Exception):
    """The file of known failures cannot be used; the message says why."""
