"""Functions that take functions: maps, folds and iterations, written out as they run in TensorFlow's eager mode."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gradcheck.dtypes import Array
from gradcheck.language.linear_operators import LinearOperator
from gradcheck.language.objects import Method
from gradcheck.language.static import StaticError
from gradcheck.language.structures import as_tensor, leaves, packed
from gradcheck.ops.signal.windows import inverse_stft_window_fn
from gradcheck.ops.vocabulary import tf
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
            "tf.clip_by_global_norm": _clip_by_global_norm,
            "tf.foldl": _foldl,
            "tf.foldr": _foldr,
            "tf.linalg.experimental.conjugate_gradient": self._conjugate_gradient,
            "tf.map_fn": _map_fn,
            "tf.recompute_grad": lambda f: f,
            "tf.tuple": lambda tensors, control_inputs=None, name=None: list(tensors),
            "tf.nest.flatten": leaves,
            "tf.nest.map_structure": _map_structure,
            "tf.nest.pack_sequence_as": lambda structure, flat_sequence: packed(structure, iter(flat_sequence)),
            "tf.scan": _scan,
            "tf.signal.inverse_stft_window_fn": inverse_stft_window_fn,
            "tf.vectorized_map": _vectorized_map,
        }
        return {name: Method(name, function, raw="nest" in name) for name, function in named.items()}

    def _conjugate_gradient(
        self,
        operator: LinearOperator,
        rhs: Any,
        preconditioner: LinearOperator | None = None,
        x: Any = None,
        tol: float = 1e-5,
        max_iter: int = 20,
        name: Any = None,
    ) -> "ConjugateGradient":
        """The rounds that TensorFlow runs, which end where the residual is small enough."""
        if not (operator.hints.get("is_self_adjoint") and operator.hints.get("is_positive_definite")):
            raise StaticError("the operator must be said to be `is_self_adjoint` and `is_positive_definite`")
        b = as_tensor(rhs)
        found = tf.zeros_like(b) if x is None else as_tensor(x)
        r = b if x is None else b - operator.matvec(found)
        p = r if preconditioner is None else preconditioner.matvec(r)
        gamma = _dot(r, p)
        bound = tol * self._now(tf.norm(b, axis=-1))
        rounds = 0
        while rounds < max_iter and (self._now(tf.norm(r, axis=-1)) > bound).any():
            z = operator.matvec(p)
            alpha = tf.expand_dims(gamma / _dot(p, z), -1)
            found, r = found + alpha * p, r - alpha * z
            q = r if preconditioner is None else preconditioner.matvec(r)
            before, gamma = gamma, _dot(r, q)
            p = q + tf.expand_dims(gamma / before, -1) * p
            rounds += 1
        return ConjugateGradient({"i": as_tensor(rounds), "x": found, "r": r, "p": p, "gamma": gamma})


@dataclass(frozen=True)
class ConjugateGradient:
    """The state in which the method of conjugate gradients stops."""

    members: Mapping[str, Tensor]
    kind = "the state of a conjugate gradient method"


def _dot(x: Tensor, y: Tensor) -> Tensor:
    product: Tensor = tf.squeeze(tf.linalg.matvec(tf.expand_dims(x, -1), y, adjoint_a=True), -1)
    return product


def _map_structure(func: Run, *structure: Any, **_: Any) -> Any:
    if not structure:
        raise StaticError("`tf.nest.map_structure` needs a structure")
    rows = [leaves(each) for each in structure]
    if len({len(row) for row in rows}) != 1:
        raise StaticError("the structures differ in their number of leaves")
    return packed(structure[0], iter([func(*each) for each in zip(*rows, strict=True)]))


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


def _clip_by_global_norm(t_list: Any, clip_norm: Any, use_norm: Any = None, name: Any = None) -> Any:
    *clipped, norm = tf.clip_by_global_norm(t_list, clip_norm, use_norm)
    return clipped, norm
