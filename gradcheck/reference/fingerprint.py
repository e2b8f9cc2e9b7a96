"""What a question to the reference is called: a digest of everything in it that the answer depends on."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.engines import Request
from gradcheck.ops.declaration import Op
from gradcheck.ops.random.seeds import Seed
from gradcheck.program import Instruction, Tape, Template


class Unnamed(Exception):
    """The question holds something that has no form here, so that no answer to it can be found again."""


def fingerprint(request: Request, position: int | None = None) -> str:
    """The digest of `request`, in hexadecimal digits; with `position` that of the trace under those cotangents.

    Names that the user gave to values and places in the file are left out: the answer does not depend on them. Raises
    `Unnamed`.
    """
    program = request.program
    question = {
        "trace": position,
        "inputs": [(name, index, request.inputs[name]) for name, index in program.inputs.items()],
        "constants": list(program.constants.items()),
        "instructions": program.instructions,
        "outputs": program.outputs,
        "sources": request.sources,
        "cotangents": request.cotangents,
        "unconnected": request.unconnected,
        "variables": sorted(request.variables),
        "directions": request.directions,
    }
    text = json.dumps(_plain(question), separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    """`value` in the types of JSON; what JSON does not have is a mapping with the one key "", which no argument has."""
    match value:
        case None | bool() | str():
            return value
        case Seed():
            return _tagged("seed", int(value), value.kernel, value.dtype, value.before)
        case np.ndarray() | np.generic():
            if value.dtype.hasobject:
                raise Unnamed(f"an array of {value.dtype}")
            return _tagged("array", value.dtype, value.shape, hashlib.sha256(value.tobytes()).hexdigest())
        case int():
            return int(value)
        case float():
            return float(value)
        case complex():
            return _tagged("complex", value.real, value.imag)
        case np.dtype():
            return _tagged("dtype", value.name)
        case type():
            return _tagged("type", value.__module__, value.__qualname__)
        case Op():
            return _tagged("op", value.name)
        case Tape():
            return _tagged("tape", value.number, value.kind, value.persistent, value.watch_accessed)
        case Template():
            return _tagged("template", value.instructions, value.inputs, value.outputs)
        case Instruction():
            return [_plain(each) for each in (value.op, value.operands, value.attributes, value.outputs, value.tapes)]
        case tuple() | list():
            return [_plain(each) for each in value]
        case Mapping() if all(isinstance(name, str) and name for name in value):
            return {name: _plain(each) for name, each in value.items()}
    raise Unnamed(f"a {type(value).__name__}")


def _tagged(kind: str, *parts: Any) -> dict[str, Any]:
    return {"": [kind, *map(_plain, parts)]}
