"""`gradcheck compare`, as a user runs it: what is printed where, and the exit status."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from gradcheck.engines import Failure, Outcome, Request
from gradcheck.reference.worker import ReferenceWorker

Command = Callable[..., Result]
Write = Callable[..., Path]

ROOT = Path(__file__).parents[2]
SQUARE = "inputs: {x: [1.0, 2.0]}\nexpr: x * x\n"
WRONG = SQUARE + "expect: {gradients: {x: [2.0, 5.0]}}\n"


def test_the_first_command_of_the_readme(command: Command) -> None:
    result = command("compare", ROOT / "cases" / "matmul_chain.yaml")
    assert result.exit_code == 0, result.output
    for line in (
        "d/dx = [[[-22, 18], [-22, 18]], [[32, -16], [32, -16]]]",
        "d/dy = [[66, -8], [80, -8]]",
        "d/dz = [[[5, 5], [-1, -1]], [[18, 18], [-10, -10]]]",
        "1 case: 1 agree",
    ):
        assert line in result.stdout
    assert result.stderr == ""


@pytest.mark.long
def test_all_shipped_cases_pass(command: Command) -> None:
    result = command("compare", ROOT / "cases")
    assert result.exit_code == 0, result.output


def test_a_pinned_number_that_neither_side_has_is_a_mismatch_of_both(command: Command, write: Write) -> None:
    path = write(WRONG)
    result = command("compare", path)
    assert result.exit_code == 1
    assert "the gradient with respect to `x` at [1]: numpy 4, expect 5; off by 1" in result.stdout
    assert "also tensorflow against the pinned numbers" in result.stdout
    assert f"run again: gradcheck compare {path} --show values" in result.stdout


@pytest.mark.parametrize(
    ("text", "status", "verdict"),
    [
        (SQUARE, 0, "agree"),
        ("inputs: {x: 0.0}\nexpr: tf.math.log(x)\n", 0, "undefined"),
        (WRONG, 1, "mismatch"),
        (SQUARE + "expect: {gradients: {x: null}}\n", 1, "disconnected"),
        ("inputs: {x: 1.0}\nexpr: tf.nothing(x)\n", 2, "error"),
        (WRONG + "known_mismatch: the pin is wrong on purpose\n", 0, "mismatch"),
        (SQUARE + "known_mismatch: it never did\n", 1, "agree"),
        ("inputs: {x: [1.0]}\nexpr: tf.reshape(x, [7])\nexpect: {error: cannot become}\n", 0, "agree"),
        (SQUARE + "expect: {error: anything}\n", 1, "mismatch"),
        ("inputs: {x: [1.0], i: {value: [3], dtype: int32}}\nexpr: tf.gather(x, i)\n", 2, "error"),
        (
            "inputs: {x: [1.0], i: {value: [3], dtype: int32}}\nexpr: tf.gather(x, i)\nexpect: {error: '3'}\n",
            0,
            "agree",
        ),
    ],
)
def test_exit_status_and_verdict(command: Command, write: Write, text: str, status: int, verdict: str) -> None:
    result = command("compare", write(text), "--report", "json")
    assert result.exit_code == status, result.output
    assert json.loads(result.stdout)["cases"][0]["verdict"] == verdict


def test_a_skipped_case_is_shown_with_its_reason(command: Command, write: Write) -> None:
    result = command("compare", write(SQUARE + "skip: not today\n"))
    assert result.exit_code == 0
    assert "skipped" in result.stdout
    assert "not today" in result.stdout


def test_unconnected_zero_gives_zeros_on_both_sides(command: Command, write: Write) -> None:
    text = "inputs: {x: [1.0], y: [2.0]}\nexpr: x * 2.0\nunconnected_gradients: zero\nexpect: {gradients: {y: [0.0]}}\n"
    assert command("compare", write(text)).exit_code == 0


def test_output_gradients_weight_the_targets(command: Command, write: Write) -> None:
    text = SQUARE + "output_gradients: [10.0, 100.0]\nexpect: {gradients: {x: [20.0, 400.0]}}\n"
    assert command("compare", write(text)).exit_code == 0


MANY = """\
defaults: {tags: [all]}
cases:
  one: {inputs: {x: 1.0}, expr: x * x, tags: [first]}
  two: {inputs: {x: 1.0}, expr: x + x, dtype: [float32, float64]}
  bad: {inputs: {x: 1.0}, expr: x * x, expect: {output: 3.0}}
  three: {inputs: {x: 1.0}, expr: x - x}
"""


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ([], ["one", "two[float32]", "two[float64]", "bad", "three"]),
        (["-k", "two"], ["two[float32]", "two[float64]"]),
        (["-k", "not (two or bad)"], ["one", "three"]),
        (["-k", "two and float64"], ["two[float64]"]),
        (["--tag", "first"], ["one"]),
        (["--dtype", "float64"], ["two[float64]"]),
        (["--fail-fast"], ["one", "two[float32]", "two[float64]", "bad"]),
    ],
)
def test_selection(command: Command, write: Write, options: list[str], names: list[str]) -> None:
    result = command("compare", write(MANY), "--report", "json", *options)
    assert [each["id"].partition("::")[2] for each in json.loads(result.stdout)["cases"]] == names


def test_an_override_of_the_tolerance(command: Command, write: Write) -> None:
    path = write("inputs: {x: 1.0}\nexpr: x * x\nexpect: {output: 1.1}\n")
    assert command("compare", path).exit_code == 1
    assert command("compare", path, "--atol", "0.2").exit_code == 0
    assert command("compare", path, "--rtol", "0.1").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-k", "nothing"], "no case is selected"),
        (["-k", "a ++ b"], "-k takes words joined by `and`, `or`, `not`"),
        (["--limit", "size=3"], "--limit takes NAME=N with one of"),
        (["--show", "all"], "'all' is not one of"),
    ],
)
def test_bad_options(command: Command, write: Write, arguments: list[str], message: str) -> None:
    result = command("compare", write(SQUARE), *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_the_json_record_is_complete(command: Command, write: Write) -> None:
    record = json.loads(command("compare", write(WRONG), "--report", "json").stdout)
    assert (record["format"], record["version"]) == ("gradcheck", 1)
    assert record["summary"] == {"failed": 1}
    (case,) = record["cases"]
    assert (case["line"], case["dtype"], case["expression"]) == (1, "float32", "x * x")
    kinds = [(each["quantity"], each["cotangent"], *each["sides"]) for each in case["comparisons"]]
    assert kinds == [
        ("output", None, "numpy", "tensorflow"),
        ("gradient", "ones", "numpy", "tensorflow"),
        ("gradient", "seeded", "numpy", "tensorflow"),
        ("gradient", "ones", "numpy", "expect"),
        ("gradient", "ones", "tensorflow", "expect"),
    ]
    pinned = case["comparisons"][3]
    assert pinned["values"] == [
        {"dtype": "float32", "shape": [2], "elements": [2.0, 4.0]},
        {"dtype": "float32", "shape": [2], "elements": [2.0, 5.0]},
    ]
    assert pinned["worst"]["index"] == [1]
    assert pinned["worst"]["values"] == [4.0, 5.0]
    assert pinned["worst"]["difference"] == 1.0
    assert pinned["beyond"] == 1


def test_numbers_that_json_lacks_are_strings(command: Command, write: Write) -> None:
    text = "inputs: {x: [0.0, -1.0]}\nexpr: tf.math.log(x)\n"
    record = json.loads(command("compare", write(text), "--report", "json").stdout)
    assert record["cases"][0]["comparisons"][0]["values"][1]["elements"] == ["-inf", "nan"]


def test_colour_only_when_asked_for(command: Command, write: Write) -> None:
    path = write(SQUARE)
    assert "\x1b[" not in command("compare", path).stdout
    assert "\x1b[" in command("compare", path, "--color", "always").stdout
    assert "\x1b[" not in command("compare", path, "--color", "never").stdout


def test_reads_well_in_eighty_columns(command: Command, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = command("compare", ROOT / "cases" / "models.yaml", "-k", "gelu", "--color", "always", "--show", "values")
    plain = [line for line in result.stdout.splitlines() if "\x1b" not in line]
    assert max(map(len, plain)) <= 80


class Crashing:
    """A reference that gives no answer."""

    name = "tensorflow"
    done = True

    def __init__(self, failure: Failure) -> None:
        self._failure = failure

    def __call__(self, _timeout: float) -> "Crashing":
        return self

    def __enter__(self) -> "Crashing":
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, _request: Request) -> "Crashing":
        return self

    def result(self) -> Outcome | Failure:
        return self._failure


@pytest.mark.parametrize("kind", ["crashed", "timeout"])
def test_a_crash_or_time_out_ends_with_three(
    command: Command, write: Write, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    failure = Failure(kind, "the process ended", "last words")  # type: ignore[arg-type]
    monkeypatch.setattr("gradcheck.reference.worker.ReferenceWorker", Crashing(failure))
    result = command("compare", write(SQUARE))
    assert result.exit_code == 3
    assert "tensorflow: the process ended" in result.stdout
    assert "last words" in result.stdout


def test_an_abort_inside_tensorflow_is_reported_and_the_next_case_runs() -> None:
    """A failed CHECK ends the process: `tf.signal.irfft` of one element. Here the process is told to abort."""
    from gradcheck import workers

    with ReferenceWorker() as reference:
        future = reference._pool.schedule(_abort)
        pending = workers.Pending(future, reference._pool, "TensorFlow", 300.0, reference._log)
        failure = pending.result()
        assert isinstance(failure, Failure)
        assert failure.kind == "crashed"
        assert failure.message == "the TensorFlow process ended by signal 6 (SIGABRT)"
        assert "words before the end" in failure.details
        assert reference._pool.schedule(_answer).result() == 42


def _abort() -> None:
    import os

    os.write(2, b"words before the end\n")
    os.abort()


def _answer() -> int:
    return 42


def run_module(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "gradcheck", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_as_a_module_with_nothing_of_tensorflow_on_the_terminal() -> None:
    done = run_module("compare", "cases/matmul_chain.yaml")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.splitlines()[0].split() == ["agree", "cases/matmul_chain.yaml", "0", "of", "allowed"]


@pytest.mark.parametrize("report", ["table", "json"])
def test_a_reader_that_goes_away_does_not_change_the_exit_status(write: Write, report: str) -> None:
    command = [sys.executable, "-m", "gradcheck", "compare", str(write(WRONG)), "--report", report]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait() == 1
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_commands_that_do_not_need_tensorflow_do_not_load_it() -> None:
    code = (
        "import sys; sys.argv = ['gradcheck', *{arguments}]\n"
        "from gradcheck.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "assert 'tensorflow' not in sys.modules"
    )
    for arguments in (["--help"], ["check", "cases"], ["run", "cases/matmul_chain.yaml"], ["ops"], ["schema"]):
        done = subprocess.run(
            [sys.executable, "-c", code.format(arguments=arguments)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_operands_that_both_engines_refuse_are_an_error_of_the_case(command: Command, write: Write) -> None:
    result = command("compare", write("inputs: {x: [[1.0, 1.0], [1.0, 1.0]]}\nexpr: tf.linalg.inv(x)\n"))
    assert result.exit_code == 2
    assert "numpy: Singular matrix" in result.stdout
