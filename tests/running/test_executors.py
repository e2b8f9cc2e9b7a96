"""`--executor`: a suite on a real Dask cluster of several processes, some of which end while they work."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result

from gradcheck.running import cluster
from gradcheck.running.examiner import Setting
from gradcheck.running.executors import Unusable, executor
from gradcheck.running.stream import Lost

Command = Callable[..., Result]
Write = Callable[..., Path]
Compare = Callable[..., "subprocess.Popen[str]"]

ENGINE = """
import os, signal, time
from pathlib import Path
from gradcheck.engine.numpy_engine import NumpyEngine

HERE = Path(__file__).parent

def note(name):
    with (HERE / name).open("a") as file:
        file.write(f"{os.getpid()}\\n")

class Mortal(NumpyEngine):
    def run(self, request):
        names = {each.op.name for each in request.program.instructions}
        if "tf.sinh" in names:
            note("died")
            os.kill(os.getpid(), signal.SIGKILL)
        if "tf.cosh" in names and not (HERE / "go").exists():
            note("held")
            while not (HERE / "go").exists():
                time.sleep(0.01)
        return super().run(request)

engine = Mortal()
"""
HELD, DEADLY = 4, 8
"""The case that is held until there is a file `go`, and the one that ends its process."""
COUNT = 16


@pytest.fixture
def suite(command: Command, write: Write) -> Path:
    """A file of cases, TensorFlow's answers to which are kept, and an engine beside it, `engine.py`."""
    functions = {HELD: "tf.cosh", DEADLY: "tf.sinh"}
    cases = [f"  c{n}: {{inputs: {{x: [{n}.5]}}, expr: {functions.get(n, 'tf.sin')}(x)}}" for n in range(COUNT)]
    path = write("\n".join(["cases:", *cases]))
    write(ENGINE, "engine.py")
    assert command("compare", path).exit_code == 0
    return path


@contextmanager
def running(*arguments: str, folder: Path) -> "Iterator[subprocess.Popen[str]]":
    """A process, which with those that it starts has ended afterwards."""
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], stdout=log, stderr=log, cwd=folder, start_new_session=True, text=True
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def started(
    command: Command, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[tuple[str, subprocess.Popen[str]]]":
    """The address of a cluster of three worker processes with the cache of `command`, and its scheduler's process."""
    folder = tmp_path_factory.mktemp("cluster")
    file = folder / "scheduler.json"
    options = ["--scheduler-file", str(file), "--host", "127.0.0.1", "--no-dashboard"]
    each = ["--nworkers", "3", "--nthreads", "2", "--memory-limit", "0", "--local-directory", str(folder)]
    with (
        running("distributed.cli.dask_scheduler", *options, "--port", "0", folder=folder) as scheduler,
        running("distributed.cli.dask_worker", *options, *each, folder=folder),
    ):
        until(lambda: (folder / "log").read_text().count("Starting worker compute stream") == 3)
        yield json.loads(file.read_text())["address"].removeprefix("tcp://"), scheduler


@pytest.fixture
def compare(started: tuple[str, object], suite: Path) -> Compare:
    """Start `gradcheck compare` on the cluster, with the suite's engine and a line for each case."""

    def start(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-W", "error", "-m", "gradcheck", "compare", suite.name, "--report", "jsonl"]
        where = ["--executor", f"dask://{started[0]}", "--engine", "engine.py"]
        pipe = subprocess.PIPE
        return subprocess.Popen([*command, *where, *arguments], stdout=pipe, stderr=pipe, text=True, cwd=suite.parent)

    return start


def until(condition: Callable[[], bool]) -> None:
    """Wait."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it does not come to that")


def held(suite: Path) -> list[int]:
    """The processes that hold, or held, a case, of which there is one at least."""
    file = suite.with_name("held")
    until(lambda: file.exists() and file.read_text().endswith("\n"))
    return [int(each) for each in file.read_text().split()]


def taken(process: "subprocess.Popen[str]") -> list[str]:
    """The lines of the cases before the one that is held, as soon as they are there."""
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(HELD)]


def verdicts(lines: list[str]) -> dict[str, str]:
    """The verdict of each case by its name, with what is told of one that did not run."""
    found = [json.loads(each) for each in lines]
    assert len({each["id"] for each in found}) == len(found)
    told = [" ".join([each["verdict"], *(failure["message"] for failure in each["failures"])]) for each in found]
    return dict(zip([each["id"].rpartition("::")[2] for each in found], told, strict=True))


def test_a_case_survives_one_loss_of_its_worker_and_not_two(compare: Compare, suite: Path) -> None:
    process = compare()
    (first,) = held(suite)
    os.kill(first, signal.SIGKILL)
    until(lambda: len(held(suite)) == 2)
    suite.with_name("go").touch()
    report, errors = process.communicate()
    found = verdicts(report.splitlines())
    assert re.fullmatch(
        r"crashed its worker tcp://\S+ ended, and so again at the second attempt", found.pop(f"c{DEADLY}")
    )
    assert list(found.items()) == [(f"c{n}", "agree") for n in range(COUNT) if n != DEADLY]
    assert len(suite.with_name("died").read_text().split()) == 2
    assert errors == ""
    assert process.returncode == 3


def test_without_its_scheduler_a_run_ends_with_what_is_finished(
    compare: Compare, suite: Path, started: "tuple[str, subprocess.Popen[str]]"
) -> None:
    process = compare()
    lines = taken(process)
    held(suite)
    started[1].kill()
    report, errors = process.communicate()
    assert errors == ""
    found = verdicts(lines + report.splitlines())
    assert list(found) == [f"c{n}" for n in range(COUNT)]
    assert list(found.values())[:HELD] == ["agree"] * HELD
    lost = f"crashed the scheduler tcp://{started[0]} is lost, and so again at the second attempt"
    assert found[f"c{HELD}"] == lost
    assert set(found.values()) <= {"agree", lost, found[f"c{DEADLY}"]}
    assert process.returncode == 3


def test_interrupted_it_prints_what_is_finished(compare: Compare, suite: Path) -> None:
    process = compare()
    lines = taken(process)
    held(suite)
    process.send_signal(signal.SIGINT)
    report, errors = process.communicate()
    found = verdicts(lines + report.splitlines())
    assert f"c{HELD}" not in found
    assert set(found.values()) <= {"agree", found.get(f"c{DEADLY}")}
    assert errors.strip() == "interrupted"
    assert process.returncode == 130


def test_workers_have_tensorflow_and_limits(compare: Compare, suite: Path) -> None:
    suite.with_name("go").touch()
    process = compare("--no-cache", "--case", f"{suite.name}::c0", "--memory-limit", "2G")
    report, errors = process.communicate()
    assert verdicts(report.splitlines()) == {"c0": "agree"}
    assert errors == ""


@pytest.fixture
def other_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is started from now on takes gradcheck to be of version 9.9."""
    described = tmp_path / "path" / "gradcheck-9.9.dist-info" / "METADATA"
    described.parent.mkdir(parents=True)
    described.write_text("Metadata-Version: 2.1\nName: gradcheck\nVersion: 9.9\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))


def test_another_gradcheck_on_the_workers_is_told_before_anything_runs(
    other_version: None, started: tuple[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    message = r"tcp://127.* has gradcheck 9\.9, and here is \d"
    with pytest.raises(Unusable, match=message), executor(f"dask://{started[0]}", Setting()):
        pass


def test_an_engine_that_the_workers_do_not_have_is_told_before_anything_runs(
    command: Command, suite: Path, started: tuple[str, object]
) -> None:
    result = command("compare", suite, "--executor", f"dask://{started[0]}", "--engine", "absent.py")
    assert result.exit_code == 2
    assert "cannot compare: there is no file" in result.stderr
    assert "absent.py" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ray://here:8786"], "'ray://here:8786' is not an executor: there is dask://HOST:PORT"),
        (["dask://here"], "'dask://here' is not an executor"),
        (["dask://here:port"], "'dask://here:port' is not an executor"),
        (["dask://here:8786/there"], "'dask://here:8786/there' is not an executor"),
        (["dask://127.0.0.1:1"], "no Dask scheduler was reached at 127.0.0.1:1 within 0.2 s"),
        (["dask://here:8786", "--jobs", "2"], "--jobs is for processes of this machine"),
        (["dask://here:8786", "--offline"], "--offline reads files beside the cases"),
    ],
)
def test_what_cannot_be_used_is_told(
    command: Command, write: Write, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    result = command("compare", write("inputs: {x: 1.0}\nexpr: x\n"), "--executor", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "gradcheck.running.cluster")
    monkeypatch.setitem(sys.modules, "distributed", None)
    message = r"distributed is not installed: pip install 'gradcheck\[dask\]'"
    with pytest.raises(Unusable, match=message), executor("dask://127.0.0.1:1", Setting()):
        pass


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({}, "the cluster has no workers"),
        ({"tcp://a:1": PackageNotFoundError("gradcheck")}, "the worker tcp://a:1 has no gradcheck: install it there"),
        ({"tcp://a:1": OSError("closed")}, "the worker tcp://a:1 has not answered: closed"),
    ],
)
def test_workers_that_cannot_compare_are_named(answers: dict[str, Any], message: str) -> None:
    client = SimpleNamespace(run=lambda *_, on_error: answers)
    with pytest.raises(Unusable, match=message):
        cluster._workers(client, Setting())


def test_a_cluster_without_workers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "INTERVAL", 0.01)
    monkeypatch.setattr(cluster, "WITHOUT_WORKERS", 0.0)
    client = SimpleNamespace(status="running", nthreads=dict, scheduler=SimpleNamespace(address="tcp://a:1"))
    with cluster.Cluster(client, [], Setting()) as empty:
        error = empty.submit(None).exception()
    assert isinstance(error, Lost)
    assert str(error) == "the cluster of tcp://a:1 has had no workers for 0 s"
