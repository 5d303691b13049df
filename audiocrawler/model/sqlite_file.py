"""A path in; an SQLite connection that waits for others, its transactions, and what to do about its errors, out."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

BUSY_TIMEOUT_S = 60.0
_RETRY_S = 0.02


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection to the file for any thread; it is made with its folder. Raises OSError, sqlite3.Error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return sqlite3.connect(path, BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)


@contextmanager
def errors_as(error_type: type[Exception], path: Path) -> Iterator[None]:
    """Raise an SQLite error that happens inside as one of ``error_type``: it names the file, and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise error_type(f"{path}: {error}; {remedy(error)}") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what is done inside, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")  # waits for other writers now; a later upgrade would fail at once
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def make_durable(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log, each commit of which reaches the disk.

    SQLite does not wait for the others that open a new file, so this does.
    """
    deadline = monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if code_of(error) != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            sleep(_RETRY_S)
        else:
            # The frontier forgets a request once its rows are committed, so a power cut must not take them back.
            connection.execute("PRAGMA synchronous = FULL")
            return


_REMEDIES = {
    sqlite3.SQLITE_BUSY: "another program holds it; end that program's transaction",
    sqlite3.SQLITE_FULL: "free some space",
    sqlite3.SQLITE_IOERR: "check the disk and its free space",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "make the folder writable",
    sqlite3.SQLITE_NOTADB: "move the file away",
    sqlite3.SQLITE_CORRUPT: "restore it from a copy",
}


def remedy(error: sqlite3.Error) -> str:
    """Return what the user can do about the error."""
    return _REMEDIES.get(code_of(error), "check the file")


def code_of(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest are details of the same error
