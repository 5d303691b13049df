"""How far the crawl is, in one line on a terminal."""

import sys
import time

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.utils.asyncio import create_looping_call

from audiocrawler.report.progress import progress_line


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
