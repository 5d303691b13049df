"""Transfers that end as soon as they show that they are not what was asked for."""

import logging

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import StopDownload
from scrapy.http import Headers

from audiocrawler.crawl.lifecycle import is_ours
from audiocrawler.download.first_bytes import FIRST_BYTES, FirstBytes
from audiocrawler.download.headers import is_audio_type, is_endless
from audiocrawler.download.revalidation import Known, proves_same, validators

logger = logging.getLogger(__name__)


class StopEarly:
    """Ends a transfer as soon as its headers or its first bytes show that it is not what was asked for.

    What another spider, or a command such as ``scrapy fetch``, asks for is its own business, files for us excepted.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._expects_pages = is_ours(crawler.spider)
        crawler.signals.connect(self._check_headers, signal=signals.headers_received)
        crawler.signals.connect(self._check_first_bytes, signal=signals.bytes_received)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "StopEarly":
        """Return the extension."""
        return cls(crawler)

    def _check_headers(self, headers: Headers, request: Request) -> None:
        if "Location" in headers or "robots" in request.meta or not (self._expects_pages or "audio" in request.meta):
            return
        if is_endless(headers) and ("audio" in request.meta or is_audio_type(headers)):
            raise StopDownload(fail=False)
        if request.meta.get("known") and self._is_known(headers, request):
            raise StopDownload(fail=False)
        request.meta[FIRST_BYTES] = None if "Range" in request.headers else FirstBytes(headers)

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
        first: FirstBytes | None = request.meta.get(FIRST_BYTES)
        if first is None or first.is_complete:
            return
        first.add(data)
        judgement = first.judgement
        if judgement is None or not first.is_complete:
            return
        if "audio" not in request.meta and judgement.is_audio_in_place_of_page:
            raise StopDownload(fail=False)
        if "audio" in request.meta and not judgement.may_be_audio:
            request.meta["came"] = judgement.name
            raise StopDownload(fail=False)
