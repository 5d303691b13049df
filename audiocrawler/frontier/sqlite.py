"""The frontier of one machine: a file that any number of crawls share, each of them of one process at a time."""

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
    # Of all crawls; a pause that is renewed gets another number.
    """CREATE TABLE IF NOT EXISTS pauses (
        number INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL UNIQUE, until REAL NOT NULL) STRICT""",
)


def locked(path: Path, identity: str) -> IO[bytes]:
    """Return the locked file that stands for this crawl in this frontier; raises LockedError if another has it."""
    folder = path.with_suffix(".locks")
    folder.mkdir(parents=True, exist_ok=True)
    lock = open_locked(folder / f"{identity}.lock")
    if lock is None:
        raise LockedError("another crawl of the same start is running; wait for its end")
    return lock


def _made(connection: sqlite3.Connection) -> None:
    prepare(connection)
    make_durable(connection)
    # A power cut may take the last exchanges back, each of them whole: what they acknowledged is only done again.
    connection.execute("PRAGMA synchronous = NORMAL")


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables that are not there."""
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
"""The priority of what waits for all others."""
_RECLAIM = """
    UPDATE requests SET leased = 0, priority = iif(starts >= ?2, ?1, priority) WHERE crawl = ?3 AND leased = 1
"""
_GIVE_BACK = "UPDATE requests SET leased = 0, starts = 0 WHERE id = ? AND crawl = ? AND leased = 1 RETURNING kind, slot"
_COUNT = "INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT (crawl, name) DO UPDATE SET value = value + excluded.value"
_PAUSE = """
    INSERT OR REPLACE INTO pauses (host, until)
    SELECT ?1, max(?2, coalesce((SELECT until FROM pauses WHERE host = ?1), 0))
"""
_PAUSES = "SELECT number, host, until - ?1 FROM pauses WHERE number > ?2 AND until > ?1 ORDER BY number"
_FORGET = ("requests", "seen", "counters")


class SqliteFrontier:
    """The frontier in a local file, which only its owner may read: it holds URLs with their secrets.

    Raises ConfigurationError if it cannot be used, LockedError if another process has this crawl.
    """

    poll_s: float | None = None
    is_shared = False
    _pauses_seen = 0

    def __init__(self, uri: str, start: Start) -> None:
        path = local_path(uri)
        otherwise = "name another file in AUDIO_FRONTIER"
        with usable(path, otherwise):
            self._lock: IO[bytes] | None = locked(path, start.identity)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives its side files the mode of this one
            self._db = Database(opened(path, _made, otherwise), path, FrontierError)
            self._open_crawl(start)

    def exchange(self, told: SyncRequest) -> SyncResponse:
        """Do all that was told in one transaction; see Frontier.exchange."""
        with self._db.changing():
            return self._exchange(told)

    def turn(self, name: str, delay_s: float) -> float:
        """Return 0: nobody else has this crawl."""
        return 0.0

    def finish(self) -> None:
        """Forget the crawl, but for its number, unless a request is left; see Frontier.finish."""
        with self._db.changing():
            if self._db.one("SELECT 1 FROM requests WHERE crawl = ? LIMIT 1", self._number):
                return
            self._db.run("UPDATE crawls SET finished_at = ? WHERE number = ?", _now(), self._number)
            self._forget(self._number)

    def close(self) -> None:
        """Close the file and let others have the crawl."""
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
            # Nobody else can have this crawl, so whatever is leased was leased to a process that is gone.
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

    def _exchange(self, told: SyncRequest) -> SyncResponse:
        try:
            answer = SyncResponse(known=[index for index, new in enumerate(told.new) if not self._put(new)])
            self._many("UPDATE requests SET starts = starts + 1 WHERE id = ? AND crawl = ?", told.started)
            self._many("DELETE FROM requests WHERE id = ? AND crawl = ?", told.done)
            for number in told.released:
                self._give_back(number)
            self._db.many(_COUNT, ((self._number, *each) for each in told.counted.items()))
            until = ((host, time.time() + pause_s) for host, pause_s in told.pauses_s.items())
            self._db.many(_PAUSE, until)
            answer.pauses_s = self._new_pauses_s()
            answer.leased = [leased for kind, limit in told.wanted.items() for leased in self._lease(kind, limit, told)]
        except BaseException:
            self._waiting = self._count_waiting()
            raise
        answer.waiting = {kind: sum(slots.values()) for kind, slots in self._waiting.items()}
        return answer

    def _put(self, new: NewRequest) -> bool:
        """Keep the request and return True, or return False because it has been kept before."""
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

    def _give_back(self, number: int) -> None:
        released = self._db.one(_GIVE_BACK, number, self._number)
        if released is not None:
            self._note(RequestClass(released[0]), released[1], 1)

    def _new_pauses_s(self) -> dict[str, float]:
        """Return what hosts have asked for, of this crawl or another one, and was not told yet."""
        paused = self._db.run(_PAUSES, time.time(), self._pauses_seen).fetchall()
        self._pauses_seen = max((number for number, *_ in paused), default=self._pauses_seen)
        return {host: pause_s for _, host, pause_s in paused}

    def _lease(self, kind: RequestClass, limit: int, told: SyncRequest) -> Iterator[Leased]:
        """Yield up to ``limit`` requests, slot after slot, those first that have waited longest for their turn."""
        for slot in list(self._waiting[kind]):
            if limit <= 0:
                return
            room = min(limit, told.per_slot - told.prefetched.get(slot, 0))
            if room <= 0:
                continue
            leased = [
                Leased(row[0], RequestClass(row[1]), *row[2:])
                for row in self._db.run(_NEXT, self._number, kind, slot, room)
            ]
            self._note(kind, slot, -len(leased))
            limit -= len(leased)
            # RETURNING has no order of its own.
            yield from sorted(leased, key=lambda each: (-each.priority, each.id))

    def _note(self, kind: RequestClass, slot: str, change: int) -> None:
        """Keep count of what waits, with the slot that was served last at the end."""
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
    """The same without a file: nothing outlasts the process."""

    def __init__(self, uri: str, start: Start) -> None:
        self._lock = None
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        prepare(connection)
        self._db = Database(connection, Path(":memory:"), FrontierError)
        self._open_crawl(start)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
