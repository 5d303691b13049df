"""Open SQLite files that several processes share, run transactions, and say what to do about errors."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Any

from audiocrawler.model.errors import ConfigurationError

BUSY_TIMEOUT_S = 60.0
_RETRY_S = 0.02


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection that any thread may use; creates file and folder. Raises OSError, sqlite3.Error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return sqlite3.connect(path, BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)


def opened(path: Path, prepare: Callable[[sqlite3.Connection], None], otherwise: str) -> sqlite3.Connection:
    """Return a connection to the file once ``prepare`` has created its tables.

    Raises ConfigurationError if the file cannot be used; the message ends with the alternative ``otherwise``.
    """
    with usable(path, otherwise):
        connection = connect(path)
        try:
            prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def usable(path: Path, otherwise: str) -> Iterator[None]:
    """Raise ConfigurationError if the file cannot be used; the message ends with the alternative ``otherwise``."""
    try:
        yield
    except sqlite3.Error as error:
        raise ConfigurationError(f"{path}: {error}; {remedy(error)}, or {otherwise}") from error
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; {otherwise}") from error


class Database:
    """A connection that any thread may use; errors are raised as ``error_type``, with what to do about them."""

    def __init__(self, connection: sqlite3.Connection, path: Path, error_type: type[Exception]) -> None:
        self.connection = connection
        self._path = path
        self._error_type = error_type
        self._lock = Lock()

    def run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Run a statement and return its cursor."""
        return self.connection.execute(statement, values)

    def one(self, statement: str, *values: Any) -> Any:
        """Run a statement and return its first record, None if there is none."""
        return self.connection.execute(statement, values).fetchone()

    def many(self, statement: str, records: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each of the records."""
        self.connection.executemany(statement, records)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Convert an SQLite error raised inside to ``error_type``, with the file's name."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._error_type(f"{self._path}: {error}; {remedy(error)}") from error

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Lock out other threads."""
        with self._lock, self.errors():
            yield

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Run a transaction and lock out other threads."""
        with self._lock, self.errors(), transaction(self.connection):
            yield

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self.connection.close()


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit everything that is done inside, or roll all of it back."""
    connection.execute("BEGIN IMMEDIATE")  # waits for other writers now; a later upgrade would fail at once
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def make_durable(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log and sync each commit to disk.

    SQLite does not wait for others that open the same new file, so this does.
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
            # The frontier deletes a request once its rows are committed, so a power cut must not undo the commit.
            connection.execute("PRAGMA synchronous = FULL")
            return


_REMEDIES = {
    sqlite3.SQLITE_BUSY: "end the transaction of the other program",
    sqlite3.SQLITE_FULL: "free some space",
    sqlite3.SQLITE_IOERR: "check the disk and its free space",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "make the folder writable",
    sqlite3.SQLITE_NOTADB: "move the file away",
    sqlite3.SQLITE_CORRUPT: "restore it from a backup",
}


def remedy(error: sqlite3.Error) -> str:
    """Return what the user can do about an error."""
    return _REMEDIES.get(code_of(error), "check the file")


def code_of(error: sqlite3.Error) -> int:
    """Return SQLite's primary result code."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the higher bits are details
