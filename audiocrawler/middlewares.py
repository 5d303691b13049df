"""Downloader middlewares: thin glue between requests and the crawl that they belong to."""

from http import HTTPStatus
from pathlib import Path

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from audiocrawler.download.revalidation import conditional_headers
from audiocrawler.download.slots import media_slot, open_media_slot
from audiocrawler.frontier.frontier import MAX_STARTS
from audiocrawler.items import AudioSource, Status
from audiocrawler.lifecycle import crawl_of
from audiocrawler.scheduling.lease_meta import STARTS


class StoredAlreadyError(IgnoreRequest):
    """Raised for a request that was taken up again and whose file this crawl has stored; ``status`` is its row's."""

    def __init__(self, source: AudioSource) -> None:
        super().__init__(f"{source.source_url} is stored already")
        self.status = Status(source.status)


class SetAsideError(IgnoreRequest):
    """Raised for a request that seems to end the process that works on it."""


class TakenAgainMiddleware:
    """Lets a request that was under way when a process ended be repeated only where that is needed and wise.

    In a crawl that is resumed each may have been: it was given back because its rows were not sent, or died unnoticed.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "TakenAgainMiddleware":
        """Return the middleware."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let the request pass, or raise StoredAlreadyError or SetAsideError."""
        starts = request.meta.get(STARTS, 0)
        crawl = crawl_of(self._crawler)
        source = request.meta.get("audio")
        if isinstance(source, AudioSource) and (starts or crawl.frontier.crawl.is_resumed):
            stored = await crawl.stored_source(source.source_url)
            if stored is not None:
                raise StoredAlreadyError(stored)
        if starts >= MAX_STARTS:
            raise SetAsideError(f"set aside: {starts} processes have ended while they worked on it")


class LimitReachedError(IgnoreRequest):
    """Raised for every request once the crawl has taken as many files or bytes as it may."""


class LimitMiddleware:
    """Lets nothing more be asked of a server once the spider's ``limit`` or AUDIO_MAX_TOTAL_BYTES is reached."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._max_total_bytes = crawler.settings.getint("AUDIO_MAX_TOTAL_BYTES")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "LimitMiddleware":
        """Return the middleware."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Let the request pass, or raise LimitReachedError."""
        stats = self._crawler.stats
        limit = getattr(self._crawler.spider, "limit", None)
        if limit is not None and stats.get_value("audio/stored", 0) >= limit:
            raise LimitReachedError(f"the limit of {limit} stored files is reached")
        if self._max_total_bytes and stats.get_value("audio/bytes", 0) >= self._max_total_bytes:
            raise LimitReachedError(f"AUDIO_MAX_TOTAL_BYTES of {self._max_total_bytes} is reached")


class TakenDownError(IgnoreRequest):
    """Raised for every request that would fetch again what was taken down."""


class TakenDownMiddleware:
    """Lets nothing be asked of a URL or a host that was taken down."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "TakenDownMiddleware":
        """Return the middleware."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Let the request pass, or raise TakenDownError."""
        if why := crawl_of(self._crawler).tombstones.covers(request.url):
            raise TakenDownError(why)


class RevalidationMiddleware:
    """Asks for a file that an earlier crawl has dealt with only if it has changed."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "RevalidationMiddleware":
        """Return the middleware."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Add the conditions, and what is known, to a media request that has not got them yet."""
        source = request.meta.get("audio")
        if not isinstance(source, AudioSource) or "part" in request.meta or "known" in request.meta:
            return
        known = await crawl_of(self._crawler).memory.recall(source.source_url)
        request.meta["known"] = known.as_meta() if known else None
        if known:
            request.headers.update(conditional_headers(known))
            request.meta["handle_httpstatus_list"] = [HTTPStatus.NOT_MODIFIED.value]


class MediaMiddleware:
    """Gives a media request its file to stream to and its host's media slot."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "MediaMiddleware":
        """Return the middleware."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Complete a media request; the slot is that of the host it goes to now, also after a redirect."""
        if "audio" not in request.meta:
            return
        slot = media_slot(request.url)
        open_media_slot(self._crawler, slot)
        request.meta["download_slot"] = slot
        incoming = crawl_of(self._crawler).incoming
        body_file = Path(request.meta.get("body_file", ""))
        if body_file.parent != incoming.folder:
            request.meta["body_file"] = str(
                incoming.path_for(self._crawler.request_fingerprinter.fingerprint(request).hex())
            )

    def process_response(self, request: Request, response: Response) -> Response:
        """Drop the encoding of an answer that was stopped at its headers: there is no body to decode."""
        if "download_stopped" in response.flags:
            response.headers.pop("Content-Encoding", None)
        return response
