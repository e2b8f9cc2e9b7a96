"""What TensorFlow says of itself, in a module that can be read without importing it."""

from typing import NamedTuple

from gradcheck.engines import Failure, Outcome


class Surface(NamedTuple):
    """What there is to cover."""

    version: str
    types: frozenset[str]
    names: list[tuple[str, ...]]
    """Every public function with all its names."""


class Driven(NamedTuple):
    """What TensorFlow answers, and the types whose gradient functions it asked for on the way."""

    answer: Outcome | Failure
    types: frozenset[str]
