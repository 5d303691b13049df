"""The views for people: files, failures, hours and pages, each as a SELECT for both SQLite and BigQuery."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from audiocrawler.model.rows import AUDIO_METADATA, AUDIO_SOURCES, TableSpec
from audiocrawler.model.statuses import Trait, quoted

ViewName = Literal["files", "failures", "hours", "pages"]
Selectable = Literal[ViewName, "sources"]

FROM_SOURCE = (
    *("attribution", "license_raw", "license_found_in", "opt_out", "published_at", "transcript_url", "group_id"),
    *("show_title", "season", "episode", "description", "episode_url", "image_url", "people"),
    *("transcripts", "chapters_url", "texts"),
    *("page_title", "link_text", "host", "site", "last_seen_at"),
)
"""Columns of ``files`` that come from the source named by its source_url."""


@dataclass(frozen=True, slots=True)
class View:
    """A view: its columns, with their types as in TableSpec, and its SELECT."""

    name: Selectable
    meaning: str
    types: Mapping[str, str]
    select: str
    """With table names in braces."""
    example: str
    """A valid ``--where``."""


def view_select(view: View, name_of: Callable[[TableSpec], str]) -> str:
    """Return the SELECT of a view over the tables named by ``name_of``."""
    return view.select.format(audio_metadata=name_of(AUDIO_METADATA), audio_sources=name_of(AUDIO_SOURCES))


def with_views(name_of: Callable[[TableSpec], str]) -> str:
    """Return the WITH clauses of all views, for a statement that must not depend on the database having them."""
    return "WITH " + ",\n".join(f"{view.name} AS (\n{view_select(view, name_of)}\n)" for view in SELECTABLE.values())


def _types(table: TableSpec) -> dict[str, str]:
    return {column.name: column.type for column in table.columns}


_FILES = _types(AUDIO_METADATA)
_SOURCES = _types(AUDIO_SOURCES)
_HOURS = "SUM(duration_ms) / 3600000.0"


def _files_select() -> str:
    """Return the SELECT of ``files``; an opt-out of any URL of the same bytes counts."""
    opted_out = "SELECT MIN(o.opt_out) FROM {audio_sources} AS o WHERE o.sha256 = a.sha256"
    given = {"opt_out": f"COALESCE(s.opt_out, ({opted_out})) AS opt_out"}
    columns = [f"a.{name}" for name in _FILES] + [given.get(name, f"s.{name}") for name in FROM_SOURCE]
    return (
        f"SELECT {', '.join(columns)}\n"
        "FROM {audio_metadata} AS a LEFT JOIN {audio_sources} AS s ON s.source_url = a.source_url"
    )


_ALL = (
    View(
        name="files",
        meaning="one row per file: audio_metadata with what its source says of rights, page and host",
        types=_FILES | {name: _SOURCES[name] for name in FROM_SOURCE},
        select=_files_select(),
        example="license = 'CC0-1.0' AND duration_ms > 1000",
    ),
    View(
        name="failures",
        meaning="how many URLs of a host gave no file, for which reason, with one of them",
        types={"status": "STRING", "reason": "STRING", "host": "STRING", "n": "INTEGER", "example": "STRING"},
        select=(
            "SELECT status, reason, host, COUNT(*) AS n, MIN(source_url) AS example\n"
            f"FROM {{audio_sources}} WHERE status IN ({quoted(Trait.FAILED)}) GROUP BY status, reason, host"
        ),
        example="status = 'failed' AND n > 10",
    ),
    View(
        name="hours",
        meaning="files and hours of audio per licence and language",
        types={"license": "STRING", "language": "STRING", "files": "INTEGER", "hours": "FLOAT"},
        select=(
            f"SELECT license, language, COUNT(*) AS files, {_HOURS} AS hours\n"
            "FROM {audio_metadata} GROUP BY license, language"
        ),
        example="license IS NOT NULL AND hours > 1",
    ),
    View(
        name="pages",
        meaning="files and hours of audio per page",
        types={"page_url": "STRING", "files": "INTEGER", "hours": "FLOAT"},
        select=(f"SELECT page_url, COUNT(*) AS files, {_HOURS} AS hours\nFROM {{audio_metadata}} GROUP BY page_url"),
        example="files > 10",
    ),
)
VIEWS: Mapping[Selectable, View] = {view.name: view for view in _ALL}
SELECTABLE: Mapping[Selectable, View] = {
    **VIEWS,
    "sources": View(
        name="sources",
        meaning="audio_sources as it is, under a name that every database takes",
        types=_SOURCES,
        select="SELECT " + ", ".join(_SOURCES) + " FROM {audio_sources}",  # noqa: S608 - the names are declared
        example="status = 'failed'",
    ),
}
"""What can be queried: the views, and a table."""
