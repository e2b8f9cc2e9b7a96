"""What TensorFlow has: the types in its gradient registry, and its public functions, as they are installed."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops, registry  # the registry of gradients has no public name

from gradcheck.engines import Request
from gradcheck.reference.answers import Driven, Surface
from gradcheck.reference.tensorflow import TensorFlowEngine

ELSEWHERE = ("compat", "keras", "raw_ops", "experimental")
"""Namespaces of `tf` that are not walked as a whole: old names, and what has a group of its own."""
CLASSES = ("LinearOperator", "TensorArray")
"""The classes that count as functions, by how their names begin: what they are made of has a gradient."""
ROOTS = {
    "functions": ("tf", "tf.experimental.numpy", "tf.keras.activations", "tf.keras.losses"),
    "methods": ("tf.Tensor", "tf.Variable"),
}
LIKE_NUMPY = ("T", "astype", "clip", "max", "mean", "min", "ravel", "reshape", "transpose")
"""The methods that a tensor has once NumPy's behaviour is turned on, which would change TensorFlow for good."""
PROTOCOL = ("__iter__", "__len__")
"""Further methods by which Python's own syntax reaches a tensor."""


class Surveyor(TensorFlowEngine):
    """TensorFlow as an engine that also tells what it has and what it uses."""

    def surface(self) -> Surface:
        """Everything that there is to cover."""
        return Surface(tf.__version__, registered(), public_names())

    def drive(self, request: Request) -> Driven:
        """The outcome of a request, with the types of operations that the tape went through."""
        with looked_up() as types:
            answer = self.run(request)
        return Driven(answer, frozenset(types))


def registered() -> frozenset[str]:
    """The types of operations that have a gradient function."""
    entries = ops.gradient_registry
    return frozenset(name for name in entries.list() if entries.lookup(name) is not None)


@contextmanager
def looked_up() -> Iterator[set[str]]:
    """Collects the types whose gradient functions TensorFlow asks for while the context lasts."""
    found: set[str] = set()
    lookup = registry.Registry.lookup

    def noted(self: Any, name: Any) -> Any:
        if self is ops.gradient_registry:
            found.add(name.decode() if isinstance(name, bytes) else name)
        return lookup(self, name)

    registry.Registry.lookup = noted
    try:
        yield found
    finally:
        registry.Registry.lookup = lookup


def public_names() -> list[tuple[str, ...]]:
    """Every public function with all its names; also the methods and operators of tensors and variables."""
    named: dict[int, tuple[Any, list[str]]] = {}
    for root in ROOTS["functions"]:
        for name, member in _members(_resolved(root), root):
            named.setdefault(id(member), (member, []))[1].append(name)
    methods = [(f"{root}.{name}",) for root in ROOTS["methods"] for name in _methods(root)]
    return [tuple(names) for _, names in named.values()] + methods


def _resolved(name: str) -> Any:
    found: Any = tf
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    return found


def _members(module: ModuleType, prefix: str) -> Iterator[tuple[str, Any]]:
    for name in dir(module):
        member = getattr(module, name, None)
        full = f"{prefix}.{name}"
        if name.startswith("_") or full == "tf" or (prefix == "tf" and name in ELSEWHERE):
            continue
        if inspect.ismodule(member):
            if "tensorflow._api" in member.__name__ or "keras._tf_keras" in member.__name__:
                yield from _members(member, full)
        elif callable(member) and (not inspect.isclass(member) or name.startswith(CLASSES)):
            yield full, member


def _methods(root: str) -> list[str]:
    own = [name for name in dir(_resolved(root)) if not name.startswith("_")]
    if root == "tf.Tensor":
        own += [*sorted(tf.Tensor.OVERLOADABLE_OPERATORS), *PROTOCOL, *LIKE_NUMPY]
    return own
