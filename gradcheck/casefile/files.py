"""Arrays from files beside the case: .npy, .npz and .safetensors, bounded before they are read and never unpickled."""

import math
import os
import stat
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path, PureWindowsPath
from typing import IO, Any

import numpy as np

from gradcheck.casefile.errors import CaseError, listed, quoted, suggestion
from gradcheck.dtypes import DTYPES, Array, DType

Check = Callable[[Iterable[int]], None]
"""Refuses a shape that is too large, by raising `CaseError`."""

MAGIC = b"\x93NUMPY"
SAFETENSORS = {
    "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64", "C64": "complex64", "BOOL": "bool",
    "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64",
    "U8": "uint8", "U16": "uint16", "U32": "uint32", "U64": "uint64",
}  # fmt: skip
"""The dtypes of the safetensors format by their names there."""


def read(folder: Path, name: str, key: str, check: Check) -> Array:
    """The array in the file `name` of `folder`, in the file's own dtype; `key` says which where there are several.

    Only the header is read before `check` has seen the shape. Raises `CaseError` for a path that leads out of the
    folder, a file that is missing, damaged, pickled or of another format, an unknown key, and a dtype no case can have.
    """
    path = locate(folder, name)
    reader = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors}.get(path.suffix.lower())
    if reader is None:
        hint = "the formats are .npy, .npz and .safetensors"
        raise CaseError("bad-file", f"{quoted(name)} is of no format that can be read", hint)
    if key and reader is _npy:
        raise CaseError("bad-file", "a .npy file holds one array and takes no `key`")
    try:
        return reader(path, name, key, check)
    except OSError as error:
        raise CaseError("bad-file", f"{quoted(name)} cannot be read: {error.strerror or error}") from None


def locate(folder: Path, name: str) -> Path:
    """The file that `name` means, links followed. Raises `CaseError` unless it exists inside of `folder`."""
    if Path(name).is_absolute() or PureWindowsPath(name).drive or name.startswith("\\"):
        raise CaseError("file-outside", "the path must be relative to the folder of the case file")
    outside = CaseError("file-outside", f"{quoted(name)} is outside of the folder of the case file")
    if ".." in name.replace("\\", "/").split("/"):
        raise outside
    try:
        root = folder.resolve()
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            raise outside
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise CaseError("file-missing", f"there is no file {quoted(name)} in the folder of the case file") from None
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a name too long, a NUL in it
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise CaseError("bad-file", f"{quoted(name)} cannot be read: {reason}") from None
    if not stat.S_ISREG(mode):
        raise CaseError("bad-file", f"{quoted(name)} is not a regular file")
    return path


def _npy(path: Path, name: str, _key: str, check: Check) -> Array:
    with path.open("rb") as file:
        return _npy_stream(file, name, check, path.stat().st_size)


def _npy_stream(file: IO[bytes], name: str, check: Check, size: int) -> Array:
    """The array in an open .npy file of `size` bytes."""
    shape, fortran, dtype = _npy_header(file, name)
    if dtype.hasobject:
        raise _pickled(name)
    if dtype.newbyteorder("=").name not in DTYPES:
        hint = "save bfloat16 as .safetensors: .npy cannot tell it" if dtype.kind == "V" else None
        raise CaseError("bad-file", f"{quoted(name)} has dtype {quoted(str(dtype))}, which no case can have", hint)
    check(shape)
    length = math.prod(shape) * dtype.itemsize
    data = file.read(length) if length <= size else b""
    if len(data) < length:
        raise CaseError("bad-file", f"{quoted(name)} is cut off: it should hold {length:,} bytes of numbers")
    array: Array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="), order="C")


def _npy_header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, DType]:
    start = file.read(len(MAGIC) + 2)
    if start[:1] == b"\x80":
        raise _pickled(name)
    reader = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get((start[-2], start[-1]) if len(start) == len(MAGIC) + 2 else (0, 0))
    if not start.startswith(MAGIC) or reader is None:
        raise CaseError("bad-file", f"{quoted(name)} is not in the .npy format")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # headers written by Python 2 are fine
            shape, fortran, dtype = reader(file)
    except OSError:
        raise
    except Exception as error:  # whatever NumPy's reader makes of bytes that anyone may have written
        raise CaseError("bad-file", f"{quoted(name)} has a damaged header") from error
    if any(size < 0 for size in shape):
        raise CaseError("bad-file", f"{quoted(name)} has a damaged header")
    return shape, fortran, dtype


def _npz(path: Path, name: str, key: str, check: Check) -> Array:
    import zipfile  # only here: most cases read no file

    try:
        with zipfile.ZipFile(path) as archive:
            names = {each.filename.removesuffix(".npy"): each for each in archive.infolist()}
            member = names[_choose(name, list(names), key)]
            with archive.open(member) as file:
                return _npy_stream(file, name, check, member.file_size)
    except (CaseError, OSError):
        raise
    except Exception as error:  # zipfile and its decompressors raise many kinds
        raise CaseError("bad-file", f"{quoted(name)} is not a sound .npz file") from error


def _safetensors(path: Path, name: str, key: str, check: Check) -> Array:
    from safetensors import SafetensorError, safe_open  # likewise

    try:
        with safe_open(os.fspath(path), framework="np") as file:
            chosen = _choose(name, list(file.keys()), key)
            header: Any = file.get_slice(chosen)
            dtype = SAFETENSORS.get(header.get_dtype())
            if dtype is None:
                message = f"{quoted(name)} has dtype {quoted(header.get_dtype())}, which no case can have"
                raise CaseError("bad-file", message)
            check(header.get_shape())
            array: Array = file.get_tensor(chosen)
            return array
    except SafetensorError as error:
        raise CaseError("bad-file", f"{quoted(name)} is not a sound .safetensors file: {error}") from None


def _choose(name: str, keys: list[str], key: str) -> str:
    """The array that `key` names, or the only one. Raises `CaseError`."""
    if key in keys:
        return key
    if not keys:
        raise CaseError("bad-file", f"{quoted(name)} holds no arrays")
    choices = listed(sorted(keys)[:10], "and")
    if key:
        hint = suggestion(key, keys) or f"it holds {choices}"
        raise CaseError("unknown-name", f"{quoted(name)} holds no array {quoted(key)}", hint)
    if len(keys) > 1:
        raise CaseError(
            "missing-key", f"{quoted(name)} holds several arrays: say which with `key`", f"it holds {choices}"
        )
    return keys[0]


def _pickled(name: str) -> CaseError:
    hint = "save it with `np.save(path, array, allow_pickle=False)`, as numbers"
    return CaseError("file-pickled", f"{quoted(name)} holds pickled Python objects, which are never loaded", hint)
