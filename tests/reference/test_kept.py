"""The reference with a memory: when TensorFlow is started, and what is remembered."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gradcheck.engines import Failure, Outcome, Request, Trace
from gradcheck.keeping.store import Store
from gradcheck.program import TensorType
from gradcheck.reference.answers import Known, Reference
from gradcheck.reference.kept import KeptReference
from gradcheck.tensors import Builder

ANSWER = Outcome((np.float64([2.0]),), ((np.float64([3.0]),),))  # type: ignore[arg-type]


class Counting:
    """Stands for TensorFlow's process: it gives one answer, and counts."""

    name = "tensorflow"

    def __init__(self, answer: Outcome | Failure = ANSWER) -> None:
        self.answer = answer
        self.started = self.stopped = self.asked = 0

    def __call__(self) -> "Counting":
        return self

    def __enter__(self) -> Reference:
        self.started += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped += 1

    def submit(self, request: Request) -> Known[Outcome]:
        self.asked += 1
        return Known(self.answer)

    def run(self, request: Request) -> Outcome | Failure:
        return self.submit(request).result()

    def trace(self, request: Request, position: int) -> Trace | Failure:
        self.asked += 1
        return self.answer if isinstance(self.answer, Failure) else Trace({0: np.float64([position])}, {0: None})  # type: ignore[dict-item]


Run = Callable[..., Counting]


def question(value: float = 1.0) -> Request:
    builder = Builder(inline=False)
    x = builder.input("x", TensorType((1,), np.dtype(np.float64)))
    return Request(builder.finish([x]), {"x": np.array([value])}, ("x",), ((None,),))


@pytest.fixture
def again(tmp_path: Path) -> Run:
    """Run TensorFlow's stand-in once more, on the same store, and put questions to it."""

    def run(*questions: Request, answer: Outcome | Failure = ANSWER, environment: str = "here") -> Counting:
        counting = Counting(answer)
        with KeptReference(counting, Store(tmp_path), environment) as kept:
            for each in questions:
                found = kept.run(each)
                assert _same(found, answer)
        assert not kept.trouble
        assert counting.started == counting.stopped
        return counting

    return run


def _same(left: Outcome | Failure, right: Outcome | Failure) -> bool:
    if isinstance(left, Failure) or isinstance(right, Failure):
        return left == right
    return all(map(np.array_equal, left.outputs, right.outputs))


def test_what_was_asked_before_starts_nothing(again: Run) -> None:
    assert again(question()).asked == 1
    assert again(question()).started == 0


def test_it_is_started_before_the_first_question_only_on_request(again: Run, tmp_path: Path) -> None:
    assert again().started == 0
    counting = Counting(ANSWER)
    with KeptReference(counting, Store(tmp_path), "here") as kept:
        kept.start()
    assert counting.started == 1


def test_the_first_new_question_starts_it_once(again: Run) -> None:
    again(question(1.0))
    counting = again(question(1.0), question(2.0), question(1.0), question(3.0))
    assert (counting.started, counting.asked) == (1, 2)


def test_another_environment_is_another_answer(again: Run) -> None:
    again(question())
    assert again(question(), environment="TensorFlow 3").asked == 1


@pytest.mark.parametrize(
    ("failure", "lasts"),
    [
        (Failure("error", "InvalidArgumentError: Input is not invertible."), True),
        (Failure("error", "ResourceExhaustedError: OOM when allocating tensor"), False),
        (Failure("error", "TensorFlow cannot be imported: No module named 'tensorflow'"), False),
        (Failure("crashed", "the TensorFlow process ended by signal 6 (SIGABRT)"), False),
        (Failure("timeout", "TensorFlow did not answer within 60 s"), False),
    ],
    ids=lambda each: each.message.partition(":")[0] if isinstance(each, Failure) else "",
)
def test_failures_last_that_are_about_the_program(again: Run, failure: Failure, lasts: bool) -> None:
    again(question(), answer=failure)
    assert again(question(), answer=failure).asked == (0 if lasts else 1)


def test_traces_are_kept_by_their_cotangents(tmp_path: Path) -> None:
    counting = Counting()
    for _ in range(2):
        with KeptReference(counting, Store(tmp_path), "here") as kept:
            for position in (0, 1):
                trace = kept.trace(question(), position)
                assert isinstance(trace, Trace)
                assert trace.values[0] == [position]
    assert (counting.started, counting.asked) == (1, 2)


@pytest.mark.parametrize("damage", [lambda data: data[:40], lambda data: b"", lambda data: data[:-1] + b"?"])
def test_a_damaged_answer_is_asked_for_again_and_mended(
    again: Run, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    again(question())
    (entry,) = Store(tmp_path).entries()
    entry.path.write_bytes(damage(entry.path.read_bytes()))
    assert again(question()).asked == 1
    assert again(question()).started == 0


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("this is a file")
    with KeptReference(Counting(), Store(tmp_path / "taken"), "here") as kept:
        assert kept.run(question()) is ANSWER
    assert kept.trouble == f"{tmp_path / 'taken'}: Not a directory"


def test_a_question_without_a_fingerprint_is_always_asked(again: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = question()
    object.__setattr__(odd, "inputs", {"x": np.array([None])})
    again(odd)
    assert again(odd).asked == 1


def test_too_much_is_dropped_at_the_end(tmp_path: Path) -> None:
    for each in range(4):
        with KeptReference(Counting(), Store(tmp_path, limit=1000), "here") as kept:
            kept.run(question(each))
    assert sum(each.size for each in Store(tmp_path).entries()) <= 1000
