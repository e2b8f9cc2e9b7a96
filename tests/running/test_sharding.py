"""The parts of a suite: together they are all of it, and none has much more to do than it must."""

from collections.abc import Mapping, Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.running.sharding import shard

NAMES = st.lists(st.text(max_size=3), max_size=30)
SECONDS = st.floats(0, 1e6, allow_subnormal=False)
DURATIONS = st.dictionaries(st.text(max_size=3), SECONDS, max_size=30)


def shards(names: Sequence[str], seconds: Mapping[str, float], count: int) -> list[list[int]]:
    return [shard(names, seconds, number, count) for number in range(1, count + 1)]


@given(NAMES, DURATIONS, st.integers(1, 40))
def test_everything_is_in_exactly_one_part_in_its_order(
    names: list[str], seconds: dict[str, float], count: int
) -> None:
    parts = shards(names, seconds, count)
    assert sorted(place for part in parts for place in part) == list(range(len(names)))
    assert all(part == sorted(part) for part in parts)


@given(st.lists(SECONDS, min_size=1, max_size=7), st.integers(1, 3))
def test_the_greatest_part_is_within_four_thirds_of_the_best(times: list[float], count: int) -> None:
    names = [str(each) for each in range(len(times))]
    greatest = max(sum(times[at] for at in part) for part in shards(names, dict(zip(names, times, strict=True)), count))
    best = min(
        max(sum(time for time, part in zip(times, parts, strict=True) if part == each) for each in range(count))
        for parts in product(range(count), repeat=len(times))
    )
    assert greatest <= best * 4 / 3 * (1 + 1e-12)


@given(st.permutations([f"case {each}" for each in range(12)]), st.integers(1, 5))
def test_the_order_in_which_cases_come_does_not_matter(names: list[str], count: int) -> None:
    seconds = {name: float(int(name.split()[1]) // 3) for name in names}
    parts = [{names[at] for at in part} for part in shards(names, seconds, count)]
    in_order = sorted(names)
    assert parts == [{in_order[at] for at in part} for part in shards(in_order, seconds, count)]


@given(NAMES, st.sampled_from([0.0, 0.004, 7.0]), st.booleans(), st.integers(1, 40))
def test_where_all_take_equally_long_each_part_has_as_many(
    names: list[str], time: float, known: bool, count: int
) -> None:
    sizes = [len(part) for part in shards(names, dict.fromkeys(names, time) if known else {}, count)]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(
    ("seconds", "parts"),
    [
        ({"a": 9.0, "b": 5.0, "c": 4.0, "d": 0.1}, [["a", "d"], ["b", "c"]]),
        ({"a": 8.0, "b": 7.0, "c": 1.0, "y": 99.0, "z": 99.0}, [["a", "c"], ["b", "d"]]),  # d counts 7
        ({"d": 9.0}, [["a", "c"], ["b", "d"]]),
        ({}, [["a", "c"], ["b", "d"]]),
    ],
)
def test_the_longest_goes_first_to_the_part_with_the_least(seconds: dict[str, float], parts: list[list[str]]) -> None:
    names = ["a", "b", "c", "d"]
    assert [[names[at] for at in part] for part in shards(names, seconds, 2)] == parts


def test_many_parts_take_no_room() -> None:
    assert shard(["a", "b"], {}, 2, 10**9) == [1]
    assert shard(["a", "b"], {}, 10**9, 10**9) == []
