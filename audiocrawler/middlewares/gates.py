"""Requests that are asked of no server: past the limit, taken down, delivered again; and URLs too long or unclean."""

from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from audiocrawler.config.arguments import arguments_of
from audiocrawler.crawl.lifecycle import DELIVERIES, CrawlComponent
from audiocrawler.discovery.urls import MAX_URL_LENGTH, with_slashes
from audiocrawler.fetch.component import Component
from audiocrawler.fetch.requests import audio_row
from audiocrawler.frontier.frontier import MAX_DELIVERIES
from audiocrawler.model.errors import OutcomeError
from audiocrawler.model.rows import AudioSource
from audiocrawler.model.settings import settings_of
from audiocrawler.model.statuses import Status


class LimitReachedError(OutcomeError, IgnoreRequest):
    """Raised for every request once the crawl has taken as many files or bytes as it may."""

    status = Status.LIMIT


class LimitMiddleware(Component):
    """Lets nothing more be asked of a server once the spider's ``limit`` or AUDIO_MAX_TOTAL_BYTES is reached."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._max_total_bytes = settings_of(crawler).max_total_bytes

    def process_request(self, request: Request) -> None:
        """Let the request pass, or raise LimitReachedError."""
        stats = self._crawler.stats
        arguments = arguments_of(self._crawler.spider)
        limit = arguments.limit if arguments is not None else None
        if limit is not None and stats.get_value("audio/stored", 0) >= limit:
            raise LimitReachedError(f"the limit of {limit} stored files is reached")
        if self._max_total_bytes and stats.get_value("audio/bytes", 0) >= self._max_total_bytes:
            raise LimitReachedError(f"AUDIO_MAX_TOTAL_BYTES of {self._max_total_bytes} is reached")


class StoredAlreadyError(OutcomeError, IgnoreRequest):
    """Raised for a request that was taken up again and whose file this crawl has stored; ``status`` is its row's."""

    def __init__(self, source: AudioSource) -> None:
        super().__init__(f"{source.source_url} is stored already")
        self.status = Status(source.status)


class DeadLetterError(OutcomeError, IgnoreRequest):
    """Raised for a request that seems to end the process that works on it."""


class RedeliveryMiddleware(CrawlComponent):
    """Lets a request that was under way when a process ended be repeated only where that is needed and wise.

    In a crawl that is resumed each may have been: it was given back because its rows were not sent, or died unnoticed.
    """

    async def process_request(self, request: Request) -> None:
        """Let the request pass, or raise StoredAlreadyError or DeadLetterError."""
        starts = request.meta.get(DELIVERIES, 0)
        crawl = self.opened_crawl
        if crawl is None:
            return
        source = audio_row(request)
        if source is not None and (starts or crawl.frontier.crawl.is_resumed):
            stored = await crawl.stored_source(source.source_url)
            if stored is not None:
                raise StoredAlreadyError(stored)
        if starts >= MAX_DELIVERIES:
            raise DeadLetterError(f"set aside: {starts} processes have ended while they worked on it")


class TakenDownError(OutcomeError, IgnoreRequest):
    """Raised for every request that would fetch again what was taken down."""

    status = Status.TAKEN_DOWN


class TakenDownMiddleware(CrawlComponent):
    """Lets nothing be asked of a URL or a host that was taken down."""

    def process_request(self, request: Request) -> None:
        """Let the request pass, or raise TakenDownError."""
        crawl = self.opened_crawl
        if crawl is not None and (why := crawl.tombstones.covers(request.url)):
            raise TakenDownError(why)


MAX_REFERER_LENGTH = 4096


class UrlTooLongError(OutcomeError, IgnoreRequest):
    """Raised for a request that no server would take."""


class UrlLengthMiddleware:
    """Refuses what is longer than any server takes, so that its row tells; Scrapy's own drops it without a word."""

    def process_request(self, request: Request) -> None:
        """Let the request pass, or raise UrlTooLongError; a long Referer becomes an origin (Referrer Policy, 8.3)."""
        if len(request.url) > MAX_URL_LENGTH:
            raise UrlTooLongError(f"its URL is longer than {MAX_URL_LENGTH} characters")
        referer = (request.headers.get("Referer") or b"").decode("latin-1")
        if len(referer) > MAX_REFERER_LENGTH:
            parts = urlsplit(referer)
            request.headers["Referer"] = f"{parts.scheme}://{parts.netloc}/"


class LocationMiddleware:
    """Reads a redirect's target as browsers do (WHATWG URL, section 4.4)."""

    def process_response(self, request: Request, response: Response) -> Response:
        """Put slashes where the target has backslashes before its query."""
        location = response.headers.get("Location")
        if location is not None and b"\\" in location:
            response.headers["Location"] = with_slashes(location.decode("latin-1")).encode("latin-1")
        return response
