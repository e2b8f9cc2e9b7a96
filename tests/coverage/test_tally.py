"""What counts, and what does not."""

from gradcheck.coverage.tally import FLAT, of_functions, of_types
from gradcheck.ops.declaration import find_op


def test_a_type_counts_unless_there_is_a_reason() -> None:
    tally = of_types(["Sin", "New", "Add", "Print"], {"Sin": "here", "Add": "there"})
    assert dict(tally.covered) == {"Sin": "here", "Add": "there"}, "what is covered counts, whatever is said of it"
    assert tally.missing == ("New",), "a type that nobody has heard of is missing"
    assert [name for names in tally.beyond.values() for name in names] == ["Print"]
    assert tally.total == 3


def test_a_function_is_covered_under_any_of_its_names() -> None:
    tallies = of_functions(
        [("tf.sin", "tf.math.sin"), ("tf.new_one",), ("tf.keras.losses.huber",)], {"tf.math.sin": "here"}
    )
    assert dict(tallies["functions"].covered) == {"tf.sin": "here"}
    assert tallies["functions"].missing == ("tf.new_one",)
    assert tallies["Keras activations and losses"].missing == ("tf.keras.losses.huber",)


def test_a_function_does_not_count_if_none_of_its_names_does() -> None:
    both = of_functions([("tf.metrics.mse", "tf.keras.losses.mse")], {})["Keras activations and losses"]
    assert both.missing == ("tf.metrics.mse",)
    alone = of_functions([("tf.metrics.accuracy",)], {})["functions"]
    assert alone.total == 0


def test_what_is_declared_without_a_gradient_is_left_out_for_that() -> None:
    tally = of_functions([("tf.floor", "tf.math.floor")], {})["functions"]
    assert not find_op("tf.floor").differentiable
    assert tally.beyond == {FLAT: ("tf.floor",)}
