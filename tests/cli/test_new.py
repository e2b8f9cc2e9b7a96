"""`gradcheck new`: what its options and the answers to its questions become."""

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gradcheck.casefile.load import load_file
from gradcheck.casefile.starter import EXAMPLE
from gradcheck.cli.main import cli
from gradcheck.cli.options import problems

New = Callable[..., Result]
SUM = "tf.reduce_sum(x @ w)"
TO_THE_END = "\n" * 9


@pytest.fixture
def new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> New:
    """Run `gradcheck new` in an empty folder; what is typed makes it a terminal."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, typed: str | None = None) -> Result:
        monkeypatch.setattr("gradcheck.cli.starting._on_terminal", lambda: typed is not None)
        return CliRunner().invoke(cli, ["new", *arguments], input=typed, prog_name="gradcheck")

    return run


def well_formed(path: str) -> bool:
    loaded = load_file(path)
    return not loaded.diagnostics and not any(problems(case) for case in loaded.cases)


def test_options_say_what_the_case_is(new: New) -> None:
    inputs = ("--input", "x=3,2", "--input", "w=[[1,2],[3,4]]")
    dtypes = ("--dtype", "float32", "--dtype", "float64")
    result = new("cases/a.yaml", "--expr", SUM, *inputs, *dtypes, "--description", "Sums: a product.")
    assert result.exit_code == 0, result.output
    assert result.stdout == "wrote cases/a.yaml; now: gradcheck compare cases/a.yaml\n"
    assert Path("cases/a.yaml").read_text() == (
        'description: "Sums: a product."\n'
        "inputs:\n"
        "  x: {shape: [3, 2], random: normal, seed: 1}\n"
        "  w: [[1, 2], [3, 4]]\n"
        "dtype: [float32, float64]  # the case runs once in each\n"
        f"expr: {SUM}\n"
    )
    assert well_formed("cases/a.yaml")


def test_without_a_terminal_and_options_the_example_is_written(new: New) -> None:
    assert new("a.yaml").exit_code == 0
    assert Path("a.yaml").read_text() == EXAMPLE.text()
    assert well_formed("a.yaml")


def test_the_example_takes_another_description_and_dtype(new: New) -> None:
    assert new("a.yaml", "--description", "Entropy.", "--dtype", "float64").exit_code == 0
    text = Path("a.yaml").read_text()
    assert text == EXAMPLE.text().replace(EXAMPLE.description, "Entropy.").replace("expr:", "dtype: float64\nexpr:")


def test_an_expression_is_freed_of_its_indentation(new: New) -> None:
    assert new("a.yaml", "--expr", "\n    y = x\n    y * y\n", "--input", "x=2").exit_code == 0
    assert "expr: |\n  y = x\n  y * y\n" in Path("a.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--expr", SUM, "--input", "x=3,2"],
            "tf.reduce_sum(x @ w)\n  |                         ^\n  = help: say what it is, as in `--input w=3,4`\n",
        ),
        (
            ["--expr", "tf.reduce_sun(x)", "--input", "x=3"],
            "4 | expr: tf.reduce_sun(x)\n  |       ^^^^^^^^^^^^^\n  = help: did you mean `tf.reduce_sum`?\n",
        ),
        (["--expr", SUM, "--input", "x=3,2", "--input", "w=3,2"], "error[refused]: `tf.matmul` of shapes"),
        (["--expr", "x", "--input", "x=[1, [2]]"], "3 |   x: [1, [2]]\n"),
        (["--expr", "x", "--input", "x=[1,"], "input x:1:3: error[yaml-syntax]"),
        (["--expr", "x", "--input", "x=2", "--dtype", "float23"], "did you mean `float32`?"),
        (["--expr", "x", "--input", "x"], "--input takes NAME=VALUE, as in `--input x=3,4`; not 'x'"),
        (["--input", "x=2"], "--input goes with --expr"),
        (["--expr", "x", "--shipped"], "go with neither --shipped nor --engine"),
        (["--dtype", "float32", "--engine", "rule"], "go with neither --shipped nor --engine"),
    ],
)
def test_what_is_wrong_with_the_options_is_said_and_nothing_written(
    new: New, tmp_path: Path, arguments: list[str], words: str
) -> None:
    result = new("a.yaml", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not any(tmp_path.iterdir())


def test_a_warning_does_not_keep_the_case_from_being_written(new: New) -> None:
    result = new("a.yaml", "--expr", "x", "--input", "x=2", "--input", "y=2")
    assert result.exit_code == 0
    assert "a.yaml:4:3: warning[unused-input]: input `y` is not used in `expr`" in result.stderr


def test_enter_everywhere_gives_the_example(new: New) -> None:
    result = new("a.yaml", typed="\n" * 5)
    assert result.exit_code == 0, result.output
    assert Path("a.yaml").read_text() == EXAMPLE.text()


def test_answers_make_the_case_and_mistakes_are_asked_again(new: New) -> None:
    answers = [
        "Rows that are picked.",
        "tf.reduce_sun(x)",  # asked again
        "h = tf.gather(x, i)",  # nothing to differentiate yet
        "tf.reduce_sum(h @ w",  # an open bracket
        ")",
        "3,4",
        "2,2",  # no indices: asked again
        "[0, 2] int32",
        "3,2",  # does not fit: asked again
        "4,2",
        "float32 float23",  # asked again
        "float32, float64",
    ]
    result = new("a.yaml", typed="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    for words in (
        "a.yaml:3:7: error[unknown-op]: `tf.reduce_sun` is not an operation in the table",
        "`tf.gather` does not take float32 as `indices`",
        "8 |   tf.reduce_sum(h @ w\n  |                 ^^^^^\n",
        "did you mean `float32`?",
    ):
        assert result.stderr.count(words) == 1
    assert Path("a.yaml").read_text() == (
        "description: Rows that are picked.\n"
        "inputs:\n"
        "  x: {shape: [3, 4], random: normal, seed: 1}\n"
        "  i: {value: [0, 2], dtype: int32}\n"
        "  w: {shape: [4, 2], random: normal, seed: 2}\n"
        "dtype: [float32, float64]  # the case runs once in each\n"
        "expr: |\n"
        "  h = tf.gather(x, i)\n"
        "  tf.reduce_sum(h @ w\n"
        "  )\n"
    )
    assert well_formed("a.yaml")


@pytest.mark.parametrize(
    ("lines", "expr"),
    [
        (["x * x"], "expr: x * x\n"),
        (["s = x", "for i in range(2):", "    s = s * x", "s"], "  for i in range(2):\n      s = s * x\n  s\n"),
        (
            ["with tf.GradientTape() as t:", "    t.watch(x)", "    y = x * x", "t.gradient(y, x)"],
            "  t.gradient(y, x)\n",
        ),
        (["  y = x", "  y"], "expr: |\n  y = x\n  y\n"),
        (["y = x", ""], "expr: y = x\n"),  # an empty line ends it
    ],
)
def test_the_expression_ends_where_something_can_be_differentiated(new: New, lines: list[str], expr: str) -> None:
    result = new("a.yaml", typed="\n".join(["", *lines, "2", ""]) + "\n")
    assert result.exit_code == 0, result.output
    assert expr in Path("a.yaml").read_text()


def test_with_options_only_what_they_leave_open_is_asked(new: New) -> None:
    result = new("a.yaml", "--expr", SUM, "--input", "x=3,4", typed="4,2\n")
    assert result.exit_code == 0, result.output
    assert [line.partition(" [")[0] for line in result.stdout.splitlines()[1:-1]] == ["input w"]
    assert "  w: {shape: [4, 2], random: normal, seed: 2}\n" in Path("a.yaml").read_text()


def test_the_schema_is_named_where_it_is(new: New) -> None:
    without = new("cases/deep/a.yaml")
    assert "gradcheck schema > gradcheck.schema.json" in without.stderr
    Path("gradcheck.schema.json").write_text("{}")
    above = new("cases/deep/b.yaml")
    assert above.stderr == ""
    assert Path("cases/deep/b.yaml").read_text() == EXAMPLE.text("../../gradcheck.schema.json")
    new("c.yaml")
    assert Path("c.yaml").read_text() == EXAMPLE.text("gradcheck.schema.json")


@pytest.mark.parametrize("make", [lambda path: path.write_text("mine"), lambda path: path.symlink_to("nowhere")])
def test_what_is_there_is_left_alone_and_nothing_is_asked(new: New, make: Callable[[Path], object]) -> None:
    path = Path("a.yaml")
    make(path)
    result = new("a.yaml", typed=TO_THE_END)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "a.yaml exists already" in result.stderr
    assert path.is_symlink() or path.read_text() == "mine"


def leave_by_ctrl_c(asked: "subprocess.Popen[bytes]", _terminal: int) -> None:
    asked.send_signal(signal.SIGINT)


def leave_by_ctrl_d(_asked: "subprocess.Popen[bytes]", terminal: int) -> None:
    os.write(terminal, b"\x04")


@pytest.mark.parametrize("leave", [leave_by_ctrl_c, leave_by_ctrl_d])
def test_ctrl_c_and_ctrl_d_on_a_terminal_leave_nothing_behind(
    tmp_path: Path, leave: Callable[["subprocess.Popen[bytes]", int], None]
) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "gradcheck", "new", "cases/a.yaml"]
    shown = b""
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path) as asked:
        os.close(theirs)
        while b"one sentence.]: " not in shown:
            shown += os.read(ours, 1024)
        while b"interrupted" not in shown:
            leave(asked, ours)  # again if need be: a signal just before the reading begins does not end it
            while b"interrupted" not in shown and select.select([ours], [], [], 2)[0]:
                shown += os.read(ours, 1024)
    os.close(ours)
    assert asked.returncode == 130
    assert not any(tmp_path.iterdir())
