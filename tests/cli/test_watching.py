"""`compare --watch`: what changes is compared again, until Ctrl-C."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import Result

from gradcheck.cli.compare import compare
from gradcheck.cli.watching import REFUSED

DEADLINE = 200.0
"""Seconds for TensorFlow to load, on a machine that does much else."""
WAITING = "Ctrl-C ends"
WORDS = ("agree", "mismatch", "error")
MANY = """\
cases:
  one: {inputs: {x: 1.0}, expr: x * x}
  two: {inputs: {x: {file: x.npy}}, expr: tf.math.sin(x)}
  bad: {inputs: {x: 2.0}, expr: x * x, expect: {output: 3.0}}
"""
ENGINE = """\
from gradcheck.engine.numpy_engine import NumpyEngine
from beside import NAME

class Engine(NumpyEngine):
    name = NAME

engine = Engine()
"""


class Watch:
    """A running command; `until` gives the lines it prints, on both streams, up to one that has a text."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "gradcheck", "compare", "--watch", *options]
        surroundings = {**os.environ, "GRADCHECK_CACHE": str(folder / "cache")}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder, env=surroundings
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def until(self, text: str = WAITING) -> list[str]:
        end = time.monotonic() + DEADLINE
        lines: list[str] = []
        while not lines or text not in lines[-1]:
            try:
                lines.append(self._lines.get(timeout=max(0.0, end - time.monotonic())))
            except queue.Empty:
                pytest.fail(f"there is no {text!r} in {''.join(lines)!r}")
        return lines

    def after(self, name: str, text: str | bytes | None) -> list[str]:
        """What is printed once the file has been saved as editors do it, or is gone."""
        path = self.folder / name
        if text is None:
            path.unlink()
        else:
            beside = path.with_name("saving~")
            beside.write_bytes(text if isinstance(text, bytes) else text.encode())
            beside.replace(path)
        return self.until()

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        status = self.process.wait(DEADLINE)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


def verdicts(lines: list[str]) -> list[str]:
    """What is said of which case."""
    words = [line.split() for line in lines if line.startswith(WORDS)]
    return [f"{each[0]} {each[1].partition('::')[2] or each[1]}" for each in words]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Watch]]:
    """Start a watch in a folder with case files, an array and an engine of two modules."""
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "many.yaml").write_text(MANY)
    np.save(tmp_path / "cases" / "x.npy", np.float32(0.5))
    (tmp_path / "mine.py").write_text(ENGINE)
    (tmp_path / "beside.py").write_text("NAME = 'first'\n")
    started: list[Watch] = []

    def start(*options: str) -> Watch:
        started.append(Watch(tmp_path, *options))
        return started[-1]

    yield start
    for each in started:
        each.end()


def saved(value: float, folder: Path) -> bytes:
    """A .npy file, as bytes."""
    np.save(folder / "other.npy", np.float32(value))
    return (folder / "other.npy").read_bytes()


def test_what_changes_is_compared_again(watch: Callable[..., Watch], tmp_path: Path) -> None:
    running = watch("cases", "--report", "json=all.json", "--report", "table")
    first = running.until()
    assert verdicts(first) == ["agree one", "agree two", "mismatch bad"]
    assert "watching 2 files; Ctrl-C ends\n" in first

    lines = running.after("cases/many.yaml", MANY.replace("x: 1.0", "x: 1.5"))
    assert lines[0].endswith("changed: cases/many.yaml\n")
    assert verdicts(lines) == ["agree one", "mismatch bad"]
    assert lines[-2].startswith("3 cases: 2 agree, 1 mismatch in ")
    assert '"many.yaml::two"' in (tmp_path / "all.json").read_text().replace("cases/", "")

    good = MANY.replace("3.0", "4.0")
    assert verdicts(running.after("cases/many.yaml", good)) == ["agree one", "agree bad"]
    assert verdicts(running.after("cases/many.yaml", "# moved\n" + good)) == []
    assert verdicts(running.after("cases/x.npy", saved(0.75, tmp_path))) == ["agree two"]
    assert verdicts(running.after("cases/new.yaml", "inputs: {x: 3.0}\nexpr: x + x\n")) == ["agree cases/new.yaml"]

    lines = running.after("cases/many.yaml", good[:60])
    assert "error[yaml-syntax]" in lines[1]
    assert verdicts(lines) == []
    assert len(verdicts(running.after("cases/many.yaml", good))) == 3

    lines = running.after("cases/many.yaml", None)
    assert lines[0].endswith("gone: cases/many.yaml\n")
    assert lines[-2].startswith("1 case: 1 agree in ")
    assert running.end() == 130


def test_an_engine_that_changes_is_loaded_anew(watch: Callable[..., Watch]) -> None:
    running = watch("cases", "--engine", "mine.py")
    everything = ["agree one", "agree two", "mismatch bad"]
    first = running.until()
    assert verdicts(first) == everything
    assert any("first 4" in line for line in first)
    assert first[-1] == "watching 4 files; Ctrl-C ends\n"

    lines = running.after("beside.py", "NAME = 'second'\n")
    assert lines[0].endswith("changed: beside.py\n")
    assert verdicts(lines) == everything
    assert any("second 4" in line for line in lines)

    lines = running.after("mine.py", "def (")
    assert "mine.py cannot be loaded" in lines[1]
    assert verdicts(lines) == []
    assert verdicts(running.after("mine.py", ENGINE)) == everything
    assert running.end() == 130


@pytest.mark.parametrize(
    "options",
    [
        ("--jobs", "2"),
        ("--executor", "dask://localhost:1"),
        ("--offline",),
        ("--fail-fast",),
        ("--max-failures", "2"),
        ("--shard", "1/2"),
        ("--durations", "d.json"),
        ("--baseline", "b.json", "--write-baseline"),
    ],
    ids=lambda options: options[-1] if len(options) == 3 else options[0],
)
def test_what_does_not_go_with_it_is_refused(
    command: Callable[..., Result], write: Callable[[str], Path], options: tuple[str, ...]
) -> None:
    done = command("compare", write("inputs: {x: 1.0}\nexpr: x\n"), "--watch", *options)
    assert done.exit_code == 2
    assert "Error: --watch " in done.stderr
    assert f"leave out {options[-1] if len(options) == 3 else options[0]}" in done.stderr.replace(
        "--fail-fast and --max-failures", "".join(options[:1])
    )


def test_every_option_that_is_refused_is_one_of_compare() -> None:
    assert REFUSED.keys() <= {each.name for each in compare.params if isinstance(each, click.Option)}
