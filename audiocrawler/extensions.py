"""Extensions: stop a transfer early, count what is found."""

import logging

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import StopDownload
from scrapy.http import Headers

from audiocrawler.crawl.lifecycle import is_ours
from audiocrawler.fetch.first_bytes import FIRST_BYTES, FirstBytes
from audiocrawler.fetch.headers import KnownFile, is_audio_type, is_endless, proves_same, validators
from audiocrawler.fetch.part import Part
from audiocrawler.fetch.requests import (
    CAME,
    INTERSTITIAL,
    IS_SAME,
    KNOWN,
    SEEN_VALIDATORS,
    SENT_BACK,
    is_host_file,
    is_media,
)

logger = logging.getLogger(__name__)


class StopEarly(Part):
    """Ends a transfer as soon as its headers or its first bytes show that it is not what was asked for.

    What another spider, or a command such as ``scrapy fetch``, asks for is its own business, files for us excepted.
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
        """Return whether the body need not come: it is the known file, or one that varies at every fetch.

        Of the latter the headers are looked at twice: validators that stay tell of a change that the server means.
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
        first: FirstBytes | None = request.meta.get(FIRST_BYTES)
        if first is None or first.is_complete:
            return
        first.add(data)
        judgement = first.judgement
        if judgement is None or not first.is_complete:
            return
        if not is_media(request) and judgement.is_audio_in_place_of_page:
            raise StopDownload(fail=False)
        if is_media(request) and not judgement.may_be_audio:
            request.meta[CAME] = judgement.name
            raise StopDownload(fail=False)


REPEATED = ("retry_times", "redirect_times", "part", SEEN_VALIDATORS, SENT_BACK, INTERSTITIAL)
"""In the meta of a request whose audio URL has been counted before."""


class CountFound(Part):
    """Counts the audio URLs that were found, each once however many pages name it."""

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
