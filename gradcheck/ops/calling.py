"""A call of an operation: its arguments checked and converted as TensorFlow does, then applied."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from gradcheck.diagnostics import did_you_mean
from gradcheck.dtypes import BOOL, DTYPES, INTEGERS, Array, DType, is_differentiable
from gradcheck.nests import leaves
from gradcheck.ops.declaration import ANY, DRAWN, Op, OpError, Undecided, find_op, listed
from gradcheck.ops.sparse import SparseTensor
from gradcheck.program import TensorType
from gradcheck.tensors import Builder, Context, Tensor, Value, as_array, building, current_context

NUMBERS = (bool, int, float, complex, np.generic, np.ndarray)


def call(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Apply `op` to tensors, numbers and nested lists; gives a Tensor, or a list of them.

    Raises `OpError` if TensorFlow would refuse the call.
    """
    arguments = _bind(op, args, kwargs)
    context = _context(arguments, op.roles)
    operands: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    dtype = _common_dtype(op, arguments)
    for name, argument in arguments.items():
        role = op.roles.get(name)
        if role is not None and argument is None and name not in op.optional:
            raise OpError(f"`{op.name}`: `{name}` must be a tensor, not None", argument=name)
        number = role == "Scalar" and not _tensors_in(argument)
        if role is None or argument is None or number:
            attributes[name] = argument = static(argument, name)
        else:
            argument = operands[name] = _operand(op, name, role, argument, dtype, context)
            if dtype is None and role in ("Tensor", "Tensors", "Parts", "OneOrMany"):  # of numbers the first decides
                dtype = (argument[0] if isinstance(argument, tuple) else argument).dtype
        arguments[name] = argument
    if op.settle is not None:
        settled = op.settle(arguments, context)
        arguments |= settled
        attributes |= settled
    written = attributes
    if not op.composite:
        types, attributes = op.invoke(arguments)
    elif context.inline or any(map(_is_function, attributes.values())):
        return op.invoke(arguments)
    else:
        return _traced(op, operands, attributes, context)
    outputs = context.apply(op, operands, attributes, listed(types), written)
    return outputs[0] if isinstance(types, TensorType) else outputs


def _is_function(argument: Any) -> bool:
    """Whether an argument is a function that has no name: what calls it is written out."""
    return callable(argument) and not isinstance(argument, (Op, type))


def static(argument: Any, name: str) -> Any:
    """An argument that must be known when the program is built, with constants of the program taken as numbers."""
    if isinstance(argument, Tensor):
        known = numbers(argument)
        if known is None:
            message = f"`{name}` must be known when the case is read, not computed from its inputs"
            raise Undecided(message, argument=name)
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


def _bind(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    parameters = op.signature.parameters
    open_ended = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    for name in kwargs:
        if name not in parameters and not open_ended:
            hint = did_you_mean(name, parameters) or f"it takes {', '.join(f'`{each}`' for each in parameters)}"
            raise OpError(f"`{op.name}` has no parameter `{name}`", argument=name, help=hint)
    try:
        bound = op.signature.bind(*args, **kwargs)
    except TypeError as error:
        raise OpError(f"`{op.name}`: {error}", help=f"it is called as `{op.name}{op.usage}`") from None
    bound.apply_defaults()
    bound.arguments.pop("name", None)
    return dict(bound.arguments)


def _operand(op: Op, name: str, role: str, argument: Any, dtype: DType | None, context: Context) -> Any:
    if isinstance(argument, SparseTensor) and role != "Sparse":
        raise OpError(f"`{op.name}` takes no `tf.SparseTensor` as `{name}` here", argument=name)
    if role == "Index":
        return _tensor(op, name, argument, None, context, INTEGERS)
    if role == "Mask":
        return _tensor(op, name, argument, BOOL, context, (BOOL,))
    if role == "Sparse":
        if not isinstance(argument, SparseTensor):
            raise OpError(f"`{op.name}`: `{name}` must be a `tf.SparseTensor`", argument=name)
        return tuple(context.adopt(each) for each in argument)
    if role == "Cast":
        literal = dtype is not None and is_differentiable(dtype) and not _tensors_in(argument)
        return _tensor(op, name, argument, dtype if literal else None, context, ANY)
    if role == "Literal" and isinstance(argument, (list, tuple)) and _tensors_in(argument):
        raise OpError(f"`{op.name}` takes numbers, not a list of tensors", argument=name, help="use `tf.stack`")
    if role in ("Tensor", "Literal", "Literals", "Scalar"):
        return _tensor(op, name, argument, dtype, context, op.dtypes)
    if role == "OneOrMany" and not isinstance(argument, (list, tuple)):
        return _tensor(op, name, argument, dtype, context, op.dtypes)
    if isinstance(argument, Tensor):
        argument = [argument] if role == "Parts" else list(argument)
    if not isinstance(argument, (list, tuple)) or not argument:
        raise OpError(f"`{op.name}`: `{name}` must be a list of at least one tensor", argument=name)
    if role == "Various":
        return tuple(_tensor(op, name, each, None, context, ANY) for each in argument)
    return tuple(_tensor(op, name, each, dtype, context, op.dtypes) for each in argument)


def _traced(op: Op, operands: dict[str, Any], attributes: dict[str, Any], context: Context) -> Any:
    """A composition as one instruction of `context`; its types are found by trying it out."""
    scratch = Builder(inline=True, max_elements=context.max_elements)
    stand_ins = dict(attributes)
    for name, operand in operands.items():
        if isinstance(operand, tuple):
            stand_ins[name] = tuple(_stand_in(scratch, each) for each in operand)
        else:
            stand_ins[name] = _stand_in(scratch, operand)
    with building(scratch):
        result = op.invoke({name: stand_ins[name] for name in op.signature.parameters if name in stand_ins})
    results = listed(result)
    there = [each for each in results if each is not None]
    outputs = context.apply(op, operands, attributes, [each.type for each in there])
    for output, each in zip(outputs, there, strict=True):
        if isinstance(context, Builder) and (known := scratch.known(each, compute=False)) is not None:
            context.learn(output, known)
    made = iter(outputs)
    return outputs[0] if isinstance(result, Tensor) else [None if each is None else next(made) for each in results]


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
    if op.promotes:
        return _promoted(op, arguments)
    for name, role in op.roles.items():
        if role in ("Literal", "Literals"):
            named = arguments.get("dtype")
            named = DTYPES.get(named) if isinstance(named, str) else named
            return named if isinstance(named, DType) else None
        if role in DRAWN and role != "Cast":
            for tensor in _tensors_in(arguments.get(name)):
                return tensor.dtype
    return None


def _promoted(op: Op, arguments: dict[str, Any]) -> DType | None:
    """What NumPy's rules give for all tensors and numbers that are drawn; numbers go along with what is not weaker."""
    drawn = [name for name, role in op.roles.items() if role in DRAWN and role != "Cast"]
    given = [each for name in drawn for each in leaves(arguments.get(name)) if isinstance(each, (Tensor, *NUMBERS))]
    try:
        return np.result_type(*(each.dtype if isinstance(each, Tensor) else each for each in given)) if given else None
    except TypeError as error:
        raise OpError(f"`{op.name}`: {error}") from None


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
        tensor = context.adopt(argument)
        if not op.promotes or dtype is None or tensor.dtype == dtype:
            return tensor
        promoted: Tensor = find_op("tf.cast")(tensor, dtype)
        return promoted
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
