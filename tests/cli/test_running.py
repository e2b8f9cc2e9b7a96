"""Where cases run and what they may take, as a user says it: `--jobs`, `--timeout`, `--memory-limit`, and Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType

import pytest
from click.testing import CliRunner

from gradcheck.casefile.load import load_file
from gradcheck.cli.main import cli
from gradcheck.keeping.store import FOLDER
from gradcheck.running.examiner import Setting, Task
from gradcheck.verdict.record import Result, Verdict
from tests.running.conftest import UNRULY, keep, suite

Write = Callable[..., Path]
FOREVER = ("--timeout", "6000")
GIB = 2**30


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write a file with a case of each name and keep the answers; then there is no TensorFlow.

    Afterwards no process and no temporary file is left of the commands.
    """
    (tmp_path / "temporary").mkdir()
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / "tensorflow.py").write_text("raise ImportError('TensorFlow is not to be imported')\n")
    monkeypatch.setenv(FOLDER, str(tmp_path / "cache"))
    monkeypatch.setenv("UNRULY_MARK", str(tmp_path / "mark"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "absent"))

    def write(*names: str) -> Path:
        path = tmp_path / "many.yaml"
        path.write_text(suite(*names), encoding="utf-8")
        keep(list(load_file(path).cases))
        return path

    yield write
    until = time.monotonic() + 10  # multiprocessing's own ends when it hears nothing of its parent any more
    while processes(tmp_path) and time.monotonic() < until:
        time.sleep(0.05)
    assert processes(tmp_path) == []
    assert list((tmp_path / "temporary").iterdir()) == []


def processes(folder: Path) -> list[bytes]:
    """The commands that were started in the environment of this test, whoever started them."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if f"UNRULY_MARK={folder}/mark".encode() in (each / "environ").read_bytes().split(b"\0"):
                found.append((each / "cmdline").read_bytes())
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def command(*options: str | Path) -> list[str]:
    return [sys.executable, "-m", "gradcheck", "compare", *map(str, options)]


def compare(*options: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command(*options), capture_output=True, text=True, check=False, timeout=300)


def names(records: str) -> list[str]:
    """The cases of a jsonl report."""
    return [json.loads(line)["id"].partition("::")[2] for line in records.splitlines()]


def test_what_one_case_does_to_its_process_the_others_do_not_notice(kept: Write) -> None:
    path = kept("one", "segfaults", "hangs", "two", "takes_memory", "three")
    limits = ("--timeout", "8", "--memory-limit", "300M")
    done = compare(path, "--jobs", "2", "--engine", UNRULY, *limits)
    assert (done.returncode, done.stderr) == (3, "")
    shown = done.stdout.splitlines()
    heads = [line.split()[:2] for line in shown if f"{path}::" in line and not line.startswith(" ")]
    verdicts = ["agree", "crashed", "timeout", "agree", "crashed", "agree"]
    ids = [f"{path}::{name}" for name in ("one", "segfaults", "hangs", "two", "takes_memory", "three")]
    assert heads == [list(each) for each in zip(verdicts, ids, strict=True)]
    text = " ".join(done.stdout.split())
    assert "gradcheck: its process ended by signal 11 (SIGSEGV) about to read address 0" in text
    assert "gradcheck: it did not end within 8 s about to hang Thread 0x" in text
    assert "unruly: unruly needs more memory than the limit of 300 MiB" in text
    assert shown[-1].startswith("6 cases: 3 agree, 2 crashed, 1 timeout in ")


IRFFT = """\
cases:
  before: {inputs: {x: [1.0]}, expr: x * x}
  aborts: {inputs: {x: ["1+0j"]}, dtype: complex64, expr: tf.signal.irfft(x)}
  after: {inputs: {x: [2.0]}, expr: x * x}
"""


@pytest.mark.parametrize(
    ("jobs", "said"),
    [
        ("1", "tensorflow: the TensorFlow process ended by signal 6 (SIGABRT)"),
        ("2", "gradcheck: its process ended by signal 6 (SIGABRT)"),
    ],
)
def test_a_case_that_aborts_tensorflow(kept: Write, monkeypatch: pytest.MonkeyPatch, jobs: str, said: str) -> None:
    path = kept()
    path.write_text(IRFFT, encoding="utf-8")
    before, _, after = load_file(path).cases
    keep([before, after])
    monkeypatch.delenv("PYTHONPATH")
    done = compare(path, "--jobs", jobs)
    assert (done.returncode, done.stderr) == (3, "")
    text = " ".join(done.stdout.split())
    assert said in text
    assert "no zero-sized FFTs" in text  # its last words
    assert "3 cases: 2 agree, 1 crashed" in text


@pytest.mark.parametrize(
    ("options", "count"),
    [(["--fail-fast"], 2), (["--max-failures", "2"], 4), (["--max-failures", "1"], 2)],
)
def test_the_run_ends_after_so_many_failures_whatever_is_under_way(kept: Write, options: list[str], count: int) -> None:
    cases = ["one", "aborts", "two", "leaves", "hangs", "three"]
    done = compare(kept(*cases), "--jobs", "2", "--engine", UNRULY, *FOREVER, *options, "--report", "jsonl")
    assert (done.returncode, done.stderr) == (3, "")
    assert names(done.stdout) == cases[:count]


def interrupted(ready: Callable[[], bool], *options: str | Path) -> tuple[int, str, str]:
    """Run the command, and press Ctrl-C as soon as it is `ready`: exit status, standard output and standard error.

    A terminal sends the signal to all processes that the command has started.
    """
    process = subprocess.Popen(
        command(*options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    with process:
        while not ready():
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    return process.returncode, output, errors.strip()  # click ends the line of `^C`


def test_ctrl_c_reports_what_is_finished(kept: Write, tmp_path: Path) -> None:
    path, report, mark = kept("one", "hangs", "two", "marks"), tmp_path / "report.jsonl", tmp_path / "mark"
    options = ("--jobs", "2", "--engine", UNRULY, *FOREVER, "--report", f"jsonl={report}")
    status, output, errors = interrupted(mark.exists, path, *options)  # the process that does not hang goes on
    assert (status, errors) == (130, "interrupted")
    assert names(report.read_text(encoding="utf-8"))[:2] == ["one", "two"]
    assert f"agree        {path}::two" in output


def test_ctrl_c_at_home(kept: Write, tmp_path: Path) -> None:
    path, report = kept("one", "hangs", "two"), tmp_path / "report.jsonl"
    options = ("--engine", UNRULY, *FOREVER, "--report", f"jsonl={report}")
    status, output, errors = interrupted(lambda: report.exists() and b"\n" in report.read_bytes(), path, *options)
    assert (status, errors) == (130, "interrupted")
    assert names(report.read_text(encoding="utf-8")) == ["one"]
    assert f"agree        {path}::one" in output


@pytest.mark.parametrize("options", [["--jobs", "2"], ["--engine", UNRULY], ["--jobs", "2", "--engine", UNRULY]])
def test_ctrl_c_while_processes_are_started_prints_nothing_else(
    kept: Write, tmp_path: Path, options: list[str]
) -> None:
    path = kept("hangs")

    def ready() -> bool:
        return any(b"spawn_main" in each for each in processes(tmp_path))

    status, _, errors = interrupted(ready, path, *options, *FOREVER)
    assert (status, errors) == (130, "interrupted")


class Counted:
    """Stands for `Processes`, and notes how it was started."""

    def __init__(self, count: int, setting: Setting) -> None:
        self.started.append((count, setting.memory, setting.timeout))

    started: "list[tuple[int, int | None, float]]" = []  # noqa: RUF012  # set anew for each test

    def __enter__(self) -> "Counted":
        return self

    def __exit__(self, kind: object, error: object, trace: "TracebackType | None") -> None: ...

    def submit(self, task: Task) -> "Future[Result]":
        future: Future[Result] = Future()
        future.set_result(Result(task.case, Verdict.AGREE))
        return future


@pytest.mark.parametrize(
    ("options", "started"),
    [
        ([], []),
        (["--jobs", "1"], []),
        (["--jobs", "3"], [(3, None, 60.0)]),
        (["--jobs", "auto"], [(5, None, 60.0)]),
        (["--memory-limit", "2G"], [(1, 2 * GIB, 60.0)]),
        (["--memory-limit", "1.5 GiB", "--timeout", "0.5"], [(1, 3 * GIB // 2, 0.5)]),
        (["--memory-limit", "100000", "--jobs", "2"], [(2, 100_000, 60.0)]),
        (["--memory-limit", "300mb"], [(1, 300 * 2**20, 60.0)]),
    ],
)
def test_what_the_options_mean(
    kept: Write, monkeypatch: pytest.MonkeyPatch, options: list[str], started: list[tuple[int, int | None, float]]
) -> None:
    monkeypatch.setattr(Counted, "started", [])
    monkeypatch.setattr("gradcheck.running.processes.Processes", Counted)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 4, 5, 7}, raising=False)
    monkeypatch.setattr(os, "environ", os.environ.copy())  # where threads are counted
    result = CliRunner().invoke(cli, ["compare", str(kept("one", "two")), *options])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "2 cases: 2 agree" in result.stdout
    assert Counted.started == started


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--jobs", "0"], "'0' is neither a number of processes nor `auto`"),
        (["--jobs", "-1"], "'-1' is neither a number of processes nor `auto`"),
        (["--jobs", "1.5"], "'1.5' is neither a number of processes nor `auto`"),
        (["--jobs", "all"], "'all' is neither a number of processes nor `auto`"),
        (["--memory-limit", "0"], "'0' is not a size: 500M, 2G"),
        (["--memory-limit", "-1G"], "'-1G' is not a size: 500M, 2G"),
        (["--memory-limit", "lots"], "'lots' is not a size: 500M, 2G"),
        (["--memory-limit", "2X"], "'2X' is not a size: 500M, 2G"),
        (["--timeout", "0"], "0.0 is not in the range"),
        (["--timeout", "-1"], "-1.0 is not in the range"),
        (["--timeout", "inf"], "inf is not in the range"),
        (["--timeout", "soon"], "'soon' is not a valid float"),
        (["--max-failures", "0"], "0 is not in the range"),
    ],
)
def test_bad_values(kept: Write, options: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, ["compare", str(kept("one")), *options])
    assert result.exit_code == 2
    assert message in result.stderr


def test_an_engine_that_is_not_there_is_told_before_any_case(kept: Write) -> None:
    done = compare(kept("one"), "--jobs", "2", "--engine", "nothing.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no file" in done.stderr
