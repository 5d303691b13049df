"""Scrapy extensions: they open and close the crawl, keep secrets out of the log, and show how far it is."""

import logging
import sys
import time
from typing import Any

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured, StopDownload
from scrapy.http import Headers, Response
from scrapy.logformatter import LogFormatter, LogFormatterResult
from scrapy.utils.asyncio import create_looping_call
from scrapy.utils.log import get_scrapy_root_handler
from twisted.python.failure import Failure

from audiocrawler.download.headers import is_audio_type, is_endless, is_refused_type
from audiocrawler.download.revalidation import Known, proves_same, validators
from audiocrawler.masking import mask_text
from audiocrawler.report.progress import progress_line
from audiocrawler.sniff import HEAD_BYTES, sniff
from audiocrawler.texts import printable

logger = logging.getLogger(__name__)


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
