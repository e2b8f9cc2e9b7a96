import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from gradcheck.casefile.errors import CaseError
from gradcheck.casefile.files import locate, read
from gradcheck.casefile.limits import Limits
from gradcheck.dtypes import BFLOAT16, DTYPES

from .conftest import Load, Only

Refused = Callable[..., str]

MATRIX = np.array([[1.5, -2.0, 3.0], [4.0, 5.0, 6.25]])


def one(file: str, more: str = "") -> str:
    return f"inputs:\n  x: {{file: {file}}}\nexpr: x\n{more}"


def loaded_x(only: Only, file: str, more: str = "") -> np.ndarray:
    value = only(one(file, more)).inputs["x"].value
    assert isinstance(value, np.ndarray)
    return value


@pytest.mark.parametrize("dtype", [each for each in DTYPES.values() if each != BFLOAT16], ids=str)
def test_an_npy_file_keeps_its_dtype(only: Only, tmp_path: Path, dtype: np.dtype) -> None:
    array = np.array([[1, 0, 1], [0, 1, 1]]).astype(dtype)
    np.save(tmp_path / "x.npy", array)
    np.testing.assert_array_equal(loaded_x(only, "x.npy"), array, strict=True)


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)
def test_a_safetensors_file_keeps_its_dtype(only: Only, tmp_path: Path, dtype: np.dtype) -> None:
    if dtype == np.complex128:  # the format has no complex128
        dtype = np.dtype(np.complex64)
    array = np.array([[1, 0, 1], [0, 1, 1]]).astype(dtype)
    save_file({"w": array}, tmp_path / "x.safetensors")
    np.testing.assert_array_equal(loaded_x(only, "x.safetensors"), array, strict=True)


@pytest.mark.parametrize("array", [np.asfortranarray(MATRIX), MATRIX.astype(">f8"), np.empty((3, 0)), np.float64(3)])
def test_any_layout_is_read_as_native_numbers(only: Only, tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "x.npy", array)
    save_file({"w": np.asarray(array, np.float64, order="C")}, tmp_path / "x.safetensors")
    np.testing.assert_array_equal(loaded_x(only, "x.safetensors"), np.asarray(array, np.float64), strict=True)
    made = loaded_x(only, "x.npy")
    np.testing.assert_array_equal(made, np.asarray(array, np.float64), strict=True)
    assert made.dtype.isnative
    assert made.flags.writeable
    assert made.flags.c_contiguous


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_npz_file_needs_a_key_if_it_has_several(only: Only, tmp_path: Path, save: Callable[..., None]) -> None:
    save(tmp_path / "one.npz", w=MATRIX)
    save(tmp_path / "two.npz", v=MATRIX, w=-MATRIX)
    np.testing.assert_array_equal(loaded_x(only, "one.npz"), MATRIX)
    np.testing.assert_array_equal(loaded_x(only, "two.npz, key: w"), -MATRIX)


def test_floating_numbers_take_the_dtype_that_the_case_says(load: Load, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", f=MATRIX, c=MATRIX * 1j, i=np.arange(3))
    text = "inputs: {f: {file: x.npz, key: f}, c: {file: x.npz, key: c}, i: {file: x.npz, key: i}}\nexpr: f\n"
    found = {
        case.dtype: [each.value.dtype.name for each in case.inputs.values()]
        for case in load(text + "dtype: [float32, float64, complex64]").cases
    }
    assert found == {
        "float32": ["float32", "complex64", "int64"],
        "float64": ["float64", "complex128", "int64"],
        "complex64": ["complex64", "complex64", "int64"],
    }
    assert [each.value.dtype.name for each in load(text).cases[0].inputs.values()] == ["float64", "complex128", "int64"]


def test_an_own_dtype_wins(only: Only, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", MATRIX.astype(np.float32))
    assert loaded_x(only, "x.npy, dtype: float16", "dtype: float64").dtype == np.float16


def test_a_file_below_the_folder_and_a_link_within_it(only: Only, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    np.save(tmp_path / "data" / "x.npy", MATRIX)
    (tmp_path / "link.npy").symlink_to("data/x.npy")
    np.testing.assert_array_equal(loaded_x(only, "./data/x.npy"), MATRIX)
    np.testing.assert_array_equal(loaded_x(only, "link.npy"), MATRIX)


@pytest.mark.parametrize("name", ["../x.npy", "data/../../x.npy", "..", "a\\..\\x.npy"])
def test_a_way_out_of_the_folder_is_refused(refused: Refused, tmp_path: Path, name: str) -> None:
    np.save(tmp_path.parent / "x.npy", MATRIX)
    assert refused(one(name)) == (
        f"""\
case.yaml:2:13: error[file-outside]: `{name}` is outside of the folder of the case file
  |
2 |   x: {{file: {name}}}
  |             {"^" * len(name)}"""
    )


@pytest.mark.parametrize("name", ["/etc/passwd.npy", "C:/x.npy", "C:x.npy", "\\\\host\\x.npy"])
def test_an_absolute_path_is_refused(refused: Refused, name: str) -> None:
    assert refused(one(name)).splitlines()[0] == (
        "case.yaml:2:13: error[file-outside]: the path must be relative to the folder of the case file"
    )


def test_a_link_out_of_the_folder_is_refused(refused: Refused, tmp_path: Path) -> None:
    outside = tmp_path.parent / "outside.npy"
    np.save(outside, MATRIX)
    (tmp_path / "x.npy").symlink_to(outside)
    (tmp_path / "folder").symlink_to(tmp_path.parent)
    for name in ("x.npy", "folder/outside.npy"):
        assert f"error[file-outside]: `{name}` is outside of the folder of the case file" in refused(one(name))


def test_a_linked_folder_of_cases_is_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    np.save(tmp_path / "real" / "x.npy", MATRIX)
    (tmp_path / "link").symlink_to("real")
    assert locate(tmp_path / "link", "x.npy") == (tmp_path / "real" / "x.npy").resolve()


def test_a_pickled_file_is_never_loaded(refused: Refused, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "executed"),)

    np.save(tmp_path / "object.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    (tmp_path / "plain.npy").write_bytes(pickle.dumps(Bomb()))
    np.savez(tmp_path / "object.npz", w=np.array([Bomb()], dtype=object))
    for name, stream in (("object.npy", "object.npy"), ("plain.npy", "plain.npy"), ("object.npz", "object.npz")):
        assert refused(one(name)) == (
            f"""\
case.yaml:2:13: error[file-pickled]: `{stream}` holds pickled Python objects, which are never loaded
  |
2 |   x: {{file: {name}}}
  |             {"^" * len(name)}
  = help: save it with `np.save(path, array, allow_pickle=False)`, as numbers"""
        )
    assert not (tmp_path / "executed").exists()


def npy_header(shape: str, descr: str = "<f8") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize("shape", ["(100000, 100000)", "(0, 100000000000000000000)"])
def test_a_huge_shape_is_refused_by_the_header(refused: Refused, tmp_path: Path, shape: str) -> None:
    (tmp_path / "x.npy").write_bytes(npy_header(shape))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("w.npy", npy_header(shape))
    for name in ("x.npy", "x.npz"):
        assert f"error[too-large]: an array of shape {shape} is too large" in refused(one(name))


def test_a_huge_safetensors_file_is_refused_by_the_header(refused: Refused, load: Load, tmp_path: Path) -> None:
    save_file({"w": MATRIX}, tmp_path / "x.safetensors")
    assert load(one("x.safetensors"), Limits(elements=6)).cases
    assert "shape (2, 3) is too large" in refused(one("x.safetensors"), Limits(elements=5))


def safetensors(dtype: str, size: int) -> bytes:
    header = json.dumps({"w": {"dtype": dtype, "shape": [size], "data_offsets": [0, size]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(size)


BROKEN = {
    "cut.npy": (npy_header("(3,)") + bytes(23), "`cut.npy` is cut off: it should hold 24 bytes of numbers"),
    "empty.npy": (b"", "`empty.npy` is not in the .npy format"),
    "text.npy": (b"1 2 3", "`text.npy` is not in the .npy format"),
    "version.npy": (b"\x93NUMPY\x09\x00", "`version.npy` is not in the .npy format"),
    "header.npy": (npy_header("(((("), "`header.npy` has a damaged header"),
    "negative.npy": (npy_header("(-1,)"), "`negative.npy` has a damaged header"),
    "text-array.npy": (
        npy_header("(1,)", "<U3") + bytes(12),
        "`text-array.npy` has dtype `<U3`, which no case can have",
    ),
    "void.npy": (
        npy_header("(1,)", "<V2") + bytes(2),
        "`void.npy` has dtype `|V2`, which no case can have",
    ),
    "not.npz": (b"PK", "`not.npz` is not a sound .npz file"),
    "short.safetensors": (b"abc", "`short.safetensors` is not a sound .safetensors file: "),
    "float8.safetensors": (
        safetensors("F8_E4M3", 3),
        "`float8.safetensors` has dtype `F8_E4M3`, which no case can have",
    ),
    "x.txt": (b"1", "`x.txt` is of no format that can be read"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_damaged_file_is_refused(refused: Refused, tmp_path: Path, name: str) -> None:
    data, message = BROKEN[name]
    (tmp_path / name).write_bytes(data)
    assert refused(one(name)).startswith(f"case.yaml:2:13: error[bad-file]: {message}")


def test_a_key_is_chosen_among_those_there(refused: Refused, tmp_path: Path) -> None:
    save_file({"weight": MATRIX, "bias": MATRIX}, tmp_path / "x.safetensors")
    np.savez(tmp_path / "x.npz", weight=MATRIX, bias=MATRIX)
    np.savez(tmp_path / "none.npz")
    np.save(tmp_path / "x.npy", MATRIX)
    for name in ("x.safetensors", "x.npz"):
        text = refused(one(name))
        assert f"error[missing-key]: `{name}` holds several arrays: say which with `key`" in text
        assert "= help: it holds `bias` and `weight`" in text
        text = refused(one(f"{name}, key: wieght"))
        assert f"error[unknown-name]: `{name}` holds no array `wieght`" in text
        assert "= help: did you mean `weight`?" in text
    assert "`none.npz` holds no arrays" in refused(one("none.npz"))
    assert "a .npy file holds one array and takes no `key`" in refused(one("x.npy, key: w"))


def test_a_missing_file_and_other_things_that_are_no_files(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "folder.npy").mkdir()
    (tmp_path / "loop.npy").symlink_to("loop.npy")
    os.mkfifo(tmp_path / "pipe.npy")
    assert refused(one("nope.npy")) == (
        """\
case.yaml:2:13: error[file-missing]: there is no file `nope.npy` in the folder of the case file
  |
2 |   x: {file: nope.npy}
  |             ^^^^^^^^"""
    )
    assert "`folder.npy` is not a regular file" in refused(one("folder.npy"))
    assert "`pipe.npy` is not a regular file" in refused(one("pipe.npy"))
    assert "error[bad-file]: `loop.npy` cannot be read" in refused(one("loop.npy"))
    assert r"error[bad-file]: `a\x00.npy` cannot be read" in refused(one(r'"a\0.npy"'))
    assert "cannot be read: File name too long" in refused(one("a" * 300 + ".npy"))
    assert "error[bad-value]: the text is empty" in refused(one('""'))


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".safetensors"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=200)
@given(data=st.data())
def test_any_change_of_the_bytes_is_an_array_or_refused(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    path = tmp_path / f"x{suffix}"
    if suffix == ".npy":
        np.save(path, MATRIX)
    elif suffix == ".npz":
        np.savez_compressed(path, w=MATRIX)
    else:
        save_file({"w": MATRIX}, path)
    content = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[at] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])

    def check(shape: object) -> None:
        if np.prod([max(1, size) for size in tuple(shape)], dtype=object) > 10_000:  # type: ignore[arg-type]
            raise CaseError("too-large", "")

    code = "good"
    try:
        assert isinstance(read(tmp_path, path.name, "", check), np.ndarray)
    except CaseError as error:
        code = error.code
    assert code in ("good", "bad-file", "too-large", "file-pickled", "missing-key")
