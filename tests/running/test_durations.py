"""The file of durations: what it holds, and what is said of a file that is none."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gradcheck.running import durations
from gradcheck.running.durations import Durations, NotDurations, read, write

HEAD = '{"format": "gradcheck durations", "version": 1, "seconds": '


def case(name: str) -> Any:
    return SimpleNamespace(id=f"cases/many.yaml::{name}")


def result(name: str, seconds: float) -> Any:
    return SimpleNamespace(case=case(name), seconds=seconds)


def test_new_times_others_that_are_kept_and_those_that_go() -> None:
    before = Durations(Path("ci"), {f"../cases/many.yaml::{name}": 1.0 for name in ("run", "elsewhere", "gone")})
    after = before.updated(
        [result("run", 0.123456), result("new", 98765.4)], [case(each).id for each in ("new", "run", "elsewhere")]
    )
    assert list(after.seconds.items()) == [
        ("../cases/many.yaml::elsewhere", 1.0),
        ("../cases/many.yaml::new", 98800.0),
        ("../cases/many.yaml::run", 0.123),
    ]


def test_the_file_has_a_line_for_each_case_and_reads_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "durations.json"
    made = Durations(tmp_path, {"cases/a.yaml": 0.00123, "cases/ä.yaml::b[float64]": 12.0})
    write(made, path)
    assert path.read_text(encoding="utf-8") == (
        '{\n  "format": "gradcheck durations",\n  "version": 1,\n  "seconds": {\n'
        '    "cases/a.yaml": 0.00123,\n    "cases/ä.yaml::b[float64]": 12.0\n  }\n}\n'
    )
    assert read(path) == made
    assert [each.name for each in tmp_path.iterdir()] == ["durations.json"]


def test_a_time_that_nobody_has_is_written_as_the_longest_that_can_be_read(tmp_path: Path) -> None:
    made = Durations(tmp_path, {}).updated([result("odd\udc80", 1e300)], [])
    write(made, tmp_path / "durations.json")
    assert list(read(tmp_path / "durations.json").seconds.values()) == [1e6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "Invalid JSON: EOF while parsing a value at line 1 column 0"),
        (b"\xff\xfe", "Invalid JSON: expected value at line 1 column 1"),
        (b"[" * 100_000, "Invalid JSON: recursion limit exceeded at line 1 column 202"),
        (b"{}", "`format`: Field required"),
        (b'{"format": "gradcheck baseline"}', "`format`: Input should be 'gradcheck durations'"),
        (HEAD.replace("1", "2").encode() + b"{}}", "`version`: Input should be 1"),
        (HEAD.encode() + b"[]}", "`seconds`: Input should be an object"),
        (HEAD.encode() + b'{"a": "1"}}', "`seconds.a`: Input should be a valid number"),
        (HEAD.encode() + b'{"a": -1}}', "`seconds.a`: Input should be greater than or equal to 0"),
        (HEAD.encode() + b'{"a": 1e400}}', "`seconds.a`: Input should be a finite number"),
        (HEAD.encode() + b'{"a": 1e7}}', "`seconds.a`: Input should be less than or equal to 1000000"),
        (HEAD.encode() + b'{"\\u001b[2J": null}}', "`seconds.\\x1b[2J`: Input should be a valid number"),
        (HEAD.encode() + b'{"' + b"a" * 9999 + b'": null}}', f"`seconds.{'a' * 292}`: Input should be a valid number"),
        (HEAD.encode() + b'{}, "more": 1}', "`more`: Extra inputs are not permitted"),
    ],
)
def test_what_is_said_of_a_file_that_holds_none(tmp_path: Path, text: bytes, message: str) -> None:
    path = tmp_path / "durations.json"
    path.write_bytes(text)
    with pytest.raises(NotDurations) as caught:
        read(path)
    assert str(caught.value) == message


def test_no_more_is_read_than_a_suite_can_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durations, "MOST_BYTES", 62)
    path = tmp_path / "durations.json"
    path.write_text(HEAD + "{}}", encoding="utf-8")
    assert len(HEAD + "{}}") == 62
    assert read(path).seconds == {}
    path.write_text(HEAD + "{} }", encoding="utf-8")
    with pytest.raises(NotDurations, match="it has more than 62 bytes"):
        read(path)
