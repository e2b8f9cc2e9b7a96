"""What the digest of all that counts beside the input depends on."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from gradcheck.keeping import surroundings as module
from gradcheck.keeping.surroundings import surroundings


def test_our_own_code_is_among_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    monkeypatch.setattr("gradcheck.__file__", str(package / "__init__.py"))
    found = []
    for text in ("1 + 1", "1 + 2", "1 + 1"):
        (package / "inner" / "rule.py").write_text(text)
        module._own_code.cache_clear()
        found.append(surroundings(["numpy"]))
    module._own_code.cache_clear()
    assert found[0] == found[2] != found[1]


def test_versions_are_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    before = surroundings(["numpy", "scipy"])
    monkeypatch.setattr(module, "version", lambda name: {"numpy": "3.0", "scipy": "2.0"}[name])
    assert surroundings(["numpy", "scipy"]) != before


def test_what_is_not_installed_is_named() -> None:
    with pytest.raises(PackageNotFoundError, match="nowhere"):
        surroundings(["nowhere"])
