"""Rows of all tables in; merged into what the warehouse already holds."""

from audiocrawler.warehouse.warehouse import FlushResult, Options, Warehouse, open_warehouse

__all__ = ["FlushResult", "Options", "Warehouse", "open_warehouse"]
