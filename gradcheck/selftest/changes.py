"""How right rules become wrong ones: the usual slips, written once for all operations."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from gradcheck.dtypes import is_complex
from gradcheck.ops import find_op, tf
from gradcheck.ops.declaration import Rule
from gradcheck.tensors import Tensor

Change = Callable[[Rule], Rule]
"""From the right rule of one argument to a wrong one."""


def instead(wrong: Callable[..., Any]) -> Change:
    """Another rule altogether."""
    return lambda _: wrong


def after(function: Callable[[Tensor], Any]) -> Change:
    """The right rule's result, spoiled."""

    def change(rule: Rule) -> Rule:
        def wrong(g: Tensor, y: Tensor, *inputs: Tensor, **attributes: Any) -> Tensor | None:
            part = rule(g, y, *inputs, **attributes)
            return None if part is None else function(part)

        return wrong

    return change


def before(function: Callable[[Tensor], Any]) -> Change:
    """The right rule for a spoiled cotangent."""

    def change(rule: Rule) -> Rule:
        return lambda g, y, *inputs, **attributes: rule(function(g), y, *inputs, **attributes)

    return change


def elsewhere(function: Callable[..., Sequence[Tensor]]) -> Change:
    """The right rule for other operands, given by `function(y, *inputs)`."""

    def change(rule: Rule) -> Rule:
        return lambda g, y, *inputs, **attributes: rule(g, y, *function(y, *inputs), **attributes)

    return change


def called_with(**changed: Callable[[Any], Any]) -> Change:
    """The right rule of another call: each function makes the wrong attribute from the right one."""

    def change(rule: Rule) -> Rule:
        def wrong(g: Tensor, y: Tensor, *inputs: Tensor, **attributes: Any) -> Tensor | None:
            others = {name: function(attributes[name]) for name, function in changed.items()}
            return rule(g, y, *inputs, **{**attributes, **others})

        return wrong

    return change


# Signs, factors, chain rule

negated = after(lambda part: -part)
zeroed = after(lambda part: tf.zeros_like(part))
conjugated = after(lambda part: tf.math.conj(part))
disconnected = instead(lambda *_, **__: None)
cotangent_alone = instead(lambda g, *_, **__: g)
without_cotangent = before(lambda g: tf.ones_like(g))
cotangent_twice = before(lambda g: g * g)
at_output = elsewhere(lambda y, x: [y])
exchanged = elsewhere(lambda y, *inputs: inputs[::-1])


def scaled(factor: float) -> Change:
    return after(lambda part: part * factor)


def shifted_by(number: float) -> Change:
    """A constant too much everywhere."""
    return after(lambda part: part + number)


def slope(function: Callable[..., Tensor]) -> Change:
    """The cotangent times a wrong derivative, `function(*inputs, output)`."""
    return instead(lambda g, y, *inputs, **_: g * function(*inputs, y))


def as_rule_of(name: str) -> Change:
    """The rule of another operation, its first argument's."""

    def change(_: Rule) -> Rule:
        rules = find_op(name).vjp
        assert rules is not None
        assert rules[0] is not None
        return rules[0]

    return change


def flipped(name: str) -> Change:
    """A flag of the call taken for its opposite."""
    return called_with(**{name: lambda flag: not flag})


# Complex numbers


def on_complex(g: Tensor, y: Tensor, *inputs: Tensor, **_: Any) -> bool:
    """Whether there is a conjugate to forget."""
    return any(is_complex(each.dtype) for each in inputs)


def without_conjugate(rule: Rule) -> Rule:
    """The derivative itself where its conjugate belongs; the rule is linear in the cotangent, so both are turned."""
    return after(lambda part: tf.math.conj(part))(before(lambda g: tf.math.conj(g))(rule))


# Sums and means


def mean_instead_of_sum(argument: int = 0) -> Change:
    """Divided by how many elements of the larger one, the operand or the output, meet one of the smaller."""
    return _resized(argument, -1)


def sum_instead_of_mean(argument: int = 0) -> Change:
    return _resized(argument, 1)


def _resized(argument: int, power: int) -> Change:
    def change(rule: Rule) -> Rule:
        def wrong(g: Tensor, y: Tensor, *inputs: Tensor, **attributes: Any) -> Tensor | None:
            few, many = sorted((prod(y.shape), prod(inputs[argument].shape)))
            return scaled((many / max(few, 1)) ** power if many else 1.0)(rule)(g, y, *inputs, **attributes)

        return wrong

    return change


def wrong_axis(axis: int) -> Change:
    """A reduction's or a running operation's rule along another axis."""
    return called_with(axis=lambda right: (axis,) if isinstance(right, tuple) else axis)


# Elements in the wrong places


def shifted(axis: int) -> Change:
    return after(lambda part: tf.roll(part, 1, axis))


def reversed_along(axis: int) -> Change:
    return after(lambda part: tf.reverse(part, [axis]))


transposed = after(lambda part: tf.linalg.matrix_transpose(part))
lower_triangle_only = after(lambda part: tf.linalg.band_part(part, -1, 0))


# Elements used more than once


def kept_last_contribution(g: Tensor, y: Tensor, params: Tensor, indices: Tensor, **_: Any) -> Tensor:
    """Rows put in place one after the other instead of being summed, for `tf.gather` along its first axis."""
    places = tf.reshape(indices, (*indices.shape, 1))
    kept: Tensor = tf.tensor_scatter_nd_update(tf.zeros_like(params), places, g)
    return kept


def averaged_contributions(g: Tensor, y: Tensor, params: Tensor, indices: Tensor, **_: Any) -> Tensor:
    """The mean of the rows that were taken from one place."""
    size = params.shape[0]
    uses = tf.math.unsorted_segment_sum(tf.ones_like(g), indices, size)
    mean: Tensor = tf.math.divide_no_nan(tf.math.unsorted_segment_sum(g, indices, size), uses)
    return mean
