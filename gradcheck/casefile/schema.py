"""The case file's format: the models that check a file, and the JSON Schema made from them."""

import math
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from gradcheck.casefile.case import Derivative
from gradcheck.casefile.errors import quoted
from gradcheck.diagnostics import did_you_mean
from gradcheck.dtypes import DTYPES, is_differentiable

PARAMETERS = {"normal": ("mean", "std"), "uniform": ("low", "high"), "integers": ("low", "high")}
"""The distributions of `random`, each with the keys that shape it."""


def refuse(code: str, message: str, hint: str | None = None, keys: tuple[str, ...] = ()) -> PydanticCustomError:
    """An error in our words; with `keys` it is about those keys of the mapping, one error for each."""
    return PydanticCustomError("gradcheck", "{message}", {"code": code, "message": message, "hint": hint, "keys": keys})


def _dtype(name: str) -> str:
    if name.removeprefix("tf.") not in DTYPES:
        known = (did_you_mean(name, DTYPES) or f"the dtypes are {', '.join(DTYPES)}",)
        raise refuse("unknown-dtype", f"{quoted(name)} is not a dtype", known[0])
    return name.removeprefix("tf.")


def _differentiable(name: str) -> str:
    if not is_differentiable(DTYPES[name]):
        hint = "leave it out here, and give the input that needs it a `dtype` of its own"
        raise refuse("bad-value", f"a case is differentiated, so its dtype cannot be {quoted(name)}", hint)
    return name


def _distinct(words: list[str]) -> list[str]:
    seen: set[str] = set()
    for word in words:
        if word in seen:
            raise refuse("bad-value", f"{quoted(word)} is listed twice")
        seen.add(word)
    return words


def _text(text: str) -> str:
    if not text.strip():
        raise refuse("bad-value", "the text is empty")
    return text


def _shape(shape: list[int]) -> list[int]:
    for size in shape:
        if size < 0:
            raise refuse("bad-shape", f"an axis cannot have {size} elements")
    return shape


def _or_one(kind: type, expected: str) -> Callable[[Any], Any]:
    """Take one value where a list of them is asked for."""

    def listed(value: Any) -> Any:
        if isinstance(value, kind):
            return [value]
        if not isinstance(value, list):
            raise PydanticCustomError("expected", "{expected}", {"expected": expected})
        return value

    return listed


def _reason(value: Any) -> Any:
    if not isinstance(value, (str, bool)):
        raise PydanticCustomError("expected", "{expected}", {"expected": "a reason, or true"})
    return value if isinstance(value, bool) else _text(value)


def _number(value: Any) -> Any:
    """Take finite numbers, integers as they are: an int64 bound must not pass through a float."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise PydanticCustomError("expected", "{expected}", {"expected": "a finite number"})
    return value


DTypeName = Annotated[str, AfterValidator(_dtype), WithJsonSchema({"type": "string", "enum": list(DTYPES)})]
CaseDType = Annotated[
    DTypeName,
    AfterValidator(_differentiable),
    WithJsonSchema({"type": "string", "enum": [name for name, dtype in DTYPES.items() if is_differentiable(dtype)]}),
]
Text = Annotated[str, AfterValidator(_text)]
Number = Annotated[int | float, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
Allowance = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Shape = Annotated[
    list[int], AfterValidator(_shape), WithJsonSchema({"type": "array", "items": {"type": "integer", "minimum": 0}})
]
LITERAL = {
    "description": "A number, true or false, a complex number as text (1.5-0.5j), or nested lists of these.",
    "anyOf": [{"type": "number"}, {"type": "boolean"}, {"type": "string", "pattern": "[jJ]$"}, {"type": "array"}],
}
LiteralValue = Annotated[Any, WithJsonSchema(LITERAL)]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Value(Model):
    """Numbers written out, with a dtype or a shape of their own."""

    model_config = ConfigDict(title="Value")
    value: LiteralValue = Field(description="The numbers: one, or nested lists of them.")
    dtype: DTypeName = Field(default="", description="The dtype; that of the case if left out.")
    shape: Shape = Field(
        default_factory=list, description="The shape: one number is repeated, a list is cut up in row-major order."
    )


class Random(Model):
    """Random numbers that anyone can draw again with NumPy's default_rng(seed)."""

    model_config = ConfigDict(title="Random")
    random: Literal["normal", "uniform", "integers"] = Field(
        description="The distribution: standard_normal(shape) * std + mean, low + (high - low) * random(shape), or "
        "integers(low, high, shape); drawn in float64 or int64, then cast."
    )
    shape: Shape = Field(description="The shape; [] is a scalar.")
    seed: int = Field(default=0, ge=0, description="The seed of default_rng; 0 if left out.")
    mean: Number = Field(default=0.0, description="Mean of `normal`; 0 if left out.")
    std: Allowance = Field(default=1.0, description="Standard deviation of `normal`; 1 if left out.")
    low: Number = Field(default=0.0, description="Smallest value of `uniform` and `integers`; 0 if left out.")
    high: Number = Field(
        default=1.0, description="End of the range of `uniform` (1 if left out) and `integers`; not drawn itself."
    )
    dtype: DTypeName = Field(default="", description="The dtype; that of the case if left out.")

    @model_validator(mode="after")
    def _check_parameters(self) -> Self:
        given = self.model_fields_set & {"mean", "std", "low", "high"}
        stray = tuple(sorted(given.difference(PARAMETERS[self.random])))
        if stray:
            raise refuse("unknown-key", f"does not go with `random: {self.random}`", keys=stray)
        if self.random == "integers":
            for key in ("high", "dtype"):
                if key not in self.model_fields_set:
                    raise refuse("missing-key", f"`random: integers` needs `{key}`")
            for key in ("low", "high"):
                if not float(getattr(self, key)).is_integer():
                    raise refuse("bad-value", "must be a whole number", keys=(key,))
        if self.random != "normal" and self.low >= self.high:
            raise refuse("bad-value", f"`low` is {self.low:g} and `high` is {self.high:g}: nothing lies between")
        return self


class File(Model):
    """Numbers from a file in the folder of the case file, or below it."""

    model_config = ConfigDict(title="File")
    file: Text = Field(description="Path of a .npy, .npz or .safetensors file, relative to the case file.")
    key: Text = Field(
        default="", description="Which array of an .npz or .safetensors file; not needed if there is one."
    )
    dtype: DTypeName = Field(default="", description="The dtype to cast to; the file's own if left out.")


class _Variable(Model):
    variable: bool = Field(default=False, description="Whether TensorFlow holds the input in a tf.Variable.")


class ValueInput(Value, _Variable):
    __doc__ = Value.__doc__
    model_config = ConfigDict(title="Value input")


class RandomInput(Random, _Variable):
    __doc__ = Random.__doc__
    model_config = ConfigDict(title="Random input")


class FileInput(File, _Variable):
    __doc__ = File.__doc__
    model_config = ConfigDict(title="File input")


def _kind(spec: Any) -> str:
    """Which form an array is written in: a literal, or a mapping that one of its keys tells apart."""
    if not isinstance(spec, dict):
        return "<literal>"
    return next((f"<{key}>" for key in ("nest", "random", "file") if key in spec), "<value>")


ArraySpec = Annotated[
    Annotated[LiteralValue, Tag("<literal>")]
    | Annotated[Value, Tag("<value>")]
    | Annotated[Random, Tag("<random>")]
    | Annotated[File, Tag("<file>")],
    Discriminator(lambda spec: _kind(spec).replace("<nest>", "<value>")),
]


class Nest(Model):
    """Several arrays under one name, as a list of tensors."""

    model_config = ConfigDict(title="Nest")
    nest: list[ArraySpec] = Field(min_length=1, description="The arrays, each a literal or a mapping.")


class NestInput(Nest, _Variable):
    __doc__ = Nest.__doc__
    model_config = ConfigDict(title="Nest input")


ArraysSpec = Annotated[
    Annotated[LiteralValue, Tag("<literal>")]
    | Annotated[Value, Tag("<value>")]
    | Annotated[Random, Tag("<random>")]
    | Annotated[File, Tag("<file>")]
    | Annotated[Nest, Tag("<nest>")],
    Discriminator(_kind),
]
InputSpec = Annotated[
    Annotated[LiteralValue, Tag("<literal>")]
    | Annotated[ValueInput, Tag("<value>")]
    | Annotated[RandomInput, Tag("<random>")]
    | Annotated[FileInput, Tag("<file>")]
    | Annotated[NestInput, Tag("<nest>")],
    Discriminator(_kind),
]
PinnedGradient = Annotated[
    ArraysSpec | None, Field(description="The gradient, shaped like its input; null for not connected.")
]

PinnedDerivative = Annotated[ArraysSpec | None, Field(description="The derivative; null for not connected.")]


class Expect(Model):
    """Numbers that both engines must reproduce, or the error that they must raise."""

    model_config = ConfigDict(title="Expect")
    output: ArraysSpec = Field(default=None, description="The value of the expression.")
    gradients: dict[str, PinnedGradient] = Field(
        default_factory=dict, description="Gradients by the name of the input; null for not connected."
    )
    jacobians: dict[str, PinnedDerivative] = Field(
        default_factory=dict, description="Jacobians by the name of the input, shaped output then input."
    )
    hessians: dict[str, PinnedDerivative] = Field(
        default_factory=dict, description="Blocks of the Hessian by two inputs: `x/y`, shaped output, x, then y."
    )
    jvp: ArraysSpec = Field(default=None, description="The output's tangent; for several targets a nest.")
    hvp: dict[str, PinnedDerivative] = Field(
        default_factory=dict, description="Hessian times tangents by the name of the input."
    )
    error: Text = Field(default="", description="Words of the error that the case must end in.")

    @model_validator(mode="after")
    def _check_either(self) -> Self:
        if "error" in self.model_fields_set and len(self.model_fields_set) > 1:
            raise refuse("bad-value", "goes with no pinned number", keys=("error",))
        return self


class Tolerance(Model):
    """How far an element may be from the reference: atol + rtol * abs(reference)."""

    model_config = ConfigDict(title="Tolerance")
    rtol: Allowance = Field(default=0.0, description="The relative part; the default if left out.")
    atol: Allowance = Field(default=0.0, description="The absolute part; the default if left out.")


class CaseFields(Model):
    """One case, as far as it does not rely on `defaults`; or the defaults themselves."""

    model_config = ConfigDict(title="Case fields")
    description: str = Field(default="", description="What the case is about, for people.")
    inputs: dict[str, InputSpec] = Field(
        default_factory=dict, description="The inputs by name; those of `defaults` are added."
    )
    expr: Text = Field(
        default="", description="The expression, in Python with TensorFlow's names; its last line is differentiated."
    )
    wrt: Annotated[
        list[str],
        AfterValidator(_distinct),
        BeforeValidator(_or_one(str, "a name or a list of names"), json_schema_input_type=str | list[str]),
    ] = Field(
        default_factory=list, description="Inputs to differentiate by; all floating and complex ones if left out."
    )
    dtype: Annotated[
        list[CaseDType],
        Field(min_length=1),
        AfterValidator(_distinct),
        BeforeValidator(
            _or_one(str, "a dtype or a list of dtypes"), json_schema_input_type=CaseDType | list[CaseDType]
        ),
    ] = Field(
        default_factory=lambda: ["float32"],
        description="The dtype of inputs that name none; a list runs the case once in each. float32 if left out.",
    )
    output_gradients: ArraysSpec = Field(
        default=None, description="The cotangent of the target; for several targets a nest. Ones if left out."
    )
    unconnected_gradients: Literal["none", "zero"] = Field(
        default="none", description="What the gradient is for an input that the target does not depend on."
    )
    derivative: Derivative = Field(default="gradient", description="Which derivative is compared.")
    tangents: dict[str, ArraysSpec] = Field(
        default_factory=dict,
        description="The direction of a jvp or hvp, by input; seeded normal numbers for inputs that are left out.",
    )
    expect: Expect = Field(default_factory=Expect, description="Pinned numbers, or a pinned error.")
    tags: Annotated[list[Annotated[str, StringConstraints(pattern=r"^[\w.-]+$")]], AfterValidator(_distinct)] = Field(
        default_factory=list, description="Words to select cases by; those of `defaults` are added."
    )
    skip: Annotated[str | bool, BeforeValidator(_reason, json_schema_input_type=str | bool)] = Field(
        default=False, description="Why the case is not run, or true."
    )
    known_mismatch: Text = Field(default="", description="Why the engines are known to differ; fails once they agree.")
    tolerance: Tolerance = Field(default_factory=Tolerance, description="Allowed differences, instead of the default.")


class SingleCase(CaseFields):
    """A file with one case."""

    model_config = ConfigDict(title="Case")
    inputs: dict[str, InputSpec] = Field(description="The inputs by name.")
    expr: Text = Field(
        description="The expression, in Python with TensorFlow's names; its last line is differentiated."
    )


class CaseFile(Model):
    """A file with several cases."""

    model_config = ConfigDict(title="Cases")
    defaults: CaseFields = Field(default_factory=CaseFields, description="What the cases share; a case's own keys win.")
    cases: dict[str, CaseFields] = Field(min_length=1, description="The cases by name.")


def json_schema() -> dict[str, Any]:
    """The format as a JSON Schema (draft 2020-12), for editors."""
    from pydantic.json_schema import models_json_schema

    refs, schema = models_json_schema(
        [(SingleCase, "validation"), (CaseFile, "validation")], ref_template="#/$defs/{model}"
    )
    one, several = refs[SingleCase, "validation"], refs[CaseFile, "validation"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gradcheck case file",
        "description": "One case, or several under `cases`.",
        "type": "object",
        "properties": {key: {"description": each.description} for key, each in CaseFile.model_fields.items()},
        "if": {"anyOf": [{"required": ["cases"]}, {"required": ["defaults"]}]},
        "then": several,
        "else": one,
        **schema,
    }
