"""Values kept in a range: that of a norm over several tensors, and that of a dtype."""

from __future__ import annotations

from typing import Any

import numpy as np
from ml_dtypes import finfo

from gradcheck.dtypes import BOOL, COMPLEX128, FLOATS, Array, DType, is_complex, is_integer, real_of
from gradcheck.ops.arrays.shaping import as_dtype
from gradcheck.ops.declaration import INEXACT, POSITIVE, REAL, SAME, OpError, Tensors, compose, sample
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


def _from_kink(*arrays: Array, use_norm: Any = None) -> Array:
    *tensors, clip_norm = arrays
    norm = np.sqrt(sum(np.sum(each * each) for each in tensors))
    return np.asarray(norm - clip_norm)


@compose(
    "tf.clip_by_global_norm",
    domains=(POSITIVE, POSITIVE, POSITIVE),
    dtypes=FLOATS,
    several=True,
    kink=_from_kink,
    samples=(
        sample([(2, 3), (2,)], ()),
        sample([(2,), ()], np.array(40.0)),
        sample([(3,)], (3,)),
        sample([(0, 2), (2,)], ()),
    ),
    convention="the clipped tensors, and after them the norm; the identity where the norm is below `clip_norm`, an "
    "equal one counts as clipped; NaN where everything is 0",
)
def _clip_by_global_norm(
    t_list: Tensors,
    clip_norm: Tensor,
    use_norm: Tensor = None,  # type: ignore[assignment]  # TensorFlow's default
    name: str | None = None,
) -> list[Tensor]:
    norm = tf.linalg.global_norm(t_list) if use_norm is None else use_norm
    scale = clip_norm * tf.minimum(1.0 / norm, 1.0 / clip_norm) + (norm - norm)  # NaN if the norm is not finite
    return [*[each * scale for each in t_list], norm]


def _range(dtype: DType) -> tuple[float, float]:
    """The least and the largest finite number, exactly: integers as integers."""
    if is_integer(dtype):
        return np.iinfo(dtype).min, np.iinfo(dtype).max
    info = finfo(dtype)  # type: ignore[no-untyped-call]
    return float(info.min), float(info.max)


def _limit(bound: float, dtype: DType) -> float:
    """The number of `dtype` next to `bound` on the way to 0."""
    if is_integer(dtype):
        return int(bound)
    found = dtype.type(bound)
    return float(np.nextafter(found, dtype.type(0)) if abs(float(found)) > abs(bound) else found)


# TensorFlow clips no other unsigned integers, and its upper limit of an int64 overflows.
SATURATED = (*INEXACT, *(np.dtype(name) for name in ("int8", "int16", "int32", "uint8", "uint16")))


@compose(
    "tf.saturate_cast",
    aliases=("tf.dtypes.saturate_cast",),
    domains=(REAL,),
    dtypes=SATURATED,
    samples=(sample((2, 3), SAME), sample((), COMPLEX128)),
    convention="the gradient is 0 where the value is beyond what the dtype can hold, at the infinities too, and 1 for "
    "NaN; complex to real keeps the real part; TensorFlow cannot narrow complex numbers",
)
def _saturate_cast(value: Tensor, dtype: Any, name: str | None = None) -> Tensor:
    target = as_dtype(dtype)
    if target == BOOL:
        raise OpError("`tf.saturate_cast` cannot make booleans", argument="dtype", help="use `tf.cast`")
    if is_complex(value.dtype):
        if is_complex(target):
            if target.itemsize < value.dtype.itemsize:
                raise OpError(
                    "`tf.saturate_cast` cannot narrow complex numbers", argument="dtype", help="use `tf.cast`"
                )
            widened: Tensor = tf.cast(value, target)
            return widened
        value = tf.math.real(value)
    (low, high), (lowest, highest) = _range(value.dtype), _range(real_of(target))
    below, above = _limit(max(low, lowest), value.dtype), _limit(min(high, highest), value.dtype)
    inside = tf.where(value < below, below, tf.where(value > above, above, value))
    clipped: Tensor = tf.cast(inside, target)
    return clipped
