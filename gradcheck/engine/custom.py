"""`tf.custom_gradient`, on tensors that are computed at once."""

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import Parameter, signature
from typing import Any

import numpy as np

from gradcheck.engine.eager import EAGER, EagerTensor, converted, tensor
from gradcheck.engine.reverse import Record
from gradcheck.engine.variable import Variable
from gradcheck.nests import leaves, packed
from gradcheck.ops.declaration import Op
from gradcheck.ops.taping import CUSTOM
from gradcheck.program import TensorType
from gradcheck.tensors import Builder, Tensor, Value

Gradients = Callable[[Sequence[Tensor]], list[EagerTensor | None]]
"""From the cotangents of a function's outputs to those of its inputs."""


def custom_gradient(f: Callable[..., Any] | None = None) -> Any:
    """Decorate a function that gives its value and its own gradient: `return y, grad`.

    >>> @custom_gradient
    ... def log1pexp(x):
    ...     e = tf.exp(x)
    ...     return tf.math.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))

    `grad` takes a cotangent for each output and gives a gradient, or None, for each positional argument. If `f`
    uses variables that are not among its arguments, `grad` is also called with `variables=`, a list of them, and gives
    a second list, of their gradients. Both see tensors with numbers; what they compute can be differentiated again.
    The decorated function raises `TypeError` if `f` gives something else, if its `grad` does not take the variables,
    or if it is called while a program is written; asking for a gradient raises `ValueError` if `grad` gives too few or
    too many gradients, or one of another shape or dtype.
    """
    if f is None:
        return custom_gradient

    @wraps(f)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        return _called(f, args, kwargs)

    return decorated


class _Accessed:
    """Recorder of the trainable variables that a function uses."""

    def __init__(self) -> None:
        self.variables: dict[int, Variable] = {}

    def record(self, record: Record) -> None:
        """An operation as such uses none."""

    def accessed(self, variable: Variable) -> None:
        if variable.trainable:
            self.variables[variable.key] = variable


def _called(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    arguments = [*leaves(args), *leaves(kwargs)]
    if any(isinstance(each, Value) for each in arguments):
        raise TypeError("a function with a custom gradient takes tensors that have numbers, not those of a program")
    accessed = _Accessed()
    with EAGER.followed_by([*EAGER.recorders, accessed]):
        result = f(*args, **kwargs)
    if not isinstance(result, tuple) or len(result) != 2 or not callable(result[1]):
        raise TypeError("a function with a custom gradient gives its value and a function: `return y, grad`")
    value, grad = result
    variables = [each for each in accessed.variables.values() if not any(each is other for other in arguments)]
    if variables and not _takes_variables(grad):
        names = ", ".join(each.name for each in variables)
        raise TypeError(f"the function uses variables ({names}): its gradient function must take `variables=`")
    inputs = [_tensor(each) for each in leaves(args)]
    taken = [*inputs, *map(_tensor, variables)]

    def gradients(cotangents: Sequence[Tensor]) -> list[EagerTensor | None]:
        given = grad(*cotangents, variables=variables) if variables else grad(*cotangents)
        if variables and not (isinstance(given, tuple) and len(given) == 2):
            raise ValueError("the custom gradient gives two lists, the second for the variables")
        for_inputs, for_variables = map(leaves, given if variables else (given, []))
        _fits(for_inputs, inputs, "arguments")
        _fits(for_variables, variables, "variables")
        return [
            None if each is None else converted(each, to.type, "the custom gradient of an argument")
            for each, to in zip([*for_inputs, *for_variables], taken, strict=True)
        ]

    outputs = tuple(_tensor(each) for each in leaves(value))
    made = EAGER.apply(
        _operation(gradients, [each.type for each in taken], len(outputs)),
        {"inputs": tuple(taken), "values": outputs},
        {},
        [each.type for each in outputs],
    )
    return packed(value, iter(made))


def _operation(gradients: Gradients, inputs: Sequence[TensorType], count: int) -> Op:
    """From the inputs and the `count` values that the function has made of them to these values, by the user's rule."""

    def rule(g: Sequence[Tensor], _: Sequence[Tensor], *__: Tensor) -> list[Tensor | None]:
        context = g[0].context
        found = _written(gradients, g, inputs, context) if isinstance(context, Builder) else gradients(g)
        return [*found, *(None for _ in range(count))]

    return Op(
        name=CUSTOM.name,
        function=CUSTOM.function,
        family=CUSTOM.family,
        domains=(),
        forward=lambda *arrays: list(arrays[len(inputs) :]),
        joint_vjp=rule,
        dtypes=CUSTOM.dtypes,
        moves=True,
        several=True,
    )


def _written(
    gradients: Gradients, g: Sequence[Tensor], inputs: Sequence[TensorType], builder: Builder
) -> Sequence[Tensor | None]:
    """The call of the user's rule as one instruction of a draft: it needs numbers, which are there when it runs.

    Which gradients are None has to be known already, so it is tried once.
    """
    with EAGER.followed_by(()):
        tried = gradients([EagerTensor(np.zeros(each.shape, each.dtype)) for each in g])
    present = [each is not None for each in tried]

    def call(g: Sequence[Tensor]) -> list[EagerTensor]:
        return [each for each in gradients(g) if each is not None]

    op = Op(name=f"{CUSTOM.name} backward", function=call, family=CUSTOM.family, domains=(), several=True)
    types = [type_ for type_, there in zip(inputs, present, strict=True) if there]
    made = iter(builder.apply(op, {"g": tuple(g)}, {}, types))
    return [next(made) if there else None for there in present]


def _tensor(value: Any) -> EagerTensor:
    return EAGER.adopt(value) if isinstance(value, Tensor) else tensor(value)


def _fits(found: Sequence[Any], wanted: Sequence[Any], what: str) -> None:
    if len(found) != len(wanted):
        raise ValueError(f"the custom gradient gives {len(found)} gradients for {len(wanted)} {what}")


def _takes_variables(grad: Callable[..., Any]) -> bool:
    parameters = signature(grad).parameters
    return "variables" in parameters or any(each.kind is Parameter.VAR_KEYWORD for each in parameters.values())
