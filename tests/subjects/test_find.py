"""From what follows `--engine` to an engine, and what is said where there is none."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gradcheck.configuration import NotFound, configured
from gradcheck.subjects import FunctionalEngine, GraphEngine, RuleEngine, TensorEngine
from gradcheck.subjects.find import Located
from tests.subjects.conftest import ENGINES, Command, inputs

RULE = "def forward(x):\n    return x * x\n\n\ndef backward(x, dy):\n    return 2 * x * dy\n"


MISNAMED = "`tf.expp` in the table of functions is not an operation: did you mean `tf.exp`?"
WANTED = "it needs an engine (see `gradcheck new --engine`), or functions `forward` and `backward`"


def located(text: str) -> Located:
    return Located(text, str(ENGINES))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("closures_adapter.py", "closures_adapter"),
        ("engines/closures_adapter.py:engine", "closures_adapter"),
        ("closures_defects.py:keeps", "keeps"),
        ("package.module:mine", "mine"),
        ("package.module:engine", "module"),
        ("torch", "torch"),
        ("command:node my_engine.js --fast", "node"),
    ],
)
def test_an_engine_is_called_as_its_file_or_by_its_name(text: str, name: str) -> None:
    assert located(text).name == name


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("closures_adapter.py", TensorEngine),
        ("closures_adapter.py:engine", TensorEngine),
        ("nodes_defects.py:last_contribution", GraphEngine),
        ("flow_defects.py:as_found", TensorEngine),
    ],
)
def test_a_file_relative_to_the_folder(text: str, kind: type) -> None:
    assert isinstance(located(text)(), kind)


def test_a_module_that_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ENGINES)
    assert isinstance(located("nodes_defects:no_placeholders")(), GraphEngine)


def test_functions_named_forward_and_backward_are_an_engine(tmp_path: Path) -> None:
    (tmp_path / "square.py").write_text(RULE, encoding="utf-8")
    engine = Located("square.py", str(tmp_path))()
    assert isinstance(engine, RuleEngine)


def test_a_file_may_be_called_as_a_module_that_is_in_use(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text(RULE, encoding="utf-8")
    Located("json.py", str(tmp_path))()
    import json as imported

    assert imported is json


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nowhere.py", "there is no file {folder}/nowhere.py"),
        ("broken.py", "broken.py cannot be loaded: SyntaxError: '(' was never closed (broken.py:3)"),
        ("raising.py", "raising.py cannot be loaded: KeyError: 'mine' (raising.py:3, in load)"),
        ("leaving.py", "leaving.py cannot be loaded: SystemExit: usage (leaving.py:2, in <module>)"),
        ("misnamed.py", f"misnamed.py cannot be loaded: ValueError: {MISNAMED} (misnamed.py:2, in <module>)"),
        ("empty.py", f"empty.py has no `engine`: {WANTED}"),
        ("two.py", "two.py has no `engine`: name one of two.py:first, two.py:second"),
        ("two.py:frist", "two.py:frist: there is no `frist` in it: did you mean `first`?"),
        ("number.py", f"number.py is an int: {WANTED}"),
        ("no.such:engine", "the module no.such cannot be loaded: ModuleNotFoundError: No module named 'no'"),
        ("command:", "command: needs a program to run, as in --engine 'command:node engine.js'"),
        ("command:'", "command:': No closing quotation"),
    ],
)  # fmt: skip
def test_what_cannot_be_loaded_is_refused_with_the_reason(tmp_path: Path, text: str, message: str) -> None:
    engine = "from gradcheck.subjects import TensorEngine\n"
    files = {
        "broken": "x = 1\n\nf(\n",
        "raising": "def load(name):\n    names = {}\n    return names[name]\n\n\nengine = load('mine')\n",
        "leaving": "import sys\nsys.exit('usage')\n",
        "misnamed": f"{engine}engine = TensorEngine(variable=float, functions={{'tf.expp': sum}})\n",
        "empty": "x = 1\n",
        "two": f"{engine}first = TensorEngine(variable=float)\nsecond = TensorEngine(variable=float)\n",
        "number": "engine = 5\n",
    }
    for name, content in files.items():
        (tmp_path / f"{name}.py").write_text(content, encoding="utf-8")
    with pytest.raises(NotFound) as refused:
        Located(text, str(tmp_path))()
    assert str(refused.value) == message.replace("{folder}", str(tmp_path))


@pytest.mark.parametrize(("name", "hint"), [("troch", "did you mean `torch`?"), ("zzz", "there are jax, torch")])
def test_an_unknown_name_is_held_against_the_installed_engines(
    monkeypatch: pytest.MonkeyPatch, name: str, hint: str
) -> None:
    monkeypatch.setattr("gradcheck.subjects.find.engines", lambda: dict.fromkeys(["jax", "torch"]))
    with pytest.raises(NotFound) as refused:
        located(name)()
    assert str(refused.value) == f"there is no engine `{name}`: {hint}"


def test_the_project_may_name_its_engine(tmp_path: Path) -> None:
    project, below = tmp_path / "pyproject.toml", tmp_path / "cases" / "deep"
    below.mkdir(parents=True)
    project.write_text("[tool.gradcheck]\nengine = 'mine.py'\n", encoding="utf-8")
    assert configured(below) == "mine.py"
    project.write_text("[tool.gradcheck]\nengine = 5\n", encoding="utf-8")
    with pytest.raises(NotFound, match="engine is 5, not a string"):
        configured(below)
    project.write_text("[tool.gradcheck\n", encoding="utf-8")
    with pytest.raises(NotFound, match="cannot be read: "):
        configured(below)


def test_the_engine_of_the_project_is_the_subject_unless_another_is_named(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "case.yaml").write_text(inputs("tf.square(x)", x=[1.0, 3.0]), encoding="utf-8")
    (tmp_path / "mine.py").write_text(RULE.replace("2 *", "3 *"), encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[tool.gradcheck]\nengine = 'mine.py'\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = command("compare", "case.yaml")
    assert result.exit_code == 1
    assert "mine is wrong" in result.stdout
    assert command("compare", "case.yaml", "--engine", "numpy").exit_code == 0


def test_what_cannot_be_loaded_stops_the_command(command: Command, tmp_path: Path) -> None:
    case = tmp_path / "case.yaml"
    case.write_text(inputs("tf.square(x)", x=[1.0, 3.0]), encoding="utf-8")
    result = command("compare", case, "--engine", f"{ENGINES}/closures_defects.py:kepes")
    assert result.exit_code == 2
    assert "there is no `kepes` in it: did you mean `keeps`?" in result.stderr


def test_no_case_file_can_name_an_engine(command: Command, tmp_path: Path) -> None:
    case = tmp_path / "case.yaml"
    case.write_text(inputs("tf.square(x)", x=[1.0, 3.0]) + "engine: evil.py\n", encoding="utf-8")
    (tmp_path / "evil.py").write_text("raise SystemExit('run')\n", encoding="utf-8")
    result = command("compare", case)
    assert result.exit_code == 2
    assert "engine" in result.stderr
    assert "unknown-key" in result.stderr


@pytest.mark.parametrize(
    "make",
    [
        lambda table: TensorEngine(variable=float, functions=table),
        lambda table: GraphEngine(placeholder=str, gradients=max, execute=max, functions=table),
        lambda table: FunctionalEngine(vjp=max, functions=table),
    ],
)
def test_every_kind_of_engine_says_which_operation_its_table_misnames(make: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueError, match=re.escape(MISNAMED)):
        make({"tf.expp": "exp"})
