"""`tf.GradientTape`, on tensors that are computed at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np

from gradcheck.dtypes import is_differentiable
from gradcheck.engine.draft import Draft
from gradcheck.engine.eager import EAGER, EagerTensor, converted
from gradcheck.engine.jacobian import jacobian
from gradcheck.engine.reverse import Record, walk
from gradcheck.engine.variable import Variable, differentiated
from gradcheck.nests import leaves, packed
from gradcheck.program import Shape
from gradcheck.tensors import Tensor

Unconnected = Literal["none", "zero"]
"""What stands for a derivative where no path leads from the target to the source: None, or zeros."""


class GradientTape:
    """Records what is computed from watched tensors and from variables, to differentiate it: `tf.GradientTape`.

    >>> x = tensor([1.0, 2.0])
    >>> with GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = x * x
    >>> tape.gradient(y, x).numpy()
    array([2., 4.], dtype=float32)

    Targets and sources are tensors or variables, or nested lists, tuples and dicts of them; what is asked comes in the
    structure of the sources. It is made of operations, which other tapes and accumulators follow. A tape that is not
    `persistent` answers once: asked again it raises `RuntimeError`. Raises `TypeError` for a target or a source that
    is neither a tensor nor a variable.
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = persistent
        self._watch_accessed = watch_accessed_variables
        self._recording = False
        self._spent = False
        self._records: list[Record] | None = None
        self._watched: set[int] = set()
        self._variables: dict[int, Variable] = {}

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._recording:
            self._stop()

    def watch(self, tensor: Any) -> None:
        """Record from now on what is computed from `tensor`: one, or a nested structure of them.

        Raises `RuntimeError` before the tape has been entered.
        """
        if self._records is None:
            raise RuntimeError("this tape has not started to record: watch inside of its `with` block")
        for each in leaves(tensor):
            watched = differentiated(each, "what a tape watches")
            if isinstance(watched, Variable):
                self._variables[watched.key] = watched
            if is_differentiable(watched.dtype):
                self._watched.add(watched.key)

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables that are watched, the oldest first."""
        return tuple(self._variables[key] for key in sorted(self._variables))

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Let what is computed inside be constant for this tape. Raises `ValueError` if it is not recording."""
        self._stop()
        try:
            yield
        finally:
            self._start()

    def reset(self) -> None:
        """Forget everything, and go on recording. Raises `ValueError` if the tape is not recording."""
        self._stop()
        self._forget()
        self._variables = {}
        self._start()

    def record(self, record: Record) -> None:
        """Note an operation, if it has a watched tensor among its inputs; its outputs are then watched too."""
        watched = self._watched
        if any(each.key in watched for each in record.inputs):
            made = [each.key for each in record.outputs if is_differentiable(each.dtype)]
            if made and self._records is not None:
                self._records.append(record)
                watched.update(made)

    def accessed(self, variable: Variable) -> None:
        """Watch a variable that is being used, if this is how the tape was made."""
        if self._watch_accessed and variable.trainable:
            self.watch(variable)

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Unconnected = "none",
    ) -> Any:
        """The gradient of (the sum of) `target` with respect to `sources`, in the structure of `sources`.

        `output_gradients` has one cotangent of the same shape for each target; without it, or where it has None, it is
        ones. A source that no path reaches, or one of integers, gives None, or zeros if asked for. Raises `ValueError`
        if the cotangents do not fit the targets.
        """
        self._check(unconnected_gradients)
        targets = [differentiated(each, "a target") for each in leaves(target)]
        by = [differentiated(each, "a source") for each in leaves(sources)]
        given = [None] * len(targets) if output_gradients is None else leaves(output_gradients)
        if len(given) != len(targets):
            raise ValueError(f"{len(targets)} targets need as many output_gradients, not {len(given)}")
        seeds: list[tuple[Tensor, Tensor]] = []
        for of, cotangent in zip(targets, given, strict=True):
            known = np.ones(of.shape, of.dtype) if cotangent is None else cotangent
            seeds.append((of, converted(known, of.type, "the cotangent of a target")))
        with self._answering() as records:
            watched = [each for each in by if each.key in self._watched]
            usable = [(each, seed) for each, seed in seeds if is_differentiable(each.dtype)]
            found = dict(zip((each.key for each in watched), walk(records, usable, watched), strict=True))
            for each, seed in seeds:  # a target that is not watched is a source of itself all the same
                if each.key not in self._watched:
                    before = found.get(each.key)
                    found[each.key] = seed if before is None else before + seed
            gradients = [found.get(each.key) for each in by]
        return _answer(sources, gradients, by, [each.shape for each in by], unconnected_gradients)

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Unconnected = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The Jacobian of one target by each of `sources`, of shape `target.shape + source.shape`.

        A source that no path reaches gives None, or zeros if asked for. How TensorFlow is to compute it can be said,
        and makes no difference here.
        """
        del parallel_iterations, experimental_use_pfor
        self._check(unconnected_gradients)
        of, by = self._read(target), [differentiated(each, "a source") for each in leaves(sources)]
        found = self._jacobians(of, by, batch=False)
        return _answer(sources, found, by, [(*of.shape, *each.shape) for each in by], unconnected_gradients)

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Unconnected = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> EagerTensor:
        """The Jacobian for each entry of the first axis, which target and source share, where none depends on another.

        Its shape is `target.shape + source.shape[1:]`. Where no path leads to the source it is zeros in any case, as
        TensorFlow's is. Raises `ValueError` if the first axes differ.
        """
        del parallel_iterations, experimental_use_pfor
        self._check(unconnected_gradients)
        of, by = self._read(target), differentiated(source, "a source")
        if not of.ndim or not by.ndim or of.shape[0] != by.shape[0]:
            raise ValueError(f"`batch_jacobian` needs one first axis: {list(of.shape)} and {list(by.shape)} differ")
        found = self._jacobians(of, [by], batch=True)
        made: EagerTensor = _answer(source, found, [by], [(*of.shape, *by.shape[1:])], "zero")
        return made

    def _jacobians(self, target: EagerTensor, sources: Sequence[Tensor], *, batch: bool) -> list[EagerTensor | None]:
        with self._answering() as records:
            watched = {each.key: each for each in sources if each.key in self._watched}
            if not watched or not is_differentiable(target.dtype):
                return [None] * len(sources)
            draft = Draft()
            copies = [draft.copy(each) for each in watched.values()]
            with draft.writing():
                rows = jacobian([draft.record(each) for each in records], draft.copy(target), copies, batch=batch)
            found = dict(zip(watched, draft.carried_out(rows), strict=True))
        return [found.get(each.key) for each in sources]

    @contextmanager
    def _answering(self) -> Iterator[Sequence[Record]]:
        """What was recorded. A tape that is not persistent does not follow what is done with it, and ends with it."""
        if self._recording and not self._persistent:
            self._stop()
        yield tuple(self._records or ())
        if not self._persistent:
            self._forget()
            self._spent = True

    def _check(self, unconnected: str) -> None:
        if self._records is None and self._spent:
            raise RuntimeError("this tape gives one set of gradients; GradientTape(persistent=True) gives any number")
        if self._records is None:
            raise RuntimeError("this tape has recorded nothing: compute inside of its `with` block")
        if unconnected not in ("none", "zero"):
            raise ValueError(f"unconnected_gradients is 'none' or 'zero', not {unconnected!r}")

    def _read(self, value: Any) -> EagerTensor:
        """The target of a Jacobian; a variable as it is read on this tape."""
        target = differentiated(value, "a target")
        if isinstance(target, EagerTensor) or self._recording:
            return EAGER.adopt(target)
        with self:
            return EAGER.adopt(target)

    def _start(self) -> None:
        if self._recording:
            raise ValueError("this tape is recording already")
        if self._records is None:
            self._records = []
        self._recording = True
        EAGER.recorders.append(self)

    def _stop(self) -> None:
        if not self._recording:
            raise ValueError("this tape is not recording")
        self._recording = False
        EAGER.recorders.remove(self)

    def _forget(self) -> None:
        self._records = None
        self._watched = set()


def _answer(
    structure: Any,
    found: Sequence[Tensor | None],
    sources: Sequence[Tensor],
    shapes: Sequence[Shape],
    unconnected: Unconnected,
) -> Any:
    """The derivatives in the structure in which their sources were given."""
    if unconnected == "zero":
        found = [
            EagerTensor(np.zeros(shape, by.dtype)) if each is None else each
            for each, by, shape in zip(found, sources, shapes, strict=True)
        ]
    return packed(structure, iter(found))
