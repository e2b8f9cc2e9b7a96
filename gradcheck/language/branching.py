"""Branches and loops, and `tf.function`, in which TensorFlow makes graphs of them.

In eager mode a branch is chosen and a loop ends by numbers that have been computed. Here these are computed, too, from
the inputs of the case: the program is the one that runs at this point. Inside a `tf.function` TensorFlow keeps all
branches and the body of a loop, and so does the program, which says what is taken at this point.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from gradcheck.dtypes import Array
from gradcheck.language.asides import aside, captured, template, tensor
from gradcheck.language.objects import Method
from gradcheck.language.static import MAX_LENGTH, StaticError
from gradcheck.language.structures import leaves, packed
from gradcheck.ops.taping import BRANCH, LOOP, PRINT
from gradcheck.program import Template
from gradcheck.tensors import Builder, Tensor

Run = Callable[..., Any]


class _NotYet(Exception):
    """A number is asked for that differs from one round of a loop to the next."""


class Branching:
    """`now` gives the numbers that a tensor has at the point of the case."""

    def __init__(self, builder: Builder, now: Callable[[Tensor], Array]) -> None:
        self._builder = builder
        self._now = now
        self._in_graph = False
        self._in_round = False

    @property
    def functions(self) -> dict[str, Method]:
        """By the names under which the language has them."""
        named: dict[str, Run] = {
            "tf.case": self._case,
            "tf.cond": self._cond,
            "tf.function": self._function,
            "tf.print": self._print,
            "tf.switch_case": self._switch_case,
            "tf.while_loop": self._while_loop,
        }
        return {name: Method(name, function, raw=False) for name, function in named.items()}

    def number(self, value: Any) -> Any:
        """What a scalar is at the point of the case."""
        if not isinstance(value, Tensor):
            return value
        if self._in_round:
            raise _NotYet
        return self._now(value).item()

    def _function(self, func: Run | None = None, **_: Any) -> Any:
        """Nothing of what is computed changes; what TensorFlow makes of branches and loops does."""
        if func is None:
            return Method("tf.function", self._function, raw=False)
        return Method("a tf.function", lambda *arguments, **keywords: self._traced(func, arguments, keywords))

    def _traced(self, func: Run, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        with self._set("_in_graph"):
            return func(*arguments, **keywords)

    @contextmanager
    def _set(self, name: str) -> Iterator[None]:
        before = getattr(self, name)
        setattr(self, name, True)
        try:
            yield
        finally:
            setattr(self, name, before)

    def _print(self, *inputs: Any, **_: Any) -> None:
        """Only in a graph does it matter that something is printed: what has side effects is another operation."""
        if self._in_graph:
            shown = tuple(tensor(each) for each in leaves(list(inputs)) if not isinstance(each, str))
            self._builder.apply(PRINT, {"inputs": shown}, {}, [])

    def _cond(self, pred: Any, true_fn: Run, false_fn: Run, name: Any = None) -> Any:
        holds = bool(self.number(pred))
        if self._in_graph and isinstance(pred, Tensor):
            return self._branches("tf.cond", pred, (true_fn, false_fn), 0 if holds else 1)
        return true_fn() if holds else false_fn()

    def _case(self, pred_fn_pairs: Any, default: Run | None = None, exclusive: bool = False, name: Any = None) -> Any:
        pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, Mapping) else pred_fn_pairs)
        holding = [bool(self.number(pred)) for pred, _ in pairs]
        if exclusive and sum(holding) > 1:
            raise StaticError("more than one condition of an exclusive `tf.case` holds")
        if not any(holding) and default is None:
            raise StaticError("no condition of `tf.case` holds, and there is no default")
        (pred, function), rest = pairs[0], pairs[1:]
        if not rest and default is None:
            return function()
        others: Run = (lambda: self._case(rest, default)) if rest else default  # type: ignore[assignment]
        return self._cond(pred, function, others)

    def _switch_case(self, branch_index: Any, branch_fns: Any, default: Run | None = None, name: Any = None) -> Any:
        rows = branch_fns.items() if isinstance(branch_fns, Mapping) else enumerate(branch_fns)
        pairs: dict[Any, Run] = dict(each if isinstance(each, tuple) else (at, each) for at, each in rows)
        last = default or pairs[max(pairs)]  # without a default TensorFlow takes the last branch
        index = self.number(branch_index)
        if self._in_graph and isinstance(branch_index, Tensor) and sorted(pairs) == list(range(len(pairs))):
            functions = [*(pairs[at] for at in range(len(pairs))), last]
            chosen = index if 0 <= index < len(pairs) else len(pairs)
            return self._branches("tf.switch_case", branch_index, functions, chosen)
        taken: Run = pairs.get(index, last)
        return taken()

    def _branches(self, name: str, index: Tensor, functions: Sequence[Run], chosen: int) -> Any:
        """All branches as parts of one instruction."""
        read = [aside(self._builder, function) for function in functions]
        outputs = [[tensor(each) for each in leaves(result)] for result, _ in read]
        types = [[each.type for each in row] for row in outputs]
        if any(row != types[chosen] for row in types):
            shown = " and ".join(", ".join(map(str, row)) for row in types)
            raise StaticError(f"in a `tf.function` all branches must give the same types, not {shown}")
        bodies = tuple(template(steps, (), row) for (_, steps), row in zip(read, outputs, strict=True))
        operands: dict[str, Tensor | tuple[Tensor, ...]] = {
            "index": index,
            "captured": captured(self._builder, *bodies),
        }
        attributes = {"name": name, "branches": bodies, "chosen": chosen}
        made = self._builder.apply(BRANCH, operands, attributes, types[chosen])
        return packed(read[chosen][0], iter(made))

    def _while_loop(
        self,
        cond: Run,
        body: Run,
        loop_vars: Any,
        shape_invariants: Any = None,
        parallel_iterations: Any = 10,
        back_prop: Any = True,
        swap_memory: Any = False,
        maximum_iterations: Any = None,
        name: Any = None,
    ) -> Any:
        most = MAX_LENGTH if maximum_iterations is None else min(self.number(maximum_iterations), MAX_LENGTH)
        if self._in_graph:
            (_, rounds), _ = aside(self._builder, lambda: self._unrolled(cond, body, loop_vars, most))
            try:
                return self._loop(cond, body, loop_vars, min(rounds, most), maximum_iterations)
            except _NotYet:
                pass  # a branch inside depends on the round: the loop is written out
        values, rounds = self._unrolled(cond, body, loop_vars, most)
        if rounds > most and maximum_iterations is None:
            raise StaticError(f"the loop does not end within {MAX_LENGTH} rounds")
        return values

    def _unrolled(self, cond: Run, body: Run, loop_vars: Any, most: int) -> tuple[Any, int]:
        """What the variables are in the end, and after how many rounds; one more than `most` if it has not ended."""
        values = loop_vars
        for count in range(most):
            if not self.number(cond(*values)):
                return values, count
            values = _again(loop_vars, body(*values))
        return values, most + 1

    def _loop(self, cond: Run, body: Run, loop_vars: Any, rounds: int, most: Any) -> Any:
        """The loop as one instruction."""
        starts = [tensor(each) for each in leaves(loop_vars)]
        with self._set("_in_round"):
            test = self._round(lambda *held: [cond(*held)], loop_vars, starts)
            step = self._round(lambda *held: _again(loop_vars, body(*held)), loop_vars, starts)
        types = [each.type for each in starts]
        operands = {"inputs": tuple(starts), "captured": captured(self._builder, test, step)}
        attributes = {"cond": test, "body": step, "rounds": rounds, "most": most}
        return packed(loop_vars, iter(self._builder.apply(LOOP, operands, attributes, types)))

    def _round(self, function: Run, loop_vars: Any, starts: Sequence[Tensor]) -> Template:
        held = [self._builder.placeholder(each.type) for each in starts]
        result, steps = aside(self._builder, lambda: function(*packed(loop_vars, iter(held))))
        return template(steps, held, [tensor(each) for each in leaves(result)])


def _again(loop_vars: Any, made: Any) -> Any:
    """What a body gives, in the structure of the variables that go into the next round."""
    return packed(loop_vars, iter(leaves(made if isinstance(made, (list, tuple)) else [made])))
