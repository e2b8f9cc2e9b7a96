"""Expression text to `Program`."""

from gradcheck.language.lower import Lowered, lower

__all__ = ["Lowered", "lower"]
