"""What a comparison asks of either side, and what it gets back.

`compare` knows its two sides only as *subject* and *reference*: each is an `Engine`, something that runs a `Program`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from gradcheck.dtypes import Array

if TYPE_CHECKING:
    from gradcheck.program import Program

Cotangents = tuple[Array | None, ...]
"""One cotangent per target; None stands for ones."""


@dataclass(frozen=True, eq=False)
class Request:
    """Run `program` on `inputs` and differentiate its outputs, the targets, with respect to `sources`.

    `inputs` are arrays of the types that the program declares. `cotangents` has one entry for each set of gradients
    that is wanted; an entry has one array per target, of the target's shape and dtype, None standing for ones.
    `variables` are the inputs that are `tf.Variable`s rather than constants.
    """

    program: "Program"
    inputs: Mapping[str, Array]
    sources: tuple[str, ...]
    cotangents: tuple[Cotangents, ...]
    unconnected: Literal["none", "zero"] = "none"
    variables: frozenset[str] = frozenset()
    directions: tuple[Array | None, ...] | None = None
    """For second derivatives: one array per source, of its shape and dtype; None where a gradient is left out.

    Where given, what comes back in the place of the gradients are the gradients of these gradients, with `directions`
    as their cotangents: for real sources a Hessian-vector product.
    """
    about: str = ""
    """The id of the case that is asked about, by which a recorded answer is found; no answer depends on it."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What an engine made of a request: the targets, and per set of cotangents one gradient per source.

    A gradient is None where the engine says that the source is not connected; so is an output that is a gradient.
    """

    outputs: tuple[Array | None, ...]
    gradients: tuple[tuple[Array | None, ...], ...]
    remarks: tuple["Remark", ...] = ()


@dataclass(frozen=True)
class Remark:
    """Something that an engine did besides answering.

    `state`: the same request is answered otherwise when it is asked again. `mutation`: an array that is not the
    engine's to change was changed. `print`: it printed.
    """

    kind: Literal["state", "mutation", "print"]
    message: str
    instruction: int | None = None
    """The position in the program of the operation that did it, where that is known."""


@dataclass(frozen=True, eq=False)
class Trace:
    """Every value of a run by its index in the program, and the cotangent that reached it; None: not connected."""

    values: Mapping[int, Array]
    cotangents: Mapping[int, Array | None]


@dataclass(frozen=True)
class Failure:
    """No outcome: the engine refused the program, lacks an operation, ended or did not answer in time."""

    kind: Literal["error", "unsupported", "crashed", "timeout"]
    message: str
    details: str = ""
    """The last lines of what the engine printed, where there are any."""


class Engine(Protocol):
    """Something that runs programs: ours, TensorFlow, or a user's own."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    def run(self, request: Request) -> Outcome | Failure:
        """Never raises for what the program does; see `Failure`."""
        ...
