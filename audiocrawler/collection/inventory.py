"""Inventory of a store and a warehouse, and the problems where the two disagree."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Self, TypeVar

from audiocrawler.model.errors import ConfigurationError, WarehouseError
from audiocrawler.model.marks import mark_of
from audiocrawler.model.rows import AudioCrawl, AudioMetadata, AudioSource
from audiocrawler.model.sqlite_file import Database
from audiocrawler.model.statuses import Trait, quoted
from audiocrawler.model.texts import OBJECT, stored_texts
from audiocrawler.storage import StoredObject


def require_present(path: Path | None, uri: str, option: str) -> None:
    """Raise ConfigurationError if the ``path`` of ``uri``, given by ``option``, does not exist.

    Opening it would create it, and an empty collection has no problems.
    """
    if path is not None and not path.exists():
        raise ConfigurationError(f"{option} {uri}: {path} not found; run this where the crawl ran")


T = TypeVar("T")
R = TypeVar("R")


def in_parallel(work: Callable[[T], R], inputs: Iterable[T], threads: int) -> Iterator[R]:
    """Yield what ``work`` returns for each input, in order of completion; raise what it raises.

    When the caller stops early, running work is finished and no more is started.
    """
    pool = ThreadPoolExecutor(threads)
    running: set[Future[R]] = set()
    try:
        for each in inputs:
            running.add(pool.submit(work, each))
            if len(running) >= 2 * threads:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        yield from (future.result() for future in as_completed(running))
    finally:
        pool.shutdown(cancel_futures=True)


_AT_A_TIME = 1000
SHOWN = 20
"""Cases that are listed; the others are only counted."""


@dataclass(slots=True)
class Problem:
    """A kind of problem: its name, the number of cases, and a line for each of the first ones."""

    name: str
    number: int = 0
    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Count a case, and keep its line if it is one of the first."""
        self.number += 1
        if len(self.lines) < SHOWN:
            self.lines.append(line)

    def text(self) -> str:
        """Return a heading with the number of cases, and the lines below it."""
        more = [f"and {self.number - len(self.lines)} more"] if self.number > len(self.lines) else []
        return "\n  ".join([f"{self.name}: {self.number}", *self.lines, *more])


_SCHEMA = """
    CREATE TABLE objects (url TEXT PRIMARY KEY, size_bytes INTEGER, sha256 TEXT) WITHOUT ROWID;
    CREATE TABLE audio (url TEXT PRIMARY KEY, size_bytes INTEGER, sha256 TEXT) WITHOUT ROWID;
    CREATE TABLE sources (url TEXT PRIMARY KEY, object_url TEXT, sha256 TEXT, status TEXT, marked TEXT) WITHOUT ROWID;
    CREATE TABLE texts (url TEXT PRIMARY KEY, sha256 TEXT, of TEXT) WITHOUT ROWID;
    CREATE TABLE crawls (url TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE INDEX audio_sha256 ON audio (sha256);
"""
_JOINED = "FROM audio JOIN objects ON objects.url = audio.url"

PROBLEMS = {
    "object missing": "SELECT url FROM audio WHERE url NOT IN (SELECT url FROM objects)",
    "wrong size": f"""
        SELECT audio.url || ': ' || objects.size_bytes || ' bytes, not ' || audio.size_bytes {_JOINED}
        WHERE audio.size_bytes <> objects.size_bytes""",
    "wrong hash": """
        SELECT url || ': holds ' || sha256 FROM objects WHERE instr(url, sha256) = 0
        UNION ALL SELECT url || ': its row says ' || sha256 FROM audio WHERE instr(url, sha256) = 0""",
    "transcript or chapters missing": """
        SELECT url || ': of ' || of FROM texts WHERE url NOT IN (SELECT url FROM objects)""",
    "object without a row": """
        SELECT url FROM objects WHERE url NOT IN (SELECT url FROM audio) AND url NOT IN (SELECT url FROM texts)""",
    "source without its audio row": f"""
        SELECT url || ': ' || status FROM sources
        WHERE status IN ({quoted(Trait.STORED)}) AND NOT EXISTS (
            SELECT * FROM audio WHERE audio.sha256 = sources.sha256 OR audio.url = sources.object_url)""",  # noqa: S608 - statuses of ours
    "source to be fetched again": "SELECT url || ': ' || marked FROM sources WHERE marked IS NOT NULL",
}
"""Problem -> the query that lists its cases. An object's URL ends with its hash."""


class Inventory:
    """What a collection contains, in a temporary SQLite database, so that memory does not grow with it."""

    def __init__(self) -> None:
        self._database = Database(sqlite3.connect(""), Path("the inventory"), WarehouseError)
        self._database.connection.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add_objects(self, objects: Iterable[StoredObject]) -> None:
        """Record objects, replacing what was known of them."""
        records = ((each.url, each.size_bytes, each.sha256) for each in objects)
        self._database.many("INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", records)

    def add_audio(self, rows: Iterable[AudioMetadata]) -> None:
        """Record rows of audio_metadata."""
        records = ((row.gcp_url, row.size_bytes, row.sha256) for row in rows)
        self._database.many("INSERT OR REPLACE INTO audio VALUES (?, ?, ?)", records)

    def add_sources(self, rows: Iterable[AudioSource]) -> None:
        """Record rows of audio_sources, and the texts that they name."""
        remaining = iter(rows)
        while batch := list(islice(remaining, _AT_A_TIME)):
            records = ((row.source_url, row.gcp_url, row.sha256, row.status, mark_of(row)) for row in batch)
            self._database.many("INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?)", records)
            texts = ((each[OBJECT], each.get("sha256"), row.source_url) for row in batch for each in stored_texts(row))
            self._database.many("INSERT OR REPLACE INTO texts VALUES (?, ?, ?)", texts)

    def add_crawls(self, rows: Iterable[AudioCrawl]) -> None:
        """Record rows of audio_crawls."""
        self._database.many("INSERT OR REPLACE INTO crawls VALUES (?)", ((row.crawl_id,) for row in rows))

    def set_hash(self, url: str, sha256: str) -> None:
        """Record the actual hash of an object's bytes."""
        self._database.run("UPDATE objects SET sha256 = ? WHERE url = ?", sha256, url)

    def has_object(self, url: str, size_bytes: int | None = None) -> bool:
        """Return whether the object exists, with this size if one is given."""
        return self._has("objects", url, "AND size_bytes = coalesce(?, size_bytes)", size_bytes)

    def has_audio(self, url: str) -> bool:
        """Return whether audio_metadata has a row with this gcp_url."""
        return self._has("audio", url)

    def has_source(self, url: str) -> bool:
        """Return whether audio_sources has a row with this source_url."""
        return self._has("sources", url)

    def has_crawl(self, crawl_id: str) -> bool:
        """Return whether audio_crawls has a row with this crawl_id."""
        return self._has("crawls", crawl_id)

    def object_urls(self) -> Iterator[str]:
        """Yield the URLs of all objects; the objects may be changed meanwhile."""
        last = ""
        while record := self._database.one("SELECT min(url) FROM objects WHERE url > ?", last)[0]:
            yield (last := record)

    def damaged(self) -> set[str]:
        """Return the hashes of files whose objects are missing or, if they were read, have other bytes."""
        found = self._database.run(
            """SELECT audio.sha256 FROM audio LEFT JOIN objects ON objects.url = audio.url
            WHERE objects.url IS NULL OR audio.size_bytes <> objects.size_bytes
                OR instr(objects.url, objects.sha256) = 0"""
        )
        return {sha256 for (sha256,) in found if sha256}

    def damaged_texts(self) -> set[str]:
        """Return the hashes of transcripts and chapters whose objects have other bytes, if they were read."""
        found = self._database.run(
            """SELECT texts.sha256 FROM texts JOIN objects ON objects.url = texts.url
            WHERE objects.sha256 <> texts.sha256"""
        )
        return {sha256 for (sha256,) in found if sha256}

    def objects_of(self, sha256: str) -> list[str]:
        """Return the URLs of the objects named by this hash."""
        found = self._database.run("SELECT url FROM objects WHERE instr(url, '/' || ? || '.')", sha256)
        return [url for (url,) in found]

    def count(self, table: str) -> int:
        """Return the number of ``objects``, ``audio`` or ``sources``."""
        return int(self._database.one(f"SELECT count(*) FROM {table}")[0])  # noqa: S608 - one of our tables

    def object_bytes(self) -> int:
        """Return the total size of all objects in bytes."""
        return int(self._database.one("SELECT coalesce(sum(size_bytes), 0) FROM objects")[0])

    def problems(self, name: str, limit: int) -> tuple[int, list[str]]:
        """Return the number of cases of a problem in PROBLEMS, and a line for each of the first ``limit``."""
        (number,) = self._database.one(f"SELECT count(*) FROM ({PROBLEMS[name]})")  # noqa: S608 - one of our queries
        records = self._database.run(f"{PROBLEMS[name]} ORDER BY 1 LIMIT ?", limit)
        return int(number), [line for (line,) in records]

    def _has(self, table: str, url: str, condition: str = "", *values: int | None) -> bool:
        statement = f"SELECT 1 FROM {table} WHERE url = ? {condition}"  # noqa: S608 - one of our tables
        return self._database.one(statement, url, *values) is not None
