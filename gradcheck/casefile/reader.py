"""A parsed case file made out: its cases, and everything that is wrong with it."""

from collections.abc import Mapping
from pathlib import Path

from gradcheck.casefile.build import Builder
from gradcheck.casefile.case import Case, Loaded
from gradcheck.casefile.draft import Draft
from gradcheck.casefile.errors import described, quoted
from gradcheck.casefile.inputs import Budget
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.names import case_name_problem
from gradcheck.casefile.schema import CaseFields, CaseFile
from gradcheck.casefile.validate import MOST_ERRORS, unknown_key, validate
from gradcheck.casefile.yaml import Path as YamlPath
from gradcheck.casefile.yaml import Tree
from gradcheck.diagnostics import Diagnostic


class Reader:
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
