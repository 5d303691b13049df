"""Flatten an item into a row with one value per column, for spreadsheets and Parquet."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from audiocrawler.model.rows import AUDIO_METADATA, AUDIO_SOURCES, AudioItem, Row, TableSpec

_PARTS: Mapping[str, TableSpec] = {"source": AUDIO_SOURCES, "audio": AUDIO_METADATA}

FLAT_TYPES: Mapping[str, str] = {
    "file_urls": "STRING",
    "file_name": "STRING",
    **{f"{part}_{column.name}": column.type for part, table in _PARTS.items() for column in table.columns},
}
"""Column of a flat row -> its type as in TableSpec; the columns of both rows are prefixed, as in ``source_license``."""


def flat_names(fields: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    """Return the columns selected by a feed's fields, with their names in the feed.

    ``source`` and ``audio`` select all columns of these rows.
    """
    if isinstance(fields, Mapping):
        return dict(fields)
    return {each: each for name in fields for each in _OF_PART.get(name, [name])}


_OF_PART = {part: [f"{part}_{column.name}" for column in table.columns] for part, table in _PARTS.items()}


def flat(item: AudioItem) -> dict[str, Any]:
    """Return the values of an item by FLAT_TYPES; None for the columns of a missing row."""
    rows: dict[str, Row | None] = {"source": item.source, "audio": item.audio}
    values = {
        f"{part}_{column.name}": getattr(rows[part], column.name, None)
        for part, table in _PARTS.items()
        for column in table.columns
    }
    return {"file_urls": ",".join(item.file_urls), "file_name": item.file_name, **values}


def plain(value: Any) -> Any:
    """Return a value as JSON has it: times in RFC 3339, in UTC that ends with Z, bytes in base64."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return b64encode(value).decode("ascii") if isinstance(value, bytes) else value


def as_text(value: Any) -> Any:
    """Return the text of a cell: a plain value, and tags by name."""
    if isinstance(value, list):
        return " | ".join(map(as_text, value))
    if isinstance(value, dict):
        return "; ".join(f"{name}={text}" for name, text in sorted(value.items()))
    return plain(value)
