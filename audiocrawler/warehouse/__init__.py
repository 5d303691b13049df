"""Rows of both tables in; merged into what the warehouse already holds."""

from audiocrawler.warehouse.warehouse import Warehouse, open_warehouse

__all__ = ["Warehouse", "open_warehouse"]
