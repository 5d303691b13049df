"""What one worker has of a frontier, and the exchanges that keep the two in step."""

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
"""Pause between two exchanges, so that what happens meanwhile travels together."""
RETRY_S = 1.0
"""How soon a frontier that does not answer is asked again."""
LONGEST_PAUSE_S = 24 * 3600.0
"""A pause that a host asks for is remembered for so long at most: nobody can shut later crawls out for ever."""
PATIENCE_AT_END_S = 3.0
"""How long a worker that ends waits for a frontier that does not answer; its leases run out by themselves."""


class Worker(Protocol):
    """Whose leases these are."""

    def demand(self) -> dict[RequestClass, int]:
        """Return how many requests of each kind are wanted."""
        ...

    def counter_deltas(self) -> dict[str, int]:
        """Return by how much each counter has grown since this was last asked."""
        ...

    def take_answer(self, answer: SyncResponse, known: list[Any]) -> None:
        """Go on after an exchange; ``known`` are the tags of the new requests that had been kept before."""
        ...

    def give_up(self, error: FrontierError) -> None:
        """End, because the frontier has failed for good."""
        ...


class Leases:
    """Buffers what is to be told, and holds what is leased until it is taken. Used on the event loop only.

    An exchange carries everything that was told before it began, so a request that is done is never forgotten before
    the requests that came of it are kept.
    """

    def __init__(self, frontier: Frontier, per_slot: int, files_per_slot: int, limit: Limit | None = None) -> None:
        self.frontier = frontier
        self.last = SyncResponse()
        self._per_slot, self._files_per_slot, self._limit = per_slot, files_per_slot, limit
        self._told = SyncRequest()
        self._tags: list[Any] = []
        self._prefetched: dict[str, list[tuple[bool, int, int, Leased]]] = {}
        self._under_way: set[int] = set()
        self._woken = asyncio.Event()
        self._wants_more = True
        self._is_closing = self._has_failed = False
        self._is_busy = True
        """Whether an exchange runs or is due: what is known of the frontier is out of date."""
        self._is_told = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="frontier")

    def start(self, worker: Worker) -> None:
        """Begin to exchange; needs the running event loop."""
        self._worker = worker
        self._task = asyncio.ensure_future(self._run())
        self.wake()

    def wake(self) -> None:
        """Let an exchange happen soon."""
        self._is_busy = True
        self._is_told.clear()
        self._woken.set()

    def put(self, new: NewRequest, tag: Any) -> None:
        """Keep a request; ``tag`` comes back if it is known already."""
        self._told.new.append(new)
        self._tags.append(tag)
        self.wake()

    def prefetched(self) -> dict[str, int]:
        """Return how many requests of each slot may be taken."""
        return {slot: len(queue) for slot, queue in self._prefetched.items()}

    def suspects(self) -> set[str]:
        """Return the slots whose next request is a suspect."""
        return {slot for slot, queue in self._prefetched.items() if queue[0][-1].is_suspect}

    def take(self, slot: str) -> Leased:
        """Return the next request of a slot that has some; it is under way now."""
        queue = self._prefetched[slot]
        *_, leased = heappop(queue)
        if not queue:
            del self._prefetched[slot]
        self._under_way.add(leased.id)
        self._told.started.append(leased.id)
        self.wake()
        return leased

    def transferred(self, number: int) -> None:
        """Note that a file has come: another may be fetched from its host."""
        self._told.transferred.append(number)
        self.wake()

    def pause(self, host: str, pause_s: float) -> None:
        """Let all workers know that a host wants a pause of so many seconds from now."""
        pause_s = min(pause_s, LONGEST_PAUSE_S)
        self._told.pauses_s[host] = max(pause_s, self._told.pauses_s.get(host, 0.0))
        self.wake()

    def done(self, number: int) -> None:
        """Forget a request that is over, with all that came of it."""
        self._under_way.discard(number)
        self._told.done.append(number)
        self.wake()

    def release(self, number: int) -> None:
        """Leave a request to whoever asks next."""
        self._under_way.discard(number)
        self._told.released.append(number)
        self.wake()

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing is left, here or in the frontier, or with another worker."""
        last = self.last
        is_empty = not (self._is_busy or self._prefetched or self._under_way)
        return is_empty and not (last.leased_elsewhere or any(last.waiting.values()))

    def stop_leasing(self) -> None:
        """Give back what was not started, and ask for no more; what is under way stays this worker's."""
        self._wants_more = False
        for queue in self._prefetched.values():
            self._told.released += [leased.id for *_, leased in queue]
        self._prefetched = {}
        self.wake()

    async def count_waiting(self) -> int:
        """Return how many requests are left to others once everything is told; what is under way here does not count.

        A frontier that does not answer cannot tell: then the worker is to give up.
        """
        assert self._task is not None
        told = asyncio.ensure_future(self._is_told.wait())
        patience_s = PATIENCE_AT_END_S if self.frontier.is_shared else None
        await asyncio.wait({told, self._task}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if not self._is_told.is_set():
            self._worker.give_up(FrontierAwayError("AUDIO_FRONTIER does not answer; it may have requests left"))
        return sum(self.last.waiting.values()) + self.last.leased_elsewhere

    async def close(self, *, finish: bool) -> None:
        """Give back everything that is not done; with ``finish`` a crawl that has nothing left is over."""
        self.stop_leasing()
        self._is_closing = True
        if self._task is not None:
            await self._task
        self._told.released += self._under_way
        self._under_way = set()
        self._told.leaves = True
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
        told, tags = self._told, self._tags
        self._told, self._tags = SyncRequest(), []
        told.counted = counted
        told.held = [*self._under_way, *(leased.id for queue in self._prefetched.values() for *_, leased in queue)]
        if self._wants_more:
            told.wanted, told.prefetched = self._worker.demand(), self.prefetched()
            told.per_slot, told.files_per_slot, told.limit = self._per_slot, self._files_per_slot, self._limit
        answer = await self._answer(told)
        if answer is None:
            return False
        for leased in answer.leased:
            heappush(
                self._prefetched.setdefault(leased.slot, []), (leased.is_suspect, -leased.priority, leased.id, leased)
            )
        self.last = answer
        if answer.leased and not self._wants_more:
            self.stop_leasing()  # it was asked before
        self._is_busy = self._woken.is_set()
        if not self._is_busy:
            self._is_told.set()
        self._worker.take_answer(answer, [tags[index] for index in answer.known])
        return True

    async def _answer(self, told: SyncRequest) -> SyncResponse | None:
        """Return the frontier's answer, None if it has failed, or is away while this worker ends."""
        asked_since = time.monotonic()
        while True:
            try:
                return await self._in_thread(lambda: self.frontier.exchange(told))
            except FrontierAwayError as error:
                logger.warning("%s: waiting for it", error)
                if self._is_closing and time.monotonic() - asked_since > PATIENCE_AT_END_S:
                    self._worker.give_up(error)
                    break
                await asyncio.sleep(RETRY_S)
            except FrontierError as error:
                self._worker.give_up(error)
                break
        self._has_failed = True
        return None
