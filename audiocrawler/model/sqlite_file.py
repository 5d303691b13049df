"""A path in; an SQLite database that waits for others, its transactions, and what to do about its errors, out."""

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
    """Return a connection to the file for any thread; it is made with its folder. Raises OSError, sqlite3.Error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return sqlite3.connect(path, BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)


def opened(path: Path, prepare: Callable[[sqlite3.Connection], None], otherwise: str) -> sqlite3.Connection:
    """Return a connection to the file once ``prepare`` has made its tables.

    Raises ConfigurationError, which says what to do or do ``otherwise``, if the file cannot be used.
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
    """Raise ConfigurationError, which says what to do or do ``otherwise``, where the file proves not to be usable."""
    try:
        yield
    except sqlite3.Error as error:
        raise ConfigurationError(f"{path}: {error}; {remedy(error)}, or {otherwise}") from error
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; {otherwise}") from error


class Database:
    """A connection that any thread may use; what goes wrong is raised as ``error_type``, with what to do about it."""

    def __init__(self, connection: sqlite3.Connection, path: Path, error_type: type[Exception]) -> None:
        self.connection = connection
        self._path = path
        self._error_type = error_type
        self._lock = Lock()

    def run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Return what a statement gives."""
        return self.connection.execute(statement, values)

    def one(self, statement: str, *values: Any) -> Any:
        """Return the first record that a statement gives, None if there is none."""
        return self.connection.execute(statement, values).fetchone()

    def many(self, statement: str, records: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each of the records."""
        self.connection.executemany(statement, records)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise an error of SQLite's that happens inside as one of ours, with the file's name."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._error_type(f"{self._path}: {error}; {remedy(error)}") from error

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep other threads out of what is done inside."""
        with self._lock, self.errors():
            yield

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Commit what is done inside, or nothing of it, and keep other threads out."""
        with self._lock, self.errors(), transaction(self.connection):
            yield

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self.connection.close()


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
