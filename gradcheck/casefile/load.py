"""Case files in, checked cases and everything that is wrong with the files out."""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gradcheck.casefile.build import Builder
from gradcheck.casefile.case import Case
from gradcheck.casefile.draft import Draft
from gradcheck.casefile.errors import described, printable, quoted, visible
from gradcheck.casefile.inputs import Budget
from gradcheck.casefile.limits import Limits, too_large
from gradcheck.casefile.names import case_name_problem
from gradcheck.casefile.schema import CaseFields, CaseFile
from gradcheck.casefile.validate import MOST_ERRORS, unknown_key, validate
from gradcheck.casefile.yaml import Path as YamlPath
from gradcheck.casefile.yaml import Tree, parse
from gradcheck.diagnostics import Diagnostic, Refused, Source, Span

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Loaded:
    """What a case file gave: the cases without errors, and all errors and warnings.

    `flawed` are cases with an error whose expression can be read all the same, to find the errors in it too.
    """

    cases: tuple[Case, ...]
    diagnostics: tuple[Diagnostic, ...]
    flawed: tuple[Case, ...] = ()
    arrays: tuple[Path, ...] = ()
    """The files that its arrays are in, as far as they could be told; some may be missing."""

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(each for each in self.diagnostics if each.severity == "error")

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return tuple(each for each in self.diagnostics if each.severity == "warning")


@dataclass(frozen=True)
class Found:
    """The case files that paths lead to, as the user would type them, and what is wrong with the paths."""

    files: tuple[Path, ...]
    diagnostics: tuple[Diagnostic, ...]
    folders: tuple[Path, ...]
    """The folders that were searched."""


def load_file(path: str | Path, limits: Limits | None = None) -> Loaded:
    """Read the cases of one file, each in each of its dtypes. Raises nothing: what is wrong is in the result."""
    limits = limits or Limits()
    try:
        return load_source(read_source(Path(path), limits), Path(path), limits)
    except Refused as refused:
        return Loaded((), refused.diagnostics)


def load_source(source: Source, path: Path, limits: Limits) -> Loaded:
    """Read the cases of a text as those of a file at `path`, which need not be there. Raises nothing."""
    try:
        return _Loader(parse(source, limits), path, limits).load()
    except Refused as refused:
        return Loaded((), refused.diagnostics)


def find(paths: Iterable[str | Path]) -> Found:
    """The case files under `paths`, which are files, or folders to search: sorted in each, none twice.

    In folders every .yaml and .yml file counts, except in hidden folders. A path that is missing and a folder without
    case files are errors.
    """
    files: dict[Path, Path] = {}
    folders: list[Path] = []
    wrong: list[Diagnostic] = []
    for path in map(Path, paths):
        name = quoted(path.as_posix())
        try:
            found = list(_walk(path, folders)) if path.is_dir() else [path]
            if not path.exists():
                wrong.append(Diagnostic("not-found", f"there is no file or folder {name}"))
                continue
            if not found:
                wrong.append(Diagnostic("no-cases", f"the folder {name} has no .yaml or .yml files in it"))
            for file in found:
                files.setdefault(file.resolve(), file)
        except (OSError, RuntimeError, ValueError) as error:  # no permission, a loop of links, a NUL in the path
            wrong.append(Diagnostic("unreadable", f"{name} cannot be read: {_reason(error)}"))
    return Found(tuple(files.values()), tuple(wrong), tuple(folders))


def read_source(path: Path, limits: Limits) -> Source:
    """The text of a case file, with line ends as `\\n`. Raises `Refused` if it is no file of UTF-8 text."""
    name = path.as_posix()
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise Refused([Diagnostic("unreadable", f"{quoted(name)} is {kind}")])
        with path.open("rb") as file:
            data = file.read(limits.file_bytes + 1)
    except FileNotFoundError:
        raise Refused([Diagnostic("not-found", f"there is no file {quoted(name)}")]) from None
    except (OSError, RuntimeError, ValueError) as error:
        raise Refused([Diagnostic("unreadable", f"{quoted(name)} cannot be read: {_reason(error)}")]) from None
    if len(data) > limits.file_bytes:
        raise Refused([too_large(limits, "file_bytes", f"the file {quoted(name)} has too many bytes")])
    try:
        return Source(visible(name), _lines(data.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        good = _lines(data[: error.start].decode("utf-8-sig", "replace"))
        source = Source(visible(name), printable(_lines(data.decode("utf-8-sig", "replace"))))
        line, column = good.count("\n") + 1, len(good) - good.rfind("\n")
        message = f"the file is not UTF-8 text: byte 0x{data[error.start]:02x}"
        raise Refused([Diagnostic("encoding", message, Span(source, line, column, column + 1))]) from None


class _Loader:
    """The cases of one parsed file."""

    def __init__(self, tree: Tree, path: Path, limits: Limits) -> None:
        self.tree = tree
        self.path = path
        self.budget = Budget(limits)
        self.cases: list[Case] = []
        self.flawed: list[Case] = []
        self.broken: set[YamlPath] = set()
        self.found: dict[Diagnostic, None] = {}
        self.errors = 0
        self.report(*tree.problems)

    def load(self) -> Loaded:
        root = self.tree.root.data
        if not isinstance(root, dict):
            message = f"a case file is a mapping with `inputs` and `expr`, not {described(root)}"
            self.report(Diagnostic("wrong-type", message, self.tree.value_span(())))
        elif "cases" in root or "defaults" in root:
            self.several(root)
        else:
            self.one((), self.path.stem, self.path.as_posix(), None)
        order = sorted(self.found, key=lambda each: (each.span.line, each.span.column) if each.span else (0, 0))
        if self.full():
            rest = f"`{self.tree.source.name}` has more errors than these; it was not checked to its end"
            order.append(Diagnostic("more-errors", rest))
        return Loaded(tuple(self.cases), tuple(order), tuple(self.flawed), tuple(self.budget.files))

    def report(self, *found: Diagnostic) -> None:
        """Add to what is wrong: once, as what is wrong in one dtype or in the defaults often is in many cases."""
        for each in found:
            if each not in self.found:
                self.found[each] = None
                self.errors += each.severity == "error"

    def full(self) -> bool:
        """Whether so much is wrong that the rest can wait."""
        return self.errors >= MOST_ERRORS

    def several(self, root: Mapping[str, object]) -> None:
        """A file with `cases`, and perhaps `defaults`."""
        tree, cases = self.tree, root.get("cases")
        for key in root:
            if key in CaseFields.model_fields:
                message = f"{quoted(key)} belongs to a case: move it into one of `cases`, or into `defaults`"
                self.report(Diagnostic("unknown-key", message, tree.key_span((key,))))
            elif key not in CaseFile.model_fields and not self.full():
                self.report(unknown_key(tree, (key,), list(CaseFile.model_fields)))
        defaults = self.fields(("defaults",)) if "defaults" in root else None
        if "cases" not in root:
            self.report(Diagnostic("missing-key", "`cases` is missing", tree.key_span(("defaults",))))
        elif not isinstance(cases, dict) or not cases:
            message = "`cases` must be a mapping of names to cases"
            self.report(Diagnostic("wrong-type", message, tree.value_span(("cases",))))
        else:
            for name in cases:
                if self.full():
                    break
                self.one(("cases", name), name, f"{self.path.as_posix()}::{name}", defaults)

    def one(self, path: YamlPath, name: str, case_id: str, defaults: CaseFields | None) -> None:
        """The case at `path`, in each of its dtypes; none if it or its defaults have an error."""
        if path and (problem := case_name_problem(name)):
            self.report(Diagnostic("bad-name", problem, self.tree.key_span(path)))
            self.broken.add(path)
        builder = Builder(
            Draft(self.tree, self.fields(path), path, defaults, ("defaults",)), self.path.parent, self.budget
        )
        cases = builder.cases(name, case_id)
        good = not builder.failed() and self.broken.isdisjoint((path, ("defaults",)))
        (self.cases if good else self.flawed).extend(cases)
        self.report(*builder.found)

    def fields(self, path: YamlPath) -> CaseFields:
        """What the schema accepts of the case or the defaults at `path`; what it refuses is in `found`."""
        fields, wrong = validate(self.tree, path)
        self.report(*wrong)
        if wrong or self.tree.node(path).broken:
            self.broken.add(path)
        return fields


def _walk(folder: Path, searched: list[Path]) -> Iterator[Path]:
    """The case files in `folder` and below, in the order of their paths; links to folders are followed once.

    Every folder that is looked into is added to `searched`.
    """
    seen = set()
    for here, folders, files in os.walk(folder, onerror=_raise, followlinks=True):
        place = os.path.realpath(here)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if place not in seen else []
        if place not in seen:
            searched.append(Path(here))
            yield from (Path(here, name) for name in sorted(files) if name.endswith(SUFFIXES))
        seen.add(place)


def _raise(error: OSError) -> None:
    raise error


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or "not a usable path"
