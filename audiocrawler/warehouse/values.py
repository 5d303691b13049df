"""A row in; the same row with values that any warehouse takes, or WarehouseError, out."""

from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite
from numbers import Integral, Real
from typing import Any, TypeVar

from audiocrawler.columns import MAX_URL_LENGTH, Column
from audiocrawler.errors import WarehouseError
from audiocrawler.items import TABLES, Row, Table
from audiocrawler.texts import storable, storable_url

R = TypeVar("R", bound=Row)

_INT64 = range(-(2**63), 2**63)

_TABLES: dict[type, Table] = {table.row_type: table for table in TABLES}


def table_for(row: Row) -> Table:
    """Return the table that ``row`` belongs to."""
    return _TABLES[type(row)]


def checked(row: R) -> R:
    """Return a copy of ``row`` with clean and bounded text, UTC times and plain numbers.

    A number that no table holds (NaN, infinite, beyond 64 bits) becomes NULL. Raises WarehouseError where a required
    value is missing or a value is not of its column's type.
    """
    table = table_for(row)
    return type(row)(**{column.name: _checked(row, table, column) for column in table.columns})


def clean_url(url: str) -> str:
    """Return ``url`` as a row holds it."""
    return storable_url(url, MAX_URL_LENGTH)


def _checked(row: Row, table: Table, column: Column) -> Any:
    value = getattr(row, column.name)
    if _is_clean(value, column):
        return value
    try:
        clean = None if value is None else _clean(value, column)
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise WarehouseError(f"{_place(row, table, column)}: {value!r} is no {column.type}") from error
    if clean is None and column.mode == "REQUIRED":
        raise WarehouseError(f"{_place(row, table, column)}: a value is required, not {value!r}")
    return clean


def _is_clean(value: Any, column: Column) -> bool:
    """Return whether a value is one of the many that need no cleaning: this is asked some hundred times a file."""
    kind = type(value)
    if kind is str:
        return column.type == "STRING" and len(value) <= column.max_length and value.isprintable()
    if kind is int:
        return column.type == "INTEGER" and -(2**63) <= value < 2**63
    return value is None and column.mode != "REQUIRED"


def _place(row: Row, table: Table, column: Column) -> str:
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


def _texts(value: Any) -> dict[str, str]:
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
