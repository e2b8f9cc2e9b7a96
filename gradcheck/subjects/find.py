"""From what follows `--engine` to an engine.

Engines are code, so they are loaded only when the command line or the project's own configuration names them.
"""

import importlib
import importlib.util
import inspect
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from gradcheck.configuration import NotFound
from gradcheck.diagnostics import did_you_mean
from gradcheck.engines import Engine
from gradcheck.installed import engines
from gradcheck.subjects.arrays import described
from gradcheck.subjects.command_engine import CommandEngine, Unstarted
from gradcheck.subjects.findings import words
from gradcheck.subjects.rule_engine import RuleEngine

DEFAULT_NAME = "engine"
"""What the engine is called in a module that is named without one."""


@dataclass(frozen=True)
class Located:
    """Where an engine is, in a form that another process can load it from."""

    text: str
    """As the user gave it."""
    folder: str
    """The folder that relative paths are relative to."""

    @property
    def name(self) -> str:
        """How reports call the engine: the name of its file, module, program or entry point."""
        if self.text.startswith("command:"):
            return Path(_command(self.text)[0]).stem
        place, _, attribute = self.text.rpartition(":") if ":" in self.text else (self.text, "", "")
        stem = Path(place).stem if place.endswith(".py") else place.rpartition(".")[2]
        return stem if attribute in ("", DEFAULT_NAME) else attribute

    def __call__(self) -> Engine:
        """Load the engine; raises `NotFound`."""
        if self.text.startswith("command:"):
            return _program(self)
        place, _, name = self.text.partition(":")
        if place.endswith(".py"):
            return _member(_from_file(Path(self.folder, place).resolve()), name, self)
        if not name and place in engines():
            return _from_entry_point(place, self)
        if "." not in place and not name:
            raise NotFound(f"there is no engine `{place}`{_hint(place, list(engines()))}")
        return _member(_imported(place), name, self)


def _hint(word: str, names: list[str]) -> str:
    return f": {near}" if (near := did_you_mean(word, names)) else f": there are {', '.join(names)}" if names else ""


def _command(text: str) -> list[str]:
    try:
        parts = shlex.split(text.removeprefix("command:"))
    except ValueError as error:
        raise NotFound(f"{text}: {error}") from None
    if not parts:
        raise NotFound("command: needs a program to run, as in --engine 'command:node engine.js'")
    return parts


def _program(located: Located) -> Engine:
    try:
        return CommandEngine(located.name, tuple(_command(located.text)), located.folder)
    except Unstarted as error:
        raise NotFound(f"{located.text}: {error}") from None


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise NotFound(f"there is no file {path}")
    if str(path.parent) not in sys.path:  # so that it finds what stands beside it
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)  # a file of the user's may be called as a module that is in use here
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise NotFound(f"{path.name} cannot be loaded: {words(error)}") from None
    return module


def _imported(name: str) -> ModuleType:
    sys.path.insert(0, "")
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise NotFound(f"the module {name} cannot be loaded: {words(error)}") from None


def _from_entry_point(name: str, located: Located) -> Engine:
    point = engines()[name]
    try:
        found = point.load()
    except ModuleNotFoundError as error:
        extra = f"pip install 'gradcheck[{name}]'" if point.value.startswith("gradcheck.") else "install it first"
        raise NotFound(f"the engine `{name}` needs {error.name}, which is not installed: {extra}") from None
    except Exception as error:
        raise NotFound(f"the engine `{name}` cannot be loaded: {words(error)}") from None
    return _engine(found, located)


def _member(module: ModuleType, name: str, located: Located) -> Engine:
    """The engine of that name in a module; without a name `engine`, or the module's own `forward` and `backward`."""
    if name:
        if not hasattr(module, name):
            raise NotFound(f"{located.text}: there is no `{name}` in it{_hint(name, _engines(module))}")
        return _engine(getattr(module, name), located)
    if hasattr(module, DEFAULT_NAME):
        return _engine(getattr(module, DEFAULT_NAME), located)
    if _has_rule(module):
        return _engine(module, located)
    found = _engines(module)
    wanted = f"name one of {', '.join(f'{located.text}:{each}' for each in found)}" if found else _WANTED
    raise NotFound(f"{located.text} has no `{DEFAULT_NAME}`: {wanted}")


_WANTED = "it needs an engine (see `gradcheck new --engine`), or functions `forward` and `backward`"


def _engines(module: ModuleType) -> list[str]:
    return [name for name, value in vars(module).items() if not name.startswith("_") and _is_engine(value)]


def _is_engine(value: Any) -> bool:
    return not inspect.isclass(value) and callable(getattr(value, "run", None))


def _has_rule(value: Any) -> bool:
    return callable(getattr(value, "forward", None)) and callable(getattr(value, "backward", None))


def _engine(found: Any, located: Located) -> Engine:
    if _has_rule(found):
        return RuleEngine(forward=found.forward, backward=found.backward)
    if _is_engine(found):
        engine: Engine = found
        return engine
    raise NotFound(f"{located.text} is {described(found)}: {_WANTED}")
