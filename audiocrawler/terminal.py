"""Extensions that show a crawl's progress: a live area on a terminal, and a line per minute in the log."""

import logging
import sys
import time
from typing import Any

from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.extensions.logstats import LogStats
from scrapy.statscollectors import StatsCollector
from scrapy.utils.asyncio import create_looping_call

from audiocrawler.crawl.lifecycle import CrawlComponent, is_command_of_scrapy, is_ours
from audiocrawler.fetch.under_way import Transfer, UnderWay
from audiocrawler.logs import MaskSecrets
from audiocrawler.report.figures import Throughput, figures
from audiocrawler.report.live import Gauge, LiveArea, View
from audiocrawler.report.summary import bytes_text

REFRESH_S = 0.25
LONG_S = 2.0
"""A longer transfer gets a line of its own ..."""
SHOWN_TRANSFERS = 3
"""... if it is among the first ones; the others are counted."""


class Progress(CrawlComponent):
    """The live area of a crawl; off if stderr is not a terminal, or items are written to it."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        if not sys.stderr.isatty() or not _has_the_terminal(crawler):
            raise NotConfigured
        area = LiveArea.on(sys.stderr, self._view)
        if area is None:
            raise NotConfigured
        self._area = area
        self._under_way = UnderWay(crawler)
        self._progress = _Progress(crawler.stats)
        self._warnings: logging.Handler | None = None
        self._tick = create_looping_call(area.refresh)
        self._is_closing = False
        crawler.signals.connect(self._start, signal=signals.spider_opened)
        crawler.signals.connect(self._close, signal=signals.spider_closed)
        crawler.signals.connect(self._end, signal=signals.engine_stopped)

    def _start(self) -> None:
        from twisted.internet import reactor

        reactor.addSystemEventTrigger("before", "shutdown", self._end)  # type: ignore[arg-type] # after a forced stop
        self._area.start()
        if self._crawler.settings["LOG_FILE"] and self._crawler.settings.getbool("LOG_ENABLED"):
            self._warnings = _warnings_to(self._area)
        self._tick.start(REFRESH_S, now=False)

    def _close(self) -> None:
        """Show that the last rows are being uploaded."""
        self._is_closing = True

    def _end(self) -> None:
        if self._tick.running:
            self._tick.stop()
        self._area.stop()
        if self._warnings is not None:
            logging.root.removeHandler(self._warnings)

    def _view(self) -> View:
        crawl = self.opened_crawl
        is_stopping = crawl is not None and crawl.is_stopping
        state = ["closing"] if self._is_closing else ["stopping"] if is_stopping else []
        return View([*state, *self._progress.figures()], [*self._of_limit(), *self._of_transfers()])

    def _of_limit(self) -> list[Gauge]:
        """Return the bar of ``limit``: a crawl has no other known end."""
        limit = getattr(self._crawler.spider, "limit", None)
        if not isinstance(limit, int):
            return []
        stored = self._crawler.stats.get_value("audio/stored", 0)
        return [Gauge(stored, limit, [f"{stored} of {limit} files"])]

    def _of_transfers(self) -> list[Gauge]:
        long = self._under_way.longer_than(LONG_S)
        shown = [_of_transfer(each) for each in long[:SHOWN_TRANSFERS]]
        more = len(long) - len(shown)
        return [*shown, *([Gauge(0, None, [f"and {more} more"])] if more else [])]


class CrawlLog(LogStats):
    """Scrapy's periodic log line with our figures, for our spiders; LOGSTATS_INTERVAL is its period."""

    def __init__(self, stats: StatsCollector, interval: float = 60.0) -> None:
        super().__init__(stats, interval)
        self._progress = _Progress(stats)

    def spider_opened(self, spider: Spider) -> None:
        """Start; other spiders get Scrapy's own figures."""
        self._is_ours = is_ours(spider)
        super().spider_opened(spider)

    def log(self, spider: Spider) -> None:
        """Log the line."""
        if not self._is_ours:
            super().log(spider)
            return
        self.calculate_stats()
        logging.getLogger(__name__).info("%s", ", ".join(self._progress.figures()), extra={"spider": spider})


class _Progress:
    """The figures of a crawl, with its duration and throughput."""

    def __init__(self, stats: StatsCollector) -> None:
        self._stats = stats
        self._started_at = time.monotonic()
        self._throughput = Throughput()

    def figures(self) -> list[str]:
        stats: dict[str, Any] = self._stats.get_stats()
        now = time.monotonic()
        return figures(stats, now - self._started_at, self._throughput.of(stats.get("audio/bytes", 0), now))


class _FirstLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return the first line: the log has the others."""
        return f"{record.levelname.lower()}: {record.getMessage().partition(chr(10))[0]}"


def _warnings_to(area: LiveArea) -> logging.Handler:
    """Show warnings and errors above the area, too, if the log is a file."""
    handler = logging.StreamHandler(area.above)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_FirstLine())
    handler.addFilter(MaskSecrets())
    logging.root.addHandler(handler)
    return handler


def _has_the_terminal(crawler: Crawler) -> bool:
    """Return whether the terminal is free: ``scrapy shell`` and its like use it, and items may be written to it.

    With the user's own spider it is if the log goes elsewhere.
    """
    settings = crawler.settings
    is_log_elsewhere = bool(settings["LOG_FILE"]) or not settings.getbool("LOG_ENABLED")
    prints_items = any(str(uri).startswith("stdout:") for uri in settings.getdict("FEEDS")) and sys.stdout.isatty()
    is_crawl = is_ours(crawler.spider) or (is_log_elsewhere and not is_command_of_scrapy(crawler.spider))
    return is_crawl and not prints_items


def _of_transfer(transfer: Transfer) -> Gauge:
    size = bytes_text(transfer.size_bytes)
    of = f" of {bytes_text(transfer.total_bytes)}" if transfer.total_bytes else ""
    return Gauge(transfer.size_bytes, transfer.total_bytes, [f"{size}{of}", transfer.host])
