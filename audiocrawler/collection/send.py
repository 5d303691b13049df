"""Rows in; merged into another warehouse, batch by batch until none waits, out."""

from collections.abc import Iterable, Iterator
from itertools import islice

from audiocrawler.errors import WarehouseError
from audiocrawler.items import Row
from audiocrawler.warehouse import Warehouse


def send(rows: Iterable[Row], warehouse: Warehouse, batch_rows: int) -> Iterator[int]:
    """Yield after each batch how many rows it had. Raises WarehouseError where a batch cannot be sent."""
    remaining = iter(rows)
    while batch := list(islice(remaining, batch_rows)):
        warehouse.upsert(batch)
        flush_batch(warehouse)
        yield len(batch)
    while flush_batch(warehouse):
        pass


def flush_batch(warehouse: Warehouse) -> int:
    """Send one batch of what waits, and return how many rows left the outbox with it."""
    result = warehouse.flush()
    if result.error:
        raise WarehouseError(f"{result.left} rows wait: {result.error}; run the same command again")
    return result.sent + result.set_aside
