"""A case's YAML against the schema: all its errors at once, each in plain words at its place."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from gradcheck.casefile import schema
from gradcheck.casefile.errors import described, listed, quoted
from gradcheck.casefile.yaml import Path, Tree
from gradcheck.diagnostics import Diagnostic, did_you_mean

MODELS: Mapping[str, type[BaseModel]] = {
    "expect": schema.Expect,
    "tolerance": schema.Tolerance,
    "<value>": schema.ValueInput,
    "<random>": schema.RandomInput,
    "<file>": schema.FileInput,
    "<nest>": schema.NestInput,
}
"""The model of a mapping, by the last step of the way to it."""

MOST_ERRORS = 100
"""How many errors are worth reporting at once."""

ARRAY_KEYS = {key for tag, model in MODELS.items() if tag.startswith("<") for key in model.model_fields}
"""Every key that some form of an array has."""

EXPECTED = {
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "greater_than_equal": "at least {ge:g}",
    "string_pattern_mismatch": "letters, digits, `_`, `-` and `.`",
    "expected": "{expected}",
}
"""What belongs there instead, by pydantic's kind of error."""


def validate(tree: Tree, path: Path) -> tuple[schema.CaseFields, list[Diagnostic]]:
    """The case (or the defaults) at `path` as a record, and what is wrong with it.

    Keys with errors are left out of the record, and of `inputs` the ones with errors, so that the rest can be checked
    further.
    """
    value = tree.node(path).data
    try:
        return schema.CaseFields.model_validate(value), []
    except ValidationError as error:
        found = error.errors(include_url=False)
        sound = _without(value, {_steps(item["loc"])[:2] for item in found})
        shown = [each for item in found[:MOST_ERRORS] for each in _diagnostics(tree, path, item)]
        return schema.CaseFields.model_validate(sound), shown


def _without(value: object, wrong: set[Path]) -> dict[str, object]:
    """A case's mapping less the keys that `wrong` begin with; of `inputs`, less the names that follow."""
    if not isinstance(value, dict):
        return {}
    inputs = value.get("inputs")
    heads = {steps[:1] for steps in wrong if steps[:1] != ("inputs",) or not isinstance(inputs, dict)}
    sound = {key: each for key, each in value.items() if (key,) not in heads}
    if isinstance(inputs, dict):
        sound["inputs"] = {name: each for name, each in inputs.items() if ("inputs", name) not in wrong}
    return sound


def _steps(location: Path) -> Path:
    """Pydantic's way to an error as a way into the file: less the tags of its unions."""
    return tuple(step for step in location if not str(step).startswith("<"))


def unknown_key(tree: Tree, path: Path, known: Mapping[str, Any] | list[str]) -> Diagnostic:
    """The refusal of the key that `path` ends with, where `known` ones were possible."""
    key = str(path[-1])
    hint = did_you_mean(key, known) or f"the keys here are {listed(known, 'and')}"
    return Diagnostic("unknown-key", f"unknown key {quoted(key)}", tree.key_span(path), hint)


def wrong_type(tree: Tree, path: Path, name: str, expected: str, value: object) -> Diagnostic:
    """The refusal of `value`, found where `expected` should be."""
    message = f"{name} must be {expected}, not {described(value)}"
    return Diagnostic("wrong-type", message, tree.value_span(path))


def _diagnostics(tree: Tree, prefix: Path, error: Mapping[str, Any]) -> list[Diagnostic]:
    """One pydantic error in our words; several where it names several keys."""
    location = error["loc"]
    steps = _steps(location)
    path, value, context = prefix + steps, error["input"], error.get("ctx") or {}
    name = quoted(_label(steps)) if steps else "a case"
    match error["type"]:
        case "gradcheck":
            return _ours(tree, path, context)
        case "extra_forbidden":
            model = MODELS[str(location[-2])] if len(location) > 1 else schema.CaseFields
            around = tree.node(path[:-1]).data
            if model is schema.ValueInput and "value" not in around and steps[-1] in ARRAY_KEYS:
                return []  # a good key, of a form that cannot be told before one of `value`, `random`, `file` is there
            if steps[-1] == "variable":
                message = "`variable` is said of an input as a whole"
                return [Diagnostic("unknown-key", message, tree.key_span(path))]
            return [unknown_key(tree, path, list(model.model_fields))]
        case "missing" if steps[-1] == "value":
            hint = "give it one of `value`, `random` and `file`"
            return [] if set(value) - ARRAY_KEYS else [_missing(tree, path, "the array has no numbers", hint)]
        case "missing":
            return [_missing(tree, path, f"{quoted(str(steps[-1]))} is missing", None)]
        case "literal_error" if isinstance(value, str):
            choices = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
            message = f"{name} must be {listed(choices)}, not {described(value)}"
            return [Diagnostic("bad-value", message, tree.value_span(path), did_you_mean(value, choices))]
        case "literal_error":
            return [wrong_type(tree, path, name, context["expected"].replace("'", "`"), value)]
        case "too_short":
            return [Diagnostic("bad-value", f"{name} is empty", tree.value_span(path))]
        case kind:
            return [wrong_type(tree, path, name, EXPECTED[kind].format(**context), value)]


def _ours(tree: Tree, path: Path, context: Mapping[str, Any]) -> list[Diagnostic]:
    """The errors that the schema's own checks raise."""
    code, message, hint = context["code"], context["message"], context["hint"]
    if not context["keys"]:
        return [Diagnostic(code, message, tree.value_span(path), hint)]
    return [Diagnostic(code, f"{quoted(key)} {message}", tree.key_span((*path, key)), hint) for key in context["keys"]]


def _missing(tree: Tree, path: Path, message: str, hint: str | None) -> Diagnostic:
    return Diagnostic("missing-key", message, tree.value_span(path[:-1]), hint)


def _label(steps: Path) -> str:
    """A path as the user would say it: `inputs.x.shape[1]`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")
