"""The other commands, and that the README names them all."""

import json
from collections.abc import Callable
from pathlib import Path

import click
import jsonschema
import pytest
import yaml
import yamlcore
from click.testing import Result

from gradcheck.cli.main import cli, main
from gradcheck.ops import OPS
from gradcheck.verdict.record import Verdict

Command = Callable[..., Result]
Write = Callable[..., Path]
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_check_tells_what_is_wrong(command: Command, write: Write) -> None:
    path = write("inputs:\n  x: [[1.0, 2.0]]\nexpr: tf.reduce_sun(x)\nexpct: {}\n")
    result = command("check", path)
    assert result.exit_code == 2
    assert result.stderr == (
        f"{path}:3:7: error[unknown-op]: `tf.reduce_sun` is not an operation in the table\n"
        "  |\n3 | expr: tf.reduce_sun(x)\n  |       ^^^^^^^^^^^^^\n  = help: did you mean `tf.reduce_sum`?\n"
        f"{path}:4:1: error[unknown-key]: unknown key `expct`\n"
        "  |\n4 | expct: {}\n  | ^^^^^\n  = help: did you mean `expect`?\n"
        "2 errors\n"
    )


def test_check_passes_what_is_well_formed(command: Command) -> None:
    result = command("check", ROOT / "cases")
    assert result.exit_code == 0
    assert result.stdout.endswith("cases well formed\n")


def test_run_prints_outputs_and_gradients(command: Command) -> None:
    result = command("run", ROOT / "cases" / "matmul_chain.yaml")
    assert result.exit_code == 0
    assert [line.strip() for line in result.stdout.splitlines()[1:]] == [
        "output = [[[-2, -2], [5, 5]], [[24, 24], [40, 40]]]",
        "d/dx = [[[-22, 18], [-22, 18]], [[32, -16], [32, -16]]]",
        "d/dy = [[66, -8], [80, -8]]",
        "d/dz = [[[5, 5], [-1, -1]], [[18, 18], [-10, -10]]]",
    ]


def test_explain_shows_contributions_their_sum_and_the_rule(command: Command, write: Write) -> None:
    result = command("explain", write("inputs: {x: 3.0}\nexpr: x * x + 5.0 * x\n"), "--values")
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    at = lines.index(["d/dx", "float32[]"])
    assert lines[at + 1 :] == [
        ["(ones_like(output)", "*", "5.)", "from", "%3", "5"],
        ["+", "(ones_like(output)", "*", "x)", "from", "%1", "3"],
        ["+", "(ones_like(output)", "*", "x)", "from", "%1", "3"],
        ["=", "d(x)", "11"],
    ]
    assert ["rule", "tf.multiply:", "d(x", "y)", "=", "y", "dx", "+", "x", "dy"] in lines


def test_explain_says_what_is_not_connected(command: Command, write: Write) -> None:
    result = command("explain", write("inputs: {x: 3.0, y: 1.0}\nexpr: x * tf.floor(y)\n"))
    assert result.stdout.splitlines()[-2:] == ["  d/dy  float32[]", "    not connected: no path leads to it"]


def test_explain_folds_nothing_when_piped(command: Command, write: Write) -> None:
    name = "a_name_that_is_long_" * 8
    result = command("explain", write(f"inputs: {{x: 3.0}}\nexpr: |\n  {name} = x * x\n  {name} * {name}\n"))
    assert f"  output = {name} * {name}" in result.stdout.splitlines()


def test_explain_colours_on_request(command: Command, write: Write) -> None:
    path = write("inputs: {x: 3.0}\nexpr: x * x\n")
    assert "\x1b[" in command("explain", path, "--color", "always").stdout
    assert "\x1b[" not in command("explain", path).stdout


def test_explain_follows_one_variable(command: Command, write: Write) -> None:
    path = write("inputs: {weight: 3.0, x: 1.0}\nexpr: weight * tf.exp(x)\n")
    followed = command("explain", path, "--variable", "weight")
    assert "d/dweight" in followed.stdout
    assert "d/dx" not in followed.stdout
    unknown = command("explain", path, "--variable", "wieght")
    assert unknown.exit_code == 2
    assert "error[unknown-variable]" in unknown.stderr
    assert "did you mean `weight`?" in unknown.stderr


@pytest.mark.parametrize(
    ("form", "beginning"), [("json", "{"), ("dot", "digraph {"), ("mermaid", "---"), ("svg", "<svg ")]
)
def test_explain_speaks_to_programs(command: Command, write: Write, form: str, beginning: str) -> None:
    result = command("explain", write("inputs: {x: 3.0}\nexpr: x * x\n"), "--format", form)
    assert result.exit_code == 0
    assert result.stdout.startswith(beginning)


def test_explain_draws_one_case_only(command: Command) -> None:
    result = command("explain", ROOT / "cases" / "chain_rule.yaml", "--format", "dot")
    assert result.exit_code == 2
    assert "--format dot draws one case, and " in result.stderr


def test_ops_lists_the_table(command: Command) -> None:
    result = command("ops")
    assert result.exit_code == 0
    for name in OPS:
        assert name in result.stdout
    assert f"{len(OPS)} operations" in result.stdout


def test_ops_shows_one_by_any_of_its_names(command: Command) -> None:
    result = command("ops", "tf.math.maximum")
    assert "tf.maximum(x, y, name=None)" in result.stdout
    assert "a tie goes to the first argument" in result.stdout
    assert "tf.where(%" in result.stdout


def test_ops_lists_what_is_held_against_tensorflow(command: Command) -> None:
    result = command("ops", "--defects")
    assert result.exit_code == 0
    assert "tf.math.cumprod(x)" in result.stdout
    assert "cases/defects.yaml::cumprod_with_a_zero" in " ".join(result.stdout.split())


@pytest.mark.parametrize("arguments", [("--coverage", "--defects"), ("tf.sin", "--coverage"), ("tf.sin", "--defects")])
def test_ops_tells_one_thing_at_a_time(command: Command, arguments: tuple[str, ...]) -> None:
    result = command("ops", *arguments)
    assert result.exit_code == 2
    assert "give one of them" in result.output


def test_ops_suggests_the_nearest_name(command: Command) -> None:
    result = command("ops", "tf.maxium")
    assert result.exit_code == 2
    assert "did you mean `tf.maximum`?" in result.stderr


def test_new_writes_a_case_that_compares(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "fresh" / "mine.yaml"
    assert command("new", path).exit_code == 0
    assert command("compare", path).exit_code == 0
    again = command("new", path)
    assert again.exit_code == 2
    assert "exists already" in again.stderr


def test_new_copies_the_shipped_cases(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "examples"
    assert command("new", "--shipped", folder).exit_code == 0
    assert {path.name for path in folder.rglob("*.yaml")} == {path.name for path in (ROOT / "cases").rglob("*.yaml")}
    assert command("new", "--shipped", folder).exit_code == 2


def test_the_schema_accepts_the_shipped_cases_and_refuses_a_wrong_one(command: Command) -> None:
    schema = json.loads(command("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in (ROOT / "cases").rglob("*.yaml"):
        validator.validate(yaml.load(path.read_text(encoding="utf-8"), yamlcore.CCoreLoader))  # YAML 1.2
    assert not validator.is_valid({"inputs": {"x": 1.0}, "expr": "x", "expct": {}})


def test_version(command: Command) -> None:
    assert command("--version").stdout.startswith("gradcheck, version ")


def test_a_fault_of_ours_is_one_line_and_three(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(**_: object) -> None:
        raise AssertionError("this cannot be")

    monkeypatch.setattr(cli, "main", broken)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3
    message = capsys.readouterr().err
    assert message.startswith("gradcheck itself is at fault: AssertionError: this cannot be\n")
    assert "Traceback" not in message


def test_ctrl_c_ends_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", interrupted)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("command_name", sorted(cli.commands))
def test_the_readme_names_each_command_and_option(command_name: str) -> None:
    assert f"gradcheck {command_name}" in README
    shared = {"keyword", "tags", "dtypes", "limits", "color", "help"}
    for parameter in cli.commands[command_name].params:
        if isinstance(parameter, click.Option) and parameter.name not in shared and not parameter.hidden:
            assert parameter.opts[0] in README, parameter.opts


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_readme_names_each_verdict(verdict: Verdict) -> None:
    assert f"`{verdict}`" in README
