"""The database as Datasette reads it: through connections that see what a crawl writes and can change nothing."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasette.database import Database

from audiocrawler.browse.about import in_order
from audiocrawler.browse.objects import Found
from audiocrawler.warehouse.sqlite_select import read_only

BUSY_TIMEOUT_S = 5.0
KEYS_OF_VIEWS = {"files": ["sha256"]}


class ReadOnlyDatabase(Database):  # type: ignore[misc]
    """A file that is opened for reading only; anything else is refused before SQLite is asked."""

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """Return a new connection."""
        if write:
            raise sqlite3.OperationalError("nothing can be changed here")
        connection = read_only(Path(self.path), BUSY_TIMEOUT_S)
        connection.execute("PRAGMA query_only = 1")
        self._all_file_connections.append(connection)
        return connection

    async def execute(self, sql: str, params: Any = None, *args: Any, **options: Any) -> Any:
        """Run a statement; its page tells what is wrong with it, and the terminal stays quiet."""
        return await super().execute(sql, params, *args, **{**options, "log_sql_errors": False})

    async def table_columns(self, table: str) -> Sequence[str]:
        """Return the columns in the order in which pages show them."""
        return in_order(table, await super().table_columns(table))

    async def primary_keys(self, table: str) -> Sequence[str]:
        """Return the keys; without one a view has neither pages of its rows nor, where it has blobs, CSV."""
        return KEYS_OF_VIEWS.get(table) or await super().primary_keys(table)

    async def get_all_foreign_keys(self) -> dict[str, Any]:
        """Return the foreign keys of all that has rows with pages."""
        return {
            **{name: {"incoming": [], "outgoing": []} for name in KEYS_OF_VIEWS},
            **await super().get_all_foreign_keys(),
        }

    async def find(self, sha256: str) -> Found | None:
        """Return what is known of the object with this hash."""
        statement = "SELECT gcp_url, content_type, file_name FROM audio_metadata WHERE sha256 = ?"
        record = (await self.execute(statement, [sha256])).first()
        return Found(*record) if record else None
