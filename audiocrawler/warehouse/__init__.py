"""Warehouses, which merge rows into the tables."""

from audiocrawler.warehouse.query import Query, Tally
from audiocrawler.warehouse.warehouse import (
    FlushResult,
    Options,
    Outboxed,
    Warehouse,
    count_pending,
    open_warehouse,
    warehouse_class,
)

__all__ = [
    "FlushResult",
    "Options",
    "Outboxed",
    "Query",
    "Tally",
    "Warehouse",
    "count_pending",
    "open_warehouse",
    "warehouse_class",
]
