"""What the pages say of each table and view, in which order columns stand, and what is counted beside the rows."""

from collections.abc import Iterable, Mapping
from typing import Any

from audiocrawler.model.rows import AUDIO_CRAWLS, AUDIO_METADATA, AUDIO_SOURCES, TABLES
from audiocrawler.warehouse.views import VIEWS

DATABASE = "audio"
PAGE_ROWS = 50

_FIRST: Mapping[str, tuple[str, ...]] = {
    "files": (
        *("sha256", "waveform", "title", "file_name", "duration_ms", "license", "artist", "language", "lufs"),
        "classification",
        *("codec", "sample_rate_hz", "size_bytes", "host", "page_title", "page_url", "source_url", "attribution"),
        *("opt_out", "status", "found_by", "published_at"),
    ),
    AUDIO_METADATA.name: ("sha256", "waveform", "title", "file_name", "duration_ms", "license"),
    AUDIO_SOURCES.name: ("sha256", "status", "reason", "title", "host", "page_url", "license", "size_bytes"),
}
_FACETS: Mapping[str, tuple[str, ...]] = {
    "files": ("license", "language", "classification", "codec", "host", "status"),
    "failures": ("status", "host"),
    "hours": ("license", "language"),
    AUDIO_METADATA.name: ("license", "classification", "codec", "status"),
    AUDIO_SOURCES.name: ("status", "host", "kind", "found_by", "license"),
    AUDIO_CRAWLS.name: ("exit_code",),
}
_SORTED: Mapping[str, str] = {
    "files": "first_seen_at",
    "failures": "n",
    "hours": "hours",
    "pages": "hours",
    AUDIO_METADATA.name: "updated_at",
    AUDIO_SOURCES.name: "last_seen_at",
    AUDIO_CRAWLS.name: "started_at",
}
"""By which column, the largest first."""
_MEANINGS: Mapping[str, str] = {
    AUDIO_METADATA.name: "one row per distinct file: its measurements, tags and licence",
    AUDIO_SOURCES.name: "one row per audio URL ever found, whatever became of it",
    AUDIO_CRAWLS.name: "one row per crawl: how it was started, its counts and its exit code",
}


def in_order(table: str, columns: Iterable[str]) -> list[str]:
    """Return the columns with those first that one looks at first."""
    given = list(columns)
    first = [name for name in _FIRST.get(table, ()) if name in given]
    return first + [name for name in given if name not in first]


def metadata() -> dict[str, Any]:
    """Return Datasette's metadata; see https://docs.datasette.io/en/0.65/metadata.html."""
    names = {name: view.meaning for name, view in VIEWS.items()} | dict(_MEANINGS)
    tables = {name: _about(name, meaning) for name, meaning in names.items()}
    return {"title": "audiocrawler", "databases": {DATABASE: {"title": "Collection", "tables": tables}}}


def _about(name: str, meaning: str) -> dict[str, Any]:
    return {
        "description": f"{meaning[0].upper()}{meaning[1:]}.",
        "columns": _described(name),
        "facets": list(_FACETS.get(name, ())),
        "sort_desc": _SORTED[name],
        "size": PAGE_ROWS,
    }


def _described(name: str) -> dict[str, str]:
    """Return what the columns mean, of a view those that it has from a table."""
    if name in VIEWS:
        texts = {
            column.name: column.description for table in (AUDIO_SOURCES, AUDIO_METADATA) for column in table.columns
        }
        more = {"n": "Number of URLs", "example": "One of them", "files": "Number of files", "hours": "Hours of audio"}
        return {column: (texts | more)[column] for column in VIEWS[name].types}  # type: ignore[index]
    return {column.name: column.description for table in TABLES if table.name == name for column in table.columns}
