"""Functions of `tf.math` that act on each element."""

from __future__ import annotations
