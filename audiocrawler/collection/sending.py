"""Rows in, batch by batch; in the warehouse's tables, wherever these are, when the last batch is through."""

from collections.abc import Iterable, Iterator
from itertools import islice

from audiocrawler.model.errors import AudioCrawlerError, WarehouseError
from audiocrawler.model.rows import Row
from audiocrawler.warehouse import FlushResult, Outboxed, Warehouse, count_pending


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
    """Send one batch of what waits, and return how many rows left the outbox with it. Raises WarehouseError."""
    if not isinstance(warehouse, Outboxed):
        return 0
    result = warehouse.flush()
    if result.error:
        raise WarehouseError(f"{result.left} rows wait: {result.error}; run the same command again")
    return result.sent + result.refused


def send_waiting(warehouse: Warehouse) -> Iterator[str]:
    """Send all rows that wait, and yield a line for each batch. Raises WarehouseError, which says how many are left."""
    left = count_pending(warehouse)
    yield f"{left} rows wait"
    while left and isinstance(warehouse, Outboxed):
        result = _flushed(warehouse, left)
        if result.error:
            raise WarehouseError(f"{result.left} rows are left: {result.error}")
        left = result.left
        yield f"{result.sent} sent, {result.refused} set aside, {left} left"


def _flushed(outbox: Outboxed, left: int) -> FlushResult:
    try:
        return outbox.flush()
    except AudioCrawlerError as error:
        return FlushResult(left=left, error=str(error))
