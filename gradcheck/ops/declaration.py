"""How an operation is declared, once, and how a call of it is checked.

Everything else that needs to know an operation (the language, the engine, the tests, the lists, the documentation)
reads it from the table `OPS` that the declarations fill.
"""

import inspect
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from gradcheck.diagnostics import did_you_mean
from gradcheck.dtypes import BOOL, COMPLEXES, DTYPES, FLOATS, INTEGERS, DType, is_differentiable
from gradcheck.program import Array
from gradcheck.tensors import Builder, Context, Tensor, Value, as_array, building, current_context

Index = Tensor
"""Annotation of a parameter that takes integer positions; a literal becomes int32."""
Mask = Tensor
"""Annotation of a parameter that takes a boolean tensor."""
Tensors = Sequence[Tensor]
"""Annotation of a parameter that takes a list of tensors of one dtype."""
Parts = Tensors
"""Annotation of a parameter that takes a list of tensors, where a lone tensor stands for a list of one."""
Literal = Tensor
"""Annotation of a parameter whose literals take the dtype that the call names in `dtype`, if it does."""
Literals = Tensor
"""The same, for a parameter that also stacks a list with tensors in it."""

DRAWN = ("Tensor", "Tensors", "Parts", "Literal", "Literals")
"""The annotations of the parameters that a gradient may flow to."""

REALS = FLOATS + INTEGERS
INEXACT = FLOATS + COMPLEXES
NUMERIC = FLOATS + COMPLEXES + INTEGERS
ANY = (*NUMERIC, BOOL)

Rule = Callable[..., Tensor | None]
"""`rule(g, y, *inputs, **attributes)`: the cotangent of one input, from the cotangent `g` of the output `y`.

It is written in operations. Its result may have the shape that the inputs broadcast to; the walk sums it back.
For an operation with several outputs `g` and `y` are lists.
"""


class OpError(ValueError):
    """A call that TensorFlow would refuse too; `argument` names the parameter at fault where there is one."""

    def __init__(self, message: str, *, argument: str | None = None, help: str | None = None) -> None:  # noqa: A002
        super().__init__(message)
        self.argument = argument
        self.help = help


class Interval(NamedTuple):
    """An open stretch of the real line inside which an operation is smooth in an argument; samples are drawn in it."""

    low: float
    high: float


REAL = Interval(-2.0, 2.0)
"""The domain of an argument that may be any number; samples stay where nothing overflows."""
POSITIVE = Interval(0.25, 3.0)


class Sample(NamedTuple):
    """Arguments to try an operation with, by position and name.

    Where the parameter takes a tensor, a tuple is a shape to be filled from the domain and an array is taken as it is,
    a complex one by its real part for a real dtype; where it takes a list of tensors, so is each entry. A list of
    positions or of a mask's entries becomes a constant of the program. Everything else is passed on.
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
    aliases: tuple[str, ...]
    family: str
    dtypes: tuple[DType, ...]
    forward: Callable[..., Any] | None
    vjp: tuple[Rule | None, ...] | None
    joint_vjp: Callable[..., Sequence[Tensor | None]] | None
    domains: tuple[Interval, ...]
    kink: Callable[..., Array] | None
    moves: bool
    several: bool
    samples: tuple[Sample, ...]
    source: str
    convention: str
    errata: tuple[str, ...]
    hermitian: bool

    @cached_property
    def signature(self) -> inspect.Signature:
        return inspect.signature(self.function)

    @cached_property
    def roles(self) -> dict[str, str]:
        """For each parameter that takes tensors its annotation: `Tensor`, `Tensors`, `Index`, `Mask` and so on."""
        known = (*DRAWN, "Index", "Mask")
        texts = {name: parameter.annotation for name, parameter in self.signature.parameters.items()}
        return {name: text for name, text in texts.items() if text in known}

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
        return f"<op {self.name}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply to tensors, numbers and nested lists; gives a Tensor, or a list of them.

        Raises `OpError` if TensorFlow would refuse the call.
        """
        arguments = self._bind(args, kwargs)
        context = _context(arguments, self.roles)
        operands: dict[str, Any] = {}
        attributes: dict[str, Any] = {}
        dtype = _common_dtype(self, arguments)
        for name, argument in arguments.items():
            role = self.roles.get(name)
            if role is None or argument is None:
                attributes[name] = argument = static(argument, name)
            else:
                argument = operands[name] = self._operand(name, role, argument, dtype, context)
            arguments[name] = argument
        if not self.composite:
            types, attributes = self.invoke(arguments)
        elif context.inline:
            return self.invoke(arguments)
        else:
            return self._traced(operands, attributes, context)
        outputs = context.apply(self, operands, attributes, types if self.several else [types])
        return outputs if self.several else outputs[0]

    def invoke(self, arguments: Mapping[str, Any]) -> Any:
        """What `function` gives for arguments by parameter name."""
        bound = inspect.BoundArguments(self.signature, OrderedDict(arguments))
        return self.function(*bound.args, **bound.kwargs)

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        parameters = self.signature.parameters
        open_ended = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
        for name in kwargs:
            if name not in parameters and not open_ended:
                hint = did_you_mean(name, parameters) or f"it takes {', '.join(f'`{each}`' for each in parameters)}"
                raise OpError(f"`{self.name}` has no parameter `{name}`", argument=name, help=hint)
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise OpError(f"`{self.name}`: {error}", help=f"it is called as `{self.name}{self.usage}`") from None
        bound.apply_defaults()
        bound.arguments.pop("name", None)
        return dict(bound.arguments)

    @property
    def usage(self) -> str:
        """The parameters as TensorFlow documents them: `(x, axis=None, name=None)`."""
        bare = [each.replace(annotation=inspect.Parameter.empty) for each in self.signature.parameters.values()]
        return str(inspect.Signature(bare))

    def _operand(self, name: str, role: str, argument: Any, dtype: DType | None, context: Context) -> Any:
        if role == "Index":
            return _tensor(self, name, argument, None, context, INTEGERS)
        if role == "Mask":
            return _tensor(self, name, argument, BOOL, context, (BOOL,))
        if role == "Literal" and isinstance(argument, (list, tuple)) and _tensors_in(argument):
            raise OpError(f"`{self.name}` takes numbers, not a list of tensors", argument=name, help="use `tf.stack`")
        if role in ("Tensor", "Literal", "Literals"):
            return _tensor(self, name, argument, dtype, context, self.dtypes)
        if isinstance(argument, Tensor):
            argument = [argument] if role == "Parts" else list(argument)
        if not isinstance(argument, (list, tuple)) or not argument:
            raise OpError(f"`{self.name}`: `{name}` must be a list of at least one tensor", argument=name)
        return tuple(_tensor(self, name, each, dtype, context, self.dtypes) for each in argument)

    def _traced(self, operands: dict[str, Any], attributes: dict[str, Any], context: Context) -> Any:
        """A composition as one instruction of `context`; its types are found by trying it out."""
        scratch = Builder(inline=True, max_elements=getattr(context, "max_elements", None))
        stand_ins = dict(attributes)
        for name, operand in operands.items():
            if isinstance(operand, tuple):
                stand_ins[name] = tuple(_stand_in(scratch, each) for each in operand)
            else:
                stand_ins[name] = _stand_in(scratch, operand)
        with building(scratch):
            result = self.invoke({name: stand_ins[name] for name in self.signature.parameters if name in stand_ins})
        results = result if self.several else [result]
        outputs = context.apply(self, operands, attributes, [each.type for each in results])
        for output, each in zip(outputs, results, strict=True):
            if isinstance(context, Builder) and (known := scratch.known(each, compute=False)) is not None:
                context.learn(output, known)
        return outputs if self.several else outputs[0]


OPS: dict[str, Op] = {}
"""Every operation by its name; `find_op` also knows the aliases."""
_ALIASES: dict[str, Op] = {}


def declare(
    name: str,
    function: Callable[..., Any],
    *,
    forward: Callable[..., Any],
    vjp: tuple[Rule | None, ...] | None = None,
    joint_vjp: Callable[..., Sequence[Tensor | None]] | None = None,
    domains: tuple[Interval, ...],
    dtypes: tuple[DType, ...] = FLOATS,
    aliases: tuple[str, ...] = (),
    kink: Callable[..., Array] | None = None,
    moves: bool = False,
    several: bool = False,
    samples: tuple[Sample, ...] = (),
    source: str = "",
    convention: str = "",
    errata: tuple[str, ...] = (),
    hermitian: bool = False,
) -> Op:
    """Declare an operation that has its own NumPy `forward` and its own rule.

    `forward(*arrays, **attributes)` gives an array, or a list of them. `vjp` has one rule per tensor parameter, None
    where no gradient flows (TensorFlow answers None); `joint_vjp` instead gives the cotangents of all inputs at once.
    With neither, nothing flows. `domains` has one interval per differentiable tensor parameter. `kink` gives, for the
    input arrays, how far each element is from a point without a derivative. `moves` says that `forward` only moves
    elements and so is exact in every dtype; any other is computed in float32 for 16-bit dtypes and rounded once.
    `several` says that it gives a list. `errata` names where TensorFlow's gradient is known not to be the derivative,
    while the one given here is: "complex" (a missing conjugate), "second order". `hermitian` says that it takes its
    matrices to be Hermitian, reads one triangle, and gives the gradient of a change that leaves them so.
    """
    op = Op(
        name=name,
        function=function,
        aliases=aliases,
        family=_caller(),
        dtypes=dtypes,
        forward=forward,
        vjp=vjp,
        joint_vjp=joint_vjp,
        domains=domains,
        kink=kink,
        moves=moves,
        several=several,
        samples=samples,
        source=source,
        convention=convention,
        errata=errata,
        hermitian=hermitian,
    )
    if op.differentiable and not domains:
        raise TypeError(f"{name} has a rule but no domain to try it in")
    if op.differentiable and not source:
        raise TypeError(f"{name} has a rule but does not say where its formula comes from")
    return _register(op)


def compose(
    name: str,
    *,
    domains: tuple[Interval, ...],
    dtypes: tuple[DType, ...] = FLOATS,
    aliases: tuple[str, ...] = (),
    kink: Callable[..., Array] | None = None,
    several: bool = False,
    samples: tuple[Sample, ...] = (),
    convention: str = "",
    errata: tuple[str, ...] = (),
    hermitian: bool = False,
) -> Callable[[Callable[..., Any]], Op]:
    """Declare an operation as the composition of others that the decorated function writes."""

    family = _caller()

    def decorate(function: Callable[..., Any]) -> Op:
        return _register(
            Op(
                name=name,
                function=function,
                aliases=aliases,
                family=family,
                dtypes=dtypes,
                forward=None,
                vjp=None,
                joint_vjp=None,
                domains=domains,
                kink=kink,
                moves=False,
                several=several,
                samples=samples,
                source="composed",
                convention=convention,
                errata=errata,
                hermitian=hermitian,
            )
        )

    return decorate


def find_op(name: str) -> Op:
    """The operation of that name or alias; `KeyError` if there is none."""
    return OPS.get(name) or _ALIASES[name]


@contextmanager
def substituted(op: Op) -> Iterator[None]:
    """Put `op` in the place of the operation of that name, for as long as the context lasts: to plant a fault.

    Rules that were already looked up through `tf` keep the operation that they found.
    """
    before = OPS[op.name]
    OPS[op.name] = op
    _ALIASES.update(dict.fromkeys(op.aliases, op))
    try:
        yield
    finally:
        OPS[op.name] = before
        _ALIASES.update(dict.fromkeys(op.aliases, before))


def all_names() -> list[str]:
    """Every name and alias that `find_op` knows."""
    return [*OPS, *_ALIASES]


def static(argument: Any, name: str) -> Any:
    """An argument that must be known when the program is built, with constants of the program taken as numbers."""
    if isinstance(argument, Tensor):
        known = numbers(argument)
        if known is None:
            raise OpError(f"`{name}` must be known when the case is read, not computed from its inputs", argument=name)
        return known.tolist()
    if isinstance(argument, (list, tuple)):
        return tuple(static(each, name) for each in argument)
    return argument


def numbers(tensor: Tensor) -> Array | None:
    """The numbers of a tensor that are known already; None for a value that a program computes from its inputs."""
    if isinstance(tensor, Value):
        return tensor.context.known(tensor)
    known: Array = tensor.numpy()  # type: ignore[attr-defined]  # an eager tensor has its numbers
    return known


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


def _context(arguments: dict[str, Any], roles: Iterable[str]) -> Context:
    tensors = [each for name in roles for each in _tensors_in(arguments.get(name))]
    contexts = {id(each.context): each.context for each in tensors}
    builders = [each for each in contexts.values() if isinstance(each, Builder)]
    if builders:
        return builders[0]
    return next(iter(contexts.values()), None) or current_context()


def _tensors_in(argument: Any) -> list[Tensor]:
    if isinstance(argument, Tensor):
        return [argument]
    if isinstance(argument, (list, tuple)):
        return [found for each in argument for found in _tensors_in(each)]
    return []


def _common_dtype(op: Op, arguments: dict[str, Any]) -> DType | None:
    for name, role in op.roles.items():
        if role in ("Literal", "Literals"):
            named = arguments.get("dtype")
            named = DTYPES.get(named) if isinstance(named, str) else named
            return named if isinstance(named, DType) else None
        if role in DRAWN:
            for tensor in _tensors_in(arguments.get(name)):
                return tensor.dtype
    return None


def _tensor(
    op: Op, name: str, argument: Any, dtype: DType | None, context: Context, allowed: tuple[DType, ...]
) -> Tensor:
    tensor = _converted(op, name, argument, dtype, context)
    if dtype is not None and tensor.dtype != dtype:
        raise OpError(
            f"`{op.name}`: `{name}` is {tensor.dtype.name} where {dtype.name} is needed; TensorFlow never promotes",
            argument=name,
            help=f"convert it with `tf.cast(…, tf.{dtype.name})`",
        )
    if tensor.dtype not in allowed:
        raise OpError(
            f"`{op.name}` does not take {tensor.dtype.name} as `{name}`; it takes {_names(allowed)}", argument=name
        )
    return tensor


def _converted(op: Op, name: str, argument: Any, dtype: DType | None, context: Context) -> Tensor:
    if isinstance(argument, Tensor):
        if argument.context is not context and isinstance(context, Builder):
            return context.constant(argument.numpy())  # type: ignore[attr-defined]  # eager, under a builder
        return argument
    if isinstance(argument, (list, tuple)) and _tensors_in(argument):
        dtype = dtype or _tensors_in(argument)[0].dtype
        stacked: Tensor = find_op("tf.stack")([_converted(op, name, each, dtype, context) for each in argument])
        return stacked
    try:
        return context.constant(as_array(argument, dtype))
    except ValueError as error:
        raise OpError(f"`{op.name}`: `{name}`: {error}", argument=name) from None


def _stand_in(builder: Builder, operand: Tensor) -> Tensor:
    """A value of `builder` that stands for `operand`: a constant stays one, so that its numbers remain known.

    Numbers that would have to be computed first are computed for positions and masks only.
    """
    if isinstance(operand, Value):
        known = operand.context.known(operand, compute=not is_differentiable(operand.dtype))
        if known is not None:
            return builder.constant(known)
    return builder.input(f"{operand.key}", operand.type)


def _names(dtypes: tuple[DType, ...]) -> str:
    return ", ".join(name for name, dtype in DTYPES.items() if dtype in dtypes)
