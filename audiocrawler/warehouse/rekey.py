"""Migrate rows of audio_sources written by older versions: one row per file whose URL rotates."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from audiocrawler.model.marks import is_tombstone
from audiocrawler.model.rotation import is_rotating, pattern_of, row_key
from audiocrawler.model.rows import AUDIO_SOURCES, AudioSource
from audiocrawler.warehouse.merge import merge_rows
from audiocrawler.warehouse.sqlite_schema import SELECT, UPSERT, to_record, to_row
from audiocrawler.warehouse.sqlite_sources import recompute_statuses

_NEVER = datetime.min.replace(tzinfo=UTC)


def rekeyed(rows: Iterable[AudioSource], replaced: dict[str, str]) -> Iterator[AudioSource]:
    """Yield the rows with current keys, which leave out what rotates, and with patterns.

    Replaced keys are added to ``replaced``, with the new ones.
    """
    by_key: defaultdict[str, list[AudioSource]] = defaultdict(list)
    for row in rows:
        if is_rotating(row.source_url):
            by_key[row_key(row.source_url)].append(row)
        else:
            yield row
    for key, group in by_key.items():
        new = folded(key, group)
        replaced |= {row.source_url: key for row in group if len(new) == 1 and row.source_url != key}
        yield from new


def folded(key: str, rows: Sequence[AudioSource]) -> list[AudioSource]:
    """Return one merged row with ``key``, or the rows unchanged if they may be different files."""
    for row in rows:
        if not is_tombstone(row):
            row.url_pattern = row.url_pattern or pattern_of(row.source_url)
    if not _are_one(key, rows):
        return list(rows)
    merged: AudioSource | None = None
    for row in sorted(rows, key=lambda row: row.last_seen_at or _NEVER):
        merged = merge_rows(merged, replace(row, source_url=key))
    assert merged is not None
    return [merged]


def rekey(connection: sqlite3.Connection) -> None:
    """Migrate the SQLite table within the caller's transaction."""
    by_key: defaultdict[str, list[str]] = defaultdict(list)
    for (url,) in connection.execute("SELECT source_url FROM audio_sources"):
        if is_rotating(url):
            by_key[row_key(url)].append(url)
    touched: set[str] = set()
    for key, urls in by_key.items():
        touched |= _fold(connection, key, urls)
    for sha256 in touched:
        recompute_statuses(connection, sha256)


def _fold(connection: sqlite3.Connection, key: str, urls: list[str]) -> set[str]:
    """Merge the rows of one key; return the hashes of their files."""
    rows = [row for url in urls for row in _rows(connection, url)]
    new = folded(key, rows)
    for url in {row.source_url for row in rows} - {row.source_url for row in new}:
        connection.execute("DELETE FROM audio_sources WHERE source_url = ?", (url,))
        connection.execute("UPDATE audio_metadata SET source_url = ? WHERE source_url = ?", (key, url))
    for row in new:
        connection.execute(UPSERT[AUDIO_SOURCES.name], to_record(row, AUDIO_SOURCES))
    return {row.sha256 for row in rows if row.sha256}


def _rows(connection: sqlite3.Connection, url: str) -> list[AudioSource]:
    records = connection.execute(f"{SELECT[AUDIO_SOURCES.name]} WHERE source_url = ?", (url,))
    return [cast(AudioSource, to_row(record, AUDIO_SOURCES)) for record in records.fetchall()]


def _are_one(key: str, rows: Sequence[AudioSource]) -> bool:
    """Return whether rows with one key are of one file: signed for one path, or with equal bytes or names."""
    if len(rows) == 1 or all(row_key(row.source_url, only_sure=True) == key for row in rows):
        return True
    if len({row.sha256 for row in rows if row.sha256}) <= 1:
        return True
    labels = {row.title or row.link_text for row in rows}
    return len(labels) == 1 and None not in labels
