"""The frontier in a SQLite file, shared by any number of crawls with one process each."""

import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from audiocrawler.frontier.frontier import (
    SUSPECT_DELIVERIES,
    Leased,
    NewRequest,
    OpenCrawl,
    RequestClass,
    Start,
    SyncRequest,
    SyncResponse,
)
from audiocrawler.model.errors import FrontierError, LockedError
from audiocrawler.model.locks import open_locked
from audiocrawler.model.sqlite_file import Database, make_durable, opened, transaction, usable
from audiocrawler.model.uris import local_path

_TABLES = (
    """CREATE TABLE IF NOT EXISTS crawls (
        number INTEGER PRIMARY KEY, identity TEXT NOT NULL, generation INTEGER NOT NULL, crawl_id TEXT NOT NULL,
        started_at TEXT NOT NULL, finished_at TEXT, UNIQUE (identity, generation)) STRICT""",
    """CREATE TABLE IF NOT EXISTS requests (
        id INTEGER PRIMARY KEY AUTOINCREMENT, crawl INTEGER NOT NULL, kind TEXT NOT NULL, slot TEXT NOT NULL,
        priority INTEGER NOT NULL, leased INTEGER NOT NULL, starts INTEGER NOT NULL, body TEXT NOT NULL) STRICT""",
    "CREATE INDEX IF NOT EXISTS requests_next ON requests (crawl, leased, kind, slot, priority DESC, id)",
    """CREATE TABLE IF NOT EXISTS seen (
        crawl INTEGER NOT NULL, fingerprint BLOB NOT NULL, PRIMARY KEY (crawl, fingerprint)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS counters (
        crawl INTEGER NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL,
        PRIMARY KEY (crawl, name)) STRICT, WITHOUT ROWID""",
    # Shared by all crawls; a renewed pause gets a new number.
    """CREATE TABLE IF NOT EXISTS pauses (
        number INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL UNIQUE, until REAL NOT NULL) STRICT""",
)


def locked(path: Path, identity: str) -> IO[bytes]:
    """Return the lock file of this crawl; raises LockedError if another process has it."""
    folder = path.with_suffix(".locks")
    folder.mkdir(parents=True, exist_ok=True)
    lock = open_locked(folder / f"{identity}.lock")
    if lock is None:
        raise LockedError("another crawl of the same start is running; wait for its end")
    return lock


def _made(connection: sqlite3.Connection) -> None:
    prepare(connection)
    make_durable(connection)
    # A power cut may undo the last exchanges, each completely: what they acknowledged is only repeated.
    connection.execute("PRAGMA synchronous = NORMAL")


def prepare(connection: sqlite3.Connection) -> None:
    """Create missing tables."""
    connection.execute("PRAGMA secure_delete = ON")  # URLs with their secrets do not stay in freed pages
    with transaction(connection):
        for statement in _TABLES:
            connection.execute(statement)


_NEXT = """
    UPDATE requests SET leased = 1 WHERE id IN (
        SELECT id FROM requests WHERE crawl = ? AND leased = 0 AND kind = ? AND slot = ?
        ORDER BY priority DESC, id LIMIT ?)
    RETURNING id, kind, slot, priority, body, starts
"""
_LAST = -1_000_000
"""The priority of requests that are deferred until all others are done."""
_RECLAIM = """
    UPDATE requests SET leased = 0, priority = iif(starts >= ?2, ?1, priority) WHERE crawl = ?3 AND leased = 1
"""
_RELEASE = "UPDATE requests SET leased = 0, starts = 0 WHERE id = ? AND crawl = ? AND leased = 1 RETURNING kind, slot"
_COUNT = "INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT (crawl, name) DO UPDATE SET value = value + excluded.value"
_PAUSE = """
    INSERT OR REPLACE INTO pauses (host, until)
    SELECT ?1, max(?2, coalesce((SELECT until FROM pauses WHERE host = ?1), 0))
"""
_PAUSES = "SELECT number, host, until - ?1 FROM pauses WHERE number > ?2 AND until > ?1 ORDER BY number"
_FORGET = ("requests", "seen", "counters")


class SqliteFrontier:
    """The frontier in a local file, readable only by its owner because its URLs contain secrets.

    Raises ConfigurationError if it cannot be used, LockedError if another process has this crawl.
    """

    poll_s: float | None = None
    is_shared = False
    _pauses_seen = 0

    def __init__(self, uri: str, start: Start) -> None:
        path = local_path(uri)
        otherwise = "set AUDIO_FRONTIER to another file"
        with usable(path, otherwise):
            self._lock: IO[bytes] | None = locked(path, start.identity)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite's side files inherit the mode
            self._db = Database(opened(path, _made, otherwise), path, FrontierError)
            self._open_crawl(start)

    def exchange(self, report: SyncRequest) -> SyncResponse:
        """Apply the report in one transaction; see Frontier.exchange."""
        with self._db.changing():
            return self._exchange(report)

    def turn(self, name: str, delay_s: float) -> float:
        """Return 0: no other process has this crawl."""
        return 0.0

    def finish(self) -> None:
        """Delete the crawl, except for its number, unless a request is left; see Frontier.finish."""
        with self._db.changing():
            if self._db.one("SELECT 1 FROM requests WHERE crawl = ? LIMIT 1", self._number):
                return
            self._db.run("UPDATE crawls SET finished_at = ? WHERE number = ?", _now(), self._number)
            self._forget(self._number)

    def close(self) -> None:
        """Close the file and unlock the crawl."""
        self._db.close()
        if self._lock is not None:
            self._lock.close()

    def _open_crawl(self, start: Start) -> None:
        with transaction(self._db.connection):
            found = self._db.one(
                "SELECT number, generation, crawl_id, started_at, finished_at FROM crawls WHERE identity = ?"
                " ORDER BY generation DESC LIMIT 1",
                start.identity,
            )
            is_resumed = found is not None and not start.fresh and found[4] is None
            if not is_resumed:
                if found is not None:
                    self._forget(found[0])
                found = self._new_crawl(start, found[1] + 1 if found else 1)
            self._number = found[0]
            # No other process can have this crawl, so whatever is leased was leased to one that has ended.
            self._db.run(_RECLAIM, _LAST, SUSPECT_DELIVERIES, self._number)
            self._waiting = self._count_waiting()
            self._db.run("DELETE FROM pauses WHERE until <= ?", time.time())
        self.crawl = OpenCrawl(
            crawl_id=found[2],
            generation=found[1],
            started_at=datetime.fromisoformat(found[3]),
            is_resumed=is_resumed,
            waiting=sum(map(sum, (each.values() for each in self._waiting.values()))),
            counted=dict(self._db.run("SELECT name, value FROM counters WHERE crawl = ?", self._number).fetchall()),
        )

    def _new_crawl(self, start: Start, generation: int) -> Any:
        return self._db.one(
            "INSERT INTO crawls (identity, generation, crawl_id, started_at) VALUES (?, ?, ?, ?)"
            " RETURNING number, generation, crawl_id, started_at",
            start.identity,
            generation,
            start.crawl_id,
            _now(),
        )

    def _exchange(self, report: SyncRequest) -> SyncResponse:
        try:
            answer = SyncResponse(known=[index for index, new in enumerate(report.new) if not self._put(new)])
            self._many("UPDATE requests SET starts = starts + 1 WHERE id = ? AND crawl = ?", report.started)
            self._many("DELETE FROM requests WHERE id = ? AND crawl = ?", report.done)
            for number in report.released:
                self._release(number)
            self._db.many(_COUNT, ((self._number, *each) for each in report.counted.items()))
            until = ((host, time.time() + pause_s) for host, pause_s in report.pauses_s.items())
            self._db.many(_PAUSE, until)
            answer.pauses_s = self._new_pauses_s()
            answer.leased = [
                leased for kind, limit in report.wanted.items() for leased in self._lease(kind, limit, report)
            ]
        except BaseException:
            self._waiting = self._count_waiting()
            raise
        answer.waiting = {kind: sum(slots.values()) for kind, slots in self._waiting.items()}
        return answer

    def _put(self, new: NewRequest) -> bool:
        """Store the request and return True; return False if it is a duplicate."""
        if new.fingerprint is not None:
            seen = self._db.run("INSERT OR IGNORE INTO seen VALUES (?, ?)", self._number, new.fingerprint)
            if not seen.rowcount:
                return False
        self._db.run(
            "INSERT INTO requests (crawl, kind, slot, priority, leased, starts, body) VALUES (?, ?, ?, ?, 0, 0, ?)",
            *(self._number, new.kind, new.slot, new.priority, new.body),
        )
        self._note(new.kind, new.slot, 1)
        return True

    def _release(self, number: int) -> None:
        released = self._db.one(_RELEASE, number, self._number)
        if released is not None:
            self._note(RequestClass(released[0]), released[1], 1)

    def _new_pauses_s(self) -> dict[str, float]:
        """Return the hosts' pauses, from any crawl, that were not returned yet."""
        paused = self._db.run(_PAUSES, time.time(), self._pauses_seen).fetchall()
        self._pauses_seen = max((number for number, *_ in paused), default=self._pauses_seen)
        return {host: pause_s for _, host, pause_s in paused}

    def _lease(self, kind: RequestClass, limit: int, report: SyncRequest) -> Iterator[Leased]:
        """Lease and yield up to ``limit`` requests, slot by slot, the least recently served slot first."""
        for slot in list(self._waiting[kind]):
            if limit <= 0:
                return
            room = min(limit, report.per_slot - report.prefetched.get(slot, 0))
            if room <= 0:
                continue
            leased = [
                Leased(row[0], RequestClass(row[1]), *row[2:])
                for row in self._db.run(_NEXT, self._number, kind, slot, room)
            ]
            self._note(kind, slot, -len(leased))
            limit -= len(leased)
            # RETURNING has no defined order.
            yield from sorted(leased, key=lambda each: (-each.priority, each.id))

    def _note(self, kind: RequestClass, slot: str, change: int) -> None:
        """Update the number of pending requests; the slot served last goes to the end."""
        slots = self._waiting[kind]
        waiting = slots.get(slot, 0) + change
        if change < 0:
            del slots[slot]
        if waiting:
            slots[slot] = waiting

    def _count_waiting(self) -> dict[RequestClass, dict[str, int]]:
        waiting: dict[RequestClass, dict[str, int]] = {kind: {} for kind in RequestClass}
        statement = "SELECT kind, slot, count(*) FROM requests WHERE crawl = ? AND leased = 0 GROUP BY kind, slot"
        for kind, slot, count in self._db.run(statement, self._number):
            waiting[RequestClass(kind)][slot] = count
        return waiting

    def _forget(self, number: int) -> None:
        for table in _FORGET:
            self._db.run(f"DELETE FROM {table} WHERE crawl = ?", number)  # noqa: S608 - one of our tables

    def _many(self, statement: str, numbers: list[int]) -> None:
        self._db.many(statement, ((number, self._number) for number in numbers))


class MemoryFrontier(SqliteFrontier):
    """The frontier in memory, which ends with the process."""

    def __init__(self, uri: str, start: Start) -> None:
        self._lock = None
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        prepare(connection)
        self._db = Database(connection, Path(":memory:"), FrontierError)
        self._open_crawl(start)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
