"""Versions as the folders of what is installed say them, held against Python's own reading."""

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from gradcheck import installed
from gradcheck.installed import version


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder from which modules are imported before all others."""
    monkeypatch.syspath_prepend(str(tmp_path))
    installed._versions.cache_clear()
    yield tmp_path
    installed._versions.cache_clear()


@pytest.mark.parametrize("name", ["numpy", "tensorflow", "PyYAML", "pyyaml", "ml-dtypes", "ML_dtypes", "gradcheck"])
def test_it_is_what_python_says(name: str) -> None:
    assert version(name) == metadata.version(name)


@pytest.mark.parametrize(
    ("folder", "found"),
    [("some_thing-1.5.dist-info", "1.5"), ("Some.Thing-2.0.post1+local.dist-info", "2.0.post1+local")],
)
def test_a_name_is_found_however_it_is_written(place: Path, folder: str, found: str) -> None:
    (place / folder).mkdir()
    assert version("some-thing") == found


def test_the_first_place_counts(place: Path) -> None:
    (place / "numpy-0.1.dist-info").mkdir()
    assert version("numpy") == "0.1"


def test_what_is_installed_in_another_way_is_found_too(place: Path) -> None:
    folder = place / "something.egg-info"
    folder.mkdir()
    (folder / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: something\nVersion: 3.0\n")
    assert version("something") == "3.0"


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(metadata.PackageNotFoundError, match="nowhere"):
        version("nowhere")


def test_a_place_that_is_no_folder_is_passed_over(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(place / "python.zip"), *sys.path])
    assert version("numpy") == metadata.version("numpy")
