"""Describe in words which values a pydantic field accepts, for error messages and README's tables."""

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from audiocrawler.model.text import one_line

MAX_SHOWN = 200
"""Characters of an invalid value that a message quotes."""
UNITS = {"s": "seconds", "ms": "milliseconds", "Hz": "hertz", "bytes/s": "bytes a second"}
_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "True or False",
    "string": "text",
    "object": "a JSON object",
    "array": "a list",
    "null": "null",
}
_FORMATS = {"path": "a path", "regex": "a regular expression"}


def shown(value: object) -> str:
    """Return the value on one line, cut, as messages quote it."""
    return one_line(str(value), MAX_SHOWN)


def takes(model: type[BaseModel], field: str) -> str:
    """Return which values the field accepts, with unit and minimum."""
    schema = model.model_json_schema()["properties"][field]
    schema = schema | next(iter(schema.get("anyOf", [{}])))
    if words := schema.get("takes"):
        return str(words)
    if "enum" in schema:
        return _one_of(schema["enum"])
    words = _FORMATS.get(schema.get("format", "")) or _TYPES[schema["type"]]
    if unit := schema.get("unit"):
        words += f" of {UNITS.get(unit, unit)}"
    if "exclusiveMinimum" in schema:
        return f"{words}, more than {schema['exclusiveMinimum']:g}"
    return f"{words}, {schema['minimum']:g} or more" if "minimum" in schema else words


def first_error(error: ValidationError) -> ErrorDetails:
    """Return the first error; do not show its text, which repeats the value."""
    return error.errors(include_url=False, include_input=False)[0]


def demand(model: type[BaseModel], error: ErrorDetails) -> str:
    """Return what the invalid value must be."""
    field, *inner = (str(each) for each in error["loc"])
    match error["type"]:
        case "value_error":
            return str(error["ctx"]["error"])
        case "string_too_short":
            return "must not be empty"
        case "less_than_equal":
            return f"must be at most {int(error['ctx']['le'])}"
        case "enum" | "literal_error":
            return f"must be {error['ctx']['expected'].replace(chr(39), '')}"
        case _ if inner and (values := _values_of(model, field)):
            return f"must have {values} for {inner[0]}"
    return f"must be {takes(model, field)}"


def _values_of(model: type[BaseModel], field: str) -> str:
    """Return the types that the values of a JSON object may have; empty for another type."""
    values: dict[str, Any] = model.model_json_schema()["properties"][field].get("additionalProperties", {})
    return " or ".join(_TYPES[each["type"]] for each in values.get("anyOf", [values] if values else []))


def _one_of(names: list[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1]))
