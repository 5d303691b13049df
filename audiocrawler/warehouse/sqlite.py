"""All tables in one SQLite file, which several crawls may write and any number of notebooks may read at once."""

import shlex
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, cast

from audiocrawler.model.errors import ConfigurationError, SchemaError, WarehouseError
from audiocrawler.model.marks import hash_mark, hash_taken_down
from audiocrawler.model.rows import (
    AUDIO_CRAWLS,
    AUDIO_METADATA,
    AUDIO_SOURCES,
    AudioCrawl,
    AudioMetadata,
    AudioSource,
    Row,
    TableSpec,
)
from audiocrawler.model.sqlite_file import Database, code_of, make_durable, opened, remedy, transaction
from audiocrawler.model.statuses import Status
from audiocrawler.model.uris import local_path, scheme_of
from audiocrawler.warehouse.merge import derive, merge_rows
from audiocrawler.warehouse.query import Query
from audiocrawler.warehouse.rekey import rekey
from audiocrawler.warehouse.rows import checked, clean_url, table_for
from audiocrawler.warehouse.sqlite_schema import SELECT, UPSERT, migrate, to_record, to_row
from audiocrawler.warehouse.sqlite_select import select
from audiocrawler.warehouse.sqlite_sources import leave_taken_down, recompute_statuses, stated_by_sources
from audiocrawler.warehouse.warehouse import MAX_RELATED, Options

PAGE_ROWS = 1000
"""Rows that are read at a time, so that others may write in between."""

_FIRST_STRICT_VERSION = (3, 37, 0)
_KEYS_VERSION = 1
"""The first user_version in which rows have keys that leave out what rotates."""


class SqliteWarehouse:
    """The warehouse in a local file, which is created with its folder.

    Raises ConfigurationError if it cannot be opened or written to, SchemaError if it contradicts our tables.
    """

    is_local: ClassVar[bool] = True

    @staticmethod
    def path_of(uri: str) -> Path:
        """Return the file; see Warehouse.path_of."""
        return local_path(uri)

    @staticmethod
    def query_command(uri: str) -> str:
        """Return the call of SQLite's own shell."""
        return f"sqlite3 {shlex.quote(uri.partition(':')[2] if scheme_of(uri) else uri)}"

    def __init__(self, uri: str, options: Options | None = None) -> None:
        if sqlite3.sqlite_version_info < _FIRST_STRICT_VERSION:
            raise ConfigurationError(f"{uri}: SQLite {sqlite3.sqlite_version} is too old; use 3.37 or later")
        self._path = path = local_path(uri)
        connection = opened(path, partial(_prepare, name=str(path)), "name another file in AUDIO_WAREHOUSE")
        self._db = Database(connection, path, WarehouseError)

    def upsert(self, rows: Sequence[Row]) -> None:
        """Merge the rows into their tables in one transaction; see Warehouse.upsert."""
        clean = [checked(row) for row in rows]
        with self._db.changing():
            touched = [sha256 for row in clean for sha256 in self._merge(row)]
            for sha256 in dict.fromkeys(touched):
                self._settle(sha256)

    def find_audio(self, sha256: str) -> AudioMetadata | None:
        """Return the row of the file with this hash; see Warehouse.find_audio."""
        with self._db.reading():
            return cast(AudioMetadata | None, self._find(AUDIO_METADATA, "sha256", sha256))

    def find_source(self, source_url: str) -> AudioSource | None:
        """Return the row of this audio URL; see Warehouse.find_source."""
        with self._db.reading():
            return cast(AudioSource | None, self._find(AUDIO_SOURCES, "source_url", clean_url(source_url)))

    def related_sources(self, guid: str | None, url_pattern: str | None) -> list[AudioSource]:
        """Return the rows with this guid or this pattern; see Warehouse.related_sources."""
        statement = f"{SELECT[AUDIO_SOURCES.name]} WHERE guid = ? OR url_pattern = ? LIMIT {MAX_RELATED}"
        with self._db.reading():
            records = self._db.run(statement, guid, url_pattern).fetchall()
        return [cast(AudioSource, to_row(record, AUDIO_SOURCES)) for record in records]

    def audio_rows(self) -> Iterator[AudioMetadata]:
        """Yield all rows of audio_metadata by their URL; see Warehouse.audio_rows."""
        return cast(Iterator[AudioMetadata], self._rows(AUDIO_METADATA))

    def source_rows(self) -> Iterator[AudioSource]:
        """Yield all rows of audio_sources by their URL; see Warehouse.source_rows."""
        return cast(Iterator[AudioSource], self._rows(AUDIO_SOURCES))

    def crawl_rows(self) -> Iterator[AudioCrawl]:
        """Yield all rows of audio_crawls by their id; see Warehouse.crawl_rows."""
        return cast(Iterator[AudioCrawl], self._rows(AUDIO_CRAWLS))

    def taken_down(self) -> Iterator[str]:
        """Yield what is taken down; see Warehouse.taken_down."""
        with self._db.reading():
            records = self._db.run(
                "SELECT source_url FROM audio_sources WHERE status = ?", Status.TAKEN_DOWN
            ).fetchall()
        yield from (url for (url,) in records)

    def select(self, query: Query) -> Iterator[dict[str, Any]]:
        """Yield rows of a view, through a connection of their own; see Warehouse.select."""
        return select(self._path, query)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _merge(self, row: Row) -> Iterable[str]:
        """Merge a row into its table; return the hashes of the files that this has to do with."""
        table = table_for(row)
        if isinstance(row, AudioMetadata):
            if self._is_taken_down(row):
                return ()
            self._move(row)
        elif isinstance(row, AudioSource) and (sha256 := hash_taken_down(row)):
            self._db.run("DELETE FROM audio_metadata WHERE sha256 = ?", sha256)
        old = cast(Any, self._find(table, table.key, getattr(row, table.key)))
        merged = merge_rows(old, row)
        self._write(merged, table)
        return {hash_ for each in (old, merged) if (hash_ := getattr(each, "sha256", None)) is not None}

    def _is_taken_down(self, row: AudioMetadata) -> bool:
        mark, is_mark = hash_mark(row.sha256 or ""), "SELECT 1 FROM audio_sources WHERE source_url = ? AND status = ?"
        return self._db.one(is_mark, mark, Status.TAKEN_DOWN) is not None

    def _move(self, row: AudioMetadata) -> None:
        """Give the row of the same bytes, if it has another key, the key of ``row``: its folder or bucket has moved."""
        known = self._db.one(
            "SELECT gcp_url FROM audio_metadata WHERE sha256 = ? AND gcp_url <> ?", row.sha256, row.gcp_url
        )
        if known is None:
            return
        # REPLACE: a row without a hash, which was there before us, may have the new key.
        self._db.run("UPDATE OR REPLACE audio_metadata SET gcp_url = ? WHERE gcp_url = ?", row.gcp_url, known[0])
        self._db.run("UPDATE audio_sources SET gcp_url = ? WHERE gcp_url = ?", row.gcp_url, known[0])

    def _settle(self, sha256: str) -> None:
        """Work out what depends on all sources of a file, so that the order in which they came does not matter."""
        recompute_statuses(self._db.connection, sha256)
        leave_taken_down(self._db.connection, sha256)
        audio = self._find(AUDIO_METADATA, "sha256", sha256)
        if isinstance(audio, AudioMetadata):
            derived = derive(audio, stated_by_sources(self._db.connection, sha256))
            if derived != audio:
                self._write(derived, AUDIO_METADATA)

    def _find(self, table: TableSpec, column_name: str, value: str) -> Row | None:
        record = self._db.one(f"{SELECT[table.name]} WHERE {column_name} = ?", value)
        return None if record is None else to_row(record, table)

    def _rows(self, table: TableSpec) -> Iterator[Row]:
        statement = f"{SELECT[table.name]} WHERE {table.key} > ? ORDER BY {table.key} LIMIT {PAGE_ROWS}"
        last = ""
        while True:
            with self._db.reading():
                page = [to_row(record, table) for record in self._db.run(statement, last).fetchall()]
            if not page:
                return
            yield from page
            last = getattr(page[-1], table.key)

    def _write(self, row: Row, table: TableSpec) -> None:
        self._db.run(UPSERT[table.name], *to_record(row, table))


def _prepare(connection: sqlite3.Connection, name: str) -> None:
    try:
        _make_tables(connection, name)
    except sqlite3.DatabaseError as error:
        if code_of(error) != sqlite3.SQLITE_NOTADB:
            raise
        raise SchemaError(f"{name}: {error}; {remedy(error)}, or name another file in AUDIO_WAREHOUSE") from error
    make_durable(connection)


def _make_tables(connection: sqlite3.Connection, name: str) -> None:
    with transaction(connection):
        migrate(connection, name)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version < _KEYS_VERSION:
            rekey(connection)
        # Writing a number that is there already shows whether the file can be written to.
        connection.execute(f"PRAGMA user_version = {max(version, _KEYS_VERSION)}")
