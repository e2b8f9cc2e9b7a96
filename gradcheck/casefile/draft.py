"""A case of a file together with the defaults it falls back on."""

from dataclasses import dataclass
from typing import Any

from gradcheck.casefile.schema import CaseFields
from gradcheck.casefile.yaml import Path, Tree


@dataclass(frozen=True)
class Draft:
    """A case and its defaults, checked against the schema, each with its place in the file.

    A key of the case replaces that of the defaults. Inputs are merged one by one, and tags are added. What the schema
    refused is in the tree, but not in the fields.
    """

    tree: Tree
    own: CaseFields
    path: Path
    defaults: CaseFields | None = None
    defaults_path: Path = ()

    def get(self, key: str) -> Any:
        """The value of a key, or what the schema says for none."""
        return getattr(self._holder(key)[0], key)

    def says(self, key: str) -> bool:
        """Whether the case or its defaults give the key."""
        return key in self._holder(key)[0].model_fields_set

    def where(self, key: str, *steps: str | int) -> Path:
        """The path of the value that `get` returns, or of something inside of it."""
        return (*self._holder(key)[1], key, *steps)

    def inputs(self) -> dict[str, tuple[Any, Path]]:
        """Each input with its path, those of the defaults first."""
        shared = self.defaults.inputs if self.defaults else {}
        specs = {name: (spec, (*self.defaults_path, "inputs", name)) for name, spec in shared.items()}
        return specs | {name: (spec, (*self.path, "inputs", name)) for name, spec in self.own.inputs.items()}

    def writes(self, key: str) -> bool:
        """Whether the file has the key, even if the schema refused what it says."""
        return any(key in keys for keys in self._written(()))

    def names(self) -> set[str]:
        """The names of the inputs, even of those that the schema refused."""
        return {name for keys in self._written(("inputs",)) for name in keys}

    def tags(self) -> tuple[str, ...]:
        """The tags of the defaults, then the case's own."""
        shared = self.defaults.tags if self.defaults else []
        return tuple(dict.fromkeys([*shared, *self.own.tags]))

    def _written(self, steps: Path) -> list[dict[str, Any]]:
        """The mappings at `steps` inside of the case and of its defaults, as they stand in the file."""
        places = [self.path] if self.defaults is None else [self.path, self.defaults_path]
        found = []
        for place in places:
            data = self.tree.node(place).data
            for step in steps:
                data = data.get(step) if isinstance(data, dict) else None
            if isinstance(data, dict):
                found.append(data)
        return found

    def _holder(self, key: str) -> tuple[CaseFields, Path]:
        if key in self.own.model_fields_set or self.defaults is None:
            return self.own, self.path
        return self.defaults, self.defaults_path
