"""Scrapy extensions: stop transfers early, count found audio."""

import logging

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import StopDownload
from scrapy.http import Headers

from audiocrawler.crawl.lifecycle import is_ours
from audiocrawler.fetch.component import Component
from audiocrawler.fetch.first_bytes import FIRST_BYTES, FirstBytes
from audiocrawler.fetch.headers import KnownFile, is_audio_type, is_endless, proves_same, validators
from audiocrawler.fetch.requests import (
    ARCHIVE,
    CAME,
    INTERSTITIAL,
    IS_SAME,
    KNOWN,
    MOST_BYTES,
    SEEN_VALIDATORS,
    SENT_BACK,
    is_host_file,
    is_media,
)

logger = logging.getLogger(__name__)


class StopEarly(Component):
    """Stop a transfer as soon as its headers or first bytes show that it is not what was requested.

    Pages of other spiders and of commands such as ``scrapy fetch`` are never stopped.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._expects_pages = is_ours(crawler.spider)
        crawler.signals.connect(self._check_headers, signal=signals.headers_received)
        crawler.signals.connect(self._check_first_bytes, signal=signals.bytes_received)

    def _check_headers(self, headers: Headers, request: Request) -> None:
        if "Location" in headers or is_host_file(request) or not (self._expects_pages or is_media(request)):
            return
        if is_endless(headers) and (is_media(request) or is_audio_type(headers)):
            raise StopDownload(fail=False)
        if request.meta.get(KNOWN) and self._is_known(headers, request):
            raise StopDownload(fail=False)
        request.meta[FIRST_BYTES] = None if "Range" in request.headers else FirstBytes(headers)

    def _is_known(self, headers: Headers, request: Request) -> bool:
        """Return whether the body is not needed: it is the known file, or one that varies at every fetch.

        Headers of the latter are requested twice: validators that stay equal mean a real change.
        """
        known = KnownFile(**request.meta[KNOWN])
        if "Range" in request.headers:
            return False
        if proves_same(headers, known):
            request.meta[IS_SAME] = True
            return True
        seen = validators(headers)
        if not known.varies or (any(seen) and request.meta.get(SEEN_VALIDATORS) == seen):
            return False
        request.meta[IS_SAME] = SEEN_VALIDATORS in request.meta or not any(seen)
        request.meta[SEEN_VALIDATORS] = seen
        return True

    def _check_first_bytes(self, data: bytes, request: Request) -> None:
        if MOST_BYTES in request.meta:
            self._stop_after(data, request)
        first: FirstBytes | None = request.meta.get(FIRST_BYTES)
        if first is None or first.is_complete:
            return
        first.add(data)
        judgement = first.judgement
        if judgement is None or not first.is_complete:
            return
        if not is_media(request) and judgement.is_audio_instead_of_page:
            raise StopDownload(fail=False)
        if ARCHIVE in request.meta and judgement.may_be_archive:
            return
        if (is_media(request) and not judgement.may_be_audio) or (not is_media(request) and judgement.is_neither):
            request.meta[CAME] = judgement.name
            raise StopDownload(fail=False)

    def _stop_after(self, data: bytes, request: Request) -> None:
        """Stop where a server ignores that only the start of an archive is requested."""
        request.meta[MOST_BYTES] -= len(data)
        if request.meta[MOST_BYTES] <= 0:
            raise StopDownload(fail=False)


REPEATED = ("retry_times", "redirect_times", "part", SEEN_VALIDATORS, SENT_BACK, INTERSTITIAL)
"""Meta keys of a request whose audio URL has been counted before."""


class CountFound(Component):
    """Count the audio URLs found, each once."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._stats = crawler.stats
        crawler.signals.connect(self._scheduled, signal=signals.request_scheduled)
        crawler.signals.connect(self._dropped, signal=signals.request_dropped)

    def _scheduled(self, request: Request) -> None:
        self._count(request, 1)

    def _dropped(self, request: Request) -> None:
        self._count(request, -1)

    def _count(self, request: Request, change: int) -> None:
        repeated = any(request.meta.get(name) for name in REPEATED)
        if is_media(request) and not repeated:
            self._stats.inc_value("audio/found", change)
