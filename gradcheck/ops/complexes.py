"""Complex numbers: parts, conjugate, modulus, angle."""

from __future__ import annotations
