"""What a shell is told to complete, through the option that its script uses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gradcheck.cli import candidates
from gradcheck.cli.completion import SCRIPTS, SHELLS
from gradcheck.cli.main import cli

MANY = """\
defaults: {dtype: [float32, float64], tags: [all-of-them]}
cases:
  softmax: {description: "Rows sum to one.", inputs: {x: 1.0}, expr: x, tags: [nn]}
  softplus: {inputs: {x: 1.0}, expr: x, dtype: float16}
  sum: {inputs: {x: 1.0}, expr: x}
"""
ONE = "inputs: {x: 1.0}\nexpr: x\ntags: [lonely]\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two case files in `cases/`, one outside of it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cases" / "deep").mkdir(parents=True)
    (tmp_path / "cases" / "many.yaml").write_text(MANY)
    (tmp_path / "cases" / "deep" / "one.yml").write_text(ONE)
    (tmp_path / "sole.yaml").write_text(ONE)
    return tmp_path


def asked(line: str, shell: str = "bash") -> Result:
    return CliRunner().invoke(cli, ["completion", shell, "--line", line], prog_name="gradcheck")


def answers(line: str) -> list[str]:
    """What can follow, without the explanations; files as `<suffixes>`."""
    result = asked(line)
    assert result.exit_code == 0
    assert result.stderr == ""
    rows = [row.split("\t") for row in result.stdout.splitlines()]
    return [value if kind == "word" else f"<{value}>" for kind, value, _ in rows]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("gradcheck comp", ["compare", "completion"]),
        ("gradcheck compare ", ["<yaml|yml>"]),
        ("gradcheck record ", ["<yaml|yml>"]),
        ("gradcheck compare --engi", ["--engine"]),
        ("gradcheck compare -k so", ["softmax", "softplus"]),
        ("gradcheck compare cases/ -k so", ["softmax", "softplus"]),
        ("gradcheck compare sole.yaml -k ", ["sole"]),
        ("gradcheck compare cases/deep sole.yaml -k ", ["one", "sole"]),
        ("gradcheck compare 'cases/many.yaml' -k 'su", ["sum"]),
        ("gradcheck check cases/many.yaml --tag sum -k s", ["softmax", "softplus", "sum"]),
        ("gradcheck compare cases --case o", ["one"]),
        ("gradcheck compare cases --case cases/many.yaml::su", ["cases/many.yaml::sum"]),
        ("gradcheck compare --case=cases/d", ["--case=cases/deep/one.yml"]),
        ("gradcheck compare cases --tag ", ["all-of-them", "lonely", "nn"]),
        ("gradcheck compare sole.yaml --tag=", ["--tag=lonely"]),
        ("gradcheck compare --dtype float", ["float16", "float32", "float64"]),
        ("gradcheck compare sole.yaml --dtype ", ["float32"]),
        ("gradcheck compare --report j", ["jsonl", "jsonl=", "json", "json=", "junit", "junit="]),
        ("gradcheck compare --report json=", ["<>"]),
        ("gradcheck compare --limit fi", ["file_bytes=", "file_elements="]),
        ("gradcheck compare --engine t", ["tinygrad", "torch", "<py>"]),
        ("gradcheck compare --show ", ["values", "worst", "none"]),
        ("gradcheck score num", ["numpy", "<py>"]),
        ("gradcheck ops tf.maxim", ["tf.maximum"]),
        ("gradcheck new a.yaml --dtype complex", ["complex64", "complex128"]),
        ("gradcheck completion ", list(SHELLS)),
        ("gradcheck nothing x", []),
        ("gradcheck compare --nothing ", ["<yaml|yml>"]),
        ("gradcheck", []),
        ("", []),
        ("gradcheck compare nowhere -k ", []),
    ],
)
def test_what_can_follow(line: str, expected: list[str]) -> None:
    assert answers(line) == expected


def test_a_case_is_explained_by_its_description() -> None:
    assert asked("gradcheck compare -k softm").stdout == "word\tsoftmax\tRows sum to one.\n"


def test_neither_numpy_nor_tensorflow_is_loaded_for_cases_and_engines() -> None:
    lines = [f"gradcheck compare cases --{each} " for each in ("case", "tag", "dtype", "engine", "report", "limit")]
    program = f"""
import sys
from gradcheck.cli.main import cli
for line in {lines!r}:
    cli.main(["completion", "bash", "--line", line], standalone_mode=False)
print(sorted({{"numpy", "tensorflow", "pydantic"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "word\tnumpy\t" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


HOSTILE = {
    "not YAML": b"cases: [",
    "not text": b"\xff\xfe\x00",
    "not a mapping": b"- 1\n- 2\n",
    "cases of another kind": b"cases: {a: 1, b: [2]}\ndefaults: 3\n",
    "names that a shell would run": b'cases: {"$(reboot)": {}, "a b": {}, "`x`": {}, ";": {}, "": {}}\n',
    "tags that a shell would run": b'inputs: {}\nexpr: x\ntags: ["$(reboot)", "a\\nb", 3, [x], {y: z}]\n',
    "deep": b"[" * 10_000,
    "aliases": b"a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n" + b"d: [" + b"*c, " * 50_000 + b"]\n",
    "long": b"x" * 2_000_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("option", ["-k", "--case", "--tag"])
def test_a_file_that_cannot_be_read_has_no_candidates_and_hides_no_others(
    folder: Path, text: bytes, option: str
) -> None:
    (folder / "cases" / "zz.bad-one.yaml").write_bytes(text)
    found = set(answers(f"gradcheck compare {option} "))
    assert found >= {"-k": {"softmax", "one"}, "--case": {"softmax", "one"}, "--tag": {"nn", "lonely"}}[option]
    assert found <= {"softmax", "softplus", "sum", "one", "nn", "lonely", "all-of-them", "zz.bad-one", "a", "b"}


def test_what_a_description_says_does_not_reach_the_terminal(folder: Path) -> None:
    text = r'"\e[31mred\tword\tcd\n and much more of it, so much that a line of a terminal cannot hold it"'
    (folder / "odd.yaml").write_text(f"description: {text}\n{ONE}")
    (row,) = asked("gradcheck compare odd.yaml -k ").stdout.splitlines()
    assert row == "word\todd\t?[31mred word cd and much more of it, so much that a line o…"


def test_files_are_read_as_far_as_the_budget_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "MOST_BYTES", len(MANY))
    assert answers("gradcheck compare cases/many.yaml cases/deep -k ") == ["softmax", "softplus", "sum"]
    monkeypatch.setattr(candidates, "MOST_BYTES", len(MANY) - 1)
    assert answers("gradcheck compare cases/many.yaml cases/deep -k ") == ["one"]


def test_what_is_no_regular_file_is_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "cases" / "pipe.yaml")
    os.mkfifo(folder / "pipe.yaml")
    assert answers("gradcheck compare cases pipe.yaml -k su") == ["sum"]


def test_a_fault_is_not_told_to_who_is_typing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise AssertionError("this cannot be")

    monkeypatch.setattr("gradcheck.cli.completion.ShellComplete.get_completions", broken)
    assert answers("gradcheck comp") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script_that_asks_for_it(shell: str) -> None:
    result = CliRunner().invoke(cli, ["completion", shell])
    assert result.exit_code == 0
    assert result.stdout.startswith(("# gradcheck", "#compdef gradcheck\n"))
    assert f"completion {shell} --line" in result.stdout
    assert [path.suffix for path in sorted(SCRIPTS.iterdir())] == [".bash", ".fish", ".zsh"]


@pytest.mark.parametrize(
    ("words", "replies"),
    [
        ("gradcheck compare cases -k so", ["softmax", "softplus"]),
        ("gradcheck compare cases --dtype = float1", ["float16"]),
        ("gradcheck compare cases --case cases/many.yaml :: su", ["sum"]),
        ("gradcheck compare s", ["sole.yaml"]),
        ("gradcheck compare cases --report json = so", ["sole.yaml"]),
        ("gradcheck compare cases --report json =", ["cases", "sole.yaml", "gradcheck"]),
    ],
)
def test_the_script_for_bash_puts_words_together_that_bash_takes_apart(
    folder: Path, words: str, replies: list[str]
) -> None:
    program = folder / "gradcheck"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gradcheck "$@"\n')
    program.chmod(0o755)
    line = words.replace(" = ", "=").replace(" =", "=").replace(" :: ", "::")
    script = f"""
compopt() {{ :; }}  # bash has it only while somebody types
source "{SCRIPTS}/gradcheck.bash"
COMP_WORDS=({words}) COMP_CWORD={len(words.split()) - 1} COMP_LINE="{line}" COMP_POINT={len(line)}
_gradcheck ./gradcheck
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert sorted(done.stdout.splitlines()) == sorted(replies)
