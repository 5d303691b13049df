"""Upload rows to a warehouse's tables in batches."""

from collections.abc import Iterable, Iterator
from itertools import islice

from audiocrawler.model.errors import AudioCrawlerError, WarehouseError
from audiocrawler.model.rows import Row
from audiocrawler.warehouse import FlushResult, Outboxed, Warehouse, count_pending


def send(rows: Iterable[Row], warehouse: Warehouse, batch_rows: int) -> Iterator[int]:
    """Upload the rows; yield the number of rows of each batch. Raises WarehouseError."""
    remaining = iter(rows)
    while batch := list(islice(remaining, batch_rows)):
        warehouse.upsert(batch)
        flush_batch(warehouse)
        yield len(batch)
    while flush_batch(warehouse):
        pass


def flush_batch(warehouse: Warehouse) -> int:
    """Upload one batch from the outbox, and return how many rows left it. Raises WarehouseError."""
    if not isinstance(warehouse, Outboxed):
        return 0
    result = warehouse.flush()
    if result.error:
        raise WarehouseError(f"{result.left} rows are still in the outbox: {result.error}; run the same command again")
    return result.sent + result.refused


def upload_pending(warehouse: Warehouse) -> Iterator[str]:
    """Upload all pending rows, and yield a line for each batch. Raises WarehouseError with the number still pending."""
    left = count_pending(warehouse)
    yield f"{left} rows pending"
    while left and isinstance(warehouse, Outboxed):
        result = _flushed(warehouse, left)
        if result.error:
            raise WarehouseError(f"{result.left} rows are still pending: {result.error}")
        left = result.left
        yield f"{result.sent} uploaded, {result.refused} refused, {left} pending"


def _flushed(outbox: Outboxed, left: int) -> FlushResult:
    try:
        return outbox.flush()
    except AudioCrawlerError as error:
        return FlushResult(left=left, error=str(error))
