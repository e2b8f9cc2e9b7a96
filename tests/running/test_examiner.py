"""One case at a time, in whatever process it is asked of."""

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from gradcheck.configuration import NotFound
from gradcheck.engines import Failure, Outcome, Request
from gradcheck.running import examiner as module
from gradcheck.running.examiner import Examiner, Setting, examine
from gradcheck.verdict.record import Verdict
from tests.running.conftest import UNRULY, Likewise, Tasks, told

TERABYTE = 2**40


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine's folder stays on the path of its process, and what was loaded stays loaded."""
    monkeypatch.setattr(sys, "path", sys.path.copy())
    module._examiner.cache_clear()


@pytest.mark.parametrize("engine", ["", UNRULY])
def test_a_case_is_compared_without_tensorflow_where_its_answers_are_kept(tasks: Tasks, engine: str) -> None:
    (task,) = tasks("one")
    result = examine(Setting(engine), pickle.loads(pickle.dumps(task)))
    assert result.verdict is Verdict.AGREE
    name = "unruly" if engine else "numpy"
    assert {each.sides for each in result.comparisons} == {(name, "tensorflow")}
    assert pickle.loads(pickle.dumps(result)).verdict is Verdict.AGREE


def test_an_engine_is_found_from_the_folder_of_the_setting(
    tasks: Tasks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (task,) = tasks("one")
    monkeypatch.chdir(tmp_path)
    assert examine(Setting("unruly.py", str(Path(UNRULY).parent)), task).verdict is Verdict.AGREE
    with pytest.raises(NotFound, match="there is no file"):
        examine(Setting("unruly.py"), task)


def test_engines_are_loaded_once(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Setting] = []

    class Counted(Examiner):
        def __init__(self, setting: Setting) -> None:
            made.append(setting)
            super().__init__(setting)

    monkeypatch.setattr(module, "Examiner", Counted)
    setting = Setting()
    with ThreadPoolExecutor(3) as threads:
        results = list(threads.map(lambda task: examine(setting, task), tasks(*"abcdef")))
    assert set(told(results).values()) == {("agree", "", "")}
    assert made == [setting]


class Refusing(Likewise):
    """Stands for TensorFlow that is refused memory, in its words."""

    def __init__(self, message: str) -> None:
        self._message = message

    def run(self, request: Request) -> Outcome | Failure:
        return Failure("error", self._message)


@pytest.mark.parametrize(
    ("memory", "message", "verdict"),
    [
        (TERABYTE, "ResourceExhaustedError: OOM when allocating tensor", Verdict.CRASHED),
        (TERABYTE, "std::bad_alloc", Verdict.CRASHED),
        (TERABYTE, "InvalidArgumentError: it is singular", Verdict.ERROR),
        (None, "ResourceExhaustedError: OOM when allocating tensor", Verdict.ERROR),
    ],
)
def test_only_with_a_limit_is_memory_that_is_refused_a_crash(
    tasks: Tasks, monkeypatch: pytest.MonkeyPatch, memory: int | None, message: str, verdict: Verdict
) -> None:
    stand_in = SimpleNamespace(TensorFlowEngine=lambda: Refusing(message))
    monkeypatch.setitem(sys.modules, "gradcheck.reference.tensorflow", stand_in)
    (task,) = tasks("one")
    result = examine(Setting(answers="asked", memory=memory), task)
    assert result.verdict is verdict
