"""Files of bytes by address: what is damaged is missing, and there is never too much."""

import os
import threading
from pathlib import Path

import pytest

from gradcheck.keeping.store import FOLDER, Store, default_folder

ADDRESS = "ab" + 62 * "0"
OTHER = "ab" + 62 * "1"
DATA = bytes(range(256))


def only(folder: Path) -> Path:
    (path,) = (each for each in folder.rglob("*") if each.is_file())
    return path


def test_what_was_put_is_got_and_nothing_else(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "folder")
    assert store.empty
    assert store.get(ADDRESS) is None
    store.put(ADDRESS, DATA)
    assert store.get(ADDRESS) == DATA
    assert store.get(OTHER) is None
    assert not store.empty
    assert Store(store.folder).get(ADDRESS) == DATA


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:10],
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: data[:-1] + bytes([data[-1] ^ 128]),
    ],
    ids=["empty", "cut in the checksum", "cut", "longer", "checksum", "content"],
)
def test_a_damaged_entry_is_missing_and_can_be_put_again(tmp_path: Path, damage: object) -> None:
    store = Store(tmp_path)
    store.put(ADDRESS, DATA)
    path = only(tmp_path)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    assert store.get(ADDRESS) is None
    store.put(ADDRESS, DATA)
    assert store.get(ADDRESS) == DATA


def test_an_entry_under_the_address_of_another_is_missing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(ADDRESS, DATA)
    only(tmp_path).rename(tmp_path / OTHER[:2] / OTHER)
    assert store.get(OTHER) is None


def test_several_writers_and_readers_never_see_a_part(tmp_path: Path) -> None:
    large = DATA * 4000
    seen: set[bytes | None] = set()

    def work() -> None:
        store = Store(tmp_path)
        for _ in range(20):
            store.put(ADDRESS, large)
            seen.add(store.get(ADDRESS))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert seen == {large}
    assert [each.path for each in Store(tmp_path).entries()] == [only(tmp_path)]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        Store(tmp_path).put(ADDRESS, DATA)
    assert not [each for each in tmp_path.rglob("*") if each.is_file()]


def test_nothing_is_dropped_where_nothing_was_put(tmp_path: Path) -> None:
    Store(tmp_path).put(ADDRESS, DATA)
    store = Store(tmp_path, limit=1)
    store.trim()
    assert store.get(ADDRESS) == DATA


def test_the_least_recently_used_are_dropped(tmp_path: Path) -> None:
    store = Store(tmp_path, limit=4 * 288)
    addresses = [f"{number:064x}" for number in range(6)]
    for day, address in enumerate(addresses):
        store.put(address, DATA)
        os.utime(store.folder / address[:2] / address, (day, day))
    assert store.get(addresses[0]) == DATA  # it is used now
    store.trim()
    kept = [address for address in addresses if store.get(address)]
    assert kept == [addresses[0], addresses[4], addresses[5]]
    store.trim()
    assert len(store.entries()) == 3


def test_clearing_drops_what_was_written_here_and_nothing_else(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(ADDRESS, DATA)
    store.put(OTHER, DATA)
    (tmp_path / "ab" / ".left-over.part").write_bytes(b"of a run that was killed")
    foreign = [tmp_path / "notes.txt", tmp_path / "ab" / "notes.txt"]
    for each in foreign:
        each.write_text("mine")
    assert store.clear() == 2
    assert store.empty
    assert sorted(each for each in tmp_path.rglob("*") if each.is_file()) == sorted(foreign)


def test_a_folder_that_cannot_be_written_is_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    store = Store(tmp_path)
    store.put(ADDRESS, DATA)
    monkeypatch.setattr(os, "utime", denied)
    assert store.get(ADDRESS) == DATA


def test_the_folder_is_the_users_unless_the_environment_names_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    assert default_folder() == tmp_path / "reference"
    monkeypatch.delenv(FOLDER)
    assert default_folder().parts[-2:] == ("gradcheck", "reference")
