"""The protocol between gradcheck and a program in any language: one JSON object a line, over the program's pipes.

gradcheck writes to the program's standard input and reads its standard output; what the program writes to standard
error is its own. gradcheck says `hello` first and the program answers with a `hello` of its own; then every `run` is
answered by an `outcome` or a `failure` with the same `id`. Standard input is closed when there is nothing more to ask.
"""

import base64
import binascii
import math
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from typing_extensions import TypeAliasType

from gradcheck.dtypes import DTYPES, Array
from gradcheck.subjects.arrays import Unusable

VERSION = 1
"""The version of the protocol that is spoken here."""


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Numbers(Message):
    """An array, exactly: its elements in row-major order, little-endian, as base64.

    A bool takes one byte, a bfloat16 two (the upper half of a float32), a complex number its real part and then its
    imaginary part.
    """

    model_config = ConfigDict(title="Array")
    dtype: Literal[tuple(DTYPES)]  # type: ignore[valid-type]
    shape: list[Annotated[int, Field(ge=0)]] = Field(description="[] for a scalar.")
    data: str = Field(description="The bytes, in base64.")


class NotFinite(Message):
    """A floating number that JSON cannot write."""

    model_config = ConfigDict(title="Not finite")
    float: Literal["nan", "inf", "-inf"]


class ComplexNumber(Message):
    """A complex number as its real and imaginary parts."""

    model_config = ConfigDict(title="Complex number")
    complex: tuple[float | NotFinite, float | NotFinite]


Attribute = TypeAliasType(
    "Attribute", "bool | int | float | str | NotFinite | ComplexNumber | list[Attribute] | dict[str, Attribute] | None"
)
"""An argument that is no tensor. A dtype is its name: `float32`."""

Index = Annotated[int, Field(ge=0, description="The index of a value in the program.")]


class Input(Message):
    """A floating or complex input."""

    model_config = ConfigDict(title="Input")
    name: str
    index: Index
    dtype: str
    shape: list[int]


class Constant(Message):
    """A value that depends on no floating or complex input: positions, masks and shapes are computed beforehand."""

    model_config = ConfigDict(title="Constant")
    index: Index
    value: Numbers


class Operation(Message):
    """One operation. Each comes after those that it takes values from."""

    model_config = ConfigDict(title="Operation")
    op: str = Field(description="TensorFlow's name: `tf.matmul`.")
    operands: dict[str, Index | list[Index]] = Field(
        description="The indices of the values it takes, by TensorFlow's parameter, in TensorFlow's order."
    )
    attributes: dict[str, Attribute] = Field(
        description="The other arguments that TensorFlow requires, and those that differ from its defaults."
    )
    outputs: list[Index] = Field(description="The indices of the values it makes; one for most operations.")
    line: int | None = Field(description="The line of the case file that it comes from.")


class ProgramMessage(Message):
    """What to run: a list of operations in single assignment. Every value is known by its index."""

    model_config = ConfigDict(title="Program")
    inputs: list[Input]
    constants: list[Constant]
    operations: list[Operation]
    outputs: list[Index] = Field(description="The values to hand back, which are also what is differentiated.")


class Hello(Message):
    """The first line that gradcheck writes."""

    model_config = ConfigDict(title="Hello")
    type: Literal["hello"]
    protocol: int = Field(description="The version of the protocol.")


class Introduction(Message):
    """The program's answer to `hello`."""

    model_config = ConfigDict(title="Introduction")
    type: Literal["hello"]
    protocol: int = Field(description="The version of the protocol that the program speaks.")
    name: str = Field(min_length=1, description="What reports call the engine.")
    operations: list[str] | None = Field(
        default=None, description="TensorFlow's names of the operations it has; it is not asked about others."
    )
    dtypes: list[str] | None = Field(default=None, description="The floating and complex dtypes it has; all if null.")
    second_order: bool = Field(default=False, description="Whether it takes `directions`.")
    conventions: dict[str, str] = Field(
        default_factory=dict, description="Where it differs from TensorFlow by choice: by operation, in words."
    )


class Run(Message):
    """Run a program and differentiate its outputs with respect to its sources."""

    model_config = ConfigDict(title="Run")
    type: Literal["run"]
    id: int = Field(description="To be repeated in the answer.")
    program: ProgramMessage
    inputs: dict[str, Numbers] = Field(description="By name.")
    sources: list[str] = Field(description="The inputs to differentiate by.")
    cotangents: list[list[Numbers | None]] = Field(
        description="Sets of one cotangent per output; null for ones. Each set asks for one set of gradients."
    )
    unconnected: Literal["none", "zero"] = Field(
        description="What the case asks for where a source is not connected: `zero` allows zeros in the place of null."
    )
    directions: list[Numbers | None] | None = Field(
        description="For second derivatives, one array per source, null where its gradient is left out: what is wanted "
        "then are the gradients of the gradients, with the directions as their cotangents."
    )


class Answer(Message):
    """What came out of a run."""

    model_config = ConfigDict(title="Outcome")
    type: Literal["outcome"]
    id: int
    outputs: list[Numbers] = Field(description="One array per output. A wider dtype than the output's may be used.")
    gradients: list[list[Numbers | None]] = Field(
        description="For each set of cotangents one gradient per source, null where the source is not connected; "
        "summed over the outputs."
    )


class Refusal(Message):
    """Why nothing came out of a run."""

    model_config = ConfigDict(title="Failure")
    type: Literal["failure"]
    id: int
    kind: Literal["unsupported", "error"] = Field(
        description="`unsupported`: the engine lacks something. `error`: something went wrong."
    )
    message: str = Field(min_length=1, description="In one sentence, for the user.")
    details: str = Field(default="", description="More lines, such as where it happened.")
    operation: int | None = Field(
        default=None, ge=0, description="The position, from 0, of the operation in the program that it is about."
    )


def encoded(value: Array) -> Numbers:
    """An array as a message."""
    native = np.ascontiguousarray(value, value.dtype.newbyteorder("="))
    data = base64.b64encode(_turned(native).tobytes()).decode("ascii")
    return Numbers(dtype=value.dtype.name, shape=list(value.shape), data=data)


def decoded(numbers: Numbers, what: str) -> Array:
    """The array of a message; raises `Unusable`, naming it `what`, for data that does not fill its shape."""
    dtype = DTYPES[numbers.dtype]
    try:
        data = base64.b64decode(numbers.data, validate=True)
    except (binascii.Error, ValueError):
        raise Unusable(f"{what} is not written in base64") from None
    needed = math.prod(numbers.shape) * dtype.itemsize
    if len(data) != needed:
        raise Unusable(f"{what} has {len(data)} bytes where {numbers.dtype}{numbers.shape} takes {needed}")
    return _turned(np.frombuffer(data, dtype).reshape(numbers.shape))


def _turned(array: Array) -> Array:
    """From this machine's order of bytes to little-endian, or back."""
    return array.byteswap() if sys.byteorder == "big" else array


def attribute(value: Any) -> Any:
    """An argument as JSON; raises `TypeError` for what has no form there."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, (list, tuple)):
        return [attribute(each) for each in value]
    if isinstance(value, Mapping):
        return {name: attribute(each) for name, each in value.items()}
    if isinstance(value, complex):
        return ComplexNumber(complex=(_number(value.real), _number(value.imag)))
    if isinstance(value, float):
        return _number(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    raise TypeError(f"a {type(value).__name__} has no form in JSON")


def _number(value: float) -> float | NotFinite:
    if math.isfinite(value):
        return value
    return NotFinite(float="nan" if math.isnan(value) else "inf" if value > 0 else "-inf")


INTRODUCTION: TypeAdapter[Introduction] = TypeAdapter(Introduction)
ANSWER: TypeAdapter[Answer | Refusal] = TypeAdapter(Annotated[Answer | Refusal, Field(discriminator="type")])


def json_schema() -> dict[str, Any]:
    """The protocol as a JSON Schema (draft 2020-12) that every line in either direction fulfils."""
    from pydantic.json_schema import models_json_schema

    messages: list[type[Message]] = [Hello, Introduction, Run, Answer, Refusal]
    refs, schema = models_json_schema([(message, "validation") for message in messages], ref_template="#/$defs/{model}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"gradcheck engine protocol, version {VERSION}",
        "description": (__doc__ or "").partition("\n\n")[2].strip().replace("\n", " "),
        "anyOf": [refs[message, "validation"] for message in messages],
        **schema,
    }
