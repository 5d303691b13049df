"""A worker's leases, and the exchanges that synchronise it with the frontier."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from heapq import heappop, heappush
from typing import Any, Protocol, TypeVar

from audiocrawler.frontier.frontier import Frontier, Leased, Limit, NewRequest, RequestClass, SyncRequest, SyncResponse
from audiocrawler.model.errors import FrontierAwayError, FrontierError

T = TypeVar("T")

logger = logging.getLogger(__name__)

SPACING_S = 0.005
"""Pause between two exchanges, to batch what happens meanwhile."""
RETRY_S = 1.0
"""Delay before an unreachable frontier is retried."""
LONGEST_PAUSE_S = 24 * 3600.0
"""Longest pause of a host that is stored, so that no host can block later crawls for ever."""
PATIENCE_AT_END_S = 3.0
"""How long a stopping worker waits for an unreachable frontier; its leases expire anyway."""


class Worker(Protocol):
    """The owner of the leases."""

    def demand(self) -> dict[RequestClass, int]:
        """Return how many requests of each class are wanted."""
        ...

    def counter_deltas(self) -> dict[str, int]:
        """Return by how much each counter has grown since the last call."""
        ...

    def take_answer(self, answer: SyncResponse, known: list[Any]) -> None:
        """Handle the answer of an exchange; ``known`` are the tags of new requests that were duplicates."""
        ...

    def give_up(self, error: FrontierError) -> None:
        """Stop, because the frontier has failed permanently."""
        ...


class Leases:
    """Buffers the report to the frontier, and leased requests until they are taken. Used on the event loop only.

    An exchange includes everything reported before it began, so a request is never acknowledged before the requests
    that it led to are stored.
    """

    def __init__(self, frontier: Frontier, per_slot: int, files_per_slot: int, limit: Limit | None = None) -> None:
        self.frontier = frontier
        self.last = SyncResponse()
        self._per_slot, self._files_per_slot, self._limit = per_slot, files_per_slot, limit
        self._report = SyncRequest()
        self._tags: list[Any] = []
        self._prefetched: dict[str, list[tuple[bool, int, int, Leased]]] = {}
        self._under_way: set[int] = set()
        self._woken = asyncio.Event()
        self._wants_more = True
        self._is_closing = self._has_failed = False
        self._is_busy = True
        """Whether an exchange is running or due, so that the last answer is out of date."""
        self._is_reported = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="frontier")

    def start(self, worker: Worker) -> None:
        """Start the exchanges; needs the running event loop."""
        self._worker = worker
        self._task = asyncio.ensure_future(self._run())
        self.wake()

    def wake(self) -> None:
        """Trigger an exchange."""
        self._is_busy = True
        self._is_reported.clear()
        self._woken.set()

    def put(self, new: NewRequest, tag: Any) -> None:
        """Store a request; ``tag`` is returned to the worker if it is a duplicate."""
        self._report.new.append(new)
        self._tags.append(tag)
        self.wake()

    def prefetched(self) -> dict[str, int]:
        """Return the number of leased requests of each slot that are not taken yet."""
        return {slot: len(queue) for slot, queue in self._prefetched.items()}

    def suspects(self) -> set[str]:
        """Return the slots whose next request is a suspect."""
        return {slot for slot, queue in self._prefetched.items() if queue[0][-1].is_suspect}

    def take(self, slot: str) -> Leased:
        """Return the next request of a slot that has some, and mark it as started."""
        queue = self._prefetched[slot]
        *_, leased = heappop(queue)
        if not queue:
            del self._prefetched[slot]
        self._under_way.add(leased.id)
        self._report.started.append(leased.id)
        self.wake()
        return leased

    def transferred(self, number: int) -> None:
        """Report that a file was transferred, so that another may be fetched from its host."""
        self._report.transferred.append(number)
        self.wake()

    def pause(self, host: str, pause_s: float) -> None:
        """Report a pause that a host asks for, in seconds from now, to all workers."""
        pause_s = min(pause_s, LONGEST_PAUSE_S)
        self._report.pauses_s[host] = max(pause_s, self._report.pauses_s.get(host, 0.0))
        self.wake()

    def done(self, number: int) -> None:
        """Acknowledge a request."""
        self._under_way.discard(number)
        self._report.done.append(number)
        self.wake()

    def release(self, number: int) -> None:
        """Release a request, so that any worker may lease it."""
        self._under_way.discard(number)
        self._report.released.append(number)
        self.wake()

    @property
    def is_exhausted(self) -> bool:
        """Return whether no request is left here, in the frontier or with another worker."""
        last = self.last
        is_empty = not (self._is_busy or self._prefetched or self._under_way)
        return is_empty and not (last.leased_elsewhere or any(last.waiting.values()))

    def stop_leasing(self) -> None:
        """Release requests that were not started, and lease no more; those in progress stay leased."""
        self._wants_more = False
        for queue in self._prefetched.values():
            self._report.released += [leased.id for *_, leased in queue]
        self._prefetched = {}
        self.wake()

    async def count_waiting(self) -> int:
        """Return how many requests are pending after a final exchange, without those in progress here.

        If the frontier does not answer, the worker gives up.
        """
        assert self._task is not None
        reported = asyncio.ensure_future(self._is_reported.wait())
        patience_s = PATIENCE_AT_END_S if self.frontier.is_shared else None
        await asyncio.wait({reported, self._task}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        reported.cancel()
        if not self._is_reported.is_set():
            self._worker.give_up(FrontierAwayError("AUDIO_FRONTIER does not answer; requests may be pending"))
        return sum(self.last.waiting.values()) + self.last.leased_elsewhere

    async def close(self, *, finish: bool) -> None:
        """Release everything that is not done; with ``finish``, end the crawl if nothing is pending."""
        self.stop_leasing()
        self._is_closing = True
        if self._task is not None:
            await self._task
        self._report.released += self._under_way
        self._under_way = set()
        self._report.leaves = True
        self._woken.clear()
        is_told = not self._has_failed and await self._exchange()
        if finish and is_told and self.is_exhausted:
            await self._finish()
        self._thread.shutdown(wait=False)

    async def _finish(self) -> None:
        try:
            await self._in_thread(self.frontier.finish)
        except FrontierError as error:
            self._worker.give_up(error)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _run(self) -> None:
        while not self._is_closing:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self.frontier.poll_s)
            self._woken.clear()
            if not await self._exchange():
                return
            await asyncio.sleep(SPACING_S)

    async def _exchange(self) -> bool:
        counted = self._worker.counter_deltas()
        report, tags = self._report, self._tags
        self._report, self._tags = SyncRequest(), []
        report.counted = counted
        report.held = [*self._under_way, *(leased.id for queue in self._prefetched.values() for *_, leased in queue)]
        if self._wants_more:
            report.wanted, report.prefetched = self._worker.demand(), self.prefetched()
            report.per_slot, report.files_per_slot, report.limit = self._per_slot, self._files_per_slot, self._limit
        answer = await self._answer(report)
        if answer is None:
            return False
        for leased in answer.leased:
            heappush(
                self._prefetched.setdefault(leased.slot, []), (leased.is_suspect, -leased.priority, leased.id, leased)
            )
        self.last = answer
        if answer.leased and not self._wants_more:
            self.stop_leasing()  # the demand was reported before
        self._is_busy = self._woken.is_set()
        if not self._is_busy:
            self._is_reported.set()
        self._worker.take_answer(answer, [tags[index] for index in answer.known])
        return True

    async def _answer(self, report: SyncRequest) -> SyncResponse | None:
        """Return the frontier's answer; None if it has failed, or is unreachable while this worker stops."""
        asked_since = time.monotonic()
        while True:
            try:
                return await self._in_thread(lambda: self.frontier.exchange(report))
            except FrontierAwayError as error:
                logger.warning("%s; retrying", error)
                if self._is_closing and time.monotonic() - asked_since > PATIENCE_AT_END_S:
                    self._worker.give_up(error)
                    break
                await asyncio.sleep(RETRY_S)
            except FrontierError as error:
                self._worker.give_up(error)
                break
        self._has_failed = True
        return None
