"""Functions that take functions: loops, branches and maps, written out as they run in TensorFlow's eager mode.

There a branch is chosen and a loop ends by numbers that have been computed. Here these are computed, too, from the
inputs of the case: the program is the one that runs at this point.
"""

from collections.abc import Callable, Mapping
from typing import Any

from gradcheck.language.objects import Method
from gradcheck.language.static import MAX_LENGTH, StaticError
from gradcheck.language.structures import as_tensor, leaves, packed
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Array
from gradcheck.tensors import Tensor

Run = Callable[..., Any]


class Combinators:
    """`now` gives the numbers that a tensor has at the point of the case."""

    def __init__(self, now: Callable[[Tensor], Array]) -> None:
        self._now = now

    @property
    def functions(self) -> dict[str, Method]:
        """By the names under which the language has them."""
        named: dict[str, Run] = {
            "tf.case": self._case,
            "tf.cond": self._cond,
            "tf.foldl": _foldl,
            "tf.foldr": _foldr,
            "tf.function": _function,
            "tf.map_fn": _map_fn,
            "tf.nest.flatten": leaves,
            "tf.nest.map_structure": _map_structure,
            "tf.nest.pack_sequence_as": lambda structure, flat_sequence: packed(structure, iter(flat_sequence)),
            "tf.scan": _scan,
            "tf.switch_case": self._switch_case,
            "tf.vectorized_map": _vectorized_map,
            "tf.while_loop": self._while_loop,
        }
        return {name: Method(name, function, raw="nest" in name) for name, function in named.items()}

    def _number(self, value: Any) -> Any:
        return self._now(value).item() if isinstance(value, Tensor) else value

    def _cond(self, pred: Any, true_fn: Run, false_fn: Run, name: Any = None) -> Any:
        return true_fn() if self._number(pred) else false_fn()

    def _case(self, pred_fn_pairs: Any, default: Run | None = None, exclusive: bool = False, name: Any = None) -> Any:
        chosen = [function for pred, function in pred_fn_pairs if self._number(pred)]
        if exclusive and len(chosen) > 1:
            raise StaticError("more than one condition of an exclusive `tf.case` holds")
        if not chosen and default is None:
            raise StaticError("no condition of `tf.case` holds, and there is no default")
        return (chosen[0] if chosen else default)()  # type: ignore[misc]  # one of them is there

    def _switch_case(self, branch_index: Any, branch_fns: Any, default: Run | None = None, name: Any = None) -> Any:
        rows = branch_fns.items() if isinstance(branch_fns, Mapping) else enumerate(branch_fns)
        pairs: dict[Any, Run] = dict(each if isinstance(each, tuple) else (at, each) for at, each in rows)
        last = default or pairs[max(pairs)]  # without a default TensorFlow takes the last branch
        chosen: Run = pairs.get(self._number(branch_index), last)
        return chosen()

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
        most = MAX_LENGTH if maximum_iterations is None else min(self._number(maximum_iterations), MAX_LENGTH)
        values = loop_vars
        for _ in range(most):
            if not self._number(cond(*values)):
                return values
            made = body(*values)
            made = made if isinstance(made, (list, tuple)) else [made]
            values = packed(loop_vars, iter(leaves(made)))
        if maximum_iterations is None:
            raise StaticError(f"the loop does not end within {MAX_LENGTH} rounds")
        return values


def _map_structure(func: Run, *structure: Any, **_: Any) -> Any:
    if not structure:
        raise StaticError("`tf.nest.map_structure` needs a structure")
    rows = [leaves(each) for each in structure]
    if len({len(row) for row in rows}) != 1:
        raise StaticError("the structures differ in their number of leaves")
    return packed(structure[0], iter([func(*each) for each in zip(*rows, strict=True)]))


def _function(func: Any = None, **_: Any) -> Any:
    """`tf.function` changes nothing of what is computed."""
    return func if func is not None else lambda inner: inner


def _map_fn(
    fn: Run,
    elems: Any,
    dtype: Any = None,
    parallel_iterations: Any = None,
    back_prop: Any = True,
    swap_memory: Any = False,
    infer_shape: Any = True,
    name: Any = None,
    fn_output_signature: Any = None,
) -> Any:
    return _stacked([fn(each) for each in _rows(elems)])


def _vectorized_map(fn: Run, elems: Any, fallback_to_while_loop: Any = True, warn: Any = True) -> Any:
    return _stacked([fn(each) for each in _rows(elems)])


def _foldl(
    fn: Run,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: Any = 10,
    back_prop: Any = True,
    swap_memory: Any = False,
    name: Any = None,
) -> Any:
    return _folded(fn, _rows(elems), initializer)[-1]


def _foldr(
    fn: Run,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: Any = 10,
    back_prop: Any = True,
    swap_memory: Any = False,
    name: Any = None,
) -> Any:
    return _folded(fn, _rows(elems)[::-1], initializer)[-1]


def _scan(
    fn: Run,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: Any = 10,
    back_prop: Any = True,
    swap_memory: Any = False,
    infer_shape: Any = True,
    reverse: bool = False,
    name: Any = None,
) -> Any:
    rows = _rows(elems)
    found = _folded(fn, rows[::-1] if reverse else rows, initializer)
    return _stacked(found[::-1] if reverse else found)


def _folded(fn: Run, rows: list[Any], initializer: Any) -> list[Any]:
    """What the accumulator is after each row; without an initializer it starts as the first."""
    made: list[Any] = [] if initializer is not None else [rows[0]]
    held = rows[0] if initializer is None else _tensors(initializer)
    for each in rows if initializer is not None else rows[1:]:
        held = fn(held, each)
        made.append(held)
    return made


def _tensors(structure: Any) -> Any:
    return packed(structure, iter([as_tensor(each) for each in leaves(structure)]))


def _rows(elems: Any) -> list[Any]:
    """The entries along the first axis of every tensor in `elems`, each in its structure."""
    tensors = [as_tensor(each) for each in leaves(elems)]
    counts = {each.shape[0] if each.ndim else None for each in tensors}
    if len(counts) != 1 or None in counts:
        raise StaticError("the elements must be tensors with one first axis")
    (count,) = counts
    if not count:
        raise StaticError("there are no elements along the first axis")
    return [packed(elems, iter([each[at] for each in tensors])) for at in range(count)]


def _stacked(rows: list[Any]) -> Any:
    """One tensor for each leaf, its entries along a new first axis."""
    columns = zip(*(leaves(row) for row in rows), strict=True)
    return packed(rows[0], iter([tf.stack(list(column)) for column in columns]))
