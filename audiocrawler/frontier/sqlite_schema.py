"""A path in; the file of a frontier, with its tables, and the lock of a crawl in it, out."""

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import IO

from audiocrawler.errors import LockedError
from audiocrawler.sqlite_file import connect, make_durable, transaction

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
    lock = (folder / f"{identity}.lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise LockedError("another crawl of the same start is running; wait for its end") from error
    return lock


def opened(path: Path) -> sqlite3.Connection:
    """Return a connection to the file, which is made if it is not there; raises OSError, sqlite3.Error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives its side files the mode of this one
    connection = connect(path)
    try:
        prepare(connection)
        make_durable(connection)
        # A power cut may take the last exchanges back, each of them whole: what they acknowledged is only done again.
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables that are not there."""
    connection.execute("PRAGMA secure_delete = ON")  # URLs with their secrets do not stay in freed pages
    with transaction(connection):
        for statement in _TABLES:
            connection.execute(statement)
