"""`gradcheck record`, and `compare --offline` with what it wrote."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Command = Callable[..., Result]
Write = Callable[..., Path]
SQUARE = "inputs: {x: [1.0, 2.0]}\nexpr: x * x\n"
MANY = """\
cases:
  square: {inputs: {x: [0.1, 2.0]}, expr: x * x, dtype: [float32, float64]}
  not_there: {inputs: {x: [1.0, -2.0], y: 3.0}, expr: "tf.sqrt(x)"}
  fails: {inputs: {x: [[0.0]]}, expr: tf.linalg.inv(x), expect: {error: invertible}}
  refused: {inputs: {x: 1.0}, expr: tf.nothing(x), expect: {error: nothing}}
  later: {inputs: {x: 1.0}, expr: x, skip: not today}
"""
STALE = (
    "the recorded answer is stale: it was given for another program, or other inputs; "
    "run `gradcheck record {path} --update`"
)


class Absent:
    def __init__(self, _timeout: float) -> None:
        raise AssertionError("TensorFlow is started")


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    return lambda: monkeypatch.setattr("gradcheck.reference.worker.ReferenceWorker", Absent)


def test_recorded_cases_are_compared_without_tensorflow(
    command: Command, write: Write, absent: Callable[[], None]
) -> None:
    path = write(MANY)
    recorded = command("record", path)
    assert recorded.exit_code == 0, recorded.output
    assert recorded.stdout == f"{path.with_suffix('.lock.json')}: 4 new\n"
    online = command("compare", path, "--no-cache", "--show", "values")
    absent()
    offline = command("compare", path, "--offline", "--show", "values")
    assert offline.exit_code == online.exit_code == 0
    assert offline.stdout.splitlines()[:-1] == online.stdout.splitlines()[:-1]


def test_the_lock_file_is_for_reading(command: Command, write: Write) -> None:
    path = write("inputs: {x: [0.1, 2.0], y: 1.0}\nexpr: x * x\n")
    command("record", path)
    text = path.with_suffix(".lock.json").read_text()
    lines = text.splitlines()
    assert '      "outputs": [{"type": "float32[2]", "values": [0.010000001, 4.0]}],' in lines
    assert '      "gradients": {"x": {"type": "float32[2]", "values": [0.2, 4.0]}, "y": null},' in lines
    lock = json.loads(text)
    assert list(lock) == ["version", "recorded_with", "cases"]
    assert list(lock["recorded_with"]) == ["tensorflow", "keras", "numpy", "gradcheck", "python", "platform"]
    assert list(lock["cases"]) == ["case"]


def test_recording_again_changes_nothing(command: Command, write: Write) -> None:
    path = write(MANY)
    command("record", path)
    before = path.with_suffix(".lock.json").read_bytes()
    result = command("record", path)
    assert (result.exit_code, result.stdout) == (0, f"{path.with_suffix('.lock.json')}: 4 as before\n")
    assert path.with_suffix(".lock.json").read_bytes() == before


def test_what_changes_is_shown_and_written_only_on_request(command: Command, write: Write) -> None:
    path = write(SQUARE)
    lock = path.with_suffix(".lock.json")
    command("record", path)
    before = lock.read_bytes()
    write(SQUARE.replace("2.0", "3.0"))
    refused = command("record", path)
    assert refused.exit_code == 1
    lines = refused.stdout.splitlines()
    assert lines[:4] == [
        f"{lock}: 1 changed; not written",
        "  case",
        "    output: 1 of 2 elements, most at [1]: 4.0 -> 9.0",
        "    d/dx: 1 of 2 elements, most at [1]: 4.0 -> 6.0",
    ]
    assert lines[-1] == "  to record what changed, add --update"
    assert lock.read_bytes() == before
    assert command("record", path, "--update").exit_code == 0
    assert command("compare", path, "--offline").exit_code == 0


@pytest.mark.parametrize(
    ("new", "line"),
    [
        ("inputs: {x: [1.0, 2.0, 3.0]}\nexpr: x * x\n", "output: float32[2] -> float32[3]"),
        ("inputs: {x: [1.0, 2.0]}\nexpr: tf.floor(x)\n", "d/dx: float32[2] -> not connected"),
        ("inputs: {x: [1.0, 2.0], z: 1.0}\nexpr: x * x * z\n", "d/dz: new"),
        ("inputs: {x: [1.0, .nan]}\nexpr: x * x\n", "output: 1 of 2 elements, most at [1]: 4.0 -> nan"),
        (
            "inputs: {x: [[0.0]]}\nexpr: tf.linalg.inv(x)\n",
            "an answer -> InvalidArgumentError: Input is not invertible.",
        ),
        ("cases:\n  other: {inputs: {x: [1.0, 2.0]}, expr: x * x}\n", "no such case is compared any more"),
    ],
)
def test_every_kind_of_change_is_named(command: Command, write: Write, new: str, line: str) -> None:
    path = write(SQUARE)
    command("record", path)
    write(new)
    result = command("record", path)
    assert result.exit_code == 1
    assert f"    {line}" in result.stdout.splitlines()


def test_what_is_skipped_keeps_its_answer(command: Command, write: Write) -> None:
    path = write(SQUARE)
    command("record", path)
    write(SQUARE + "skip: not today\n")
    assert command("record", path).stdout == f"{path.with_suffix('.lock.json')}: 1 as before\n"
    write(SQUARE)
    assert command("compare", path, "--offline").exit_code == 0


@pytest.mark.parametrize(
    ("recorded", "now", "message"),
    [
        (None, SQUARE, "no answer of TensorFlow is recorded for this case in {lock}; run `gradcheck record {path}`"),
        (
            SQUARE,
            SQUARE.replace("2.0", "2.5"),
            STALE,
        ),
    ],
    ids=["missing", "stale"],
)
def test_a_missing_or_stale_answer_is_an_error_of_its_case(
    command: Command, write: Write, recorded: str | None, now: str, message: str
) -> None:
    if recorded is not None:
        command("record", write(recorded))
    path = write(now)
    result = command("compare", path, "--offline", "--report", "json")
    assert result.exit_code == 2
    (case,) = json.loads(result.stdout)["cases"]
    assert (case["id"], case["verdict"]) == (path.as_posix(), "error")
    wanted = message.format(path=path, lock=path.with_suffix(".lock.json"))
    assert [each["message"] for each in case["failures"]] == [wanted]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("{", "<<<<<<< HEAD\n{", "Invalid JSON"),
        ('"version": 1', '"version": 2', "it has version 2 of the format, and 1 is known"),
        ('"version": 1', '"version": 1, "code": "import os"', "`code`: Extra inputs are not permitted"),
        ("float32[2]", "float33[2]", "'float33[2]' is no type"),
        ("[1.0, 4.0]", "[1.0, 4.0, 5.0]", "there are values that do not fill float32[2]"),
        ("[1.0, 4.0]", '[1.0, "four"]', "there are values that do not fill float32[2]"),
        ("[1.0, 4.0]", "[1.0, [4.0]]", ""),
    ],
)
def test_a_damaged_lock_file_is_an_error(command: Command, write: Write, old: str, new: str, words: str) -> None:
    path = write(SQUARE)
    lock = path.with_suffix(".lock.json")
    command("record", path)
    lock.write_text(lock.read_text().replace(old, new, 1))
    result = command("compare", path, "--offline", "--report", "json")
    if not words:  # the elements are the same, however they are nested
        assert result.exit_code == 0
        return
    assert result.exit_code == 2
    message = json.loads(result.stdout)["cases"][0]["failures"][0]["message"]
    assert message.startswith(f"{lock} is no lock file: ")
    assert words in message
    refused = command("record", path)
    assert refused.exit_code == 1
    assert f"{lock} is no lock file: " in refused.output


def test_an_answer_without_a_variable_is_damaged(command: Command, write: Write) -> None:
    path = write(SQUARE)
    lock = path.with_suffix(".lock.json")
    command("record", path)
    document = json.loads(lock.read_text())
    del document["cases"]["case"]["gradients"]["x"]
    lock.write_text(json.dumps(document))
    result = command("compare", path, "--offline")
    assert result.exit_code == 2
    assert "the recorded answer is damaged: it has other variables than the case" in result.stdout


def test_a_disagreement_offline_says_why_nothing_is_blamed(
    command: Command, write: Write, absent: Callable[[], None]
) -> None:
    path = write("inputs: {x: [0.0, 2.0, 3.0]}\nexpr: tf.math.cumprod(x)\n")
    command("record", path)
    absent()
    result = command("compare", path, "--offline")
    assert result.exit_code == 1
    words = " ".join(result.stdout.split())
    assert "no blame: TensorFlow's values in between are not recorded; to have them, run without --offline" in words


def test_a_file_with_errors_is_not_recorded(command: Command, write: Write) -> None:
    path = write("inputs: {x: 1.0}\nexpr: tf.nothing(x)\n")
    result = command("record", path)
    assert result.exit_code == 2
    assert "error[unknown-op]" in result.stderr
    assert not path.with_suffix(".lock.json").exists()


def test_what_cannot_be_written_is_said(command: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    path = write(SQUARE)
    monkeypatch.setattr(Path, "write_bytes", full)
    result = command("record", path)
    assert result.exit_code == 1
    assert f"cannot write {path.with_suffix('.lock.json')}: No space left on device" in result.output
