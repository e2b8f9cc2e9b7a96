"""`tf`: the operations under TensorFlow's own names, for rules, compositions and eager programs."""

from collections.abc import Iterable
from typing import Any

from gradcheck.ops.declaration import all_names, find_op


class Namespace:
    """Looks operations up by dotted name when they are first used, so that rules can refer to later declarations."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def __getattr__(self, name: str) -> Any:
        full = f"{self._prefix}.{name}"
        try:
            found: Any = find_op(full)
        except KeyError:
            if not any(each.startswith(full + ".") for each in all_names()):
                raise AttributeError(f"there is no operation {full}") from None
            found = Namespace(full)
        setattr(self, name, found)
        return found


tf: Any = Namespace("tf")


def forget(names: Iterable[str]) -> None:
    """Look these operations up again when they are next used, because the table has changed."""
    for name in names:
        *path, last = name.split(".")[1:]
        namespace = tf
        for each in path:
            namespace = getattr(namespace, each)
        vars(namespace).pop(last, None)
