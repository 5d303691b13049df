"""SQLite's tables: types and statements from the declared columns, and older databases brought up to date."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audiocrawler.model.errors import SchemaError
from audiocrawler.model.rows import AUDIO_METADATA, AUDIO_SOURCES, TABLES, Column, Row, TableSpec
from audiocrawler.warehouse.rows import converted, time_to_text

SQL_TYPES = {
    "STRING": "TEXT",
    "INTEGER": "INTEGER",
    "FLOAT": "REAL",
    "BOOLEAN": "INTEGER",
    "TIMESTAMP": "TEXT",
    "BYTES": "BLOB",
    "JSON": "TEXT",
}

ACCEPTED_TYPES = {
    "TEXT": {"TEXT", "STRING", "VARCHAR", "CHAR", "NVARCHAR", "CHARACTER VARYING", "CLOB", "JSON", "TIMESTAMP", ""},
    "INTEGER": {"INTEGER", "INT", "INT64", "BIGINT", "INT8", "SMALLINT", "BOOLEAN", "BOOL"},
    "REAL": {"REAL", "FLOAT", "FLOAT64", "DOUBLE", "DOUBLE PRECISION", "NUMERIC", "DECIMAL"},
    "BLOB": {"BLOB", "BYTES", "BINARY", "VARBINARY"},
}
"""Our type -> the declared types of other people's tables that hold the same values."""

INDEXES = (
    (AUDIO_METADATA, "sha256", "UNIQUE"),
    (AUDIO_SOURCES, "sha256", ""),
    (AUDIO_SOURCES, "site", ""),
    (AUDIO_SOURCES, "guid", ""),
    (AUDIO_SOURCES, "url_pattern", ""),
    (AUDIO_SOURCES, "status", ""),
)


def create_table(table: TableSpec) -> str:
    """Return the statement that creates the table; STRICT refuses values of another type."""
    return f"CREATE TABLE {table.name} ({', '.join(_definition(column, table) for column in table.columns)}) STRICT"


def _definition(column: Column, table: TableSpec) -> str:
    required = " NOT NULL" if column.mode == "REQUIRED" else ""
    return added_column(column) + required + (" PRIMARY KEY" if column.name == table.key else "")


def added_column(column: Column) -> str:
    """Return the definition of a column that may be added to a table with rows in it."""
    return f"{column.name} {SQL_TYPES[column.type]}"


def create_index(table: TableSpec, column_name: str, unique: str) -> str:
    """Return the statement that creates an index if it is not there."""
    return f"CREATE {unique} INDEX IF NOT EXISTS {table.name}_{column_name} ON {table.name} ({column_name})"


def _names(table: TableSpec) -> list[str]:
    return [column.name for column in table.columns]


def _select(table: TableSpec) -> str:
    return f"SELECT {', '.join(_names(table))} FROM {table.name}"  # noqa: S608 - the names are declared


def _upsert(table: TableSpec) -> str:
    key, places = table.key, ", ".join("?" * len(table.columns))
    changes = ", ".join(f"{name} = excluded.{name}" for name in _names(table) if name != key)
    return (
        f"INSERT INTO {table.name} ({', '.join(_names(table))}) VALUES ({places}) "  # noqa: S608 - the same
        f"ON CONFLICT ({key}) DO UPDATE SET {changes}"
    )


SELECT = {table.name: _select(table) for table in TABLES}
"""Table name -> the statement that reads all declared columns, but for its WHERE."""

UPSERT = {table.name: _upsert(table) for table in TABLES}
"""Table name -> the statement that writes a whole row; columns that are not ours keep their values."""


def to_record(row: Row, table: TableSpec) -> list[Any]:
    """Return the values of ``row`` as SQLite takes them, in the order of the columns."""
    return [converted(getattr(row, column.name), _TO_SQL.get(column.type)) for column in table.columns]


def to_row(record: Iterable[Any], table: TableSpec) -> Row:
    """Return the row that a record of all columns stands for."""
    pairs = zip(table.columns, record, strict=True)
    return table.row_type(**{column.name: converted(value, FROM_SQL.get(column.type)) for column, value in pairs})


_TO_SQL: dict[str, Callable[[Any], Any]] = {
    "BOOLEAN": int,
    "TIMESTAMP": lambda time: time_to_text(time).replace("+00:00", "Z"),
    "JSON": lambda texts: json.dumps(texts, ensure_ascii=False, sort_keys=True),
}
FROM_SQL: dict[str, Callable[[Any], Any]] = {
    "STRING": str,  # a table of other people's may have made a number of it
    "FLOAT": float,
    "BOOLEAN": bool,
    "TIMESTAMP": datetime.fromisoformat,
    "JSON": json.loads,
}
"""Type of a column -> what makes a value of what SQLite gives, where that is not one."""


_REMEDY = "point AUDIO_WAREHOUSE at another file or rename that table"


@dataclass(slots=True, frozen=True)
class _Found:
    """A column of a table that was there before."""

    type: str
    is_key: bool
    must_be_given: bool


def migrate(connection: sqlite3.Connection, database: str) -> None:
    """Create what is missing, within the caller's transaction; rows that are there are kept.

    Raises SchemaError, which begins with the name of the ``database``, where a table contradicts ours.
    """
    for table in TABLES:
        found = _columns(connection, table)
        if not found:
            connection.execute(create_table(table))
        else:
            _refuse_contradictions(found, table, database)
            _complete(connection, found, table, database)
    for table, column_name, unique in INDEXES:
        _create_index(connection, table, column_name, unique, database)


def _columns(connection: sqlite3.Connection, table: TableSpec) -> dict[str, _Found]:
    records = connection.execute(f"PRAGMA table_info({table.name})")
    return {
        name.lower(): _Found(re.sub(r"\s*\(.*", "", declared_type).upper(), bool(key), not_null and default is None)
        for _, name, declared_type, not_null, default, key in records
    }


def _refuse_contradictions(found: dict[str, _Found], table: TableSpec, database: str) -> None:
    if table.key not in found:
        raise SchemaError(f"{database}: table {table.name} has no column {table.key}; {_REMEDY}")
    for column in table.columns:
        expected = SQL_TYPES[column.type]
        actual = found[column.name].type if column.name in found else expected
        if actual not in ACCEPTED_TYPES[expected]:
            raise SchemaError(
                f"{database}: column {column.name} of table {table.name} is {actual or 'of no type'}, not {expected}; "
                f"{_REMEDY}"
            )
    _refuse_foreign_columns(found, table, database)


def _refuse_foreign_columns(found: dict[str, _Found], table: TableSpec, database: str) -> None:
    declared = {column.name for column in table.columns}
    for name in found.keys() - declared:
        if found[name].must_be_given:
            raise SchemaError(
                f"{database}: column {name} of table {table.name} is NOT NULL and not known here; give it a default"
            )


def _complete(connection: sqlite3.Connection, found: dict[str, _Found], table: TableSpec, database: str) -> None:
    for column in table.columns:
        if column.name not in found:
            connection.execute(f"ALTER TABLE {table.name} ADD COLUMN {added_column(column)}")
    has_key = [name for name, column in found.items() if column.is_key] == [table.key]
    if not has_key:
        _create_index(connection, table, table.key, "UNIQUE", database)


def _create_index(connection: sqlite3.Connection, table: TableSpec, column: str, unique: str, database: str) -> None:
    try:
        connection.execute(create_index(table, column, unique))
    except sqlite3.IntegrityError as error:
        raise SchemaError(
            f"{database}: table {table.name} has several rows with the same {column}; "
            f"remove all but one of each and run again"
        ) from error
