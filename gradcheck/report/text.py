"""Numbers, places and sizes as text, for every report that people read."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcheck.dtypes import Array, real_of
from gradcheck.verdict.record import Comparison, Element

WIDTH = 78
"""How wide arrays are printed: they are indented by two in 80 columns."""
DIGITS = {"float64": 15, "float32": 8, "float16": 4, "bfloat16": 3}
"""How many significant digits are worth showing, by dtype: one more than the dtype holds for certain."""


def number(value: complex, dtype_name: str, most: int = 17) -> str:
    """One element with the digits that its dtype has, and no more than `most`."""
    digits = DIGITS.get(real_of(np.dtype(dtype_name) if dtype_name != "bfloat16" else np.dtype("f4")).name, 15)
    digits = min(DIGITS.get(dtype_name, digits), most)
    if dtype_name.startswith("complex"):
        sign = "-" if value.imag < 0 or str(value.imag).startswith("-") else "+"
        return f"{value.real:.{digits}g}{sign}{abs(value.imag):.{digits}g}j"
    if dtype_name.startswith(("int", "uint")):
        return str(int(value.real))
    if dtype_name == "bool":
        return str(bool(value.real))
    return f"{value.real:.{digits}g}"


def array(value: Array | None, width: int) -> str:
    """An array as people write it: in one line if that fits into `width`, a large one with its middle left out."""
    if value is None:
        return "not connected"
    if value.size == 0:
        return f"[] of shape {list(value.shape)}"
    plain = value.astype(np.float32) if value.dtype.name == "bfloat16" else value
    with np.printoptions(threshold=200, edgeitems=3, linewidth=max(width, 20)):
        lines = np.array2string(plain, separator=", ", formatter=_formatters(value.dtype.name)).splitlines()
    line = " ".join(each.strip() for each in lines if each)
    return line if len(line) <= width else "\n".join(each for each in lines if each)


def labelled(name: str, value: Array | None, width: int = WIDTH) -> str:
    """`name = ` and the array, its further lines under the first."""
    text = array(value, width - len(name) - 3)
    return f"{name} = " + text.replace("\n", "\n" + " " * (len(name) + 3))


def _formatters(dtype_name: str) -> Any:
    return {"all": lambda each: number(complex(each), dtype_name)}


def index(at: Sequence[int]) -> str:
    """The place of an element: `[0, 1]`; a scalar has none."""
    return f"[{', '.join(map(str, at))}]" if at else "-"


def small(value: float) -> str:
    """A difference or a bound: three digits are enough."""
    return f"{value:.3g}"


def share(element: Element | None) -> str:
    """How much of what is allowed was used: `0`, `3%`, `250x`."""
    if element is None:
        return ""
    if element.used == 0:
        return "0"
    if element.used > 1:
        return f"{element.used:.3g}x"
    return f"{element.used * 100:.2g}%"


def label(comparison: Comparison) -> str:
    """How a table calls what was compared: `output`, `d/dx`, `jacobian x`, `hessian x/y`."""
    if comparison.quantity == "output":
        return comparison.variable
    kind = "d/d" if comparison.quantity == "gradient" else f"{comparison.quantity} "
    return f"{kind}{comparison.variable}"
