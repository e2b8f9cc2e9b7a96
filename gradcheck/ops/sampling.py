"""From an operation's declared samples to programs and inputs that try it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from gradcheck.dtypes import DTYPES, FLOAT32, Array, DType, is_complex, is_differentiable
from gradcheck.ops.declaration import DRAWN, SAME, Interval, Op, Sample, listed, sample
from gradcheck.ops.sparse import SparseTensor
from gradcheck.program import Program, TensorType
from gradcheck.tensors import Builder, Tensor, building

MARGIN = 0.02
"""Samples stay this share of a domain's width away from its ends."""


class Trial(NamedTuple):
    """One use of an operation: a program of one call, its inputs, and the names of those it could differentiate."""

    program: Program
    inputs: dict[str, Array]
    sources: tuple[str, ...]


def trials(op: Op, dtype: DType = DTYPES["float64"], seed: int = 0) -> Iterator[Trial]:
    """Every declared sample of `op` as a trial with tensors of `dtype`, drawn inside the domain and away from kinks."""
    for position, each in enumerate(op.samples or default_samples(op)):
        yield trial(op, each, dtype, np.random.default_rng([seed, position]))


def default_samples(op: Op) -> tuple[Sample, ...]:
    """What an elementwise operation is tried with: a matrix, a scalar, nothing; two tensors that broadcast."""
    count = sum(role in ("Tensor", "Mask", "Index") for role in op.roles.values())
    if count == 1:
        return sample((2, 3)), sample(()), sample((0, 3))
    if count == 2:
        return (
            sample((2, 3), (2, 3)),
            sample((2, 3), (3,)),
            sample((2, 1), (2, 3)),
            sample((), (2,)),
            sample((3,), (0, 3)),
        )
    return (sample(*[(2, 3)] * count),)


def trial(op: Op, given: Sample, dtype: DType, rng: np.random.Generator) -> Trial:
    """One sample as a trial; tensors that kinks are measured between are drawn again until they are apart."""
    for _ in range(100):
        found = _draw(op, given, dtype, rng)
        if op.kink is None or not found.sources or not is_differentiable(dtype) or _apart(op, found):
            return found
    raise ValueError(f"{op.name}: no sample of its domain is away from its kinks")


def _apart(op: Op, found: Trial) -> bool:
    assert op.kink is not None
    (instruction,) = found.program.instructions
    values = {index: found.inputs[name] for name, index in found.program.inputs.items()} | dict(found.program.constants)
    margins = np.asarray(op.kink(*[values[index] for index in instruction.inputs], **instruction.attributes))
    return bool(np.all(np.abs(margins) > MARGIN))


def _draw(op: Op, given: Sample, dtype: DType, rng: np.random.Generator) -> Trial:
    builder = Builder(inline=False)
    inputs: dict[str, Array] = {}
    sources: list[str] = []
    domains = iter(op.domains)

    def value(role: str, argument: Any, domain: Interval | None) -> Tensor:
        array = _array(role, argument, dtype, domain, rng)
        name = f"x{len(inputs)}"
        inputs[name] = array
        if domain is not None and (role != "Cast" or is_differentiable(array.dtype)):
            sources.append(name)
        return builder.input(name, TensorType(array.shape, array.dtype))

    def various(role: str, argument: Any) -> Tensor:
        return value("Index" if argument.dtype.kind == "i" else role, argument, None)

    def constant(positions: Any) -> Tensor:
        return builder.constant(np.asarray(positions, np.int64))

    def filled(parameter: str, argument: Any) -> Any:
        role = op.roles.get(parameter)
        if argument is SAME:
            return dtype
        if role == "Scalar" and isinstance(argument, float):
            return argument
        if role == "Various":
            return [each if isinstance(each, (list, int)) else various(role, each) for each in argument]
        if role is None or argument is None or (role in ("Index", "Mask", "Cast") and isinstance(argument, list)):
            return argument
        if role == "Sparse":
            places, elements, sizes = argument
            drawn = value("Tensor", elements, next(domains)) if isinstance(elements, tuple) else constant(elements)
            return SparseTensor(constant(places), drawn, constant(sizes))
        domain = next(domains, None) if role in DRAWN and _ruled(op, parameter) else None
        if role in ("Tensors", "Parts") or (role == "OneOrMany" and isinstance(argument, list)):
            return [value(role, each, domain) for each in argument]
        return value(role, argument, domain)

    bound = op.signature.bind(*given.arguments, **given.keywords)
    for parameter, argument in bound.arguments.items():
        bound.arguments[parameter] = filled(parameter, argument)
    with building(builder):
        result = op(*bound.args, **bound.kwargs)
    return Trial(builder.finish([each for each in listed(result) if each is not None]), inputs, tuple(sources))


def _ruled(op: Op, parameter: str) -> bool:
    """Whether a gradient can flow to the parameter."""
    return op.vjp is None or op.vjp[list(op.roles).index(parameter)] is not None


def _array(role: str, argument: Any, dtype: DType, domain: Interval | None, rng: np.random.Generator) -> Array:
    if not isinstance(argument, tuple):
        array = np.asarray(argument)
        if array.dtype.kind == "c" and not is_complex(dtype):
            array = array.real
        if role == "Cast" and (array.dtype.kind in "iub" or array.dtype == FLOAT32):
            return array
        wanted = {"Index": np.dtype(np.int32), "Mask": np.dtype(np.bool_)}.get(role, dtype)
        return array if isinstance(argument, np.ndarray) and role == "Index" else array.astype(wanted)
    if role == "Mask" or dtype.kind == "b":
        return rng.random(argument) < 0.5
    if role == "Index" or dtype.kind in "iu":
        return rng.integers(1, 4, argument).astype(np.int32 if role == "Index" else dtype)
    low, high = domain or Interval(-1.0, 1.0)
    margin = MARGIN * (high - low)
    drawn = rng.uniform(low + margin, high - margin, argument)
    if is_complex(dtype):
        return np.asarray(drawn + 1j * rng.uniform(0.1, 0.9, argument), dtype)
    return np.asarray(drawn, dtype)
