"""The lifecycle of a crawl within Scrapy: open or resume it, stop it, close it."""

import logging
import sys
import time
from tempfile import TemporaryDirectory

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, IgnoreRequest
from scrapy.settings import BaseSettings
from scrapy.utils.asyncio import create_looping_call
from scrapy.utils.defer import deferred_from_coro

from audiocrawler.config.arguments import arguments_of
from audiocrawler.config.identity import identity_of
from audiocrawler.crawl.crawl import Crawl, new_crawl_id
from audiocrawler.crawl.manifest import Manifest
from audiocrawler.fetch.back_off import transfers_given_up
from audiocrawler.fetch.component import Component
from audiocrawler.fetch.first_bytes import FIRST_BYTES
from audiocrawler.frontier import OpenCrawl, Start
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.rows import AudioCrawl
from audiocrawler.model.settings import AudioSettings, settings_of
from audiocrawler.model.urls import site_of
from audiocrawler.scrapy_private import SCRAPY, check_private_names, in_progress, is_closing, withdrawn

LEASE = "lease"
"""The number of the request's lease."""
DELIVERIES = "deliveries"
"""How many processes ended while they held the request; absent for none."""
CONTINUES = "continues"
"""The lease of the request that this one continues: if the process ends, that one is delivered again."""
UNFINISHED = "unfinished"
"""Whether the request is released, to be delivered again to the next run."""
OF_THIS_PROCESS = frozenset({LEASE, DELIVERIES, CONTINUES, UNFINISHED, FIRST_BYTES})


def leave_unfinished(request: Request | None) -> None:
    """Leave a request that is in progress to the next run of the crawl."""
    if request is not None:
        request.meta[UNFINISHED] = True


logger = logging.getLogger(__name__)

POLL_S = 0.25
"""How often is checked whether the crawl is stopping."""


class CrawlLifecycle(Component):
    """Owns the Crawl: opens it before one of our spiders, and closes it after.

    Any other spider gets a Crawl only if its items have files to download, and a command that looks at one page gets
    one in a temporary folder, only if needed.
    When the crawl stops, nothing more is started; what is in progress may finish within the grace period, and is left
    to the next run after that.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._grace_s = settings_of(crawler).stop_grace_s
        self._stopping_since: float | None = None
        self._has_given_up = False
        self._watch = create_looping_call(self._watch_for_stop)
        self.crawl: Crawl | None = None
        self.configuration_error: ConfigurationError | None = None
        self._manifest: Manifest | None = None
        self._settings = crawler.settings
        self._folder: TemporaryDirectory[str] | None = None
        self.is_ours = is_ours(crawler.spider)
        self._only_looks = is_command_of_scrapy(crawler.spider)
        if self.is_ours:
            self._open()
        crawler.signals.connect(self._opened_spider, signal=signals.spider_opened)
        crawler.signals.connect(self._closed, signal=signals.spider_closed)

    def refuse(self, error: ConfigurationError) -> CloseSpider:
        """Record the error for the exit code; return the exception to raise before the first request."""
        self.configuration_error = error
        return CloseSpider("configuration")

    def opened(self) -> Crawl:
        """Return the crawl, opening it now if the spider is not ours. Raises ConfigurationError."""
        if self.crawl is None and self.configuration_error is None and not self.is_ours:
            self._open_aside()
        if self.crawl is None:
            raise self.configuration_error or ConfigurationError("there is no crawl")
        return self.crawl

    def _open(self) -> None:
        spider, settings = self._crawler.spider, self._settings
        try:
            check_private_names(SCRAPY)  # no command has done so if a script runs the crawl
            start = start_of(spider, settings)
            self.crawl = Crawl(settings, self._crawler.stats, start, known_sites=known_sites_of(spider))
        except ConfigurationError as error:
            self.configuration_error = error

    def _open_aside(self) -> None:
        """Open a crawl whose requests are in Scrapy's own scheduler."""
        self._settings = self._crawler.settings.copy()
        self._settings.frozen = False
        self._settings.set("AUDIO_FRONTIER", "memory", priority="cmdline")
        if self._only_looks:
            self._folder = TemporaryDirectory(prefix="audiocrawler-")
            self._settings.setdict(places_in(self._folder.name), priority="cmdline")
        self._open()
        try:
            self._opened()
        except CloseSpider:
            self.crawl = None
            deferred_from_coro(self._crawler.engine.close_spider_async(reason="configuration"))

    def _opened_spider(self) -> None:
        if self.is_ours:
            self._opened()

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
            pending_starts = getattr(self._crawler.spider, "pending_starts", 0)
            await self.crawl.close(lambda: self._record(reason), pending_starts=pending_starts)
            self._count_rows(self.crawl)
        if self._folder is not None:
            self._folder.cleanup()

    def _count_rows(self, crawl: Crawl) -> None:
        for name, number in crawl.row_counts().items():
            self._crawler.stats.set_value(name, number)

    def _begin_manifest(self, crawl: Crawl) -> None:
        settings = self._settings
        folder = AudioSettings.of(settings).manifest_dir
        self._manifest = Manifest(folder, crawl.crawl_id, settings, self._crawler.spider)
        try:
            self._manifest.begin()
        except OSError as error:
            problem = f"AUDIO_MANIFEST_DIR={folder}: cannot be written ({error.strerror})"
            logger.error(problem)  # noqa: TRY400 - one line is enough
            raise self.refuse(ConfigurationError(problem)) from error

    def _record(self, reason: str) -> AudioCrawl:
        assert self.crawl is not None
        assert self._manifest is not None
        self._count_rows(self.crawl)
        return self._manifest.end(self._crawler.stats.get_stats(), reason, self.crawl.rest)

    def _say_whether_resumed(self, crawl: OpenCrawl) -> None:
        if not crawl.is_resumed:
            return
        started = f"the crawl started at {crawl.started_at:%Y-%m-%d %H:%M} UTC"
        note = f"resuming {started}: {crawl.waiting} requests pending (-a fresh=yes starts over)"
        if crawl.others:
            note = f"joining {started}: {crawl.others} other workers active, {crawl.waiting} requests pending"
        logger.info("%s", note)
        sys.stderr.write(f"{note}\n")

    def _watch_for_stop(self) -> None:
        assert self.crawl is not None
        self._count_rows(self.crawl)
        if not is_closing(self._crawler):
            return
        _empty_queues(self._crawler)  # each time: requests that waited for robots.txt or tdmrep.json are queued later
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
            self.crawl.stop()
        elif not self._has_given_up and time.monotonic() - self._stopping_since >= self._grace_s:
            self._has_given_up = True
            for request in in_progress(self._crawler):
                leave_unfinished(request)
            self._crawler.signals.send_catch_log(transfers_given_up)
            deferred_from_coro(self.crawl.stop_work())


def crawl_of(crawler: Crawler) -> Crawl:
    """Return the crawler's crawl, opening it if necessary. Raises ConfigurationError."""
    lifecycle = crawler.get_extension(CrawlLifecycle)
    assert lifecycle is not None
    return lifecycle.opened()


def opened_crawl_of(crawler: Crawler) -> Crawl | None:
    """Return the crawler's crawl, or None if it is not open."""
    lifecycle = crawler.get_extension(CrawlLifecycle)
    return lifecycle.crawl if lifecycle is not None else None


def is_ours(spider: Spider | None) -> bool:
    """Return whether the spider is one of ours and crawls, not borrowed by a command that looks at one page."""
    return arguments_of(spider) is not None and not getattr(spider, "is_borrowed", False)


def is_command_of_scrapy(spider: Spider | type[Spider] | None) -> bool:
    """Return whether a command of Scrapy's, such as fetch, has replaced the spider's start requests.

    ``scrapy shell`` does not, and creates its spider last.
    """
    return spider is None or spider.start.__module__.startswith("scrapy.commands.")


def places_in(folder: str) -> dict[str, str]:
    """Return settings that keep all data of a crawl in one folder."""
    return {
        "AUDIO_STORE": f"file://{folder}/objects",
        "AUDIO_WAREHOUSE": f"sqlite://{folder}/audio.db",
        "AUDIO_INCOMING": f"{folder}/incoming",
        "AUDIO_OUTBOX": f"{folder}/outbox",
        "AUDIO_MANIFEST_DIR": f"{folder}/crawls",
    }


class CrawlComponent(Component):
    """A component that needs the crawl."""

    @property
    def crawl(self) -> Crawl:
        """Return the crawl; available once the spider is open."""
        return crawl_of(self._crawler)

    @property
    def opened_crawl(self) -> Crawl | None:
        """Return the crawl, or None if it is not open."""
        return opened_crawl_of(self._crawler)


def start_of(spider: Spider | None, settings: BaseSettings) -> Start:
    """Return which crawl a spider starts or resumes."""
    arguments = arguments_of(spider)
    return Start(
        identity=identity_of(getattr(spider, "name", ""), arguments, settings),
        crawl_id=new_crawl_id(getattr(spider, "job", None)),
        fresh=arguments is not None and arguments.fresh == "yes",
        lease_s=AudioSettings.of(settings).lease_s,
    )


def known_sites_of(spider: Spider | None) -> set[str]:
    """Return the sites whose files are downloaded only if they have changed."""
    arguments = arguments_of(spider)
    if arguments is None or arguments.refresh == "all":
        return set()
    return {site_of(url) for url in arguments.start_urls()}


def stop_crawl(crawler: Crawler, why: str) -> None:
    """Stop the crawl because rows or requests cannot be kept; they are left to the next run."""
    if crawl_of(crawler).leave_behind(why):
        logger.error("%s: stopping the crawl; what is stored is kept", why)
        deferred_from_coro(crawler.engine.close_spider_async(reason="left_behind"))


def refuse_crawl(crawler: Crawler, error: ConfigurationError) -> None:
    """Stop the crawl because of a setting whose error showed only when it was used."""
    lifecycle = crawler.get_extension(CrawlLifecycle)
    assert lifecycle is not None
    reason = lifecycle.refuse(error).reason
    deferred_from_coro(crawler.engine.close_spider_async(reason=reason))


def _empty_queues(crawler: Crawler) -> None:
    """Release requests that wait for their host's delay: they would be sent long after the stop."""
    for slot in crawler.engine.downloader.slots.values():
        for request, answer in withdrawn(slot):
            leave_unfinished(request)
            answer.errback(IgnoreRequest("the crawl was stopped"))
