"""Rows of all tables in; merged into what the warehouse already holds."""

from audiocrawler.warehouse.query import Query, Tally
from audiocrawler.warehouse.warehouse import (
    FlushResult,
    Options,
    Outboxed,
    Warehouse,
    open_warehouse,
    rows_waiting,
    warehouse_class,
)

__all__ = [
    "FlushResult",
    "Options",
    "Outboxed",
    "Query",
    "Tally",
    "Warehouse",
    "open_warehouse",
    "rows_waiting",
    "warehouse_class",
]
