"""Names that an input can have, and names that none can have."""

import pytest

from gradcheck.casefile.names import RESERVED_NAMES

from .conftest import Only, Refused


def test_words_of_yaml_1_1_are_names(only: Only) -> None:
    assert list(only("inputs: {no: 1, on: 1, y: 1, off: 1e-5}\nexpr: no\n").inputs) == ["no", "on", "y", "off"]


@pytest.mark.parametrize("name", ["x", "x_1", "_x", "Å", "match", "_"])
def test_names_that_an_input_can_have(only: Only, name: str) -> None:
    assert list(only(f"inputs: {{{name}: 1}}\nexpr: {name}\n").inputs) == [name]


@pytest.mark.parametrize("name", [*sorted(RESERVED_NAMES), "lambda", "None", "__x", "1x", "x y", "ﬁ", "", r"x\n"])
def test_names_that_no_input_can_have(refused: Refused, name: str) -> None:
    text = refused(f'inputs: {{"{name}": 1}}\nexpr: x\n')
    assert text.startswith("case.yaml:1:10: error[bad-name]: ")
