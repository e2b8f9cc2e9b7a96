"""Numbers that are pinned in another dtype than what they are compared with, and numbers that are not finite."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

CASE = """
inputs: {{z: ["3+4j"]}}
dtype: complex128
expr: tf.abs(z)
expect: {{output: {output}}}
"""


@pytest.mark.parametrize(("output", "verdict"), [("[5]", "agree"), ('["5+1j"]', "mismatch"), ("[6]", "mismatch")])
def test_a_real_output_of_complex_numbers(
    command: Callable[..., Result], write: Callable[[str], Path], output: str, verdict: str
) -> None:
    assert verdict in command("compare", write(CASE.format(output=output))).stdout.splitlines()[0]


@pytest.mark.parametrize(("output", "verdict"), [(".inf", "undefined"), ("-.inf", "mismatch"), (".nan", "mismatch")])
@pytest.mark.parametrize("tolerance", ["", "tolerance: {rtol: 0.1}"])
def test_an_infinite_number_is_not_any_number(
    command: Callable[..., Result], write: Callable[[str], Path], output: str, verdict: str, tolerance: str
) -> None:
    case = write(f"inputs: {{x: [0.0]}}\nexpr: tf.math.reciprocal(x)\nexpect: {{output: [{output}]}}\n{tolerance}\n")
    assert command("compare", case).stdout.startswith(verdict)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_which_parts_of_a_complex_number_are_infinite_is_left_open(
    command: Callable[..., Result], write: Callable[[str], Path], count: int
) -> None:
    zeros = ["0j"] * count  # a whole vector of them is multiplied in another way than what is left over
    case = write(f"inputs: {{z: {zeros}}}\ndtype: complex128\nexpr: tf.sqrt(z)\nexpect: {{output: {[0] * count}}}\n")
    assert command("compare", case).stdout.startswith("undefined")
