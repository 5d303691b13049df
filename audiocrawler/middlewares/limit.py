"""The limit of files and bytes of a crawl."""

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest

from audiocrawler.arguments.arguments import arguments_of


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
        arguments = arguments_of(self._crawler.spider)
        limit = arguments.limit if arguments is not None else None
        if limit is not None and stats.get_value("audio/stored", 0) >= limit:
            raise LimitReachedError(f"the limit of {limit} stored files is reached")
        if self._max_total_bytes and stats.get_value("audio/bytes", 0) >= self._max_total_bytes:
            raise LimitReachedError(f"AUDIO_MAX_TOTAL_BYTES of {self._max_total_bytes} is reached")
