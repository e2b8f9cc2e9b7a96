"""What counts as evidence: how many elements, of how many digits, and which do not count."""

from dataclasses import replace

import numpy as np

from gradcheck.ops import tf
from gradcheck.verdict.slips import Slip, explain
from tests.verdict.slips.calls import BFLOAT16, EXP, allowed, call, drawn, right, said


def test_a_factor_that_is_read_from_the_result_needs_more_than_one_element() -> None:
    lone = call(tf.exp, drawn())
    assert said(lone, 0.7 * right(lone)) is None
    assert said(lone, 2 * right(lone)) == ("factor", "is 2 times too large")
    same = call(tf.exp, np.full((4,), 0.5), ones=True)  # four elements, one piece of evidence
    assert said(same, 0.7 * right(same)) is None
    assert said(same, -right(same)) == ("sign", "has the wrong sign")


def test_a_fitted_factor_is_not_proved_by_the_element_that_it_was_read_from() -> None:
    two, three = (call(tf.exp, drawn(count, dtype=np.float32)) for count in (2, 3))
    assert said(two, 0.7 * right(two)) is None  # one element in seven digits is left
    assert said(three, 0.7 * right(three)) == ("factor", "is 0.7 times what it should be")


def test_a_lone_number_of_few_digits_proves_nothing() -> None:
    lone = call(tf.exp, drawn(dtype=BFLOAT16))
    assert said(lone, 2 * right(lone)) is None


def test_a_limit_of_infinity_hides_an_element() -> None:
    limits = allowed(right(EXP))
    value = -right(EXP)
    value[0, 0] = 123
    for none in (np.inf, np.nan):
        limits[0, 0] = none
        assert explain(replace(EXP, found=value, allowed=limits)) == Slip("sign", "has the wrong sign")
