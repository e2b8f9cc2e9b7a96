"""Random inputs that anyone can draw again."""

import numpy as np

from gradcheck.casefile.casts import cast, check_integer
from gradcheck.casefile.errors import CaseError
from gradcheck.casefile.schema import Random
from gradcheck.dtypes import BOOL, INT64, Array, DType, is_complex, is_integer


def draw(spec: Random, dtype: DType) -> Array:
    """The array that `spec` describes, cast to `dtype`.

    `default_rng(seed)` draws in float64: `standard_normal(shape) * std + mean` or `low + (high - low) * random(shape)`.
    A complex dtype draws the real parts, then the imaginary parts. `integers(low, high, shape)` draws in int64.
    Raises `CaseError` if the distribution does not suit the dtype, or a number overflows it.
    """
    rng = np.random.default_rng(spec.seed)
    if spec.random == "integers":
        return _integers(rng, spec, dtype)
    if is_integer(dtype) or dtype == BOOL:
        message = f"`random: {spec.random}` draws no {dtype.name}"
        raise CaseError("wrong-type", message, "say `random: integers`, with `low` and `high`")
    with np.errstate(over="ignore", invalid="ignore"):
        if is_complex(dtype):
            wide = np.empty(tuple(spec.shape), np.complex128)
            wide.real = _reals(rng, spec)
            wide.imag = _reals(rng, spec)
        else:
            wide = np.asarray(_reals(rng, spec))
    if not np.all(np.isfinite(wide)):
        raise CaseError("out-of-range", "the parameters are so large that the numbers drawn are not finite")
    return cast(wide, dtype)


# The annotations are text because NumPy imports its random module, which is slow, when it is first named.


def _reals(rng: "np.random.Generator", spec: Random) -> Array | float:
    shape = tuple(spec.shape)
    if spec.random == "normal":
        return rng.standard_normal(shape) * float(spec.std) + float(spec.mean)
    low, high = float(spec.low), float(spec.high)
    return low + (high - low) * rng.random(shape)


def _integers(rng: "np.random.Generator", spec: Random, dtype: DType) -> Array:
    low, high = int(spec.low), int(spec.high)
    for bound in (low, high - 1):
        check_integer(bound, INT64)
    drawn = rng.integers(low, high, size=tuple(spec.shape), dtype=np.int64)
    return cast(np.asarray(drawn), dtype)
