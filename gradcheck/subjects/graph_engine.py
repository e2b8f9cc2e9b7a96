"""Engines that first build a graph of nodes and then run it, fed with arrays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.dtypes import Array, is_differentiable
from gradcheck.engines import Cotangents, Failure, Outcome, Request
from gradcheck.subjects.answers import Total, exactly, require
from gradcheck.subjects.arrays import Lent, Unusable, checked, to_array
from gradcheck.subjects.findings import Raised, failure
from gradcheck.subjects.forward import fixed_values, forward
from gradcheck.subjects.vocabulary import Function, Vocabulary, check


@dataclass(frozen=True, eq=False, kw_only=True)
class GraphEngine:
    """An engine with placeholders, `gradients(y, [x])`, and an executor that is fed by a dictionary.

    engine = GraphEngine(
        placeholder=ad.Variable,  # from a name to a node
        gradients=ad.gradients,  # from a node and a list of nodes to a list of nodes
        execute=lambda nodes, feed: ad.Executor(nodes).run(feed_dict=feed),
        functions={"tf.exp": ad.exp_op, "tf.matmul": ad.matmul_op},
    )
    """

    placeholder: Callable[[str], Any]
    """Makes a node that is fed."""
    gradients: Callable[[Any, Sequence[Any]], Sequence[Any]]
    """The nodes of the gradients of one node with respect to others, under ones; None for one not connected."""
    execute: Callable[[Sequence[Any], Mapping[Any, Array]], Sequence[Any]]
    """The arrays of nodes, in order, for arrays by placeholder."""
    functions: Mapping[str, Function] = field(default_factory=dict)
    """The engine's functions by TensorFlow's names; see `Vocabulary` for how they are called."""
    array: Callable[[Any], Any] = to_array
    name: str = ""
    conventions: Mapping[str, str] = field(default_factory=dict)
    """Where the engine differs from TensorFlow by choice: by operation, in words."""
    dtypes: Sequence[str] | None = None

    def __post_init__(self) -> None:
        check(self.functions)

    def run(self, request: Request) -> Outcome | Failure:
        """The outcome of `request`; every set of cotangents and every target gets a graph of its own."""
        try:
            require(request, self.dtypes, twice=False)
            lent = Lent()
            runs = [self._under(request, cotangents, lent) for cotangents in request.cotangents]
            return Outcome(runs[0][0], tuple(gradients for _, gradients in runs), lent.remarks())
        except Exception as error:  # the engine is a stranger: whatever it raises is a finding
            return failure(error)

    def _under(
        self, request: Request, cotangents: Cotangents, lent: Lent
    ) -> tuple[tuple[Array, ...], tuple[Array | None, ...]]:
        program = request.program
        targets = [index for index in program.outputs if index is not None]
        outputs: list[Array] = []
        total = Total(request)
        for index, cotangent in zip(targets, cotangents, strict=True):
            graph = _Graph(self, request, lent)
            if index not in graph.values:
                outputs.append(fixed_values(program, request.inputs)[index])
                continue
            node = graph.values[index]
            outputs.append(checked(self.array(graph.run([node])[0]), program.types[index], "its output"))
            if is_differentiable(program.types[index].dtype):
                total.add(graph.gradients(node, cotangent))
        return tuple(outputs), total.gradients


class _Graph:
    """The graph of one program: its nodes, and what its placeholders are fed."""

    def __init__(self, engine: GraphEngine, request: Request, lent: Lent) -> None:
        self._engine = engine
        self._lent = lent
        self._feed: dict[Any, Array] = {}
        program = request.program
        tensors = {
            name: self._fed(name, request.inputs[name])
            for name, index in program.inputs.items()
            if is_differentiable(program.types[index].dtype)
        }
        self._sources = [tensors[name] for name in request.sources]
        vocabulary = Vocabulary(engine.functions, lambda value: self._fed(f"constant{len(self._feed)}", value))
        self._vocabulary = vocabulary
        self.values = forward(program, request.inputs, tensors, vocabulary.apply)

    def _fed(self, name: str, value: Array) -> Any:
        node = self._engine.placeholder(name)
        self._feed[node] = self._lent.lend(value, f"what it is fed as `{name}`")
        return node

    def run(self, nodes: Sequence[Any]) -> Sequence[Any]:
        """The values of `nodes`."""
        try:
            return exactly(self._engine.execute(nodes, self._feed), len(nodes), "values of nodes")
        except Unusable:
            raise
        except (Exception, SystemExit) as error:
            raise Raised("the executor") from error

    def gradients(self, node: Any, cotangent: Array | None) -> list[Any | None]:
        """The gradients of one node, None where not connected."""
        if cotangent is not None:
            node = node * self._vocabulary.constant(np.conj(cotangent))
        try:
            found = exactly(self._engine.gradients(node, self._sources), len(self._sources))
        except Unusable:
            raise
        except (Exception, SystemExit) as error:
            raise Raised("the backward pass") from error
        there = [each for each in found if each is not None]
        values = iter(self.run(there) if there else [])
        return [None if each is None else self._engine.array(next(values)) for each in found]
