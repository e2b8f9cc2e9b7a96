"""The kept answers of TensorFlow, as a user meets them."""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import Result

from gradcheck.engines import Failure, Request
from gradcheck.keeping.store import FOLDER, KINDS, Store, default_folder, kept_folder
from gradcheck.reference.worker import ReferenceWorker

Command = Callable[..., Result]
Write = Callable[..., Path]
compare_module = import_module("gradcheck.cli.compare")
SQUARE = "inputs: {x: [1.0, 2.0]}\nexpr: x * x\n"
WRONG_PIN = SQUARE + "expect: {gradients: {x: [2.0, 5.0]}}\n"
TIE = "inputs: {x: [1.0, 2.0]}\nexpr: tf.reduce_max(x)\n"
DEFECT = "inputs: {x: [0.0, 2.0, 3.0]}\nexpr: tf.math.cumprod(x)\nknown_mismatch: TensorFlow divides by zero\n"


class Absent:
    """Stands for TensorFlow where it must not be started."""

    def __init__(self, _timeout: float) -> None:
        raise AssertionError("TensorFlow is started")


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    return lambda: monkeypatch.setattr("gradcheck.reference.worker.ReferenceWorker", Absent)


@pytest.mark.parametrize("left", ["reference", "results"])
@pytest.mark.parametrize(
    ("text", "status"), [(SQUARE, 0), (WRONG_PIN, 1), (DEFECT, 0), (TIE, 0)], ids=["agree", "mismatch", "blame", "max"]
)
def test_an_unchanged_case_is_compared_without_tensorflow(
    command: Command, write: Write, absent: Callable[[], None], text: str, status: int, left: str
) -> None:
    """Either kind of what is kept suffices by itself."""
    path = write(text)
    first = command("compare", path, "--show", "values")
    assert first.exit_code == status, first.output
    for kind in {"reference", "results"} - {left}:
        assert Store(kept_folder(kind)).clear() > 0
    absent()
    second = command("compare", path, "--show", "values")
    assert second.exit_code == status, second.output
    assert second.stdout.splitlines()[:-1] == first.stdout.splitlines()[:-1]  # the last line has the time


@pytest.mark.parametrize("options", [["--no-cache"], []])
def test_what_is_new_or_not_to_be_kept_is_asked_of_tensorflow(
    command: Command, write: Write, absent: Callable[[], None], options: list[str]
) -> None:
    command("compare", write(SQUARE))
    absent()
    result = command("compare", write(SQUARE if options else TIE), *options)
    assert isinstance(result.exception, AssertionError)


def test_without_the_cache_nothing_is_written(command: Command, write: Write) -> None:
    assert command("compare", write(SQUARE), "--no-cache").exit_code == 0
    assert not default_folder().exists()


def test_tensorflow_is_not_even_imported(tmp_path: Path, command: Command, write: Write) -> None:
    """Nor what would start its process, read the file or compute."""
    import subprocess

    path = write(SQUARE)
    assert command("compare", path).exit_code == 0
    text = """
import sys
from gradcheck.cli import main
sys.argv[1:] = ["compare", sys.argv[1]]
try:
    main()
finally:
    print([each for each in ("tensorflow", "keras", "pebble", "pydantic", "yaml", "scipy") if each in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", text, path], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("kept", ["nothing", "answers", "results"])
def test_tensorflow_loads_while_files_are_read_where_it_will_be_asked_for_certain(
    command: Command, write: Write, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    path = write(SQUARE)
    events: list[str] = []
    if kept != "nothing":
        command("compare", path)
        assert Store(kept_folder("results" if kept == "answers" else "reference")).clear() == 1
    monkeypatch.setattr("gradcheck.cli.reference.start", lambda _reference: events.append("start"))
    read = compare_module.select
    monkeypatch.setattr(compare_module, "select", lambda **given: (events.append("read"), read(**given))[1])
    assert command("compare", path).exit_code == 0
    assert events == (["start", "read"] if kept == "nothing" else ["read"])


def test_a_crash_is_not_kept(command: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    class Crashing:
        done = True

        def __init__(self, _timeout: float) -> None: ...

        def __enter__(self) -> "Crashing":
            return self

        def __exit__(self, *_: object) -> None: ...

        def submit(self, _request: Request) -> "Crashing":
            return self

        def result(self) -> Failure:
            return Failure("crashed", "the process ended")

    path = write(SQUARE)
    with monkeypatch.context() as patch:
        patch.setattr("gradcheck.reference.worker.ReferenceWorker", Crashing)
        assert command("compare", path).exit_code == 3
    assert command("compare", path).exit_code == 0


def test_a_damaged_store_is_mended(command: Command, write: Write) -> None:
    path = write(SQUARE)
    command("compare", path)
    entries = [entry for kind in KINDS for entry in Store(kept_folder(kind)).entries()]
    assert len(entries) == 3
    for entry in entries:
        entry.path.write_bytes(b"\0" * 20)
    result = command("compare", path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert all(entry.path.stat().st_size > 20 for entry in entries)


@pytest.mark.parametrize("option", ["--blame", "--fail-fast"])
def test_a_folder_that_cannot_be_written_is_said_once_however_the_run_ends(
    command: Command, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(FOLDER, str(tmp_path / "file"))
    wrong = "inputs: {x: 1.0}, expr: x, expect: {output: 2.0}"
    result = command("compare", write(f"cases:\n  one: {{{wrong}}}\n  two: {{{wrong}}}\n"), option)
    assert result.exit_code == 1
    place = tmp_path / "file"
    assert sorted(result.stderr.splitlines()) == [
        f"warning: TensorFlow's answers could not be kept: {place / 'reference'}: Not a directory",
        f"warning: not kept for `gradcheck replay`: {place / 'runs'}: Not a directory",
        f"warning: results could not be kept: {place / 'results'}: Not a directory",
    ]


def test_info_and_clear(command: Command, write: Write) -> None:
    folder = default_folder().parent

    def info() -> list[list[str]]:
        return [line.split()[:2] for line in command("cache", "info").stdout.splitlines()]

    assert info() == [["folder", str(folder)], ["answers", "0"], ["results", "0"], ["files", "0"]]
    command("compare", write(SQUARE))
    command("compare", write(TIE))
    assert info() == [["folder", str(folder)], ["answers", "2"], ["results", "2"], ["files", "2"]]
    assert "MB at most" in command("cache", "info").stdout
    dropped = command("cache", "clear").stdout
    assert dropped == f"dropped 2 answers, 2 results and 2 files from {folder}\ndropped the last run\n"
    assert info() == [["folder", str(folder)], ["answers", "0"], ["results", "0"], ["files", "0"]]
    assert command("cache", "clear").stdout == f"dropped 0 answers, 0 results and 0 files from {folder}\n"


def test_clear_says_what_it_cannot_drop(command: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    command("compare", write(SQUARE))
    (entry,) = Store(default_folder()).entries()
    monkeypatch.setattr(Path, "unlink", denied)
    result = command("cache", "clear")
    assert result.exit_code == 1  # the command line gives 2 for it, as for every error of the user's machine
    assert f"cannot drop {entry.path}: Permission denied" in result.output


def test_this_test_run_has_a_cache_of_its_own(reference: ReferenceWorker) -> None:
    assert "pytest" in os.environ[FOLDER]
