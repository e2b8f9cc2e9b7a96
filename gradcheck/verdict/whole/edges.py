"""Exactly one contribution is wrong: which one, and how."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import combinations

import numpy as np

from gradcheck.dtypes import Array, is_complex, is_differentiable
from gradcheck.engine.differentiate import gradient
from gradcheck.engine.evaluate import evaluate
from gradcheck.program import TensorType
from gradcheck.verdict.slips import Wrong, explain, formulas, recomputed, values
from gradcheck.verdict.slips.replay import program_of
from gradcheck.verdict.slips.scene import FAR, USUAL, Guess, Guesses, Scene, ordinal
from gradcheck.verdict.whole.evidence import Evidence
from gradcheck.verdict.whole.flow import Change, Edge, Effect, Flow
from gradcheck.verdict.whole.hypothesis import DESCRIPTIONS, Hypothesis, Names, rank

SUSPECTS: tuple[Callable[[Scene], Guesses], ...] = (
    values.complex_parts,
    recomputed.products,
    recomputed.contributions,
    recomputed.selections,
    values.other_argument,
    recomputed.other_arrangements,
    values.moved,
    recomputed.other_flags,
    recomputed.cotangents,
    recomputed.conjugates,
    recomputed.other_operands,
    formulas.simple_slopes,
)
"""The slips of one operation that can be computed without what was found."""
ELEMENTWISE = ("elementwise", "trigonometric", "special", "arithmetic", "complexes")
"""The families of operations whose Jacobian is diagonal, or nearly so, anyway."""
MANY = 2**14
"""The slips of an operation with more elements than these are not tried inside a program."""

MOST_VALUES = 64
"""Where more values than these have one type, only those that the user has named are tried in place of others."""

Name = tuple[int, str, str, int]


class Search:
    """Tries hypotheses about one contribution of a backward pass."""

    def __init__(self, flow: Flow, evidence: Evidence, names: Names) -> None:
        self.flow, self.evidence, self.names = flow, evidence, names
        self._positions = {id(each): position for position, each in enumerate(flow.program.instructions)}
        self._edges: dict[int, list[Edge]] = {}
        self._readers: dict[int, list[Edge]] = {}
        for edge in flow.edges:
            self._edges.setdefault(id(edge.instruction), []).append(edge)
            self._readers.setdefault(edge.value, []).append(edge)
        self._glimpsed = evidence.glimpsed(flow.directions)

    def hypotheses(self) -> Iterator[Hypothesis]:
        """Every single contribution, wrong in one of the usual ways, that explains some gradients and spoils none."""
        sources = {self.flow.program.inputs[name]: at for at, name in enumerate(self.evidence.sources)}
        for edge in self.flow.edges:
            yield from self._scaled(edge)
            if edge.value in sources:
                yield from self._at_source(edge, sources[edge.value])
            elif self._small(edge):
                elementwise = edge.instruction.op.family in ELEMENTWISE
                yield from self._tried(edge, SUSPECTS if elementwise else (*SUSPECTS, recomputed.diagonal))
            if self._small(edge):
                yield from self._tried(edge, (partial(self._other_values, edge),))
        yield from self._alone()

    def pairs(self) -> Iterator[Hypothesis]:
        """Two contributions that are left out, where no single mistake explains everything."""
        seen, noise = self._glimpsed
        distinct: dict[bytes, tuple[Edge, Array]] = {}
        for edge in self.flow.edges:  # those nearer to the sources come later
            own = self.flow.glimpse(edge.value, edge.contributions[-1])
            if np.isfinite(own).all() and (np.abs(own) > noise).any():
                distinct[np.round(own / np.max(np.abs(own)), 6).tobytes()] = edge, own
        for (one, first), (other, second) in combinations(reversed(distinct.values()), 2):
            if (np.abs(seen + first + second) <= noise + 1e-9 * (np.abs(first) + np.abs(second))).all():
                effects = (self.flow.effect(each.value, each.contributions) for each in (one, other))
                effect = tuple(tuple(map(np.add, *rows)) for rows in zip(*effects, strict=True))
                covers = self.evidence.covered(_times(effect, -1), USUAL)
                if covers:
                    clause = f"the contributions {self._of(one)} and {self._of(other)} are left out"
                    yield self._hypothesis(one, "left-out", clause, covers, fitted=False)

    def _of(self, edge: Edge) -> str:
        return f"of {self.names.operation(edge.instruction)} to {self.names.value(edge.value)}"

    def _hypothesis(self, edge: Edge, kind: str, clause: str, covers: frozenset[int], *, fitted: bool) -> Hypothesis:
        position = self._positions[id(edge.instruction)]
        order = rank(kind, fitted=fitted)
        return Hypothesis(kind, clause, covers, order, edge.instruction, edge.argument, position)

    def _promising(self, place: int, change: Array) -> bool:
        """Whether a change can explain something, by a look at a few products."""
        if not np.isfinite(change).all():
            return False
        seen, noise = self._glimpsed
        own = self.flow.glimpse(place, change)
        if not np.isfinite(own).all():
            return False
        slack = noise + 1e-9 * np.abs(own)
        matches, nothing = (np.abs(own - seen) <= slack).all(1), (np.abs(own) <= slack).all(1)
        return bool((matches | nothing).all() and (matches & ~nothing).any())

    # A contribution that is left out, turned round or scaled: what it adds to the gradients is computed once.

    def _scaled(self, edge: Edge) -> Iterator[Hypothesis]:
        if not all(np.isfinite(each).all() for each in edge.contributions):
            return
        seen, noise = self._glimpsed
        own = self.flow.glimpse(edge.value, edge.contributions[-1])
        told = np.isfinite(noise) & (np.abs(own) > noise)
        if not told.any():
            return
        ratio = float(np.median(seen[told] / own[told]))
        alike = np.abs(seen - ratio * own) <= 2 * noise * (1 + abs(ratio)) + 1e-6 * np.abs(own)
        if not (alike | (np.abs(seen) <= noise) | (np.abs(own) <= noise) | np.isinf(noise)).all():
            return
        effect = self.flow.effect(edge.value, edge.contributions)
        where = self.names.gradient(edge.instruction, edge.argument)
        dropped = self.evidence.covered(_times(effect, -1), USUAL)
        if dropped:
            yield self._hypothesis(
                edge, "left-out", f"the contribution {self._of(edge)} is left out", dropped, fitted=False
            )
            return
        flipped = self.evidence.covered(_times(effect, -2), USUAL)
        if flipped:
            yield self._hypothesis(edge, "sign", f"{where} has the wrong sign", flipped, fitted=False)
            return
        for guess, factor in self._factors(edge):
            covers = self.evidence.covered(_times(effect, factor - 1), USUAL)
            if covers:
                yield self._hypothesis(edge, guess.kind, f"{where} {guess.sentence}", covers, fitted=False)
                return
        covers = self.evidence.covered(_times(effect, ratio), FAR, fitted=True)
        if covers:
            clause = f"{where} is {values.number(1 + ratio)} times what it should be"
            yield self._hypothesis(edge, "factor", clause, covers, fitted=True)

    def _factors(self, edge: Edge) -> Iterator[tuple[Guess, float]]:
        scene = self._scene(edge, self.flow.sets - 1)
        at = np.unravel_index(np.argmax(np.abs(scene.right)), scene.right.shape) if scene.right.size else ()
        for guess in values.factors(scene):
            if isinstance(guess, Guess) and scene.right.size and scene.right[at] != 0:
                yield guess, float((np.asarray(guess.value)[at] / scene.right[at]).real)

    # The usual slips of an operation, replayed inside the program.

    def _small(self, edge: Edge) -> bool:
        sizes = [each.size for each in edge.incoming[0]]
        return max([*sizes, edge.contributions[0].size]) <= MANY

    def _scene(self, edge: Edge, position: int) -> Scene:
        right = self._typed(edge, edge.contributions[position])
        return Scene(self._wrong(edge, position, right, right, None), right, right)

    def _typed(self, edge: Edge, array: Array) -> Array:
        """A contribution, which may be complex in a real place by way of constants, as what it is handed on as."""
        return array if is_complex(self._type(edge.value).dtype) else array.real

    def _type(self, index: int) -> TensorType:
        return self.flow.program.types[index]

    def _wrong(self, edge: Edge, position: int, found: Array, right: Array, allowed: Array | None) -> Wrong:
        instruction = edge.instruction
        rights: list[Array | None] = [None] * len(instruction.inputs)
        for other in self._edges[id(instruction)]:
            rights[other.argument] = other.contributions[position]
        operands = [self.flow.value(index) for index in instruction.inputs]
        outputs = [self.flow.value(index) for index in instruction.outputs]
        return Wrong(
            op=instruction.op,
            attributes=instruction.attributes,
            inputs=tuple(np.zeros(()) if each is None else each for each in operands),
            outputs=tuple(
                np.zeros(self._type(index).shape) if each is None else each
                for index, each in zip(instruction.outputs, outputs, strict=True)
            ),
            cotangents=edge.incoming[position],
            argument=edge.argument,
            found=found,
            right=right,
            rights=tuple(rights),
            allowed=allowed,
        )

    def _tried(self, edge: Edge, suspects: Sequence[Callable[[Scene], Guesses]]) -> Iterator[Hypothesis]:
        last = self.flow.sets - 1
        right = self._typed(edge, edge.contributions[last])
        for name, guess in self._guesses(edge, last, suspects):
            value = np.asarray(guess.value)
            if value.shape != right.shape or not self._promising(edge.value, value - right):
                continue
            others = [dict(self._guesses(edge, position, suspects)).get(name) for position in range(last)]
            found = [*(None if each is None else np.asarray(each.value) for each in others), value]
            change = tuple(
                each - self._typed(edge, own)
                for each, own in zip(found, edge.contributions, strict=True)
                if each is not None and each.shape == own.shape
            )
            if len(change) == self.flow.sets and all(np.isfinite(each).all() for each in change):
                covers = self.evidence.covered(self.flow.effect(edge.value, change), min(guess.chance, USUAL))
                if covers:
                    clause = f"{self.names.gradient(edge.instruction, edge.argument)} {guess.sentence}"
                    yield self._hypothesis(edge, guess.kind, clause, covers, fitted=False)

    def _guesses(
        self, edge: Edge, position: int, suspects: Sequence[Callable[[Scene], Guesses]]
    ) -> Iterator[tuple[Name, Guess]]:
        """All guesses that are read from no number that was found, with a name that is the same in every set."""
        scene = self._scene(edge, position)
        with np.errstate(all="ignore"):
            for order, suspect in enumerate(suspects):
                seen: Counter[tuple[str, str]] = Counter()
                for guess in suspect(scene):
                    if isinstance(guess, Guess) and not guess.fitted and guess.value is not None:
                        seen[guess.kind, guess.sentence] += 1
                        yield (order, guess.kind, guess.sentence, seen[guess.kind, guess.sentence]), guess

    def _other_values(self, edge: Edge, scene: Scene) -> Guesses:
        """The derivative taken with another value of the program, of the same shape, in the place of an operand."""
        operands = edge.instruction.inputs
        again = _repeated(scene)
        for position, own in enumerate(operands):
            for index in self._alike[self._type(own)]:
                value = self.flow.value(index)
                if index in operands or index in edge.instruction.outputs or value is None:
                    continue
                found = again(position, value)
                if found is not None:
                    place = "its operand" if len(operands) == 1 else f"its {ordinal(position)} argument"
                    sentence = f"is computed with {self.names.value(index)} in the place of {place}"
                    yield Guess("other-value", sentence, found, scene.usual, FAR)

    @cached_property
    def _alike(self) -> dict[TensorType, list[int]]:
        """The values that are not constant, by their types."""
        found: dict[TensorType, list[int]] = defaultdict(list)
        for index, type_ in enumerate(self.flow.program.types):
            if index not in self.flow.program.constants and is_differentiable(type_.dtype) and type_.shape:
                found[type_].append(index)
        named = {*self.flow.program.inputs.values(), *self.flow.program.names}
        for type_, indices in found.items():
            if len(indices) > MOST_VALUES:
                found[type_] = [each for each in indices if each in named][-MOST_VALUES:]
        return found

    # A contribution to a source itself: there is a number for every element of it.

    def _at_source(self, edge: Edge, source: int) -> Iterator[Hypothesis]:
        if source not in self.evidence.wrong:
            return
        slips = []
        for position in range(self.flow.sets):
            own = self._typed(edge, edge.contributions[position])
            right = own.astype(self._type(edge.value).dtype)
            found = (own + self.evidence.gap(position, source)).astype(right.dtype)
            slips.append(explain(self._wrong(edge, position, found, right, self.evidence.allowed[position][source])))
        told = [each for each in slips if each is not None]
        quiet = [at for at, each in enumerate(slips) if each is None]
        if not told or any(self.evidence.differs(at, source) for at in quiet):
            return
        if told[-1].kind in DESCRIPTIONS and len(self._readers[edge.value]) > 1:
            return  # that would be as true of every other reader
        if len({each.kind if each.kind != "factor" else each.sentence for each in told}) == 1:
            clause = f"{self.names.gradient(edge.instruction, edge.argument)} {told[-1].sentence}"
            yield self._hypothesis(edge, told[-1].kind, clause, frozenset([source]), fitted=False)

    # A sum at a fan-out to which only one contribution arrives.

    def _alone(self) -> Iterator[Hypothesis]:
        for value, edges in self._readers.items():
            for kept in edges if len(edges) > 2 else ():
                others = [each for each in edges if each is not kept]
                change: Change = tuple(
                    -sum((each.contributions[at] for each in others), np.zeros(kept.contributions[at].shape))
                    for at in range(self.flow.sets)
                )
                if self._promising(value, change[-1]):
                    covers = self.evidence.covered(self.flow.effect(value, change), USUAL)
                    if covers:
                        clause = f"only the contribution {self._of(kept)} arrives, of {len(edges)}"
                        yield self._hypothesis(kept, "fan-out", clause, covers, fitted=False)


def _repeated(scene: Scene) -> Callable[[int, Array], Array | None]:
    """From another value for the operand at a position to the gradient, by the operation's own rule; None if it fails.

    The gradient program is written once, since nothing but numbers changes.
    """
    wrong = scene.wrong
    program, values = program_of(wrong.op, wrong.attributes, scene.inputs, scene.outputs)
    written = gradient(program, [f"x{wrong.argument}"])
    only = replace(written.program, outputs=written.program.outputs[-1:]).pruned()
    given = written.seeded(values, scene.cotangents)

    def again(position: int, value: Array) -> Array | None:
        try:
            return evaluate(only, {**given, f"x{position}": value})[0]
        except Exception:  # an operation may refuse such an operand
            return None

    return again


def _times(effect: Effect, factor: float) -> Effect:
    return tuple(tuple(factor * each for each in row) for row in effect)
