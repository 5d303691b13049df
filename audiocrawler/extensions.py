"""Scrapy extensions: they open and close the crawl, keep secrets out of the log, and show how far it is."""

import logging
import sys
import time
from pathlib import Path
from typing import Any

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, IgnoreRequest, NotConfigured, StopDownload
from scrapy.http import Headers, Response
from scrapy.logformatter import LogFormatter, LogFormatterResult
from scrapy.settings import BaseSettings
from scrapy.utils.asyncio import create_looping_call
from scrapy.utils.defer import deferred_from_coro
from scrapy.utils.log import get_scrapy_root_handler
from twisted.python.failure import Failure

from audiocrawler.crawl import Crawl, new_crawl_id
from audiocrawler.download.headers import is_audio_type, is_endless, is_refused_type
from audiocrawler.download.revalidation import Known, proves_same, validators
from audiocrawler.download.signals import transfers_given_up
from audiocrawler.errors import ConfigurationError
from audiocrawler.frontier import OpenCrawl, Start
from audiocrawler.items import AudioCrawl
from audiocrawler.manifest import Manifest
from audiocrawler.masking import mask_text
from audiocrawler.report.progress import progress_line
from audiocrawler.scheduling.identity import identity_of
from audiocrawler.scheduling.lease_meta import leave_unfinished
from audiocrawler.sniff import HEAD_BYTES, sniff
from audiocrawler.texts import printable

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
        self._grace_s = crawler.settings.getfloat("AUDIO_STOP_GRACE_S")
        self._stopping_since: float | None = None
        self._watch = create_looping_call(self._watch_for_stop)
        self.crawl: Crawl | None = None
        self.configuration_error: ConfigurationError | None = None
        self._manifest: Manifest | None = None
        spider = crawler.spider
        try:
            start = start_of(spider, crawler.settings)
            self.crawl = Crawl(crawler.settings, start, known_sites=known_sites_of(spider))
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
            await self.crawl.close(lambda: self._record(reason))
            self._count_rows(self.crawl)

    def _count_rows(self, crawl: Crawl) -> None:
        for name, number in crawl.row_counts().items():
            self._crawler.stats.set_value(name, number)

    def _begin_manifest(self, crawl: Crawl) -> None:
        settings = self._crawler.settings
        folder = Path(settings["AUDIO_MANIFEST_DIR"])
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
        return self._manifest.end(self._crawler.stats.get_stats(), reason, self.crawl.left_behind)

    def _say_whether_resumed(self, crawl: OpenCrawl) -> None:
        if not crawl.is_resumed:
            return
        note = (
            f"the crawl begun at {crawl.started_at:%Y-%m-%d %H:%M} UTC goes on, {crawl.waiting} requests wait;"
            " -a fresh=yes starts over"
        )
        logger.info("%s", note)
        sys.stderr.write(f"{note}\n")

    def _watch_for_stop(self) -> None:
        assert self.crawl is not None
        self._count_rows(self.crawl)
        slot = self._crawler.engine._slot  # noqa: SLF001 - no signal says that a crawl begins to close
        if slot is None or slot.closing is None:
            return
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
            self.crawl.stopped = True
            _empty_queues(self._crawler)
        elif time.monotonic() - self._stopping_since >= self._grace_s:
            self._watch.stop()
            for request in slot.inprogress:
                leave_unfinished(request)
            self._crawler.signals.send_catch_log(transfers_given_up)
            deferred_from_coro(self.crawl.stop_work())


class StopEarly:
    """Ends a transfer as soon as its headers or its first bytes show that it is not what was asked for."""

    def __init__(self, crawler: Crawler) -> None:
        crawler.signals.connect(self._check_headers, signal=signals.headers_received)
        crawler.signals.connect(self._check_first_bytes, signal=signals.bytes_received)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "StopEarly":
        """Return the extension."""
        return cls(crawler)

    def _check_headers(self, headers: Headers, request: Request) -> None:
        if "Location" in headers or "robots" in request.meta:
            return
        wanted = not (is_refused_type(headers) or is_endless(headers))
        if (not wanted) if "audio" in request.meta else is_audio_type(headers):
            raise StopDownload(fail=False)
        if request.meta.get("known") and self._is_known(headers, request):
            raise StopDownload(fail=False)
        if "audio" in request.meta and not headers.get("Content-Encoding"):
            request.meta["first_bytes"] = True

    def _is_known(self, headers: Headers, request: Request) -> bool:
        """Return whether the body need not come: it is the known file, or one that varies at every fetch.

        Of the latter the headers are looked at twice: validators that stay tell of a change that the server means.
        """
        known = Known(**request.meta["known"])
        if "Range" in request.headers:
            return False
        if proves_same(headers, known):
            request.meta["is_same"] = True
            return True
        seen = validators(headers)
        if not known.varies or (any(seen) and request.meta.get("seen_validators") == seen):
            return False
        request.meta["is_same"] = "seen_validators" in request.meta or not any(seen)
        request.meta["seen_validators"] = seen
        return True

    def _check_first_bytes(self, data: bytes, request: Request) -> None:
        if not request.meta.pop("first_bytes", False) or "Range" in request.headers:
            return
        sniffed = sniff(data[:HEAD_BYTES])
        if sniffed.is_audio is False:
            request.meta["came"] = sniffed.name
            raise StopDownload(fail=False)


class MaskSecrets(logging.Filter):
    """Masks signatures and passwords in every line of the log, and lets no text steer a terminal or feign a line."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "MaskSecrets":
        """Return the extension; the settings are logged next; the log's handler is final at the opening."""
        extension = cls()
        extension._attach()
        crawler.signals.connect(extension._attach, signal=signals.spider_opened)
        return extension

    def _attach(self) -> None:
        handler = get_scrapy_root_handler()
        if handler is not None:
            handler.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record's message and traceback, and let it pass."""
        record.msg, record.args = _line_of(record.getMessage()), None
        if record.exc_info:
            record.exc_text = _line_of("\n" + logging.Formatter().formatException(record.exc_info)).lstrip("\n")
        return True


class Progress:
    """One line on a terminal that says how far the crawl is; off where there is no terminal, or the log goes to it."""

    def __init__(self, crawler: Crawler) -> None:
        if not sys.stderr.isatty() or not (crawler.settings["LOG_FILE"] or not crawler.settings.getbool("LOG_ENABLED")):
            raise NotConfigured
        self._stats = crawler.stats
        self._started_at = time.monotonic()
        self._tick = create_looping_call(self._show)
        crawler.signals.connect(self._start, signal=signals.spider_opened)
        crawler.signals.connect(self._end, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "Progress":
        """Return the extension, or NotConfigured."""
        return cls(crawler)

    def _start(self) -> None:
        self._tick.start(1.0, now=False)

    def _show(self) -> None:
        line = progress_line(self._stats.get_stats(), time.monotonic() - self._started_at)
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()

    def _end(self) -> None:
        if self._tick.running:
            self._tick.stop()
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


REPEATED = ("retry_times", "redirect_times", "part", "seen_validators", "sent_back")
"""In the meta of a request whose audio URL has been counted before."""


class CountFound:
    """Counts the audio URLs that were found, each once however many pages name it."""

    def __init__(self, crawler: Crawler) -> None:
        self._stats = crawler.stats
        crawler.signals.connect(self._scheduled, signal=signals.request_scheduled)
        crawler.signals.connect(self._dropped, signal=signals.request_dropped)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "CountFound":
        """Return the extension."""
        return cls(crawler)

    def _scheduled(self, request: Request) -> None:
        self._count(request, 1)

    def _dropped(self, request: Request) -> None:
        self._count(request, -1)

    def _count(self, request: Request, change: int) -> None:
        repeated = any(request.meta.get(name) for name in REPEATED)
        if "audio" in request.meta and not repeated:
            self._stats.inc_value("audio/found", change)


class OneLineLogFormatter(LogFormatter):
    """Says in one line what became of an item; its row has the rest."""

    def dropped(
        self, item: Any, exception: BaseException, response: Response | Failure | None, spider: Spider
    ) -> LogFormatterResult:
        """Return the reason only: the item is in the warehouse."""
        return {"level": logging.INFO, "msg": "%(reason)s", "args": {"reason": str(exception)}}

    def scraped(self, item: Any, response: Response | Failure | None, spider: Spider) -> LogFormatterResult:
        """Return the audio URL and where its bytes are."""
        source = getattr(item, "source", None)
        if source is None:
            return super().scraped(item, response, spider)
        args = {"url": source.source_url, "status": source.status, "object": source.gcp_url}
        return {"level": logging.INFO, "msg": "%(url)s: %(status)s as %(object)s", "args": args}


def _line_of(text: str) -> str:
    """Return the text masked and printable; only its first line begins at the margin."""
    return printable(mask_text(text)).replace("\n", "\n    ")


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
    )


def stop_crawl(crawler: Crawler, why: str) -> None:
    """End the crawl because rows or requests cannot be kept; they are left to the next one."""
    crawl = crawl_of(crawler)
    if crawl.left_behind is None:
        crawl.left_behind = why
        logger.error("%s: the crawl stops, what is stored stays", why)
        deferred_from_coro(crawler.engine.close_spider_async(reason="left_behind"))


def _empty_queues(crawler: Crawler) -> None:
    """Give back what waits for its host's delay: it would be sent long after the stop."""
    for slot in crawler.engine.downloader.slots.values():
        while slot.queue:
            request, answer = slot.queue.popleft()
            leave_unfinished(request)
            answer.errback(IgnoreRequest("the crawl was stopped"))
