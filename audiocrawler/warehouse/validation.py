"""A row of the outbox in; why BigQuery would refuse it, or nothing, out.

Rows are cleaned on their way in; this stands between BigQuery and an outbox that an earlier version has written.
"""

import json
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from math import isfinite
from typing import Any

from audiocrawler.items import Table

MAX_ROW_BYTES = 10_000_000
"""BigQuery's limit for a row; see https://cloud.google.com/bigquery/quotas."""

_INT64 = range(-(2**63), 2**63)


def objection(text: str, table: Table) -> str | None:
    """Return why a row, given as its JSON, does not fit the table, in one line; None if it does."""
    try:
        values = json.loads(text)
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        return "holds a lone surrogate"
    except ValueError:
        return "is not JSON"
    if size_bytes > MAX_ROW_BYTES:
        return f"is {size_bytes} bytes long; BigQuery takes {MAX_ROW_BYTES}"
    unknown = values.keys() - {column.name for column in table.columns}
    if unknown:
        return f"has a column {min(unknown)!r} that is not declared"
    reasons = (_wrong(column.name, column.type, column.mode, values) for column in table.columns)
    return next((reason for reason in reasons if reason), None)


def _wrong(name: str, type_name: str, mode: str, values: dict[str, Any]) -> str | None:
    value = values.get(name)
    if value is None:
        return f"{name} is required" if mode == "REQUIRED" else None
    if not _FITS[type_name](value):
        return f"{name} is no {type_name}: {value!r:.100}"
    return None


def _is_text(value: Any) -> bool:
    """Surrogates have no UTF-8, and NUL ends a text for many who read it."""
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
