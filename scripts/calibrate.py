"""How well the rounding bounds are calibrated: random programs, both engines correct, no disagreement allowed.

    python scripts/calibrate.py --programs 20000 --dtype float32

Prints the false alarms, how much of the bound was used, and the share of planted relative slips in one element that is
flagged. Programs are drawn from the table of operations: elementwise ones on arguments mapped into their domains,
products, reductions, softmax, joins, slices and gathers.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import suppress

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
from measure import show

from gradcheck.asking import seeded_cotangents
from gradcheck.dtypes import DTYPES, Array, DType, is_complex
from gradcheck.engine.numpy_engine import NumpyEngine
from gradcheck.engines import Failure, Outcome, Request
from gradcheck.ops import OPS, tf
from gradcheck.ops.declaration import Interval, Op, OpError
from gradcheck.program import TensorType
from gradcheck.tensors import Builder, Tensor, building
from gradcheck.verdict.kinks import kinks
from gradcheck.verdict.tolerance import Allowance, allowance

SLIPS = {"float64": 1e-10, "float32": 1e-4, "complex64": 1e-4, "complex128": 1e-10, "float16": 1e-1, "bfloat16": 1e-1}
"""The relative slip in one element that must be flagged, by dtype."""
LEFT_OUT = {"tf.math.floormod", "tf.math.nextafter", "tf.raw_ops.LeakyReluGrad"}
SHAPES = ((3, 4), (4,), (4, 3), (2, 3, 4), (3, 1), ())


def elementwise(dtype: DType) -> list[Op]:
    """The operations that take one or two tensors and nothing else, and pass gradients on, in this dtype."""
    found = []
    for op in OPS.values():
        roles = list(op.roles.values())
        plain = roles in (["Tensor"], ["Tensor", "Tensor"]) and set(op.signature.parameters) <= {*op.roles, "name"}
        same = plain and op.differentiable and dtype in op.dtypes and op.name not in LEFT_OUT
        if same and len(op.domains) == len(roles) and not op.errata and not op.hermitian and _keeps_shape(op, dtype):
            found.append(op)
    return found


def _keeps_shape(op: Op, dtype: DType) -> bool:
    builder = Builder(inline=False)
    arguments = [builder.input(f"x{position}", TensorType((3, 4), dtype)) for position in range(len(op.roles))]
    try:
        result = op(*arguments)
    except ValueError:
        return False
    return isinstance(result, Tensor) and result.type == TensorType((3, 4), dtype)


def into(x: Tensor, domain: Interval) -> Tensor:
    """`x` squeezed into the middle of a domain; complex numbers only kept from growing."""
    if is_complex(x.dtype):
        squeezed: Tensor = x / (1.0 + tf.cast(tf.abs(x), x.dtype))
        return squeezed + (0.6 if domain.low >= 0 else 0.0)
    width = 0.9 * (domain.high - domain.low)
    mapped: Tensor = (domain.low + 0.05 * (domain.high - domain.low)) + width * tf.sigmoid(x)
    return mapped


def structured(rng: np.random.Generator, pool: list[Tensor]) -> Tensor:
    """One operation that changes shapes, on values of the pool that fit it."""
    x = pool[rng.integers(len(pool))]
    choices: list[Callable[[], Tensor]] = [lambda: tf.reduce_mean(x), lambda: x * tf.reduce_sum(x * 0.1)]
    if x.ndim:
        axis = int(rng.integers(x.ndim))
        choices += [
            lambda: tf.reduce_sum(x, axis=axis, keepdims=True),
            lambda: tf.reduce_mean(x, axis=axis),
            lambda: tf.concat([x, x * 0.5], axis=axis),
            lambda: tf.reverse(x, [axis]),
            lambda: tf.gather(x, rng.integers(0, x.shape[axis], 3).tolist(), axis=axis),
            lambda: tf.cumsum(x, axis=axis) * 0.3,
            lambda: tf.transpose(x),
            lambda: tf.einsum("...i,...i->...", x, x) * 0.2,
        ]
        if not is_complex(x.dtype):
            choices += [
                lambda: tf.nn.softmax(x),
                lambda: tf.nn.log_softmax(x),
                lambda: tf.reduce_logsumexp(x, axis=axis),
            ]
            choices += [lambda: tf.reduce_max(x, axis=axis), lambda: tf.math.reduce_variance(x, axis=axis)]
    if x.ndim >= 2:
        other = next((y for y in pool if y.ndim == x.ndim and y.shape[:-2] == x.shape[:-2]), x)
        if other.shape[-1] == x.shape[-1]:
            choices += [lambda: tf.matmul(x, other, adjoint_b=True) * 0.3] * 4
    return choices[rng.integers(len(choices))]()


def random_request(seed: int, dtype: DType, table: list[Op]) -> Request:
    """A program of three to nine steps on two or three inputs."""
    rng = np.random.default_rng(seed)
    builder = Builder(inline=False)
    inputs: dict[str, Array] = {}
    pool: list[Tensor] = []
    for name in "xyz"[: rng.integers(2, 4)]:
        shape = SHAPES[rng.integers(len(SHAPES))]
        drawn = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if is_complex(dtype) else 0)
        inputs[name] = drawn.astype(dtype)
        pool.append(builder.input(name, TensorType(shape, dtype)))
    with building(builder):
        for _ in range(rng.integers(3, 10)):
            if rng.random() < 0.45:
                pool.append(structured(rng, pool))
                continue
            op = table[rng.integers(len(table))]
            first = pool[rng.integers(len(pool))]
            fitting = [each for each in pool if each.shape == first.shape or not each.shape or not first.shape]
            arguments = [first, fitting[rng.integers(len(fitting))]][: len(op.domains)]
            with suppress(OpError):  # some take two tensors of one shape only
                pool.append(op(*(into(x, domain) for x, domain in zip(arguments, op.domains, strict=True))))
        program = builder.finish([pool[-1]])
    return Request(program, inputs, tuple(inputs), (seeded_cotangents(program),))


def shares(ours: Outcome, theirs: Outcome, bounds: Allowance) -> Iterator[tuple[Array, Array, Array]]:
    """The share of the bound that was used, the reference's values and the bounds, for each output and gradient."""
    rows = zip(
        (*ours.outputs, *ours.gradients[0]),
        (*theirs.outputs, *theirs.gradients[0]),
        (*bounds.outputs, *bounds.gradients[0]),
        strict=True,
    )
    for mine, right, bound in rows:
        if mine is None or right is None or bound is None:
            assert (mine is None) == (right is None), "only one side is connected"
            continue
        wide = np.complex128 if is_complex(right.dtype) else np.float64
        a, b = mine.astype(wide), right.astype(wide)
        finite = np.isfinite(a) & np.isfinite(b)
        used = np.where(
            finite & (a != b),
            np.abs(a - b) / bound,
            np.where(finite | (np.isnan(a) & np.isnan(b)) | (a == b), 0.0, np.inf),
        )
        yield used, b, bound


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--dtype", action="append", choices=list(SLIPS))
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    from gradcheck.reference.tensorflow import TensorFlowEngine

    subject, reference = NumpyEngine(), TensorFlowEngine()
    rows = []
    for name in arguments.dtype or ("float16", "bfloat16", "float32", "float64", "complex64"):
        table = elementwise(DTYPES[name])
        alarms, ties, refused, planted, flagged, worst = 0, 0, 0, 0, 0, []
        for number in range(arguments.programs):
            seed = arguments.seed + number
            request = random_request(seed, DTYPES[name], table)
            with np.errstate(all="ignore"):
                ours, theirs = subject.run(request), reference.run(request)
                if isinstance(ours, Failure) or isinstance(theirs, Failure):
                    refused += 1
                    continue
                found = list(shares(ours, theirs, allowance(request)))
            most = max((float(used.max(initial=0.0)) for used, _, _ in found), default=0.0)
            worst.append(min(most, 99.0))
            if most > 1 and kinks(request):
                ties += 1
            elif most > 1:
                alarms += 1
                print(f"false alarm: {name}, seed {seed}, {most:.3g} of the bound\n{request.program}")
            for _, values, bound in found[1:]:
                size = np.abs(values)
                comparable = np.isfinite(size) & (size >= 0.1 * np.max(size, initial=0.0)) & (size > 0)
                planted += int(comparable.sum())
                flagged += int((SLIPS[name] * size > bound)[comparable].sum())
        share = f"{100 * flagged / max(planted, 1):.2f} %"
        used = np.quantile(worst, [0.5, 0.99, 1.0])
        rows.append(
            [
                name,
                f"{len(worst)}",
                f"{refused}",
                f"{ties}",
                f"{alarms}",
                *(f"{each:.2f}" for each in used),
                f"{SLIPS[name]:g}",
                share,
            ]
        )
    headings = ["dtype", "programs", "refused", "kinks", "alarms", "median", "99 %", "most", "slip", "flagged"]
    show("Calibration of the rounding bounds", headings, rows)


if __name__ == "__main__":
    main()
