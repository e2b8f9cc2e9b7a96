"""Records as bytes, and back: in MessagePack, which loads no code, by the types of their own fields.

What has a place in a case file is packed without the file's text, which whoever unpacks it has.
"""

from functools import partial
from typing import Any

import msgspec
import numpy as np

from gradcheck.casefile.case import Arrays, Positions
from gradcheck.diagnostics import Source
from gradcheck.dtypes import DTYPES, Array

ARRAY = 1
"""The MessagePack extension that arrays are: dtype, shape and bytes."""


class NotPlain(Exception):
    """A record has something in it that cannot be packed: a place in another file than its own."""


def pack(record: Any, source: Source) -> bytes:
    """`record`, whose places are all in `source`. Raises `NotPlain`."""
    return msgspec.msgpack.encode(record, enc_hook=partial(_plain, source))


def unpack(data: bytes, kind: Any, source: Source) -> Any:
    """The record of type `kind` that was packed for the same source. Raises `ValueError`."""
    try:
        return msgspec.msgpack.decode(data, type=kind, dec_hook=partial(_restored, source), ext_hook=_array)
    except msgspec.MsgspecError as error:  # a ValueError only in its newer versions
        raise ValueError(str(error)) from None


def _plain(source: Source, value: Any) -> Any:
    match value:
        case np.ndarray():
            return msgspec.msgpack.Ext(ARRAY, msgspec.msgpack.encode((value.dtype.name, value.shape, value.tobytes())))
        case np.generic():
            return value.item()
        case complex():
            return (value.real, value.imag)
        case Positions():
            return value.packed
        case Source() if value is source:
            return None
    raise NotPlain(f"{value!r}")


def _restored(source: Source, kind: Any, value: Any) -> Any:
    if kind is complex:
        return complex(*value)
    if kind is Arrays:
        return tuple(value) if isinstance(value, list) else value
    if kind is Positions:
        return Positions.unpacked(value)
    return source if kind is Source else value


def _array(_code: int, data: memoryview) -> Array:
    dtype, shape, content = msgspec.msgpack.decode(data, type=tuple[str, tuple[int, ...], bytearray])
    return np.frombuffer(content, DTYPES[dtype]).reshape(shape)
