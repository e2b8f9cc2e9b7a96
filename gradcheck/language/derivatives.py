"""The derivative of a whole case, other than its gradient: what tapes around the expression would give."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from gradcheck.casefile.case import Derivative
from gradcheck.dtypes import Array, is_complex
from gradcheck.language.structures import NotConnected
from gradcheck.language.tapes import ForwardAccumulator, GradientTape, Taping
from gradcheck.program import Tape
from gradcheck.tensors import Builder, Tensor

SEED = 20_260_102
"""The seed of the directions that a case leaves out."""


class Quantity(NamedTuple):
    """What one output of a program is, and how it is called."""

    kind: Literal["output", "jacobian", "hessian", "jvp", "hvp"]
    """`output`, or the derivative that it is."""
    name: str


Part = Tensor | NotConnected
Named = tuple[Quantity, Part]


class Whole:
    """Tapes around an expression: `open` before its first line, `close` after its last."""

    def __init__(self, builder: Builder, derivative: Derivative, unconnected: str) -> None:
        self._builder = builder
        self._derivative = derivative
        self._options = {"unconnected_gradients": unconnected}
        self._taping = Taping(builder)
        self._outer = GradientTape(self._taping, Tape(-1, persistent=True, watch_accessed=False))
        self._inner = GradientTape(self._taping, Tape(0, persistent=True, watch_accessed=False))
        self._accumulator: ForwardAccumulator | None = None
        self._sources: dict[str, Tensor] = {}

    def open(self, sources: Mapping[str, Tensor], tangents: Mapping[str, Array]) -> None:
        """Record from here on what is computed from `sources`."""
        self._sources = dict(sources)
        if self._derivative in ("jvp", "hvp"):
            directions = _directions(self._builder, sources, tangents)
            primals = list(sources.values())
            self._accumulator = ForwardAccumulator(self._taping, Tape(-1, "accumulator"), primals, directions)
            self._accumulator.enter()
        if self._derivative == "hessian":
            self._outer.enter().members["watch"](list(sources.values()))
        if self._derivative in ("jacobian", "hessian", "hvp"):
            self._inner.enter().members["watch"](list(sources.values()))

    def close(self, targets: Sequence[Tensor], cotangents: Sequence[Array] | None) -> list[tuple[Quantity, Tensor]]:
        """The derivative of `targets`, in named parts; `cotangents` weigh the targets of a `hvp`."""
        names = ["output"] if len(targets) == 1 else [f"output[{position}]" for position in range(len(targets))]
        found: list[Named] = []
        match self._derivative:
            case "jacobian":
                self._inner.leave()
                for prefix, target in zip(_prefixes(names), targets, strict=True):
                    found += self._rows("jacobian", prefix, self._inner, target)
            case "hessian":
                self._inner.leave()
                for prefix, target in zip(_prefixes(names), targets, strict=True):
                    first = self._rows("hessian", prefix, self._inner, target)
                    self._builder.tapes = ()
                    for quantity, row in first:
                        found += self._second(quantity, row)
                    self._builder.tapes = (self._outer.tape,)
            case "jvp":
                assert self._accumulator is not None
                self._accumulator.leave()
                pushed = self._accumulator.members["jvp"](list(targets), **self._options)
                found += [(Quantity("jvp", name), each) for name, each in zip(names, pushed, strict=True)]
            case "hvp":
                assert self._accumulator is not None
                self._inner.leave()
                gradients = self._inner.members["gradient"](
                    list(targets), list(self._sources.values()), output_gradients=cotangents
                )
                self._accumulator.leave()
                connected = [each for each in gradients if not isinstance(each, NotConnected)]
                pushed = iter(self._accumulator.members["jvp"](connected, **self._options) if connected else [])
                for name, gradient in zip(self._sources, gradients, strict=True):
                    part: Part = gradient if isinstance(gradient, NotConnected) else next(pushed)
                    found.append((Quantity("hvp", name), part))
        self._builder.tapes = ()
        return [(quantity, part.value if isinstance(part, NotConnected) else part) for quantity, part in found]

    def _second(self, first: Quantity, row: Part) -> list[Named]:
        """The blocks `x/y` of one row of the Hessian, for every `y`; not connected if the first derivative is not."""
        if isinstance(row, NotConnected):
            return [(Quantity("hessian", f"{first.name}/{name}"), row) for name in self._sources]
        return self._rows("hessian", f"{first.name}/", self._outer, row)

    def _rows(
        self, kind: Literal["jacobian", "hessian"], prefix: str, tape: GradientTape, target: Tensor
    ) -> list[Named]:
        found = tape.members["jacobian"](target, list(self._sources.values()), **self._options)
        return [(Quantity(kind, f"{prefix}{name}"), each) for name, each in zip(self._sources, found, strict=True)]


def _prefixes(names: Sequence[str]) -> list[str]:
    return [""] if len(names) == 1 else [f"{name}/" for name in names]


def _directions(builder: Builder, sources: Mapping[str, Tensor], tangents: Mapping[str, Array]) -> list[Tensor]:
    """One tangent per source: the given one, or a standard normal one that depends on the names alone."""
    rng = np.random.default_rng(SEED)
    made: list[Tensor] = []
    for name, source in sources.items():
        drawn = rng.standard_normal(source.shape)
        if is_complex(source.dtype):
            drawn = drawn + 1j * rng.standard_normal(source.shape)
        made.append(builder.constant(np.asarray(tangents.get(name, drawn)).astype(source.dtype)))
    return made
