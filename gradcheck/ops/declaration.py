"""How an operation is declared, once.

Everything else that needs to know an operation (the language, the engine, the tests, the lists, the documentation)
reads it from the table `OPS` that the declarations fill.
"""

import inspect
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple, TypedDict, Unpack

from gradcheck.dtypes import BOOL, COMPLEXES, FLOATS, INTEGERS, Array, DType
from gradcheck.ops.batching import Batching
from gradcheck.program import TensorType
from gradcheck.tensors import Context, Tensor

Index = Tensor
"""Annotation of a parameter that takes integer positions; a literal becomes int32."""
Sparse = tuple[Tensor, Tensor, Tensor]
"""Annotation of a parameter that takes a `SparseTensor`: its indices, values and shape."""
Mask = Tensor
"""Annotation of a parameter that takes a boolean tensor."""
Tensors = Sequence[Tensor]
"""Annotation of a parameter that takes a list of tensors of one dtype."""
Parts = Tensors
"""Annotation of a parameter that takes a list of tensors, where a lone tensor stands for a list of one."""
OneOrMany = Tensors
"""Annotation of a parameter that takes one tensor or a list of them, and gets what was given."""
Literal = Tensor
"""Annotation of a parameter whose literals take the dtype that the call names in `dtype`, if it does."""
Literals = Tensor
"""The same, for a parameter that also stacks a list with tensors in it."""
Cast = Tensor
"""Annotation of a parameter that takes a tensor of any dtype, which the operation casts."""
Scalar = Tensor
"""Annotation of a parameter that takes a tensor, or a number, which stays one."""
Various = Sequence[Tensor]
"""Annotation of a parameter that takes a list of tensors, each of a dtype of its own, to which no gradient flows."""

DRAWN = ("Tensor", "Tensors", "Parts", "OneOrMany", "Literal", "Literals", "Cast", "Scalar")
"""The annotations of the parameters that a gradient may flow to."""

NONE = " | None"
"""What ends the annotation of a tensor parameter that takes None without having it as its default."""

REALS = FLOATS + INTEGERS
INEXACT = FLOATS + COMPLEXES
NUMERIC = FLOATS + COMPLEXES + INTEGERS
ANY = (*NUMERIC, BOOL)

Rule = Callable[..., Tensor | None]
"""`rule(g, y, *inputs, **attributes)`: the cotangent of one input, from the cotangent `g` of the output `y`.

It is written in operations. Its result may have the shape that the inputs broadcast to; the walk sums it back.
For an operation with several outputs `g` and `y` are lists.
"""


Rounding = str | Callable[..., Array]
"""How far a computed result may be from the true one, in units of the dtype's unit round-off `u`.

`correct`: by `abs(result)`, as IEEE arithmetic is rounded. `conditioned`: as if, besides, the operands had been off by
`u` of their magnitude, which is what a stable algorithm achieves for a function or a solve. `backward`: for matrices
of n rows or columns by `n u` of their Frobenius norm where they are not 0, as after a stable decomposition (Higham
2002, chapter 19). A function of the operands and attributes gives the further error of a sum: `sqrt(k)` times the sum
of the magnitudes of its k terms (Higham and Mary 2019, A new approach to probabilistic rounding error analysis).
"""


def listed(result: Any) -> list[Any]:
    """What an operation gives, one tensor or type or several, as a list."""
    return [result] if isinstance(result, (Tensor, TensorType)) else list(result)


class OpError(ValueError):
    """A call that TensorFlow would refuse too; `argument` names the parameter at fault where there is one."""

    def __init__(self, message: str, *, argument: str | None = None, help: str | None = None) -> None:  # noqa: A002
        super().__init__(message)
        self.argument = argument
        self.help = help


class Undecided(OpError):
    """Numbers that are not known yet decide the shape of the result, or what is computed at all."""


class Interval(NamedTuple):
    """An open stretch of the real line inside which an operation is smooth in an argument; samples are drawn in it."""

    low: float
    high: float


REAL = Interval(-2.0, 2.0)
"""The domain of an argument that may be any number; samples stay where nothing overflows."""
POSITIVE = Interval(0.25, 3.0)


SAME: Final = object()
"""In a `Sample`, for a parameter that takes a dtype: that of the sample's tensors."""


class Sample(NamedTuple):
    """Arguments to try an operation with, by position and name.

    Where the parameter takes a tensor, a tuple is a shape to be filled from the domain and an array is taken as it is,
    a complex one by its real part for a real dtype, integers and float32 as they are where any dtype would do; where
    it takes a list of tensors, so is each entry. A list of positions or of a mask's entries becomes a constant of the
    program. Everything else is passed on.
    """

    arguments: tuple[Any, ...]
    keywords: dict[str, Any]


def sample(*arguments: Any, **keywords: Any) -> Sample:
    """One `Sample`, written as the call it stands for: `sample((2, 3), axis=1)`."""
    return Sample(arguments, keywords)


@dataclass(frozen=True, eq=False, kw_only=True)
class Op:
    """An operation, under TensorFlow's public name.

    `function` has TensorFlow's parameters and defaults. For an operation with its own rule (`forward` is given) it
    checks the call and gives `(type or list of types, attributes)`; for one that composes from others it gives the
    result itself.
    """

    name: str
    function: Callable[..., Any]
    family: str
    """The module of its declaration."""
    domains: tuple[Interval, ...]
    """One interval for each tensor parameter that is differentiable."""
    forward: Callable[..., Any] | None = None
    """`forward(*arrays, **attributes)` gives an array, or a list of them if there are `several`."""
    vjp: tuple[Rule | None, ...] | None = None
    """One rule for each tensor parameter, None where no gradient flows: TensorFlow answers None there."""
    joint_vjp: Callable[..., Sequence[Tensor | None]] | None = None
    """Instead of `vjp`: the cotangents of all inputs at once."""
    aliases: tuple[str, ...] = ()
    dtypes: tuple[DType, ...] = FLOATS
    kink: Callable[..., Array] | None = None
    """For the input arrays, how far each element is from a point without a derivative."""
    moves: bool = False
    """`forward` only moves elements, exactly, in every dtype; others are computed in float32 for 16-bit dtypes."""
    rounding: Rounding = "conditioned"
    narrow_sums: bool = False
    """TensorFlow adds up 16-bit floats in their own dtype here, not in float32."""
    several: bool = False
    """It gives a list."""
    samples: tuple[Sample, ...] = ()
    source: str = ""
    """Where the formula comes from."""
    convention: str = ""
    """What TensorFlow does, and we do, where calculus leaves a choice."""
    errata: tuple[str, ...] = ()
    """Where TensorFlow's gradient is not the derivative while ours is: "complex" (a conjugate), "second order", or
    "gradient" (anywhere, or there is none)."""
    promotes: bool = False
    """Tensors and numbers of different dtypes are converted to the one that NumPy's rules give for all of them."""
    hermitian: bool = False
    """It takes matrices to be Hermitian, reads one triangle, and its gradient is that of changes that leave them so."""
    phases: bool = False
    """Complex vectors that it gives are determined up to a phase; the gradient is that of functions which do not
    depend on it."""
    batching: Batching | None = None
    """How it is carried out for many rows at once, where it need not be row by row."""
    settle: Callable[[Mapping[str, Any], Context], dict[str, Any]] | None = None
    """What takes the place of some arguments, by name, as a call is written: of a seed what it draws there."""

    @cached_property
    def signature(self) -> inspect.Signature:
        return inspect.signature(self.function)

    @cached_property
    def roles(self) -> dict[str, str]:
        """For each parameter that takes tensors its annotation: `Tensor`, `Tensors`, `Index`, `Mask` and so on."""
        known = (*DRAWN, "Index", "Mask", "Various", "Sparse")
        texts = {name: str(each.annotation) for name, each in self.signature.parameters.items()}
        roles = {name: text.removesuffix(NONE) for name, text in texts.items()}
        return {name: role for name, role in roles.items() if role in known}

    @cached_property
    def optional(self) -> frozenset[str]:
        """The tensor parameters that may be None: by default, or because their annotation says so."""
        parameters = self.signature.parameters.values()
        return frozenset(
            each.name for each in parameters if each.default is None or str(each.annotation).endswith(NONE)
        )

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """TensorFlow's default of each parameter that has one."""
        parameters = self.signature.parameters.values()
        return {each.name: each.default for each in parameters if each.default is not inspect.Parameter.empty}

    @property
    def composite(self) -> bool:
        """Whether it is made of other operations and so needs no rule."""
        return self.forward is None

    @property
    def differentiable(self) -> bool:
        """Whether a gradient can flow through it at all."""
        return self.composite or self.joint_vjp is not None or any(self.vjp or ())

    def __reduce__(self) -> tuple[Callable[[str], "Op"], tuple[str]]:
        return find_op, (self.name,)

    def __repr__(self) -> str:
        return self.name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply to tensors, numbers and nested lists; gives a Tensor, or a list of them.

        Raises `OpError` if TensorFlow would refuse the call.
        """
        from gradcheck.ops.calling import call  # it stands on this module

        return call(self, args, kwargs)

    def invoke(self, arguments: Mapping[str, Any]) -> Any:
        """What `function` gives for arguments by parameter name."""
        bound = inspect.BoundArguments(self.signature, OrderedDict(arguments))
        return self.function(*bound.args, **bound.kwargs)

    @property
    def usage(self) -> str:
        """The parameters as TensorFlow documents them: `(x, axis=None, name=None)`."""
        bare = [each.replace(annotation=inspect.Parameter.empty) for each in self.signature.parameters.values()]
        return str(inspect.Signature(bare))


OPS: dict[str, Op] = {}
"""Every operation by its name; `find_op` also knows the aliases."""
_ALIASES: dict[str, Op] = {}
_HIDDEN: dict[str, Op] = {}


class Details(TypedDict, total=False):
    """What both kinds of declaration may say."""

    aliases: tuple[str, ...]
    dtypes: tuple[DType, ...]
    kink: Callable[..., Array]
    rounding: Rounding
    narrow_sums: bool
    several: bool
    samples: tuple[Sample, ...]
    convention: str
    errata: tuple[str, ...]
    promotes: bool
    hermitian: bool
    phases: bool
    settle: Callable[[Mapping[str, Any], Context], dict[str, Any]]


def declare(
    name: str,
    function: Callable[..., Any],
    *,
    forward: Callable[..., Any],
    domains: tuple[Interval, ...],
    vjp: tuple[Rule | None, ...] | None = None,
    joint_vjp: Callable[..., Sequence[Tensor | None]] | None = None,
    moves: bool = False,
    source: str = "",
    batching: Batching | None = None,
    **details: Unpack[Details],
) -> Op:
    """Declare an operation that has its own NumPy `forward` and its own rule; the fields of `Op` say what is what.

    `batching` may also stand on `function`, which knows what its operands' axes are.
    Raises `TypeError` if the name is taken, or if a rule comes without domains to try it in or without its source.
    """
    own = {"forward": forward, "vjp": vjp, "joint_vjp": joint_vjp, "moves": moves, "source": source}
    own["batching"] = batching or getattr(function, "batching", None)
    op = Op(name=name, function=function, family=_caller(), domains=domains, **own, **details)  # type: ignore[arg-type]
    if op.differentiable and not domains:
        raise TypeError(f"{name} has a rule but no domain to try it in")
    if op.differentiable and not source:
        raise TypeError(f"{name} has a rule but does not say where its formula comes from")
    return _register(op)


def compose(
    name: str, *, domains: tuple[Interval, ...], **details: Unpack[Details]
) -> Callable[[Callable[..., Any]], Op]:
    """Declare an operation as the composition of others that the decorated function writes."""
    family = _caller()

    def decorate(function: Callable[..., Any]) -> Op:
        return _register(Op(name=name, function=function, family=family, domains=domains, source="composed", **details))

    return decorate


def find_op(name: str) -> Op:
    """The operation of that name or alias; `KeyError` if there is none."""
    return OPS.get(name) or _HIDDEN.get(name) or _ALIASES[name]


def conceal(op: Op) -> Op:
    """Take up an operation that programs have but no expression can name: it is not in the table."""
    _HIDDEN[op.name] = op
    return op


@contextmanager
def substituted(op: Op) -> Iterator[None]:
    """Put `op` in the place of the operation of that name, for as long as the context lasts: to plant a fault.

    Programs that were lowered before keep the operation that they have.
    """
    before = OPS[op.name]
    _put(op)
    try:
        yield
    finally:
        _put(before)


def _put(op: Op) -> None:
    from gradcheck.ops.vocabulary import forget  # it stands on this module

    OPS[op.name] = op
    _ALIASES.update(dict.fromkeys(op.aliases, op))
    forget((op.name, *op.aliases))


def all_names() -> list[str]:
    """Every name and alias that `find_op` knows."""
    return [*OPS, *_ALIASES]


def _register(op: Op) -> Op:
    for name in (op.name, *op.aliases):
        if name in OPS or name in _ALIASES:
            raise TypeError(f"{name} is declared twice")
    OPS[op.name] = op
    _ALIASES.update(dict.fromkeys(op.aliases, op))
    return op


def _caller() -> str:
    """The family of a declaration is the module that makes it."""
    module: str = sys._getframe(2).f_globals["__name__"]
    return module.rpartition(".")[2]
