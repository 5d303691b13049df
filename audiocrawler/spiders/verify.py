"""The verify spider: compare stored files with what their servers state in headers, without downloading them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import StopDownload
from scrapy.http import Headers, Response
from twisted.python.failure import Failure

from audiocrawler.config.arguments import Arguments
from audiocrawler.crawl.known import VARIES_AFTER
from audiocrawler.crawl.lifecycle import leave_unfinished
from audiocrawler.discovery.kinds import classify
from audiocrawler.fetch.file_transfer import SIZES, Stated, is_encoded, stated_in
from audiocrawler.fetch.headers import is_refused_type, media_type, validators
from audiocrawler.fetch.requests import KIND, RequestKind, kind_of
from audiocrawler.model.errors import StoreError
from audiocrawler.model.marks import marked
from audiocrawler.model.members import split_member
from audiocrawler.model.rows import AudioSource
from audiocrawler.model.statuses import Status, Trait
from audiocrawler.model.text import is_masked
from audiocrawler.spiders.audio import AudioSpider
from audiocrawler.spiders.retry import DOCUMENTS

ASKED, SAME, CHANGED, DIFFERENT, UNKNOWN = (
    f"verify/{name}" for name in ("asked", "same", "changed", "different", "unknown")
)
"""Stats: sources that were checked, by result."""


class VerifySpider(AudioSpider):
    """Requests the headers of each stored file, and marks the rows that differ from the server's file."""

    name = "verify"
    callbacks = frozenset({"parse_stated", "not_stated"})

    def read_arguments(self, given: dict[str, Any]) -> Arguments:
        """Return a crawl's arguments without a start: an interrupted verify is resumed."""
        return Arguments.model_construct(crawl="verify")

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "VerifySpider":
        """Return the spider, which stops each transfer after its headers."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        assert isinstance(spider, VerifySpider)
        crawler.signals.connect(spider.stop_at_headers, signal=signals.headers_received)
        return spider

    async def start(self) -> AsyncIterator[Request]:
        """Request the headers of every stored file that one URL can prove."""
        self.crawler.stats.set_value("audio/selected", 0)  # no file is to be downloaded
        for row in await self.crawl.in_thread(self._rows):
            self.crawler.stats.inc_value(ASKED)
            yield self._request("HEAD", row)

    def _rows(self) -> list[AudioSource]:
        return [row for row in self.crawl.warehouse.source_rows() if is_provable(row)]

    def _request(self, method: str, row: AudioSource) -> Request:
        headers = {"Accept-Encoding": "identity"} | ({"Range": "bytes=0-0"} if method == "GET" else {})
        meta = {KIND: RequestKind.CHECK.value, "verified": row}
        meta |= {"allow_offsite": True, "dont_cache": True, "download_maxsize": 0}
        return Request(
            row.source_url, self.parse_stated, method, headers, meta=meta, errback=self.not_stated, dont_filter=True
        )

    def stop_at_headers(self, headers: Headers, request: Request) -> None:
        """Stop the transfer: a server that ignores the range would send the whole file."""
        if kind_of(request) is RequestKind.CHECK and "Location" not in headers:
            request.meta["encoded"] = is_encoded(headers)
            if request.method != "HEAD":
                raise StopDownload(fail=False)

    async def parse_stated(self, response: Response) -> AsyncIterator[Request]:
        """Compare the headers with the row; only a response to GET proves a difference."""
        row = response.meta["verified"]
        request = response.request
        assert request is not None
        stated = Stated() if response.meta.get("encoded") else stated_in(response.status, response.headers)
        if request.method == "HEAD" and stated.size_bytes == 0:
            stated.size_bytes = None  # many responses to HEAD state 0 because they have no body
        if is_refused_type(response.headers) and (row.content_type or "") != media_type(response.headers):
            stated = Stated()  # a page instead of the file
        difference = await self._difference(row, stated)
        if request.method == "HEAD" and (stated.is_empty or difference):
            yield self._request("GET", row)
        else:
            await self._conclude(row, stated, difference, response)

    async def not_stated(self, failure: Failure) -> AsyncIterator[Request]:
        """Retry with GET if HEAD is refused; else the result is unknown."""
        request: Request = failure.request  # type: ignore[attr-defined]
        if self.crawl.is_stopping:
            leave_unfinished(request)
        elif request.method == "HEAD" and getattr(failure.value, "response", None) is not None:
            yield self._request("GET", request.meta["verified"])
        else:
            self.crawler.stats.inc_value(UNKNOWN)
            self.logger.info("%s: %s", request.url, failure.value)

    async def _difference(self, row: AudioSource, stated: Stated) -> str | None:
        if stated.size_bytes is not None and stated.size_bytes != row.size_bytes:
            return f"the server has {stated.size_bytes} bytes, but {row.size_bytes} are stored"
        algorithm = next((name for name in SIZES if name in stated.digests), None)
        own = await self._digest(row, algorithm) if algorithm else None
        if algorithm is None or own is None or own == stated.digests[algorithm]:
            return None
        return f"the server's {algorithm} differs from that of the stored bytes"

    async def _digest(self, row: AudioSource, algorithm: str) -> bytes | None:
        if algorithm == "sha256":
            return bytes.fromhex(str(row.sha256))
        try:
            audio = await self.crawl.find_audio(str(row.sha256))
            url = audio.gcp_url if audio else str(row.gcp_url)
            return await self.crawl.in_thread(lambda: self.crawl.store.digest_of(url, algorithm))
        except StoreError as error:
            self.logger.warning("%s", error)
            return None

    async def _conclude(self, row: AudioSource, stated: Stated, difference: str | None, response: Response) -> None:
        stats = self.crawler.stats
        if stated.is_empty:
            stats.inc_value(UNKNOWN)
        elif difference is None:
            stats.inc_value(SAME)
        elif has_changed(row, response.headers):
            stats.inc_value(CHANGED)
        else:
            stats.inc_value(DIFFERENT)
            await self._mark(row, difference, response)

    async def _mark(self, row: AudioSource, why: str, response: Response) -> None:
        self.logger.warning("%s: %s", row.source_url, why)
        current = await self.crawl.find_source(row.source_url)
        if current is None or current.sha256 != row.sha256:
            return  # another crawl has stored it again
        again = replace(marked(current, why), http_status=response.status, last_attempt_at=datetime.now(UTC))
        audio = await self.crawl.find_audio(str(row.sha256))
        await self.crawl.write([again, *([replace(audio, status="partial")] if audio else [])])

    def closed(self, reason: str) -> None:
        """Report in the crawl's record that something is left to do."""
        if number := self.crawler.stats.get_value(DIFFERENT, 0):
            self.crawl.leave_behind(f"{number} stored files differ from their servers' files")


def is_provable(row: AudioSource) -> bool:
    """Return whether the row has a stored file, under a complete URL of its own, whose content does not vary."""
    is_member = bool(split_member(row.source_url)[1])
    has_file = (
        not is_member
        and row.status in Status.having(Trait.STORED)
        and row.sha256 is not None
        and row.size_bytes is not None
    )
    varies = (row.variants or 0) >= VARIES_AFTER
    return has_file and not varies and not is_masked(row.source_url) and classify(row.source_url) not in DOCUMENTS


def has_changed(row: AudioSource, headers: Headers) -> bool:
    """Return whether the server's validators show another version than the stored one."""
    known = [_opaque(row.etag or ""), row.last_modified or ""]
    now = [_opaque(validators(headers)[0]), validators(headers)[1]]
    return any(before and after and before != after for before, after in zip(known, now, strict=True))


def _opaque(etag: str) -> str:
    """Return an ETag without the weak prefix and the suffix for an encoding."""
    return etag.removeprefix("W/").replace('-gzip"', '"')
