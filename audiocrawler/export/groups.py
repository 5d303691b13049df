"""Rows and what ties them together in; the groups that must not be divided between splits out."""

import sqlite3
from array import array
from collections.abc import Iterable

_SCHEMA = """
    CREATE TABLE keys (key TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID;
    CREATE TABLE roots (number INTEGER PRIMARY KEY, name TEXT);
"""


class Groups:
    """Rows by their numbers from 0 on: two that share a key, or each share one with a third, are of one group.

    What grows with the collection is on disk, but for 8 bytes a row.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._parents = array("q")
        connection.executescript(_SCHEMA)

    def add(self, keys: Iterable[str]) -> None:
        """Add the next row."""
        number = len(self._parents)
        self._parents.append(number)
        for key in keys:
            self._connection.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", (key, number))
            (first,) = self._connection.execute("SELECT number FROM keys WHERE key = ?", (key,)).fetchone()
            self._parents[self.root(number)] = self.root(first)

    def root(self, number: int) -> int:
        """Return the row that stands for the group of this one."""
        parents = self._parents
        while parents[number] != number:
            parents[number] = number = parents[parents[number]]
        return number

    def propose(self, number: int, name: str) -> None:
        """Name the group of a row after it, unless a smaller name is proposed; all rows must have been added."""
        self._connection.execute(
            "INSERT INTO roots VALUES (?, ?) ON CONFLICT DO UPDATE SET name = min(name, excluded.name)",
            (self.root(number), name),
        )

    def name(self, number: int) -> str:
        """Return the name of the group of a row."""
        query = "SELECT name FROM roots WHERE number = ?"
        return str(self._connection.execute(query, (self.root(number),)).fetchone()[0])
