"""Functions of the user's that TensorFlow calls by itself: those with their own gradient, and Python functions."""

from collections.abc import Callable, Sequence
from typing import Any

from gradcheck.language.asides import aside, captured, template, tensor
from gradcheck.language.objects import Method
from gradcheck.language.static import StaticError
from gradcheck.language.structures import NotConnected, leaves, packed
from gradcheck.ops.taping import CUSTOM, PY_FUNCTION
from gradcheck.tensors import Builder


class CustomGradients:
    """Makes the decorated functions of one expression."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder

    @property
    def functions(self) -> dict[str, Method]:
        """By the names under which the language has them."""
        named: dict[str, Callable[..., Any]] = {
            "tf.custom_gradient": self.decorate,
            "tf.grad_pass_through": self._passing,
            "tf.py_function": self._py_function,
        }
        return {name: Method(name, function) for name, function in named.items()}

    def _passing(self, f: Callable[..., Any]) -> Method:
        """`f`, whose gradient is taken to be that of the identity."""
        return self.decorate(lambda *arguments: (f(*arguments), lambda *cotangents: list(cotangents)))

    def decorate(self, f: Callable[..., Any]) -> Method:
        """`f` gives its value and a function from cotangents to gradients; the decorated function gives the value."""
        return Method("a function with a custom gradient", lambda *arguments: self._called(f, arguments))

    def _called(self, f: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        inputs = [tensor(each) for each in leaves(list(arguments))]
        result, forward = aside(self._builder, lambda: f(*packed(list(arguments), iter(inputs))))
        if not isinstance(result, tuple) or len(result) != 2 or not callable(result[1]):
            raise StaticError("a function with a custom gradient gives its value and a function: `return y, grad`")
        value, grad = result
        outputs = [tensor(each) for each in leaves(value)]
        cotangents = [self._builder.placeholder(each.type) for each in outputs]
        found, backward = aside(self._builder, lambda: grad(*cotangents))
        gradients = [None if each is None or isinstance(each, NotConnected) else tensor(each) for each in leaves(found)]
        if len(gradients) != len(inputs):
            raise StaticError(f"the custom gradient gives {len(gradients)} gradients for {len(inputs)} arguments")
        for gradient, each in zip(gradients, inputs, strict=True):
            if gradient is not None and gradient.type != each.type:
                raise StaticError(f"the custom gradient of an argument {each.type} cannot be {gradient.type}")
        there = template(forward, inputs, outputs)
        back = template(backward, cotangents, gradients)
        own = {index for each in forward for index in each.outputs} | {each.key for each in inputs}
        read = tuple(each for each in captured(self._builder, there, back) if each.key not in own)
        operands = {"inputs": tuple(inputs), "captured": read}
        attributes = {"forward": there, "backward": back}
        made = self._builder.apply(CUSTOM, operands, attributes, [each.type for each in outputs])
        return packed(value, iter(made))

    def _py_function(self, func: Callable[..., Any], inp: Any, Tout: Any, name: Any = None) -> Any:  # noqa: N803
        """A function that TensorFlow calls back; its gradient is that of what it does."""
        inputs = [tensor(each) for each in leaves(list(inp))]
        result, steps = aside(self._builder, lambda: func(*inputs))
        outputs = [tensor(each) for each in leaves(result)]
        dtypes = tuple(leaves(Tout))
        if tuple(each.dtype for each in outputs) != dtypes:
            found = ", ".join(each.dtype.name for each in outputs)
            raise StaticError(f"`tf.py_function`: the function gives {found}, which `Tout` says otherwise")
        body = template(steps, inputs, outputs)
        operands = {"inputs": tuple(inputs), "captured": captured(self._builder, body)}
        attributes = {"body": body, "dtypes": dtypes}
        made = self._builder.apply(PY_FUNCTION, operands, attributes, [each.type for each in outputs])
        return packed(result, iter(made))
