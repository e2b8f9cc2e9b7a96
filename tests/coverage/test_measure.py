"""The figures, measured on the TensorFlow that is installed."""

import pytest

from gradcheck.cli.new import shipped_cases
from gradcheck.cli.options import select
from gradcheck.coverage.measure import coverage
from gradcheck.coverage.tally import Coverage, beyond
from gradcheck.reference.worker import SurveyWorker

pytestmark = pytest.mark.long
TYPES = (286, 286)
FUNCTIONS = (631, 631)
"""What is covered, and out of how much. These can only rise: a new TensorFlow may raise the second alone."""


@pytest.fixture(scope="module")
def measured() -> Coverage:
    selection = select((str(shipped_cases()),), keyword=None, tags=(), dtypes=(), limits=())
    with SurveyWorker() as tensorflow:
        return coverage(selection.cases, tensorflow)


def test_operation_types(measured: Coverage) -> None:
    assert (len(measured.types.covered), measured.types.total) == TYPES, measured.types.missing


def test_public_functions(measured: Coverage) -> None:
    tallies = measured.functions.values()
    missing = [name for each in tallies for name in each.missing]
    assert (sum(len(each.covered) for each in tallies), sum(each.total for each in tallies)) == FUNCTIONS, missing


def test_no_type_that_is_covered_is_excused(measured: Coverage) -> None:
    excused = {name for names in beyond("types").values() for name in names}
    assert not measured.types.covered.keys() & excused
