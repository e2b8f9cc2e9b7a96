"""Complex numbers: parts, conjugate, argument, and a complex tensor from its parts."""

from __future__ import annotations

import numpy as np

from gradcheck.dtypes import FLOAT32, FLOAT64, Array, complex_of, is_complex, real_of
from gradcheck.ops.declaration import ANY, INEXACT, NUMERIC, REAL, declare
from gradcheck.ops.shapes import elementwise
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

declare(
    "tf.math.conj",
    elementwise("x"),
    forward=lambda x: x.conj() if is_complex(x.dtype) else x,
    vjp=(lambda g, y, x: tf.math.conj(g) if is_complex(x.dtype) else g,),
    domains=(REAL,),
    dtypes=NUMERIC,
    moves=True,
    source="d conj(x) = conj(dx)",
    convention="a real tensor is handed on as it is",
)
declare(
    "tf.math.real",
    elementwise("input", result=real_of),
    forward=lambda x: x.real if is_complex(x.dtype) else x,
    vjp=(lambda g, y, x: tf.cast(g, x.dtype) if is_complex(x.dtype) else g,),
    domains=(REAL,),
    dtypes=NUMERIC,
    moves=True,
    source="L(Re z): dL/dx + i dL/dy = g",
    convention="a real tensor is handed on as it is",
)


def _imag_vjp(g: Tensor, y: Tensor, x: Tensor) -> Tensor | None:
    return tf.complex(tf.zeros_like(g), g) if is_complex(x.dtype) else None


declare(
    "tf.math.imag",
    elementwise("input", result=real_of),
    forward=lambda x: x.imag if is_complex(x.dtype) else np.zeros(x.shape, x.dtype),
    vjp=(_imag_vjp,),
    domains=(REAL,),
    dtypes=ANY,
    moves=True,
    source="L(Im z): dL/dx + i dL/dy = i g",
    convention="of a real tensor it is a constant 0: not connected",
)


def _angle(x: Array) -> Array:
    argument: Array
    if is_complex(x.dtype):
        argument = np.arctan2(x.imag, x.real)
    else:
        argument = np.where(x < 0, x.dtype.type(np.pi), x.dtype.type(0))
    return argument


def _angle_vjp(g: Tensor, y: Tensor, x: Tensor) -> Tensor | None:
    if not is_complex(x.dtype):
        return None
    turned = tf.complex(tf.math.imag(x), tf.math.real(x))
    part: Tensor = -tf.cast(g, x.dtype) / turned
    return part


declare(
    "tf.math.angle",
    elementwise("input", result=real_of),
    forward=_angle,
    vjp=(_angle_vjp,),
    domains=(REAL,),
    dtypes=INEXACT,
    source="d arg(z) = Im(dz / z), whose cotangent is -g / (Im z + i Re z)",
    convention="of a real tensor it is 0 or pi and not connected; at 0 a division by 0; NaN counts as not negative",
)


def _complex(real: Array, imag: Array) -> Array:
    joined = np.empty(np.broadcast_shapes(real.shape, imag.shape), complex_of(real.dtype))
    joined.real = real  # part by part: 1j * imag would turn an infinity into NaN
    joined.imag = imag
    return joined


declare(
    "tf.complex",
    elementwise("real", "imag", result=complex_of),
    aliases=("tf.dtypes.complex",),
    forward=_complex,
    vjp=(lambda g, z, x, y: tf.math.real(g), lambda g, z, x, y: tf.math.imag(g)),
    domains=(REAL, REAL),
    dtypes=(FLOAT32, FLOAT64),
    source="z = x + i y receives dL/dx + i dL/dy",
)
