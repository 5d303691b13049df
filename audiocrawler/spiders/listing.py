"""List what is in archives, by requests for ranges of them."""

import re
from collections.abc import Callable, Generator
from http import HTTPStatus

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from twisted.python.failure import Failure

from audiocrawler.archives.entries import Contents, Names
from audiocrawler.archives.listing import START_BYTES, listing
from audiocrawler.archives.zip_directory import Range
from audiocrawler.crawl.crawl import Crawl
from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, VIDEO_EXTENSIONS
from audiocrawler.fetch.headers import header_text
from audiocrawler.fetch.requests import KIND, MOST_BYTES, OPTED_OUT, RequestKind, meta_of_source, own_audio_row
from audiocrawler.model.errors import ArchiveError
from audiocrawler.model.rows import AudioSource
from audiocrawler.model.statuses import Status
from audiocrawler.records import Outcome, opted_out, record_attempt
from audiocrawler.spiders.media import AUDIO_PRIORITY, Downloads

NAMES = Names(AUDIO_EXTENSIONS, VIDEO_EXTENSIONS)
_CONTENT_RANGE = re.compile(r"bytes\s+(\d+)-(\d+)/(\d+)", re.IGNORECASE)


class Lister:
    """Requests the start of each archive, then what else tells what is in it.

    ``parse`` and ``failed`` are the callbacks of the first request; they call ``finalise`` and ``failed``.
    """

    def __init__(
        self,
        crawler: Crawler,
        crawl: Crawl,
        downloads: Downloads,
        *,
        parse: Callable[..., object],
        failed: Callable[..., object],
    ) -> None:
        self._crawler, self._crawl, self._downloads = crawler, crawl, downloads
        self._parse, self._failed = parse, failed

    def request(self, url: str, source: AudioSource) -> Request:
        """Return the request for the start of an archive."""
        return Request(
            url,
            self._parse,
            errback=self._failed,
            headers={"Accept-Encoding": "identity", "Range": f"bytes=0-{START_BYTES - 1}"},
            meta=meta_of_source(source) | _meta(START_BYTES),
            priority=AUDIO_PRIORITY,
            dont_filter=True,
        )

    async def finalise(self, response: Response) -> None:
        """Write the row of the archive with what is in it."""
        assert response.request is not None
        try:
            source, outcome = await self._outcome_of(response, response.request)
        except Exception:  # noqa: BLE001 - whatever ended a request for a range
            await self.failed(Failure(), response.request)  # type: ignore[no-untyped-call]
        else:
            await self._downloads.finalise(source, outcome)

    async def failed(self, failure: Failure, request: Request) -> None:
        """Write the row of an archive whose start or directory did not come."""
        await self._downloads.finalise_failure(failure, request, "an archive: ")

    async def _outcome_of(self, response: Response, request: Request) -> tuple[AudioSource, Outcome]:
        source = record_attempt(own_audio_row(request), response, request)
        source.etag = source.last_modified = None  # nothing of it is kept
        if signals := request.meta.get(OPTED_OUT):
            return source, opted_out(signals)
        size_bytes = _size_of(response)
        source.declared_size_bytes = source.declared_size_bytes or size_bytes
        try:
            contents = await self._contents(response, listing(response.body, size_bytes, NAMES))
        except ArchiveError as error:
            return source, Outcome(Status.FILTERED, f"an archive that could not be listed: {error}")
        takes_them = "; -a archives=expand takes them" if contents.audio or contents.archives else ""
        return source, Outcome(Status.FILTERED, f"an archive: {contents}{takes_them}")

    async def _contents(self, response: Response, steps: Generator[Range, bytes, Contents]) -> Contents:
        data: bytes | None = None
        while True:
            step = await self._crawl.in_thread(lambda sent=data: _advance(steps, sent))  # type: ignore[misc]
            if isinstance(step, Contents):
                return step
            data = await self._range(response, step)

    async def _range(self, response: Response, wanted: Range) -> bytes:
        end = wanted.start + wanted.size_bytes
        if end <= len(response.body):
            return response.body[wanted.start : end]
        assert response.request is not None
        first = response.request
        headers = {**first.headers, "Range": f"bytes={wanted.start}-{end - 1}"}
        again = first.replace(callback=NO_CALLBACK, errback=None, headers=headers, meta={**first.meta})
        again.meta.update(_meta(wanted.size_bytes))
        answer = await self._crawler.engine.download_async(again)
        place = _CONTENT_RANGE.match(header_text(answer.headers.get("Content-Range") or b""))
        if answer.status != HTTPStatus.PARTIAL_CONTENT or place is None or int(place[1]) != wanted.start:
            raise ArchiveError("the server sends no ranges")
        return answer.body[: wanted.size_bytes]


def _meta(most_bytes: int) -> dict[str, object]:
    return {
        KIND: RequestKind.LISTING.value,
        MOST_BYTES: most_bytes,
        "download_maxsize": 0,
        "allow_offsite": True,
        "dont_cache": True,
    }


def _advance(steps: Generator[Range, bytes, Contents], data: bytes | None) -> Range | Contents:
    try:
        return next(steps) if data is None else steps.send(data)
    except StopIteration as end:
        contents: Contents = end.value
        return contents


def _size_of(response: Response) -> int | None:
    if response.status == HTTPStatus.PARTIAL_CONTENT:
        place = _CONTENT_RANGE.match(header_text(response.headers.get("Content-Range") or b""))
        return int(place[3]) if place else None
    length = response.headers.get("Content-Length") or b""
    return int(length) if length.isdigit() else None
