"""Create SQLite's views, and replace those of an older version."""

import logging
import sqlite3

from audiocrawler.warehouse.views import VIEWS, View, view_select

_MARK = "/* made by audiocrawler, which replaces it */"
"""Marks our views, of any version."""

logger = logging.getLogger(__name__)


def create_views(connection: sqlite3.Connection, database: str) -> None:
    """Create or replace the views within the caller's transaction; what the user has given such a name stays."""
    there = {name.lower(): statement or "" for name, statement in connection.execute(_THERE)}
    for view in VIEWS.values():
        found, wanted = there.get(view.name), create_view(view)
        if found is not None and _MARK not in found:
            logger.info(
                "%s: %s was not created by audiocrawler and stays, so the view of that name is missing",
                database,
                view.name,
            )
        elif found != wanted:
            connection.execute(f"DROP VIEW IF EXISTS {view.name}")
            connection.execute(wanted)


_THERE = "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'view', 'index')"


def create_view(view: View) -> str:
    """Return the statement that creates the view."""
    return f"CREATE VIEW {view.name} AS {_MARK}\n{view_select(view, lambda table: table.name)}"
