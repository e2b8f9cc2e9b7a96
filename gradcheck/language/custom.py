"""`tf.custom_gradient`: functions of the user's that bring their own gradient."""

from collections.abc import Callable, Sequence
from typing import Any

from gradcheck.language.objects import Method
from gradcheck.language.static import StaticError
from gradcheck.language.structures import NotConnected, as_tensor, leaves, packed
from gradcheck.language.variables import Variable
from gradcheck.ops.taping import CUSTOM
from gradcheck.program import Instruction, Template
from gradcheck.tensors import Builder, Tensor


class CustomGradients:
    """Makes the decorated functions of one expression."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder

    def decorate(self, f: Callable[..., Any]) -> Method:
        """`f` gives its value and a function from cotangents to gradients; the decorated function gives the value."""
        return Method("a function with a custom gradient", lambda *arguments: self._called(f, arguments))

    def _called(self, f: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        inputs = [_tensor(each) for each in leaves(list(arguments))]
        result, forward = self._aside(lambda: f(*packed(list(arguments), iter(inputs))))
        if not isinstance(result, tuple) or len(result) != 2 or not callable(result[1]):
            raise StaticError("a function with a custom gradient gives its value and a function: `return y, grad`")
        value, grad = result
        outputs = [_tensor(each) for each in leaves(value)]
        cotangents = [self._builder.placeholder(each.type) for each in outputs]
        found, backward = self._aside(lambda: grad(*cotangents))
        gradients = [
            None if each is None or isinstance(each, NotConnected) else _tensor(each) for each in leaves(found)
        ]
        if len(gradients) != len(inputs):
            raise StaticError(f"the custom gradient gives {len(gradients)} gradients for {len(inputs)} arguments")
        for gradient, each in zip(gradients, inputs, strict=True):
            if gradient is not None and gradient.type != each.type:
                raise StaticError(f"the custom gradient of an argument {each.type} cannot be {gradient.type}")
        there = _template(forward, inputs, outputs)
        back = _template(backward, cotangents, gradients)
        own = {index for each in forward for index in each.outputs} | {each.key for each in inputs}
        captured = dict.fromkeys(index for index in (*there.captured, *back.captured) if index not in own)
        operands = {"inputs": tuple(inputs), "captured": tuple(self._builder.value(index) for index in captured)}
        attributes = {"forward": there, "backward": back}
        made = self._builder.apply(CUSTOM, operands, attributes, [each.type for each in outputs])
        return packed(value, iter(made))

    def _aside(self, read: Callable[[], Any]) -> tuple[Any, tuple[Instruction, ...]]:
        """What `read` gives, and the instructions that it wrote, taken out of the program again."""
        builder = self._builder
        since, tapes, span = len(builder.instructions), builder.tapes, builder.span
        builder.tapes = ()
        try:
            result = read()
        finally:
            builder.tapes, builder.span = tapes, span
            written = tuple(builder.instructions[since:])
            del builder.instructions[since:]
        return result, written


def _template(
    instructions: tuple[Instruction, ...], inputs: Sequence[Tensor], outputs: Sequence[Tensor | None]
) -> Template:
    keys = tuple(None if each is None else each.key for each in outputs)
    return Template(instructions, tuple(each.key for each in inputs), keys)


def _tensor(value: Any) -> Tensor:
    if isinstance(value, Variable):
        return value.read()
    return as_tensor(value)
