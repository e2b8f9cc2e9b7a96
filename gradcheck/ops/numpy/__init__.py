"""`tf.experimental.numpy`: NumPy's functions by their signatures, whose operands promote by NumPy's rules."""

from gradcheck.ops.numpy import algebra, filling, joining, picking, rearranging, statistics, ufuncs

__all__ = ["algebra", "filling", "joining", "picking", "rearranging", "statistics", "ufuncs"]
