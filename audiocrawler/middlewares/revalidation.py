"""Files that an earlier crawl has dealt with are asked for only if they have changed."""

from http import HTTPStatus

from scrapy import Request
from scrapy.crawler import Crawler

from audiocrawler.crawl.lifecycle import crawl_of
from audiocrawler.download.revalidation import conditional_headers, trusted
from audiocrawler.items import AudioSource


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
        if known and "trust" in request.meta:
            known = trusted(known) if request.meta["trust"] == "strong" else None
        request.meta["known"] = known.as_meta() if known else None
        if known:
            request.headers.update(conditional_headers(known))
            request.meta["handle_httpstatus_list"] = [HTTPStatus.NOT_MODIFIED.value]
