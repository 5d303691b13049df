"""A row in; the JSON object that the outbox keeps and that BigQuery's load jobs take, and the row again, out."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from audiocrawler.items import Row, Table
from audiocrawler.warehouse.values import table_for


def to_json(row: Row) -> str:
    """Return the row as one line: times in RFC 3339, bytes in Base64; NULLs are left out."""
    columns = table_for(row).columns
    values = {column.name: _converted(getattr(row, column.name), _TO_JSON.get(column.type)) for column in columns}
    given = {name: value for name, value in values.items() if value is not None}
    return json.dumps(given, ensure_ascii=False, allow_nan=False)


def from_json(text: str, table: Table) -> Row:
    """Return the row again; columns that are not declared any more are left out."""
    values = json.loads(text)
    columns = {each.name: _converted(values.get(each.name), _FROM_JSON.get(each.type)) for each in table.columns}
    return table.row_type(**columns)


def _converted(value: Any, convert: Callable[[Any], Any] | None) -> Any:
    return value if value is None or convert is None else convert(value)


def _time_to_text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")


_TO_JSON: dict[str, Callable[[Any], Any]] = {
    "TIMESTAMP": _time_to_text,
    "BYTES": lambda value: b64encode(value).decode("ascii"),
}
_FROM_JSON: dict[str, Callable[[Any], Any]] = {
    "FLOAT": float,
    "TIMESTAMP": datetime.fromisoformat,
    "BYTES": b64decode,
}
