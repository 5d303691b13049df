"""Retry-After: a host that asks for a pause gets it, for all requests to it (RFC 9110, section 10.2.3)."""

import logging
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from audiocrawler.download.downloader import polite
from audiocrawler.download.signals import host_paused
from audiocrawler.download.slots import LONGEST_WAIT_S

logger = logging.getLogger(__name__)

MAX_NAMED_S = 10 * 365 * 24 * 3600.0
"""What a header can ask for at most: longer numbers are no less absurd."""

ROBOTS_PAUSE_S = 10.0
"""The longest pause before another try for robots.txt: the requests that it decides on wait for that."""

SAME_PAUSE_S = 2.0
"""A pause that ends by so little later than the one that is known is taken for the same one."""


class HostPausedError(IgnoreRequest):
    """Raised for requests to a host that wants a longer pause than a crawl waits for."""


class RetryAfterMiddleware:
    """Holds requests to a host back until the time that its last 429 or 503 named.

    They wait in the queue, where they take no place of another host's. The signal ``host_paused`` tells of each pause,
    so that other workers keep it too.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._left: dict[str, tuple[float, str]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "RetryAfterMiddleware":
        """Return the middleware."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Let the request pass, or raise HostPausedError with the reason."""
        until, reason = self._left.get(urlsplit(request.url).hostname or "", (0.0, ""))
        if time.monotonic() < until:
            raise HostPausedError(reason)

    def process_response(self, request: Request, response: Response) -> Response:
        """Note the pause that a 429 or 503 asks for; retrying is RetryMiddleware's part."""
        if response.status not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            return response
        pause_s = seconds_of((response.headers.get("Retry-After") or b"").decode("latin-1"))
        host = urlsplit(request.url).hostname or ""
        if pause_s > 0:
            logger.info("%s asks for a pause of %d s", host, pause_s)
            self.pause(host, pause_s)
            self._crawler.signals.send_catch_log(host_paused, host=host, pause_s=pause_s)
        if pause_s > (ROBOTS_PAUSE_S if "robots" in request.meta else LONGEST_WAIT_S):
            request.meta["dont_retry"] = True
        return response

    def pause(self, host: str, pause_s: float) -> None:
        """Send nothing to the host for so many seconds, and if they are very many, nothing more in this crawl."""
        if pause_s > LONGEST_WAIT_S:
            self._leave(host, pause_s)
        else:
            polite(self._crawler).pause(host, pause_s)

    def _leave(self, host: str, pause_s: float) -> None:
        """Send nothing more to the host in this crawl, unless the pause ends before it."""
        until_s = time.monotonic() + pause_s
        if until_s < self._left.get(host, (0.0, ""))[0] + SAME_PAUSE_S:
            return
        if host not in self._left:
            logger.warning("%s asks for a pause of %d s: it is left to a later crawl", host, pause_s)
        reason = f"{host} asks for a pause of {pause_s:.0f} s, more than a crawl waits"
        self._left[host] = until_s, reason
        polite(self._crawler).refuse_waiting(host, HostPausedError(reason))


def seconds_of(retry_after: str) -> float:
    """Return the seconds that a Retry-After value, a number or an HTTP date, asks for; 0 for none."""
    value = retry_after.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:20]), MAX_NAMED_S)
    try:
        named = parsedate_to_datetime(value)
        return min(max(0.0, named.replace(tzinfo=named.tzinfo or UTC).timestamp() - time.time()), MAX_NAMED_S)
    except (ValueError, OverflowError):
        return 0.0
