"""Write rows to the warehouse, one transaction at a time, and upload them from its outbox."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar

from audiocrawler.model.errors import WarehouseError
from audiocrawler.model.rows import TABLES, Row
from audiocrawler.model.text import mask_text
from audiocrawler.warehouse import FlushResult, Outboxed, Warehouse

T = TypeVar("T")


class Threads:
    """Up to ``count`` threads, started on demand; results that are ready together wake the loop once.

    Used from one event loop. Work whose caller was cancelled before it started is skipped.
    """

    def __init__(self, count: int, name: str) -> None:
        self._count, self._name = count, name
        self._threads: list[threading.Thread] = []
        self._waiting: SimpleQueue[tuple[asyncio.Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._ready: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._is_woken = False
        self._under_way = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` in a thread, and return its result or raise its exception."""
        self._loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = self._loop.create_future()
        self._under_way += 1
        if len(self._threads) < min(self._count, self._under_way):
            self._start_thread()
        self._waiting.put((future, work))
        return await future

    def close(self) -> None:
        """Finish all running and queued work, and end the threads."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()
        self._threads = []

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._work, name=f"{self._name}_{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (task := self._waiting.get()) is not None:
            self._do(*task)
            del task  # do not keep what it refers to alive until the next one

    def _do(self, future: "asyncio.Future[Any]", work: Callable[[], Any]) -> None:
        result, error = None, None
        if not future.cancelled():
            try:
                result = work()
            except BaseException as raised:  # noqa: BLE001 - the caller gets it
                error = raised
        self._ready.append((future, result, error))
        if not self._is_woken:
            self._is_woken = True
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._hand_back)

    def _hand_back(self) -> None:
        self._is_woken = False  # first: results from now on are delivered here or wake the loop again
        while self._ready:
            future, result, error = self._ready.popleft()
            self._under_way -= 1
            if future.done():
                continue  # its caller was cancelled
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)


logger = logging.getLogger(__name__)

POLL_S = 1.0
"""How often pending rows are counted."""


_LEFT_ALONE = frozenset({"source_url", "url_pattern", "gcp_url", "crawl_id"})
"""The first two are masked when the row is made; the others contain no foreign text."""
_MASKED = {
    table.row_type: tuple(column.name for column in table.columns if column.name not in _LEFT_ALONE) for table in TABLES
}


def mask_row(row: Row) -> None:
    """Mask the URLs in titles, texts, tags and headers: they contain the same secrets as links."""
    for name in _MASKED[type(row)]:
        value = getattr(row, name)
        if isinstance(value, str):
            setattr(row, name, mask_text(value))
        elif isinstance(value, dict):
            setattr(row, name, _masked(value))
        elif isinstance(value, list):
            setattr(row, name, [_masked(each) for each in value])


def _masked(texts: dict[str, str]) -> dict[str, str]:
    return {key: mask_text(text) for key, text in texts.items()}


class RowWriter:
    """Writes rows in one thread; rows that arrive during a transaction share the next one."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.rows = 0
        """Rows that were committed."""
        self.written_watermark = 0
        """The number of the last row known to be written."""
        self._warehouse = warehouse
        self._thread = Threads(1, "warehouse")
        self._waiting: list[tuple[list[Row], asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, rows: list[Row]) -> None:
        """Mask secrets in the rows, and return once they are committed. Raises WarehouseError."""
        for row in rows:
            mask_row(row)
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, written))
        if self._task is None:
            self._task = asyncio.create_task(self._write_waiting())
        await written

    async def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` in the writer's thread, and return its result."""
        return await self._thread.run(work)

    async def close(self) -> None:
        """Write the pending rows and end the thread."""
        if self._task is not None:
            await self._task
        self._thread.close()

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            rows = [row for its_rows, _ in batch for row in its_rows]
            error = await self._upsert(rows)
            for _, written in batch:
                if written.cancelled():
                    continue
                if error is None:
                    written.set_result(None)
                else:
                    written.set_exception(error)
        self._task = None

    async def _upsert(self, rows: list[Row]) -> WarehouseError | None:
        try:
            self.written_watermark = await self.run(lambda: self._put(rows))
        except WarehouseError as error:
            return error
        self.rows += len(rows)
        return None

    def _put(self, rows: list[Row]) -> int:
        self._warehouse.upsert(rows)
        return self._warehouse.written_watermark() if isinstance(self._warehouse, Outboxed) else 0


class Flusher:
    """Uploads the outbox in batches: when ``rows`` rows are pending, every ``seconds``, and at the end.

    Does nothing for a warehouse without an outbox.
    """

    def __init__(self, warehouse: Warehouse, *, rows: int, seconds: float) -> None:
        self.pending_rows = 0
        self.sent = 0
        self.refused = 0
        self.error: str | None = None
        """Why the last flush failed, None if it did not."""
        self.failures = 0
        """How many flushes have failed."""
        self.sent_watermark = 0
        """The number up to which all rows are known to be uploaded or refused."""
        self._is_asked = False
        self._outbox = warehouse if isinstance(warehouse, Outboxed) else None
        self._rows, self._seconds = rows, seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="flush")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start watching the pending rows."""
        if self._outbox is not None:
            self._task = asyncio.create_task(self._watch(self._outbox))

    def flush_soon(self) -> None:
        """Upload the pending rows without waiting for more: nothing else is left to do."""
        self._is_asked = True

    async def finish(self) -> FlushResult:
        """Upload the pending rows, stop watching, and return what is left, with the reason."""
        if self._outbox is None:
            return FlushResult()
        if self._task is not None:
            self._task.cancel()
        result = await self._flush_all(self._outbox)
        self.sent_watermark = await self._run(self._outbox.sent_watermark)
        return result

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=True)

    async def _watch(self, outbox: Outboxed) -> None:
        flushed_at = time.monotonic()
        while True:
            await asyncio.sleep(POLL_S)
            self.pending_rows, self.sent_watermark = await self._run(
                lambda: (outbox.pending_rows(), outbox.sent_watermark())
            )
            is_due = self._is_asked or time.monotonic() - flushed_at >= self._seconds
            self._is_asked = False
            if self.pending_rows >= self._rows or (is_due and self.pending_rows):
                result = await asyncio.shield(self._run(lambda: _flush(outbox)))
                flushed_at = time.monotonic()
                self._note(result)
                if result.error:
                    await asyncio.sleep(min(60.0, self._seconds))  # the flush itself has retried for a while

    async def _flush_all(self, outbox: Outboxed) -> FlushResult:
        """Upload all rows that are pending now: other crawls may keep writing."""
        waiting = await self._run(outbox.pending_rows)
        sent = 0
        result = FlushResult(left=waiting)
        while sent < waiting and not result.error:
            result = await self._run(lambda: _flush(outbox))
            self._note(result)
            if not result.sent + result.refused:
                break
            sent += result.sent + result.refused
        return result

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _note(self, result: FlushResult) -> None:
        self.sent += result.sent
        self.refused += result.refused
        self.error = result.error
        self.failures += result.error is not None
        self.pending_rows = result.left
        if result.error:
            logger.warning("upload failed, %d rows pending: %s", result.left, result.error)
        elif result.sent or result.refused:
            logger.info("%d rows uploaded, %d refused, %d pending", result.sent, result.refused, result.left)


def _flush(outbox: Outboxed) -> FlushResult:
    try:
        return outbox.flush()
    except WarehouseError as error:
        return FlushResult(left=outbox.pending_rows(), error=str(error))
