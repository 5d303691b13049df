"""Scrapy's scheduler over a frontier: what it hands out is leased, and acknowledged when all that it caused is kept."""

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
from audiocrawler.fetch.open_slots import OpenSlots
from audiocrawler.fetch.part import Part
from audiocrawler.fetch.requests import audio_row
from audiocrawler.fetch.slots import is_media_slot
from audiocrawler.frontier import Leases, Limit, NewRequest, RequestClass, SyncResponse
from audiocrawler.model.errors import FrontierError, WarehouseError
from audiocrawler.model.settings import settings_of
from audiocrawler.report.figures import WAITING
from audiocrawler.scheduler.request_json import from_json, to_json
from audiocrawler.scheduler.shared import RateLimitMiddleware, SharedPauses
from audiocrawler.scrapy_private import in_progress, wake_engine


class Failures:
    """Leaves such requests unfinished; a warehouse that takes no rows ends the crawl."""

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
    """Leases in the order in which they were over, each with the number of a row that must be sent before it is done.

    A worker's outbox may be lost with its machine, so until then others must be able to do the request again, and what
    was counted for it does not count yet.
    """

    def __init__(self, crawl: Crawl) -> None:
        self._crawl = crawl
        self._leases: deque[tuple[int, int, Counter[str]]] = deque()
        self._failed_before: int | None = None

    def __len__(self) -> int:
        return len(self._leases)

    def put(self, lease: int, counted: Counter[str]) -> None:
        """Keep a lease whose rows are written, and what was counted for it."""
        self._leases.append((self._crawl.written_watermark, lease, counted))

    def sent(self) -> Iterator[tuple[int, Counter[str]]]:
        """Yield, and keep no longer, the leases whose rows are sent, with what was counted."""
        while self._leases and self._leases[0][0] <= self._crawl.flusher.sent_watermark:
            _, lease, counted = self._leases.popleft()
            yield lease, counted

    def send_soon(self) -> None:
        """Have the rows sent, because others wait for the end of the leases; raises WarehouseError if that failed."""
        flusher = self._crawl.flusher
        if self._failed_before is None:
            self._failed_before = flusher.failures
        if flusher.failures > self._failed_before:
            raise WarehouseError(f"rows cannot be sent: {flusher.error}")
        flusher.flush_soon()

    def send_in_time(self) -> None:
        """Have the rows sent when there are enough of them: nobody waits."""
        self._failed_before = None


class Continuing:
    """Keeps such requests by slot, in the order in which they may go."""

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
        """Keep a request that may go in so many seconds."""
        if wait_s > 0:
            heappush(self._later, (time.monotonic() + wait_s, next(self._number), slot, request))
        else:
            self._ready.setdefault(slot, []).append(request)

    def slots(self) -> list[str]:
        """Return the slots with a request that may go now."""
        while self._later and self._later[0][0] <= time.monotonic():
            *_, slot, request = heappop(self._later)
            self.put(request, slot)
        return list(self._ready)

    def take(self, slot: str) -> Request | None:
        """Return the next request of a slot, None if none may go now."""
        if slot not in self._ready:
            return None
        request = self._ready[slot].pop(0)
        if not self._ready[slot]:
            del self._ready[slot]
        return request

    def remove_all(self) -> list[Request]:
        """Return all requests, and keep none."""
        removed = list(self)
        self._ready.clear()
        self._later.clear()
        return removed


logger = logging.getLogger(__name__)

PREFETCHED_PER_SLOT = 8
STARTABLE = 64
"""Requests of a kind that are leased ahead, not counting those whose slot is full."""
MAX_PREFETCHED = 2000
TICK_S = 1.0
"""How often it is looked for rows that have been sent meanwhile."""


class FrontierScheduler(Part, BaseScheduler):
    """Hands out what is leased and may start. Its requests outlive the process, except in a ``memory`` frontier.

    A request is acknowledged once the engine has it no longer: then its callback is over, the items have left the
    pipelines, which let them go when their rows are kept, and its new requests have been put into the frontier.
    """

    _crawl: Crawl
    _leases: Leases
    _unsent: AwaitingUpload

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._slots = OpenSlots(crawler, {})
        self._counters = Counters(crawler.stats)
        self._is_open = False
        self._under_way: dict[int, list[Request]] = {}
        """By lease: what was handed out for it and is not known to be over."""
        self._at_host: set[int] = set()
        """Leases of files that are fetched at the moment, where workers share what one host allows."""
        self._suspect = 0
        """The lease of the last suspect that was handed out."""
        self._kept_here: set[bytes] = set()
        """Fingerprints of requests that cannot be written down."""
        self._reason: str | None = None
        self._tick = create_looping_call(self._look_around)
        self._continuing = Continuing()
        """Requests that go on with a lease that is under way, and are not kept on their own."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> BaseScheduler:  # type: ignore[override]
        """Return the scheduler; a spider that is not ours has Scrapy's own."""
        lifecycle = crawler.get_extension(CrawlLifecycle)
        return cls(crawler) if lifecycle is None or lifecycle.is_ours else Scheduler.from_crawler(crawler)

    def open(self, spider: Spider) -> None:
        """Begin to lease."""
        lifecycle = self._crawler.get_extension(CrawlLifecycle)
        if lifecycle is None or lifecycle.crawl is None:
            return  # the lifecycle tells why and ends the spider
        self._crawl = lifecycle.crawl
        self._unsent = AwaitingUpload(self._crawl)
        turns = self._crawler.get_downloader_middleware(RateLimitMiddleware)
        self._slots = OpenSlots(self._crawler, turns.waiting if turns is not None else {}, self._crawl.store_folder)
        self._counters.take(self._crawl.frontier.crawl.counted)
        files_per_slot = settings_of(self._crawler).media_per_host
        most = getattr(self._crawler.spider, "limit", None)
        self._limit = None if most is None else Limit("audio/stored", most)
        self._leases = Leases(self._crawl.frontier, PREFETCHED_PER_SLOT, files_per_slot, self._limit)
        self._pauses = SharedPauses(self._crawler, self._leases, self._crawl.frontier.crawl)
        self._failures = Failures(self._crawler)
        self._crawl.on_requests_done(self._leases.count_waiting)
        self._crawl.on_sent(self._finish)
        self._is_open = True
        self._leases.start(self)
        self._tick.start(TICK_S, now=False)

    def has_pending_requests(self) -> bool:
        """Return whether anything is left to do, with other workers included."""
        if not self._is_open:
            return False
        self._acknowledge_finished()
        return bool(self._continuing or self._unsent) or not self._leases.is_exhausted

    def enqueue_request(self, request: Request) -> bool:
        """Keep the request; whether it is a known one shows later, and is then told by ``request_dropped``."""
        slot = self._crawler.engine.downloader.get_slot_key(request)
        self._crawler.stats.inc_value("scheduler/enqueued")
        wait_s = request.meta.pop(ASK_AGAIN_IN_S, 0.0)
        if wait_s and LEASE in request.meta:
            request.meta.setdefault(CONTINUES, request.meta[LEASE])
        lease = request.meta.get(CONTINUES)
        if lease in self._under_way:
            self._under_way[lease].append(request)
            self._continuing.put(request, slot, wait_s)
        else:
            self._keep(request, slot)
        return True

    def next_request(self) -> Request | None:
        """Return a request that may start now, None if there is none."""
        if not self._is_open:
            return None
        self._acknowledge_finished()
        slots = self._may_go()
        slot = self._slots.least_active(slots, self._leases.last.waiting.get(RequestClass.FILE, 0)) if slots else None
        if slot is None:
            return None
        request = self._continuing.take(slot) or self._leased(slot)
        self._crawler.stats.inc_value("scheduler/dequeued")
        return request

    def close(self, reason: str) -> None:
        """Give back what was not started; the rest is told when the rows that can be sent are."""
        if not self._is_open:
            return
        self._reason = reason
        for request in self._continuing.remove_all():
            leave_unfinished(request)
        self._acknowledge_finished()
        self._leases.stop_leasing()

    async def _finish(self) -> None:
        """Tell the frontier the last; a crawl that has nothing left is finished."""
        if self._tick.running:
            self._tick.stop()
        self._acknowledge_sent()
        await self._leases.close(finish=not (was_stopped(self._reason) or self._crawl.rest.waiting))

    def _look_around(self) -> None:
        self._acknowledge_finished()
        if self._unsent:
            self._send()
        wake_engine(self._crawler)

    def _send(self) -> None:
        """Have rows sent, at once if others wait for the end of the leases, or for room within the limit."""
        is_busy = self._under_way or self._continuing or self._leases.prefetched()
        if is_busy or (self._limit is None and any(self._leases.last.waiting.values())):
            self._unsent.send_in_time()
            return
        try:
            self._unsent.send_soon()
        except WarehouseError as error:
            stop_crawl(self._crawler, str(error))

    def _acknowledge_sent(self) -> None:
        for lease, counted in self._unsent.sent():
            self._done(lease, counted)

    def _done(self, lease: int, counted: Counter[str]) -> None:
        self._leases.done(lease)
        self._crawl.outcomes.release(counted)

    def demand(self) -> dict[RequestClass, int]:
        """Return how many requests of each kind are wanted; see frontier.Worker."""
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
        """Return by how much the crawl's counters have grown; see frontier.Worker."""
        self._acknowledge_finished()
        return self._counters.counter_deltas(self._crawl.outcomes.held)

    def take_answer(self, answer: SyncResponse, known: list[Any]) -> None:
        """Let the engine go on; see frontier.Worker."""
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
        """Acknowledge or give back what the engine has done with."""
        handed_out = in_progress(self._crawler)
        waiting = set(self._continuing)
        for lease, requests in list(self._under_way.items()):
            if lease not in self._at_host and handed_out.issuperset(requests):
                continue
            left = [request for request in requests if request.meta.get(UNFINISHED)]
            going_on = [request for request in requests if request in handed_out or request in waiting]
            if going_on:
                self._under_way[lease] = [*left, *going_on]
                self._note_files_that_came(lease, going_on)
                continue
            self._at_host.discard(lease)
            del self._under_way[lease]
            counted = self._crawl.outcomes.end(lease)
            if left:
                self._leases.release(lease)
            elif self._crawl.frontier.is_shared:
                self._unsent.put(lease, counted)
            else:
                self._done(lease, counted)
        self._acknowledge_sent()

    def _note_files_that_came(self, lease: int, going_on: list[Request]) -> None:
        is_active = any(each in self._crawler.engine.downloader.active or CONTINUES in each.meta for each in going_on)
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
            self._keep_here(request, slot, fingerprint, str(error))
        else:
            self._leases.put(NewRequest(fingerprint, kind, slot, request.priority, body), request)

    def _keep_here(self, request: Request, slot: str, fingerprint: bytes | None, why: str) -> None:
        """Keep a request of somebody else's spider that cannot be written down, until the process ends."""
        if fingerprint in self._kept_here:
            self._drop([request])
            return
        if not self._kept_here:
            logger.warning("%s: such requests are lost if this process ends", why)
        self._kept_here.add(fingerprint or b"")
        self._continuing.put(request, slot)

    def _drop(self, known: list[Request]) -> None:
        for request in known:
            self._crawler.stats.inc_value("dupefilter/filtered")
            self._crawler.signals.send_catch_log(signals.request_dropped, request=request, spider=self._crawler.spider)

    def _may_go(self) -> list[str]:
        """Return the slots whose next request may go now; a suspect goes alone, when there is nothing else to do."""
        suspects = self._leases.suspects()
        continuing = self._continuing.slots()
        innocent = [*continuing, *(self._leases.prefetched().keys() - suspects)]
        if self._suspect in self._under_way:
            return continuing
        return innocent if innocent or self._under_way else list(suspects)

    def _leased(self, slot: str) -> Request | None:
        """Return the slot's next request, None if it cannot be read any more."""
        assert self._crawler.spider is not None
        leased = self._leases.take(slot)
        try:
            request = from_json(leased.body, self._crawler.spider)
        except ValueError as error:
            logger.error("a request in the frontier is left out: %s", error)  # noqa: TRY400 - one line is enough
            self._leases.done(leased.id)
            return None
        request.meta[LEASE] = leased.id
        if leased.delivery_count:
            request.meta[DELIVERIES] = leased.delivery_count
        if leased.is_suspect:
            self._suspect = leased.id
        self._under_way[leased.id] = [request]
        if source := audio_row(request):
            self._crawl.outcomes.begin(leased.id, source.source_url)
        if leased.kind is RequestClass.FILE and self._crawl.frontier.is_shared:
            self._at_host.add(leased.id)
        return request
