"""Case files found again: whole, where they and all that reads them are as they were, and only there."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gradcheck.casefile import kept as module
from gradcheck.casefile.case import Case
from gradcheck.casefile.find import find
from gradcheck.casefile.kept import KeptFiles
from gradcheck.casefile.limits import Limits
from gradcheck.casefile.load import load_file
from gradcheck.cli.new import shipped_cases
from gradcheck.keeping.packing import pack
from gradcheck.keeping.store import Store
from gradcheck.running.changes import alike

TEXT = "inputs: {x: [1.0, 2.0]}\nexpr: x * x\n"


@pytest.fixture
def kept(tmp_path: Path) -> KeptFiles:
    return KeptFiles(Store(tmp_path / "kept"))


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From when this is called, no file is read."""

    def no_reading(*_: object) -> None:
        raise AssertionError("the file is parsed")

    return lambda: monkeypatch.setattr(module, "load_source", no_reading)


def places(case: Case) -> list[object]:
    """Everything in a case that points into its file, as text."""
    spans = [case.span, *(each.span for each in case.inputs.values()), *(case.wrt or {}).values()]
    return [*map(str, spans), *(each.end for each in spans), list(case.expr.positions)]


def test_every_shipped_case_is_found_as_it_was_read(kept: KeptFiles) -> None:
    for file in find([shipped_cases()]).files:
        read = load_file(file)
        kept.load(file, Limits())
        again = kept.load(file, Limits())
        assert (again.diagnostics, again.flawed, again.arrays) == (read.diagnostics, read.flawed, read.arrays)
        for case, other in zip(read.cases, again.cases, strict=True):
            assert alike(case, other)
            assert places(case) == places(other)
            assert case.limits == other.limits


def test_what_is_found_is_not_read(kept: KeptFiles, tmp_path: Path, unread: Callable[[], None]) -> None:
    file = tmp_path / "case.yaml"
    file.write_text(TEXT)
    kept.load(file, Limits())
    unread()
    (case,) = kept.load(file, Limits()).cases
    assert case.span.source is case.expr.source
    assert case.expr.source.text == TEXT


def test_its_arrays_can_be_written_to_like_those_that_are_read(kept: KeptFiles, tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    file.write_text("inputs: {x: [1.0, 2.0], y: {nest: [1.0, 2.0]}}\nexpr: x * y[0]\n")
    for _ in range(2):
        (case,) = kept.load(file, Limits()).cases
        inputs = case.inputs
        assert isinstance(inputs["y"].value, tuple)
        assert all(isinstance(each, np.ndarray) and each.flags.writeable for each in inputs["y"].value)
        assert isinstance(inputs["x"].value, np.ndarray)
        assert inputs["x"].value.flags.writeable


@pytest.mark.parametrize("change", ["text", "path", "limits", "surroundings"])
def test_what_differs_is_read(
    kept: KeptFiles, tmp_path: Path, unread: Callable[[], None], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    file, limits = tmp_path / "case.yaml", Limits()
    file.write_text(TEXT)
    kept.load(file, limits)
    match change:
        case "text":
            file.write_text(TEXT + "\n")
        case "path":
            file = file.rename(tmp_path / "other.yaml")
        case "limits":
            limits = Limits(elements=5)
        case "surroundings":
            monkeypatch.setattr(module, "_surroundings", lambda: b"another pydantic")
    unread()
    with pytest.raises(AssertionError, match="the file is parsed"):
        kept.load(file, limits)


@pytest.mark.parametrize(
    "text",
    [
        "inputs: {x: [1.0, 2.0]}\nexpr: x * y\nwrt: [y]\n",
        "inputs: {x: {random: normal, shape: [2]}, y: {random: normal, shape: [2]}}\nexpr: x * y\n",
        "inputs: {x: {file: x.npy}}\nexpr: x\n",
        "not a case\n",
    ],
    ids=["an error", "a warning", "an array in another file", "no case"],
)
def test_what_has_more_to_say_or_to_look_at_is_read_each_time(kept: KeptFiles, tmp_path: Path, text: str) -> None:
    np.save(tmp_path / "x.npy", np.ones(2))
    file = tmp_path / "case.yaml"
    file.write_text(text)
    first, second = kept.load(file, Limits()), kept.load(file, Limits())
    assert [each.render() for each in first.diagnostics] == [each.render() for each in second.diagnostics]
    assert len(first.diagnostics) + len(first.arrays) == 1
    assert not (tmp_path / "kept").exists()


def test_a_file_that_is_not_there_is_told(kept: KeptFiles, tmp_path: Path) -> None:
    (found,) = kept.load(tmp_path / "case.yaml", Limits()).diagnostics
    assert found.code == "not-found"


def test_what_is_whole_and_not_what_is_written_now_is_read_anew(kept: KeptFiles, tmp_path: Path) -> None:
    file, store = tmp_path / "case.yaml", Store(tmp_path / "kept")
    file.write_text(TEXT)
    (case,) = kept.load(file, Limits()).cases
    (entry,) = store.entries()
    store.put(entry.path.name, pack([{"id": 1}], case.span.source))
    (again,) = kept.load(file, Limits()).cases
    assert alike(case, again)


def test_where_nothing_can_be_kept_files_are_read(tmp_path: Path) -> None:
    place, file = tmp_path / "file", tmp_path / "case.yaml"
    place.write_text("")
    file.write_text(TEXT)
    kept = KeptFiles(Store(place))
    for _ in range(2):
        assert len(kept.load(file, Limits()).cases) == 1
