"""Scrapy's scheduler over a frontier: requests are leased, and acknowledged once all they led to is persisted."""

import logging
import time
from collections import Counter, deque
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count
from typing import Any

from scrapy import Request, Spider, signals
from scrapy.core.scheduler import BaseScheduler, Scheduler
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.utils.asyncio import create_looping_call
from twisted.python.failure import Failure

from audiocrawler.crawl.counts import Counters
from audiocrawler.crawl.crawl import Crawl
from audiocrawler.crawl.exit_codes import was_stopped
from audiocrawler.crawl.items import ReleasedError
from audiocrawler.crawl.lifecycle import (
    CONTINUES,
    DELIVERIES,
    LEASE,
    UNFINISHED,
    CrawlLifecycle,
    leave_unfinished,
    stop_crawl,
)
from audiocrawler.fetch.back_off import ASK_AGAIN_IN_S
from audiocrawler.fetch.component import Component
from audiocrawler.fetch.open_slots import OpenSlots
from audiocrawler.fetch.requests import counted_for
from audiocrawler.fetch.slots import is_media_slot
from audiocrawler.frontier import Leases, Limit, NewRequest, RequestClass, SyncResponse
from audiocrawler.model.errors import FrontierError, WarehouseError
from audiocrawler.model.settings import settings_of
from audiocrawler.report.figures import WAITING
from audiocrawler.scheduler.request_json import from_json, to_json
from audiocrawler.scheduler.shared import RateLimitMiddleware, SharedPauses
from audiocrawler.scrapy_private import in_progress, wake_engine


class ReleaseOnFailure:
    """Leave requests unfinished whose item was released, and stop the crawl if rows could not be written."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        crawler.signals.connect(self._item_dropped, signal=signals.item_dropped)
        crawler.signals.connect(self._callback_failed, signal=signals.spider_error)

    def _item_dropped(self, response: Response | Failure | None, exception: BaseException) -> None:
        if isinstance(exception, ReleasedError):
            leave_unfinished(getattr(response, "request", None))

    def _callback_failed(self, failure: Failure, response: Response | Failure) -> None:
        if isinstance(failure.value, WarehouseError):
            leave_unfinished(getattr(response, "request", None))
            stop_crawl(self._crawler, str(failure.value))


class AwaitingUpload:
    """Finished leases whose rows are not uploaded yet, each with the watermark to reach.

    A worker's outbox may be lost with its machine: until the upload the request may be delivered again, and its counts
    are held back.
    """

    def __init__(self, crawl: Crawl) -> None:
        self._crawl = crawl
        self._leases: deque[tuple[int, int, Counter[str]]] = deque()
        self._failed_before: int | None = None

    def __len__(self) -> int:
        return len(self._leases)

    def put(self, lease: int, counted: Counter[str]) -> None:
        """Add a lease whose rows are written, with its counts."""
        self._leases.append((self._crawl.written_watermark, lease, counted))

    def uploaded(self) -> Iterator[tuple[int, Counter[str]]]:
        """Remove and yield the leases whose rows are uploaded, with their counts."""
        while self._leases and self._leases[0][0] <= self._crawl.flusher.sent_watermark:
            _, lease, counted = self._leases.popleft()
            yield lease, counted

    def upload_soon(self) -> None:
        """Upload now, because others wait for these leases; raises WarehouseError if an upload failed."""
        flusher = self._crawl.flusher
        if self._failed_before is None:
            self._failed_before = flusher.failures
        if flusher.failures > self._failed_before:
            raise WarehouseError(f"upload failed: {flusher.error}")
        flusher.flush_soon()

    def upload_in_time(self) -> None:
        """Leave the upload to the flusher: nobody waits."""
        self._failed_before = None


class ContinuedRequests:
    """Requests that continue a lease (retries, redirects), by slot, in the order in which they may start."""

    def __init__(self) -> None:
        self._ready: dict[str, list[Request]] = {}
        self._later: list[tuple[float, int, str, Request]] = []
        self._number = count()

    def __bool__(self) -> bool:
        return bool(self._ready or self._later)

    def __iter__(self) -> Iterator[Request]:
        for requests in self._ready.values():
            yield from requests
        yield from (request for *_, request in self._later)

    def put(self, request: Request, slot: str, wait_s: float = 0.0) -> None:
        """Add a request that may start in ``wait_s`` seconds."""
        if wait_s > 0:
            heappush(self._later, (time.monotonic() + wait_s, next(self._number), slot, request))
        else:
            self._ready.setdefault(slot, []).append(request)

    def slots(self) -> list[str]:
        """Return the slots with a request that may start now."""
        while self._later and self._later[0][0] <= time.monotonic():
            *_, slot, request = heappop(self._later)
            self.put(request, slot)
        return list(self._ready)

    def take(self, slot: str) -> Request | None:
        """Remove and return the next request of a slot, None if none may start now."""
        if slot not in self._ready:
            return None
        request = self._ready[slot].pop(0)
        if not self._ready[slot]:
            del self._ready[slot]
        return request

    def remove_all(self) -> list[Request]:
        """Remove and return all requests."""
        removed = list(self)
        self._ready.clear()
        self._later.clear()
        return removed


logger = logging.getLogger(__name__)

PREFETCHED_PER_SLOT = 8
STARTABLE = 64
"""Requests of a kind to lease ahead, not counting those whose slot is full."""
MAX_PREFETCHED = 2000
TICK_S = 1.0
"""How often to check for uploaded rows."""


class FrontierScheduler(Component, BaseScheduler):
    """Hand out leased requests that may start. Requests outlive the process, except in a ``memory`` frontier.

    A request is acknowledged once the engine has finished it: its callback has returned, its items' rows are
    committed, and its new requests are in the frontier.
    """

    _crawl: Crawl
    _leases: Leases
    _awaiting_upload: AwaitingUpload

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._slots = OpenSlots(crawler, {})
        self._counters = Counters(crawler.stats)
        self._is_open = False
        self._under_way: dict[int, list[Request]] = {}
        """By lease: its requests that were handed out and are not known to be finished."""
        self._at_host: set[int] = set()
        """Leases of files being fetched, if workers share a host's limits."""
        self._suspect = 0
        """The lease of the suspect that was handed out last."""
        self._in_memory: set[bytes] = set()
        """Fingerprints of requests that cannot be serialised."""
        self._reason: str | None = None
        self._tick = create_looping_call(self._on_tick)
        self._continued = ContinuedRequests()
        """Requests that continue a running lease, and are not in the frontier themselves."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> BaseScheduler:  # type: ignore[override]
        """Return the scheduler, or Scrapy's own for other spiders."""
        lifecycle = crawler.get_extension(CrawlLifecycle)
        return cls(crawler) if lifecycle is None or lifecycle.is_ours else Scheduler.from_crawler(crawler)

    def open(self, spider: Spider) -> None:
        """Start leasing."""
        lifecycle = self._crawler.get_extension(CrawlLifecycle)
        if lifecycle is None or lifecycle.crawl is None:
            return  # the lifecycle reports why, and ends the spider
        self._crawl = lifecycle.crawl
        self._awaiting_upload = AwaitingUpload(self._crawl)
        turns = self._crawler.get_downloader_middleware(RateLimitMiddleware)
        self._slots = OpenSlots(self._crawler, turns.waiting if turns is not None else {}, self._crawl.store_folder)
        self._counters.take(self._crawl.frontier.crawl.counted)
        files_per_slot = settings_of(self._crawler).media_per_host
        most = getattr(self._crawler.spider, "limit", None)
        self._limit = None if most is None else Limit("audio/stored", most)
        self._leases = Leases(self._crawl.frontier, PREFETCHED_PER_SLOT, files_per_slot, self._limit)
        self._pauses = SharedPauses(self._crawler, self._leases, self._crawl.frontier.crawl)
        self._failures = ReleaseOnFailure(self._crawler)
        self._crawl.on_requests_done(self._leases.count_waiting)
        self._crawl.on_sent(self._finish)
        self._is_open = True
        self._leases.start(self)
        self._tick.start(TICK_S, now=False)

    def has_pending_requests(self) -> bool:
        """Return whether anything is left to do, here or at other workers."""
        if not self._is_open:
            return False
        self._acknowledge_finished()
        return bool(self._continued or self._awaiting_upload) or not self._leases.is_exhausted

    def enqueue_request(self, request: Request) -> bool:
        """Enqueue the request; a duplicate is detected later, and announced by ``request_dropped``."""
        slot = self._crawler.engine.downloader.get_slot_key(request)
        self._crawler.stats.inc_value("scheduler/enqueued")
        wait_s = request.meta.pop(ASK_AGAIN_IN_S, 0.0)
        if wait_s and LEASE in request.meta:
            request.meta.setdefault(CONTINUES, request.meta[LEASE])
        lease = request.meta.get(CONTINUES)
        if lease in self._under_way:
            self._under_way[lease].append(request)
            self._continued.put(request, slot, wait_s)
        else:
            self._keep(request, slot)
        return True

    def next_request(self) -> Request | None:
        """Return a request that may start now, or None."""
        if not self._is_open:
            return None
        self._acknowledge_finished()
        slots = self._startable_slots()
        slot = self._slots.least_active(slots, self._leases.last.waiting.get(RequestClass.FILE, 0)) if slots else None
        if slot is None:
            return None
        request = self._continued.take(slot) or self._leased(slot)
        self._crawler.stats.inc_value("scheduler/dequeued")
        return request

    def close(self, reason: str) -> None:
        """Release requests that were not started; the rest is acknowledged after the last upload."""
        if not self._is_open:
            return
        self._reason = reason
        for request in self._continued.remove_all():
            leave_unfinished(request)
        self._acknowledge_finished()
        self._leases.stop_leasing()

    async def _finish(self) -> None:
        """Sync with the frontier for the last time; mark the crawl finished if nothing is left."""
        if self._tick.running:
            self._tick.stop()
        self._acknowledge_uploaded()
        await self._leases.close(finish=not (was_stopped(self._reason) or self._crawl.rest.waiting))

    def _on_tick(self) -> None:
        self._acknowledge_finished()
        if self._awaiting_upload:
            self._upload()
        wake_engine(self._crawler)

    def _upload(self) -> None:
        """Upload rows, at once if other workers wait for the leases, or for room within the limit."""
        is_busy = self._under_way or self._continued or self._leases.prefetched()
        if is_busy or (self._limit is None and any(self._leases.last.waiting.values())):
            self._awaiting_upload.upload_in_time()
            return
        try:
            self._awaiting_upload.upload_soon()
        except WarehouseError as error:
            stop_crawl(self._crawler, str(error))

    def _acknowledge_uploaded(self) -> None:
        for lease, counted in self._awaiting_upload.uploaded():
            self._done(lease, counted)

    def _done(self, lease: int, counted: Counter[str]) -> None:
        self._leases.done(lease)
        self._crawl.outcomes.release(counted)

    def demand(self) -> dict[RequestClass, int]:
        """Return how many requests of each kind to lease; see frontier.Worker."""
        startable: Counter[RequestClass] = Counter()
        active = self._slots.active()
        prefetched = self._leases.prefetched()
        for slot, held in prefetched.items():
            startable[RequestClass.FILE if is_media_slot(slot) else RequestClass.PAGE] += min(
                held, self._slots.free(slot, active)
            )
        room = MAX_PREFETCHED - sum(prefetched.values())
        return {kind: max(0, min(STARTABLE - startable[kind], room)) for kind in RequestClass}

    def counter_deltas(self) -> dict[str, int]:
        """Return the growth of the crawl's counters; see frontier.Worker."""
        self._acknowledge_finished()
        return self._counters.counter_deltas(self._crawl.outcomes.held)

    def take_answer(self, answer: SyncResponse, known: list[Any]) -> None:
        """Apply the frontier's answer and wake the engine; see frontier.Worker."""
        self._drop(known)
        self._counters.take(answer.counted)
        self._pauses.keep(answer)
        self._count_waiting(answer)
        wake_engine(self._crawler)

    def _count_waiting(self, answer: SyncResponse) -> None:
        waiting = sum(answer.waiting.values()) + sum(self._leases.prefetched().values())
        self._crawler.stats.set_value(WAITING, waiting)

    def give_up(self, error: FrontierError) -> None:
        """Stop the crawl; see frontier.Worker."""
        stop_crawl(self._crawler, str(error))

    def _acknowledge_finished(self) -> None:
        """Acknowledge or release requests that the engine has finished."""
        handed_out = in_progress(self._crawler)
        waiting = set(self._continued)
        for lease, requests in list(self._under_way.items()):
            if lease not in self._at_host and handed_out.issuperset(requests):
                continue
            left = [request for request in requests if request.meta.get(UNFINISHED)]
            continued = [request for request in requests if request in handed_out or request in waiting]
            if continued:
                self._under_way[lease] = [*left, *continued]
                self._mark_transferred(lease, continued)
                continue
            self._at_host.discard(lease)
            del self._under_way[lease]
            counted = self._crawl.outcomes.end(lease)
            if left:
                self._leases.release(lease)
            elif self._crawl.frontier.is_shared:
                self._awaiting_upload.put(lease, counted)
            else:
                self._done(lease, counted)
        self._acknowledge_uploaded()

    def _mark_transferred(self, lease: int, continued: list[Request]) -> None:
        is_active = any(each in self._crawler.engine.downloader.active or CONTINUES in each.meta for each in continued)
        if lease in self._at_host and not is_active:
            self._at_host.discard(lease)
            self._leases.transferred(lease)

    def _keep(self, request: Request, slot: str) -> None:
        assert self._crawler.spider is not None
        fingerprint = None if request.dont_filter else self._crawler.request_fingerprinter.fingerprint(request)
        kind = RequestClass.FILE if is_media_slot(slot) else RequestClass.PAGE
        try:
            body = to_json(request, self._crawler.spider)
        except ValueError as error:
            self._keep_in_memory(request, slot, fingerprint, str(error))
        else:
            self._leases.put(NewRequest(fingerprint, kind, slot, request.priority, body), request)

    def _keep_in_memory(self, request: Request, slot: str, fingerprint: bytes | None, why: str) -> None:
        """Keep another spider's request that cannot be serialised in memory."""
        if fingerprint in self._in_memory:
            self._drop([request])
            return
        if not self._in_memory:
            logger.warning("%s: such requests are kept in memory and lost if this process ends", why)
        self._in_memory.add(fingerprint or b"")
        self._continued.put(request, slot)

    def _drop(self, known: list[Request]) -> None:
        for request in known:
            self._crawler.stats.inc_value("dupefilter/filtered")
            self._crawler.signals.send_catch_log(signals.request_dropped, request=request, spider=self._crawler.spider)

    def _startable_slots(self) -> list[str]:
        """Return the slots whose next request may start now; a suspect runs alone, after everything else."""
        suspects = self._leases.suspects()
        continuing = self._continued.slots()
        innocent = [*continuing, *(self._leases.prefetched().keys() - suspects)]
        if self._suspect in self._under_way:
            return continuing
        return innocent if innocent or self._under_way else list(suspects)

    def _leased(self, slot: str) -> Request | None:
        """Return the slot's next request, None if it is invalid."""
        assert self._crawler.spider is not None
        leased = self._leases.take(slot)
        try:
            request = from_json(leased.body, self._crawler.spider)
        except ValueError as error:
            why = f"an invalid request in the frontier was discarded ({error}); -a fresh=yes starts over"
            logger.error("%s", why)  # noqa: TRY400 - one line is enough
            self._crawl.leave_behind(why)
            self._leases.done(leased.id)
            return None
        request.meta[LEASE] = leased.id
        if leased.delivery_count:
            request.meta[DELIVERIES] = leased.delivery_count
        if leased.is_suspect:
            self._suspect = leased.id
        self._under_way[leased.id] = [request]
        if name := counted_for(request):
            self._crawl.outcomes.begin(leased.id, name)
        if leased.kind is RequestClass.FILE and self._crawl.frontier.is_shared:
            self._at_host.add(leased.id)
        return request
