from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from gradcheck.casefile.case import Case, Loaded
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_file

Load = Callable[..., Loaded]
Only = Callable[..., Case]
Refused = Callable[..., str]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load a text as `case.yaml` in a folder of its own, the working directory."""
    monkeypatch.chdir(tmp_path)

    def load(text: str | bytes, limits: Limits | None = None) -> Loaded:
        data = text if isinstance(text, bytes) else dedent(text).encode()
        Path("case.yaml").write_bytes(data)
        return load_file("case.yaml", limits)

    return load


@pytest.fixture
def only(load: Load) -> Only:
    """Load a text that gives one case, without errors or warnings."""

    def only(text: str) -> Case:
        loaded = load(text)
        assert loaded.diagnostics == ()
        (case,) = loaded.cases
        return case

    return only


@pytest.fixture
def refused(load: Load) -> Refused:
    """Load a text that gives no case; the messages as the user sees them, one after the other."""

    def refused(text: str | bytes, limits: Limits | None = None) -> str:
        loaded = load(text, limits)
        assert loaded.cases == ()
        return "\n".join(each.render() for each in loaded.diagnostics)

    return refused
