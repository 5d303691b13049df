"""Requests that were under way when a process ended: not repeated where that is needless or unwise."""

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest

from audiocrawler.crawl.lease_meta import STARTS
from audiocrawler.crawl.lifecycle import opened_crawl_of
from audiocrawler.frontier.frontier import MAX_STARTS
from audiocrawler.items import AudioSource, Status


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
        crawl = opened_crawl_of(self._crawler)
        if crawl is None:
            return
        source = request.meta.get("audio")
        if isinstance(source, AudioSource) and (starts or crawl.frontier.crawl.is_resumed):
            stored = await crawl.stored_source(source.source_url)
            if stored is not None:
                raise StoredAlreadyError(stored)
        if starts >= MAX_STARTS:
            raise SetAsideError(f"set aside: {starts} processes have ended while they worked on it")
