"""Share each host's pauses and rate limit between workers."""

import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest

from audiocrawler.crawl.lifecycle import CrawlComponent, leave_unfinished
from audiocrawler.fetch.back_off import TURNED_AWAY, BackOffMiddleware, host_paused
from audiocrawler.fetch.slots import floor_s, host_of, is_page_slot, polite, slot_of
from audiocrawler.frontier import Leases, OpenCrawl, SyncResponse
from audiocrawler.model.errors import FrontierAwayError


class SharedPauses:
    """Send this worker's pauses to the frontier, and apply those of others.

    Slots that another worker has given up are given up here, too; those given up by an earlier run are tried again.
    """

    def __init__(self, crawler: Crawler, leases: Leases, opened: OpenCrawl) -> None:
        self._here = crawler.get_downloader_middleware(BackOffMiddleware)
        self._counted_before = {} if opened.others else dict(opened.counted)
        crawler.signals.connect(leases.pause, signal=host_paused)

    def keep(self, answer: SyncResponse) -> None:
        """Pause or give up the hosts that have refused other workers."""
        if self._here is None:
            return
        for host, pause_s in answer.pauses_s.items():
            self._here.pause(host, pause_s)
        for name, requests in answer.counted.items():
            if name.startswith(TURNED_AWAY) and requests > self._counted_before.get(name, 0):
                slot, _, reason = name.removeprefix(TURNED_AWAY).partition(" ")
                self._here.give_up(slot, reason)


POLL_S = 0.25
"""How soon a waiting request notices that the crawl is stopping."""


class RateLimitMiddleware(CrawlComponent):
    """Make requests wait for their turn at the host, if several workers share its rate limit.

    A Crawl-delay applies to pages and files together, any other delay only to pages.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="turns")
        self.waiting: Counter[str] = Counter()
        """Requests waiting for their turn, by slot."""
        crawler.signals.connect(self._close, signal=signals.spider_closed)

    async def process_request(self, request: Request) -> None:
        """Wait for the request's turn; raises IgnoreRequest if the crawl stops."""
        crawl = self.opened_crawl
        if crawl is None or not crawl.frontier.is_shared:
            return  # the downloader applies this process's delays
        slot = slot_of(request)
        name, delay_s = self._delay(request, slot)
        if not delay_s:
            return
        self.waiting[slot] += 1
        try:
            await self._sleep(request, await self._turn(request, name, delay_s))
            while (pause_s := polite(self._crawler).pause_left_s(host_of(slot))) > 0:
                await self._sleep(request, pause_s)
                await self._sleep(request, await self._turn(request, name, delay_s))
        finally:
            self.waiting[slot] -= 1
            if not self.waiting[slot]:
                del self.waiting[slot]

    def _delay(self, request: Request, slot: str) -> tuple[str, float]:
        """Return the name of the rate limit, and its delay in seconds; 0 for none."""
        downloader = polite(self._crawler)
        host = host_of(slot)
        own_s = 0.0
        if is_page_slot(slot):
            own_s = downloader.slots[slot].delay if slot in downloader.slots else floor_s(self._crawler, slot)
        asked_s = downloader.crawl_delays_s.get(host, 0.0)
        return (host, max(asked_s, own_s)) if asked_s else (f"{host} pages", own_s)

    async def _turn(self, request: Request, name: str, delay_s: float) -> float:
        frontier = self.crawl.frontier
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads, lambda: frontier.turn(name, delay_s)
                )
            except FrontierAwayError:
                await self._sleep(request, POLL_S)

    async def _sleep(self, request: Request, left_s: float) -> None:
        until_s = time.monotonic() + left_s
        while (left_s := until_s - time.monotonic()) > 0:
            if self.crawl.is_stopping:
                leave_unfinished(request)
                raise IgnoreRequest("the crawl was stopped")
            await asyncio.sleep(min(left_s, POLL_S))

    def _close(self) -> None:
        self._threads.shutdown(wait=False)
