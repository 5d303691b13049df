"""The life of a crawl within Scrapy: which crawl it is, how it begins, is stopped and ends."""

import logging
import sys
import time

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, IgnoreRequest
from scrapy.settings import BaseSettings
from scrapy.utils.asyncio import create_looping_call
from scrapy.utils.defer import deferred_from_coro

from audiocrawler.config.identity import identity_of
from audiocrawler.crawl.crawl import Crawl, new_crawl_id
from audiocrawler.crawl.manifest import Manifest
from audiocrawler.fetch.back_off import transfers_given_up
from audiocrawler.fetch.first_bytes import FIRST_BYTES
from audiocrawler.frontier import OpenCrawl, Start
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.rows import AudioCrawl
from audiocrawler.model.settings import AudioSettings, settings_of
from audiocrawler.model.urls import site_of

LEASE = "lease"
"""The number of the lease by which the request was handed out."""
STARTS = "starts"
"""How many processes have ended while the request was under way; left out for none."""
CONTINUES = "continues"
"""The number of a lease that this request goes on with: if the process ends, the first request is taken up again."""
UNFINISHED = "unfinished"
"""Whether the request is to be taken up again by the next run."""
OF_THIS_PROCESS = frozenset({LEASE, STARTS, CONTINUES, UNFINISHED, FIRST_BYTES})


def leave_unfinished(request: Request | None) -> None:
    """Let a request that is under way be taken up again, by the next run of the crawl."""
    if request is not None:
        request.meta[UNFINISHED] = True


logger = logging.getLogger(__name__)

POLL_S = 0.25
"""How soon a stop is noticed."""


class CrawlLifecycle:
    """Owns the Crawl: opened before the spider, closed after it.

    When the crawl stops, nothing more is started, what is under way may end within the grace period, and what has not
    ended then is given up: it is taken again by the next crawl.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._grace_s = settings_of(crawler).stop_grace_s
        self._stopping_since: float | None = None
        self._has_given_up = False
        self._watch = create_looping_call(self._watch_for_stop)
        self.crawl: Crawl | None = None
        self.configuration_error: ConfigurationError | None = None
        self._manifest: Manifest | None = None
        spider = crawler.spider
        try:
            start = start_of(spider, crawler.settings)
            self.crawl = Crawl(crawler.settings, crawler.stats, start, known_sites=known_sites_of(spider))
        except ConfigurationError as error:
            self.configuration_error = error
        crawler.signals.connect(self._opened, signal=signals.spider_opened)
        crawler.signals.connect(self._closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "CrawlLifecycle":
        """Return the extension."""
        return cls(crawler)

    def _opened(self) -> None:
        if self.crawl is None:
            logger.error("%s", self.configuration_error)
            raise CloseSpider("configuration")
        self._say_whether_resumed(self.crawl.frontier.crawl)
        self.crawl.start()
        self._watch.start(POLL_S, now=False)
        self._begin_manifest(self.crawl)

    async def _closed(self, reason: str) -> None:
        if self._watch.running:
            self._watch.stop()
        if self.crawl is not None:
            self.crawl.waiting = getattr(self._crawler.spider, "starts_waiting", 0)
            await self.crawl.close(lambda: self._record(reason))
            self._count_rows(self.crawl)

    def _count_rows(self, crawl: Crawl) -> None:
        for name, number in crawl.row_counts().items():
            self._crawler.stats.set_value(name, number)

    def _begin_manifest(self, crawl: Crawl) -> None:
        settings = self._crawler.settings
        folder = settings_of(self._crawler).manifest_dir
        self._manifest = Manifest(folder, crawl.crawl_id, settings, self._crawler.spider)
        try:
            self._manifest.begin()
        except OSError as error:
            problem = f"AUDIO_MANIFEST_DIR={folder}: cannot be written ({error.strerror})"
            self.configuration_error = ConfigurationError(problem)
            logger.error(problem)  # noqa: TRY400 - one line is enough
            raise CloseSpider("configuration") from error

    def _record(self, reason: str) -> AudioCrawl:
        assert self.crawl is not None
        assert self._manifest is not None
        self._count_rows(self.crawl)
        return self._manifest.end(self._crawler.stats.get_stats(), reason, self.crawl.rest)

    def _say_whether_resumed(self, crawl: OpenCrawl) -> None:
        if not crawl.is_resumed:
            return
        begun = f"the crawl begun at {crawl.started_at:%Y-%m-%d %H:%M} UTC"
        note = f"{begun} goes on, {crawl.waiting} requests wait; -a fresh=yes starts over"
        if crawl.others:
            note = f"joins {begun}: {crawl.others} others were at it a moment ago, {crawl.waiting} requests are left"
        logger.info("%s", note)
        sys.stderr.write(f"{note}\n")

    def _watch_for_stop(self) -> None:
        assert self.crawl is not None
        self._count_rows(self.crawl)
        slot = self._crawler.engine._slot  # noqa: SLF001 - no signal says that a crawl begins to close
        if slot is None or slot.closing is None:
            return
        _empty_queues(self._crawler)  # each time: what waited for robots.txt or tdmrep.json comes into a queue later
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
            self.crawl.stopped = True
        elif not self._has_given_up and time.monotonic() - self._stopping_since >= self._grace_s:
            self._has_given_up = True
            for request in slot.inprogress:
                leave_unfinished(request)
            self._crawler.signals.send_catch_log(transfers_given_up)
            deferred_from_coro(self.crawl.stop_work())


def crawl_of(crawler: Crawler) -> Crawl:
    """Return what the parts of this crawler's crawl share."""
    lifecycle = crawler.get_extension(CrawlLifecycle)
    assert lifecycle is not None
    assert lifecycle.crawl is not None
    return lifecycle.crawl


def start_of(spider: Spider | None, settings: BaseSettings) -> Start:
    """Return which crawl a spider is about to begin or to resume."""
    arguments = getattr(spider, "arguments", None)
    return Start(
        identity=identity_of(getattr(spider, "name", ""), arguments, settings),
        crawl_id=new_crawl_id(getattr(spider, "job", None)),
        fresh=arguments is not None and arguments.fresh == "yes",
        lease_s=AudioSettings.of(settings).lease_s,
    )


def known_sites_of(spider: Spider | None) -> set[str]:
    """Return the sites whose files are asked for only if they have changed."""
    arguments = getattr(spider, "arguments", None)
    if arguments is None or arguments.refresh == "all":
        return set()
    return {site_of(url) for url in arguments.start_urls()}


def stop_crawl(crawler: Crawler, why: str) -> None:
    """End the crawl because rows or requests cannot be kept; they are left to the next one."""
    crawl = crawl_of(crawler)
    if crawl.left_behind is None:
        crawl.left_behind = why
        logger.error("%s: the crawl stops, what is stored stays", why)
        deferred_from_coro(crawler.engine.close_spider_async(reason="left_behind"))


def refuse_crawl(crawler: Crawler, error: ConfigurationError) -> None:
    """End the crawl because of a setting that has proved wrong only when it was needed."""
    lifecycle = crawler.get_extension(CrawlLifecycle)
    assert lifecycle is not None
    lifecycle.configuration_error = error
    deferred_from_coro(crawler.engine.close_spider_async(reason="configuration"))


def _empty_queues(crawler: Crawler) -> None:
    """Give back what waits for its host's delay: it would be sent long after the stop."""
    for slot in crawler.engine.downloader.slots.values():
        while slot.queue:
            request, answer = slot.queue.popleft()
            leave_unfinished(request)
            answer.errback(IgnoreRequest("the crawl was stopped"))
