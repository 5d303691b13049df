"""Validate and clean rows for any warehouse, and convert them to JSON for the outbox and load jobs."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite
from numbers import Integral, Real
from typing import Any, TypeVar

from audiocrawler.model.errors import WarehouseError
from audiocrawler.model.rows import MAX_URL_LENGTH, TABLES, Column, Row, TableSpec
from audiocrawler.model.text import storable, storable_url

R = TypeVar("R", bound=Row)

_INT64 = range(-(2**63), 2**63)

_TABLES: dict[type, TableSpec] = {table.row_type: table for table in TABLES}


def table_for(row: Row) -> TableSpec:
    """Return the table that ``row`` belongs to."""
    return _TABLES[type(row)]


def checked(row: R) -> R:
    """Return a copy of ``row`` with clean and bounded text, UTC times and plain numbers.

    A number that no table can store (NaN, infinite, beyond 64 bits) becomes NULL. Raises WarehouseError if a required
    value is missing or a value has the wrong type.
    """
    table = table_for(row)
    return type(row)(**{column.name: _checked(row, table, column) for column in table.columns})


def clean_url(url: str) -> str:
    """Return ``url`` as it is stored in a row."""
    return storable_url(url, MAX_URL_LENGTH)


def _checked(row: Row, table: TableSpec, column: Column) -> Any:
    value = getattr(row, column.name)
    if _is_clean(value, column):
        return value
    try:
        clean = None if value is None else _clean(value, column)
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise WarehouseError(f"{_place(row, table, column)}: {value!r} is not of type {column.type}") from error
    if clean is None and column.mode == "REQUIRED":
        raise WarehouseError(f"{_place(row, table, column)}: required, but {value!r}")
    return clean


def _is_clean(value: Any, column: Column) -> bool:
    """Return whether a value needs no cleaning: a fast path, called some hundred times per file."""
    kind = type(value)
    if kind is str:
        return column.type == "STRING" and len(value) <= column.max_length and value.isprintable()
    if kind is int:
        return column.type == "INTEGER" and -(2**63) <= value < 2**63
    return value is None and column.mode != "REQUIRED"


def _place(row: Row, table: TableSpec, column: Column) -> str:
    return f"{table.name}.{column.name} of {getattr(row, table.key)!r}"


def _clean(value: Any, column: Column) -> Any:
    clean = _CLEAN[column.type](value)
    if column.type != "STRING":
        return clean
    return clean_url(value) if column.is_url else clean[: column.max_length]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return storable(value)


def _integer(value: Any) -> int | None:
    if not isinstance(value, Integral):
        raise TypeError
    return int(value) if int(value) in _INT64 else None


def _float(value: Any) -> float | None:
    if not isinstance(value, Real):
        raise TypeError
    return float(value) if isfinite(value) else None


def _time(value: Any) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)  # type: ignore[no-any-return]


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise TypeError
    return bytes(value)


def _texts(value: Any) -> dict[str, str] | list[dict[str, str]]:
    if isinstance(value, list):
        return [_text_members(each) for each in value]
    return _text_members(value)


def _text_members(value: Any) -> dict[str, str]:
    return {_text(name): _text(text) for name, text in value.items()}


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "STRING": _text,
    "INTEGER": _integer,
    "FLOAT": _float,
    "BOOLEAN": bool,
    "TIMESTAMP": _time,
    "BYTES": _bytes,
    "JSON": _texts,
}


def to_json(row: Row) -> str:
    """Return the row as one line of JSON: times in RFC 3339, bytes in Base64, NULLs left out."""
    columns = table_for(row).columns
    values = {column.name: converted(getattr(row, column.name), _TO_JSON.get(column.type)) for column in columns}
    given = {name: value for name, value in values.items() if value is not None}
    return json.dumps(given, ensure_ascii=False, allow_nan=False)


def from_json(text: str, table: TableSpec) -> Row:
    """Return the row of such a line; columns that are not declared any more are ignored."""
    values = json.loads(text)
    columns = {each.name: converted(values.get(each.name), _FROM_JSON.get(each.type)) for each in table.columns}
    return table.row_type(**columns)


def converted(value: Any, convert: Callable[[Any], Any] | None) -> Any:
    """Return ``convert(value)``; the value itself if it or ``convert`` is None."""
    return value if value is None or convert is None else convert(value)


def time_to_text(time: datetime) -> str:
    """Return a time in RFC 3339 with a fixed width, so that texts sort like times."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


_TO_JSON: dict[str, Callable[[Any], Any]] = {
    "TIMESTAMP": time_to_text,
    "BYTES": lambda value: b64encode(value).decode("ascii"),
}
_FROM_JSON: dict[str, Callable[[Any], Any]] = {
    "FLOAT": float,
    "TIMESTAMP": datetime.fromisoformat,
    "BYTES": b64decode,
}


MAX_ROW_BYTES = 10_000_000
"""BigQuery's limit per row; see https://cloud.google.com/bigquery/quotas."""


def objection(text: str, table: TableSpec) -> str | None:
    """Return why a row's JSON is not valid for the table, in one line; None if it is."""
    try:
        values = json.loads(text)
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        return "contains a lone surrogate"
    except ValueError:
        return "is not JSON"
    if size_bytes > MAX_ROW_BYTES:
        return f"row of {size_bytes} bytes is larger than BigQuery's limit of {MAX_ROW_BYTES}"
    unknown = values.keys() - {column.name for column in table.columns}
    if unknown:
        return f"unknown column {min(unknown)!r}"
    reasons = (_wrong(column.name, column.type, column.mode, values) for column in table.columns)
    return next((reason for reason in reasons if reason), None)


def _wrong(name: str, type_name: str, mode: str, values: dict[str, Any]) -> str | None:
    value = values.get(name)
    if value is None:
        return f"{name} is required" if mode == "REQUIRED" else None
    if not _FITS[type_name](value):
        return f"{name} is not of type {type_name}: {value!r:.100}"
    return None


def _is_text(value: Any) -> bool:
    """Return whether a text has no lone surrogates, which UTF-8 lacks, and no NUL, which ends a text in C."""
    return isinstance(value, str) and "\0" not in value and not any("\ud800" <= each <= "\udfff" for each in value)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in _INT64


def _is_float(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _is_base64(value: Any) -> bool:
    try:
        b64decode(value, validate=True)
    except (TypeError, ValueError):
        return False
    return True


def _is_texts(value: Any) -> bool:
    return all(map(_is_text_members, value)) if isinstance(value, list) else _is_text_members(value)


def _is_text_members(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_text(each) for pair in value.items() for each in pair)


_FITS: dict[str, Callable[[Any], bool]] = {
    "STRING": _is_text,
    "INTEGER": _is_integer,
    "FLOAT": _is_float,
    "BOOLEAN": lambda value: isinstance(value, bool),
    "TIMESTAMP": _is_time,
    "BYTES": _is_base64,
    "JSON": _is_texts,
}
