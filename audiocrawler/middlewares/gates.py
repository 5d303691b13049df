"""Refuse requests before they are sent: past a limit, taken down, already stored, dead-lettered, or too long."""

from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.statscollectors import StatsCollector

from audiocrawler.config.arguments import arguments_of
from audiocrawler.crawl.lifecycle import DELIVERIES, CrawlComponent
from audiocrawler.discovery.urls import MAX_URL_LENGTH, with_slashes
from audiocrawler.fetch.component import Component
from audiocrawler.fetch.requests import audio_row, is_text
from audiocrawler.frontier.frontier import MAX_DELIVERIES
from audiocrawler.model.errors import OutcomeError
from audiocrawler.model.rows import AudioSource
from audiocrawler.model.settings import settings_of
from audiocrawler.model.statuses import Status


class LimitReachedError(OutcomeError, IgnoreRequest):
    """Raised for every request once the crawl's limit of files or bytes is reached."""

    status = Status.LIMIT


def limit_reached(stats: StatsCollector, limit: int | None) -> str | None:
    """Return why no more files are taken, None if the crawl may store more."""
    is_reached = limit is not None and stats.get_value("audio/stored", 0) >= limit
    return f"limit of {limit} stored files reached" if is_reached else None


class LimitMiddleware(Component):
    """Refuse all requests once the spider's ``limit`` or AUDIO_MAX_TOTAL_BYTES is reached."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._max_total_bytes = settings_of(crawler).max_total_bytes

    def process_request(self, request: Request) -> None:
        """Let the request pass, or raise LimitReachedError."""
        stats = self._crawler.stats
        arguments = arguments_of(self._crawler.spider)
        limit = arguments.limit if arguments is not None else None
        if not is_text(request) and (why := limit_reached(stats, limit)) is not None:
            raise LimitReachedError(why)
        if self._max_total_bytes and stats.get_value("audio/bytes", 0) >= self._max_total_bytes:
            raise LimitReachedError(f"AUDIO_MAX_TOTAL_BYTES={self._max_total_bytes} reached")


class StoredAlreadyError(OutcomeError, IgnoreRequest):
    """Raised for a redelivered request whose file this crawl has stored; ``status`` is its row's."""

    def __init__(self, source: AudioSource) -> None:
        super().__init__(f"{source.source_url} is already stored")
        self.status = Status(source.status)


class DeadLetterError(OutcomeError, IgnoreRequest):
    """Raised for a request that was under way when several processes died."""


class RedeliveryMiddleware(CrawlComponent):
    """Skip a redelivered request that is already stored, and dead-letter one delivered too often.

    In a resumed crawl any request may have been under way before, even with a delivery count of 0.
    """

    async def process_request(self, request: Request) -> None:
        """Let the request pass, or raise StoredAlreadyError or DeadLetterError."""
        deliveries = request.meta.get(DELIVERIES, 0)
        crawl = self.opened_crawl
        if crawl is None:
            return
        source = audio_row(request)
        if source is not None and (deliveries or crawl.frontier.crawl.is_resumed):
            stored = await crawl.stored_source(source.source_url)
            if stored is not None:
                raise StoredAlreadyError(stored)
        if deliveries >= MAX_DELIVERIES:
            raise DeadLetterError(f"dead letter: {deliveries} processes ended while working on it")


class TakenDownError(OutcomeError, IgnoreRequest):
    """Raised for every request for a URL or host that was taken down."""

    status = Status.TAKEN_DOWN


class TakenDownMiddleware(CrawlComponent):
    """Refuse requests for URLs and hosts that were taken down."""

    def process_request(self, request: Request) -> None:
        """Let the request pass, or raise TakenDownError."""
        crawl = self.opened_crawl
        if crawl is not None and (why := crawl.tombstones.covers(request.url)):
            raise TakenDownError(why)


MAX_REFERER_LENGTH = 4096


class UrlTooLongError(OutcomeError, IgnoreRequest):
    """Raised for a URL longer than any server accepts."""


class UrlLengthMiddleware:
    """Refuse overlong URLs with a reason for their rows; Scrapy's own middleware drops them silently."""

    def process_request(self, request: Request) -> None:
        """Let the request pass, or raise UrlTooLongError; cut a long Referer to its origin (Referrer Policy, 8.3)."""
        if len(request.url) > MAX_URL_LENGTH:
            raise UrlTooLongError(f"URL longer than {MAX_URL_LENGTH} characters")
        referer = (request.headers.get("Referer") or b"").decode("latin-1")
        if len(referer) > MAX_REFERER_LENGTH:
            parts = urlsplit(referer)
            request.headers["Referer"] = f"{parts.scheme}://{parts.netloc}/"


class LocationMiddleware:
    """Parse a redirect's target as browsers do (WHATWG URL, section 4.4)."""

    def process_response(self, request: Request, response: Response) -> Response:
        """Replace backslashes before the query with slashes."""
        location = response.headers.get("Location")
        if location is not None and b"\\" in location:
            response.headers["Location"] = with_slashes(location.decode("latin-1")).encode("latin-1")
        return response
