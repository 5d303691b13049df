"""What was taken down is not fetched again."""

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest

from audiocrawler.crawl.lifecycle import opened_crawl_of


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
        crawl = opened_crawl_of(self._crawler)
        if crawl is not None and (why := crawl.tombstones.covers(request.url)):
            raise TakenDownError(why)
