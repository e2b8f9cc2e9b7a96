"""What is no file, and what folders give."""

import os
from pathlib import Path

import pytest

from gradcheck.casefile.find import find
from gradcheck.casefile.load import load_file


def messages(path: str) -> list[str]:
    loaded = load_file(path)
    assert loaded.cases == ()
    return [each.render() for each in loaded.diagnostics]


def test_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").mkdir()
    os.mkfifo("pipe.yaml")
    Path("loop.yaml").symlink_to("loop.yaml")
    assert messages("nope.yaml") == ["error[not-found]: there is no file `nope.yaml`"]
    assert messages("x.yaml") == ["error[unreadable]: `x.yaml` is a folder"]
    assert messages("pipe.yaml") == ["error[unreadable]: `pipe.yaml` is not a regular file"]
    assert messages("loop.yaml") == ["error[unreadable]: `loop.yaml` cannot be read: Too many levels of symbolic links"]
    assert messages("a\0b") == [r"error[unreadable]: `a\x00b` cannot be read: not a usable path"]


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text("expr: x")
    monkeypatch.setattr(Path, "open", denied)
    assert messages("x.yaml") == ["error[unreadable]: `x.yaml` cannot be read: Permission denied"]


def test_files_are_found_in_folders_sorted_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("c/z.yaml", "c/a.yml", "c/b/m.yaml", "c/notes.txt", "c/.git/x.yaml", "c/d.yaml/n.yaml", "one.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("")
    Path("c/b/up").symlink_to("..")
    Path("c/link.yaml").symlink_to("z.yaml")
    found = find(["one.txt", "c/z.yaml", "c", "./c"])
    assert [path.as_posix() for path in found.files] == [
        "one.txt",
        "c/z.yaml",
        "c/a.yml",
        "c/b/m.yaml",
        "c/d.yaml/n.yaml",
    ]
    assert found.diagnostics == ()


def test_paths_without_cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("good.yaml").write_text("")
    Path("loop").symlink_to("loop")
    found = find(["empty", "nope", "good.yaml", "a\0b"])
    assert found.files == (Path("good.yaml"),)
    assert [each.render() for each in found.diagnostics] == [
        "error[no-cases]: the folder `empty` has no .yaml or .yml files in it",
        "error[not-found]: there is no file or folder `nope`",
        r"error[not-found]: there is no file or folder `a\x00b`",
    ]
    assert [each.code for each in find(["loop"]).diagnostics] in (["not-found"], ["unreadable"])
