"""An SQLite database in; the same one with all tables, all declared columns and the indexes, or SchemaError, out."""

import re
import sqlite3
from dataclasses import dataclass

from audiocrawler.errors import SchemaError
from audiocrawler.items import TABLES, Table
from audiocrawler.warehouse.schema import (
    ACCEPTED_TYPES,
    INDEXES,
    SQL_TYPES,
    added_column,
    create_index,
    create_table,
)

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


def _columns(connection: sqlite3.Connection, table: Table) -> dict[str, _Found]:
    records = connection.execute(f"PRAGMA table_info({table.name})")
    return {
        name.lower(): _Found(re.sub(r"\s*\(.*", "", declared_type).upper(), bool(key), not_null and default is None)
        for _, name, declared_type, not_null, default, key in records
    }


def _refuse_contradictions(found: dict[str, _Found], table: Table, database: str) -> None:
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


def _refuse_foreign_columns(found: dict[str, _Found], table: Table, database: str) -> None:
    declared = {column.name for column in table.columns}
    for name in found.keys() - declared:
        if found[name].must_be_given:
            raise SchemaError(
                f"{database}: column {name} of table {table.name} is NOT NULL and not known here; give it a default"
            )


def _complete(connection: sqlite3.Connection, found: dict[str, _Found], table: Table, database: str) -> None:
    for column in table.columns:
        if column.name not in found:
            connection.execute(f"ALTER TABLE {table.name} ADD COLUMN {added_column(column)}")
    has_key = [name for name, column in found.items() if column.is_key] == [table.key]
    if not has_key:
        _create_index(connection, table, table.key, "UNIQUE", database)


def _create_index(connection: sqlite3.Connection, table: Table, column: str, unique: str, database: str) -> None:
    try:
        connection.execute(create_index(table, column, unique))
    except sqlite3.IntegrityError as error:
        raise SchemaError(
            f"{database}: table {table.name} has several rows with the same {column}; "
            f"remove all but one of each and run again"
        ) from error
