"""The outbox: rows on this disk, one per key, pending until they are uploaded and remembered afterwards.

One SQLite file per warehouse, which several crawls and ``scrapy flush`` may use at once.
"""

import hashlib
import re
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from audiocrawler.model.errors import WarehouseError
from audiocrawler.model.locks import lock
from audiocrawler.model.marks import hash_mark, hash_taken_down, is_tombstone
from audiocrawler.model.rows import AUDIO_METADATA, AUDIO_SOURCES, TABLES, AudioMetadata, AudioSource, Row, TableSpec
from audiocrawler.model.sqlite_file import Database, make_durable, opened, transaction
from audiocrawler.model.statuses import Status
from audiocrawler.warehouse.merge import merge_rows
from audiocrawler.warehouse.rows import from_json, table_for, to_json

_TABLES = {table.name: table for table in TABLES}

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS pending (
        table_name TEXT NOT NULL, key TEXT NOT NULL, sequence INTEGER NOT NULL, first_sequence INTEGER NOT NULL,
        row TEXT NOT NULL, PRIMARY KEY (table_name, key)) STRICT""",
    "CREATE UNIQUE INDEX IF NOT EXISTS pending_sequence ON pending (sequence)",
    "CREATE INDEX IF NOT EXISTS pending_first_sequence ON pending (first_sequence)",
    """CREATE TABLE IF NOT EXISTS sent (
        table_name TEXT NOT NULL, key TEXT NOT NULL, row TEXT NOT NULL, PRIMARY KEY (table_name, key)) STRICT""",
    """CREATE TABLE IF NOT EXISTS refused (
        table_name TEXT NOT NULL, key TEXT NOT NULL, row TEXT NOT NULL, error TEXT NOT NULL, refused_at TEXT NOT NULL,
        PRIMARY KEY (table_name, key)) STRICT""",
    *(
        f"CREATE INDEX IF NOT EXISTS {place}_{name} ON {place} (json_extract(row, '$.{name}')) "
        "WHERE table_name = 'audio_sources'"
        for place in ("pending", "sent")
        for name in ("guid", "url_pattern")
    ),
    "CREATE TABLE IF NOT EXISTS state (identity TEXT NOT NULL, last_sequence INTEGER NOT NULL) STRICT",
    "INSERT INTO state SELECT '{identity}', 0 WHERE NOT EXISTS (SELECT * FROM state)",
)
_PUT = """
    INSERT INTO pending VALUES (:table, :key, :sequence, :sequence, :row)
    ON CONFLICT (table_name, key) DO UPDATE SET sequence = :sequence, row = :row
"""
_TAKE = "SELECT table_name, key, sequence, row FROM pending ORDER BY sequence LIMIT ?"
_RELATED = {
    name: f"SELECT key FROM pending WHERE table_name = 'audio_sources' AND json_extract(row, '$.{name}') = ?1 UNION "  # noqa: S608
    f"SELECT key FROM sent WHERE table_name = 'audio_sources' AND json_extract(row, '$.{name}') = ?1 LIMIT ?2"
    for name in ("guid", "url_pattern")
}
_UP_TO = "SELECT coalesce((SELECT min(first_sequence) - 1 FROM pending), last_sequence) FROM state"


@dataclass(frozen=True, slots=True)
class PendingRow:
    """A version of a pending row: its key within its table, its sequence number and its JSON."""

    table: TableSpec
    key: str
    sequence: int
    json: str


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A dead letter: a row that the warehouse refused, and why."""

    table: TableSpec
    key: str
    json: str
    error: str


class Outbox:
    """The pending rows of one warehouse; raises ConfigurationError if the file cannot be used.

    Methods may be called from any thread and raise WarehouseError if the disk fails.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        connection = opened(path, _prepare, "set AUDIO_OUTBOX to another folder")
        self._db = Database(connection, path, WarehouseError)
        self.identity: str = self._db.one("SELECT identity FROM state")[0]
        """A random name, unique to this file."""

    def put(self, rows: Sequence[Row]) -> int:
        """Merge the rows, in order, into the pending ones, all or none; return the last sequence number."""
        with self._db.changing():
            for row in rows:
                self._put(row)
            return int(self._db.one("SELECT last_sequence FROM state")[0])

    def find(self, table: TableSpec, key: str) -> Row | None:
        """Return a row as known on this machine: uploaded and pending values merged. See ``key_of``."""
        with self._db.reading():
            pending, sent = (self._stored(place, table, key) for place in ("pending", "sent"))
        return cast(Row | None, sent if pending is None else merge_rows(sent, pending))

    def related(self, guid: str | None, url_pattern: str | None, limit: int) -> list[AudioSource]:
        """Return the sources with this guid or pattern, as known on this machine."""
        wanted = {"guid": guid, "url_pattern": url_pattern}
        with self._db.reading():
            found = [self._db.run(_RELATED[name], value, limit) for name, value in wanted.items() if value is not None]
            keys = dict.fromkeys(key for records in found for (key,) in records)
        rows = (self.find(AUDIO_SOURCES, key) for key in keys)
        return [row for row in rows if isinstance(row, AudioSource)]

    def pending_rows(self) -> int:
        """Return the number of pending rows."""
        with self._db.reading():
            return int(self._db.one("SELECT count(*) FROM pending")[0])

    def taken_down(self) -> list[str]:
        """Return the source_urls of the pending tombstones."""
        statement = "SELECT key FROM pending WHERE table_name = ? AND json_extract(row, '$.status') = ?"
        with self._db.reading():
            return [key for (key,) in self._db.run(statement, AUDIO_SOURCES.name, Status.TAKEN_DOWN)]

    def take(self, limit: int) -> list[PendingRow]:
        """Return the pending rows that were changed longest ago, without removing them."""
        with self._db.reading():
            records = self._db.run(_TAKE, limit).fetchall()
        return [PendingRow(_TABLES[table], key, sequence, row) for table, key, sequence, row in records]

    def mark_sent(self, batch: Sequence[PendingRow]) -> None:
        """Record that these versions have been uploaded. A row that has changed meanwhile stays pending."""
        with self._db.changing():
            for row in batch:
                self._remember(row.table, row.key, from_json(row.json, row.table))
                self._remove(row)

    def remember(self, rows: Sequence[Row]) -> int:
        """Remember rows of the table as if they had been uploaded from here; return how many."""
        with self._db.changing():
            for row in rows:
                self._remember(table_for(row), key_of(row), row)
        return len(rows)

    def refuse(self, row: PendingRow, error: str) -> None:
        """Move a row that the warehouse refuses to the dead letters, with the reason."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._db.changing():
            statement = "INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?)"
            self._db.run(statement, row.table.name, row.key, row.json, error, now)
            self._remove(row)

    def refused(self) -> list[RefusedRow]:
        """Return the dead letters."""
        with self._db.reading():
            records = self._db.run("SELECT table_name, key, row, error FROM refused ORDER BY refused_at").fetchall()
        return [RefusedRow(_TABLES[table], key, row, error) for table, key, row, error in records]

    def written_watermark(self) -> int:
        """Return the sequence number of the last row that was put."""
        with self._db.reading():
            return int(self._db.one("SELECT last_sequence FROM state")[0])

    def sent_watermark(self) -> int:
        """Return the sequence number up to which all rows have been uploaded or refused."""
        with self._db.reading():
            return int(self._db.one(_UP_TO)[0])

    @contextmanager
    def flushing(self, *, wait: bool = True) -> Iterator[bool]:
        """Lock out other flushes, of any thread or process; yield whether the lock was acquired.

        The lock is released when the process ends, however it ends.
        """
        with self._db.errors(), self.path.with_suffix(".lock").open("wb") as file:
            yield lock(file, wait=wait)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _put(self, row: Row) -> None:
        table, key = table_for(row), key_of(row)
        if isinstance(row, AudioMetadata) and self._is_taken_down(row):
            return
        if isinstance(row, AudioSource) and is_tombstone(row):
            self._forget(row)
        merged = merge_rows(self._stored("pending", table, key), row)
        (sequence,) = self._db.one("UPDATE state SET last_sequence = last_sequence + 1 RETURNING last_sequence")
        values = {"table": table.name, "key": key, "sequence": sequence, "row": to_json(merged)}
        self._db.connection.execute(_PUT, values)

    def _is_taken_down(self, row: AudioMetadata) -> bool:
        mark = hash_mark(row.sha256 or "")
        return any(self._stored(place, AUDIO_SOURCES, mark) is not None for place in ("pending", "sent"))

    def _forget(self, row: AudioSource) -> None:
        """Delete everything about what the tombstone takes down: pending, uploaded or refused."""
        self._db.run("DELETE FROM refused WHERE table_name = ? AND key = ?", AUDIO_SOURCES.name, row.source_url)
        if sha256 := hash_taken_down(row):
            for place in ("pending", "sent", "refused"):
                statement = f"DELETE FROM {place} WHERE table_name = ? AND key = ?"  # noqa: S608 - one of our tables
                self._db.run(statement, AUDIO_METADATA.name, sha256)

    def _remember(self, table: TableSpec, key: str, row: Any) -> None:
        merged = merge_rows(self._stored("sent", table, key), row)
        self._db.run("INSERT OR REPLACE INTO sent VALUES (?, ?, ?)", table.name, key, to_json(merged))

    def _remove(self, row: PendingRow) -> None:
        place = (row.table.name, row.key)
        self._db.run("DELETE FROM pending WHERE table_name = ? AND key = ? AND sequence = ?", *place, row.sequence)
        later = "UPDATE pending SET first_sequence = ? WHERE table_name = ? AND key = ?"
        self._db.run(later, row.sequence + 1, *place)

    def _stored(self, place: str, table: TableSpec, key: str) -> Any:
        statement = f"SELECT row FROM {place} WHERE table_name = ? AND key = ?"  # noqa: S608 - one of our tables
        record = self._db.one(statement, table.name, key)
        return None if record is None else from_json(record[0], table)


def key_of(row: Row) -> str:
    """Return a row's key in the outbox; of a file its hash, since its URL changes when its folder moves."""
    if isinstance(row, AudioMetadata):
        return row.sha256 or row.gcp_url
    return str(getattr(row, table_for(row).key))


def outbox_path(folder: Path, uri: str) -> Path:
    """Return the file for the rows of the warehouse at ``uri``: a readable part and a hash."""
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", uri.partition("://")[2]).strip("-")[:60]
    return folder / f"{readable}-{hashlib.sha256(uri.encode()).hexdigest()[:8]}.db"


def _prepare(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        for statement in _SCHEMA:
            connection.execute(statement.format(identity=secrets.token_hex(4)))
    make_durable(connection)
