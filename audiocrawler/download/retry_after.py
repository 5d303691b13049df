"""Retry-After: a host that asks for a pause gets it, for all requests to it (RFC 9110, section 10.2.3)."""

import asyncio
import logging
import time
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from audiocrawler.download.signals import transfers_given_up

logger = logging.getLogger(__name__)

LONGEST_PAUSE_S = 300.0
"""A host that asks for more is taken up again by a later crawl."""


class RetryAfterMiddleware:
    """Holds requests to a host back until the time that its last 429 or 503 named."""

    def __init__(self, crawler: Crawler) -> None:
        self._resume_at: dict[str, float] = {}
        self._stopped = asyncio.Event()
        crawler.signals.connect(self._stopped.set, signal=transfers_given_up)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "RetryAfterMiddleware":
        """Return the middleware."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Wait while the host's pause lasts; a crawl that is stopped does not wait."""
        host = urlsplit(request.url).netloc
        while (left_s := self._resume_at.get(host, 0) - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(self._stopped.wait(), left_s)
            except TimeoutError:
                continue
            raise IgnoreRequest("the crawl was stopped")

    def process_response(self, request: Request, response: Response) -> Response:
        """Note the pause that a 429 or 503 asks for; retrying is RetryMiddleware's part."""
        if response.status not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            return response
        pause_s = seconds_of((response.headers.get("Retry-After") or b"").decode("latin-1"))
        host = urlsplit(request.url).netloc
        if pause_s > LONGEST_PAUSE_S:
            logger.info("%s asks for a pause of %d s: its request is left for a later crawl", host, pause_s)
            request.meta["dont_retry"] = True
        elif pause_s > 0:
            logger.info("%s asks for a pause of %d s", host, pause_s)
            self._resume_at[host] = time.monotonic() + pause_s
        return response


def seconds_of(retry_after: str) -> float:
    """Return the seconds that a Retry-After value, a number or an HTTP date, asks for; 0 for none."""
    value = retry_after.strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0.0
