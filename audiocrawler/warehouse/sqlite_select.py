"""Select rows of a view from SQLite, through a connection that can only read."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from audiocrawler.model.errors import WarehouseError
from audiocrawler.model.rows import TABLES
from audiocrawler.model.sqlite_file import BUSY_TIMEOUT_S, code_of, remedy
from audiocrawler.warehouse.query import Query, refusal, statements_of
from audiocrawler.warehouse.rows import converted
from audiocrawler.warehouse.sqlite_schema import FROM_SQL
from audiocrawler.warehouse.views import SELECTABLE, with_views

PAGE_ROWS = 1000
TIMEOUT_S = 600.0
"""Per page of rows; the first one includes sorting."""
MAX_VALUE_BYTES = 50_000_000
"""The largest value that an expression may build; rows have smaller ones."""
_INSTRUCTIONS = 100_000
"""Instructions of SQLite's virtual machine between checks of the clock: about a tenth of a second."""

_READABLE = {*(table.name for table in TABLES), *SELECTABLE}
_NAMES = (
    "abs avg ceil ceiling char coalesce count date datetime exp floor format glob group_concat hex ifnull iif instr "
    "json json_array json_array_length json_extract json_object json_type json_valid julianday length like ln log "
    "log10 log2 lower ltrim max min mod nullif octet_length pow power printf quote replace round row_number rtrim sign "
    "sqrt strftime substr substring sum time total trim trunc typeof unicode unixepoch upper -> ->>"
)
FUNCTIONS = frozenset(_NAMES.split())
"""Functions allowed in an expression: deterministic, without side effects or file access."""
_OF_THE_EXPRESSION = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, 0}


def select(path: Path, query: Query) -> Iterator[dict[str, Any]]:
    """Yield the rows of a query, as of its start; see Warehouse.select.

    Errors in the query are raised at once, before the first row.
    """
    statements = statements_of(query, with_views(lambda table: table.name))
    clock = _Clock()
    with _explained(path, query, clock):
        connection = _limited(path, clock)
        for probe in statements.probes:
            connection.execute(f"EXPLAIN {probe}")
        cursor = connection.execute(statements.select)
    return _rows(connection, cursor, query, path, clock)


def _rows(
    connection: sqlite3.Connection, cursor: sqlite3.Cursor, query: Query, path: Path, clock: "_Clock"
) -> Iterator[dict[str, Any]]:
    names = [each[0] for each in cursor.description]
    types = [SELECTABLE[query.view].types.get(name, "") for name in names]
    try:
        while page := _page(cursor, query, path, clock):
            for record in page:
                values = map(converted, record, map(FROM_SQL.get, types))
                yield dict(zip(names, values, strict=True))
    finally:
        connection.close()


def _page(cursor: sqlite3.Cursor, query: Query, path: Path, clock: "_Clock") -> list[Any]:
    clock.start()
    with _explained(path, query, clock):
        return cursor.fetchmany(PAGE_ROWS)


class _Clock:
    """The time limit of a statement."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Restart the limit of TIMEOUT_S."""
        self._end = monotonic() + TIMEOUT_S

    def is_over(self) -> bool:
        """Return whether the time is up."""
        return monotonic() > self._end


def read_only(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Return a connection that any thread may use; it neither writes nor attaches a file. Raises sqlite3.Error."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, busy_timeout_s, isolation_level=None, check_same_thread=False, uri=True)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    return connection


def _limited(path: Path, clock: _Clock) -> sqlite3.Connection:
    connection = read_only(path, BUSY_TIMEOUT_S)
    connection.set_progress_handler(clock.is_over, _INSTRUCTIONS)
    connection.set_authorizer(_authorized)
    return connection


def _authorized(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Return whether a statement may do this; see https://sqlite.org/c3ref/set_authorizer.html."""
    is_allowed = (
        action == sqlite3.SQLITE_SELECT
        or (action == sqlite3.SQLITE_READ and first in _READABLE)
        or (action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FUNCTIONS)
    )
    return sqlite3.SQLITE_OK if is_allowed else sqlite3.SQLITE_DENY


@contextmanager
def _explained(path: Path, query: Query, clock: _Clock) -> Iterator[None]:
    """Convert SQLite's errors: those of the expression to ConfigurationError, those of the file to WarehouseError.

    Python's module raises a Warning for two statements in one.
    """
    try:
        yield
    except (sqlite3.Warning, UnicodeEncodeError) as error:
        raise refusal(query, error) from error
    except sqlite3.Error as error:
        if code_of(error) == sqlite3.SQLITE_INTERRUPT and clock.is_over():
            raise refusal(query, f"took longer than {TIMEOUT_S:g} s") from error
        if query.where and code_of(error) in _OF_THE_EXPRESSION:
            raise refusal(query, error) from error
        raise WarehouseError(f"{path}: {error}; {remedy(error)}") from error
