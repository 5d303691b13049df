"""Threads that work for the event loop: cheaper a hand-over than executors, of which a file needs many."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Threads:
    """Up to ``count`` threads, started as they are needed; results that are ready together wake the loop once.

    Used from one event loop. Work whose caller was cancelled before it began is left out.
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
        """Return what ``work`` returns in a thread, or raise what it raises."""
        self._loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = self._loop.create_future()
        self._under_way += 1
        if len(self._threads) < min(self._count, self._under_way):
            self._start_thread()
        self._waiting.put((future, work))
        return await future

    def close(self) -> None:
        """Return when all that was begun or waits is done; the threads have ended then."""
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
            del task  # what it refers to is not kept until the next one comes

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
        self._is_woken = False  # first: what becomes ready from now on may be handed back here or wakes the loop again
        while self._ready:
            future, result, error = self._ready.popleft()
            self._under_way -= 1
            if future.done():
                continue  # its caller was cancelled
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
