"""Download the parts of a finished, unencrypted HLS rendition in order, and join them into one file."""

import hashlib
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from audiocrawler.crawl.crawl import Crawl
from audiocrawler.crawl.lifecycle import CONTINUES, LEASE
from audiocrawler.discovery.hls import Part, Rendition
from audiocrawler.fetch.requests import KIND, RequestKind, meta_of_source, own_audio_row
from audiocrawler.model.rotation import row_key
from audiocrawler.model.rows import AudioItem, AudioSource
from audiocrawler.model.statuses import Status
from audiocrawler.records import Outcome, add_opt_out, item_of, media_meta, outcome_without_body, record_attempt
from audiocrawler.spiders.media import AUDIO_PRIORITY, Downloads

AUDIO_CONTAINERS = {"aac", "mp3", "m4a", "ac3", "opus", "ogg", "flac"}


class HlsJoiner:
    """Joins the parts of an HLS rendition; ``parse`` and ``failed`` are the callbacks of the requests for them."""

    def __init__(
        self,
        crawl: Crawl,
        downloads: Downloads,
        *,
        parse: Callable[..., Any],
        failed: Callable[..., Any],
    ) -> None:
        self._crawl, self._downloads = crawl, downloads
        self._parse, self._failed = parse, failed

    def why_not(self, rendition: Rendition, *, is_certain_audio: bool) -> Outcome | None:
        """Return why the rendition is not downloaded, None if it is."""
        if not is_certain_audio and rendition.container not in AUDIO_CONTAINERS:
            return Outcome(Status.NOT_AUDIO, "a media playlist that may hold video")
        if rendition.is_encrypted:
            return Outcome(Status.PROTECTED, "the segments are encrypted")
        if not rendition.is_vod and not rendition.is_cut:
            return Outcome(Status.STREAM, "an endless stream")
        if rendition.is_cut:
            return Outcome(Status.FAILED, "more parts or languages than are joined: the file would not be whole")
        if not rendition.parts:
            return Outcome(Status.NOT_AUDIO, "a manifest without parts")
        return None

    def request(self, parts: list[Part], number: int, source: AudioSource, lease: int | None = None) -> Request:
        """Return the request for one part; the next one is requested after it, under the ``lease`` of the first.

        The file grows on this machine's disk, so after a crash it starts over, and no other worker can continue it.
        """
        part = parts[number]
        ranged = f"bytes={part.first_byte}-{part.first_byte + part.size_bytes - 1}" if part.size_bytes else None
        return Request(
            part.url,
            self._parse,
            errback=self._failed,
            headers={"Accept-Encoding": "identity", **({"Range": ranged} if ranged else {})},
            meta=media_meta(part.url, self._crawl.settings)
            | {KIND: RequestKind.PART.value, "parts": parts, "part": number}
            | meta_of_source(source)
            | ({} if lease is None else {CONTINUES: lease}),
            priority=AUDIO_PRIORITY,
            dont_filter=number > 0,  # ranges of one file have one URL
        )

    async def joined(self, response: Response) -> AsyncIterator[Request | AudioItem]:
        """Append the part to the file; request the next one, or yield the whole file as an item."""
        request = response.request
        assert request is not None
        source = own_audio_row(request)
        parts, number = request.meta["parts"], request.meta["part"]
        add_opt_out(source, request)
        body_file = getattr(response, "body_file", None)
        if body_file is None:
            outcome = outcome_without_body(response)
            await self._downloads.finalise(source, Outcome(outcome.status, _where(parts, number) + outcome.reason))
            return
        joined = self._joined_file(source)
        size_bytes = await self._crawl.in_thread(lambda: append(Path(body_file), joined, is_first=number == 0))
        max_bytes = self._crawl.settings.max_bytes
        if max_bytes and size_bytes > max_bytes:
            await self._downloads.finalise(source, Outcome(Status.TOO_LARGE, f"larger than {max_bytes} bytes"))
        elif number + 1 < len(parts):
            lease = request.meta.get(LEASE, request.meta.get(CONTINUES))
            yield self.request(parts, number + 1, source, lease)
        else:
            item = item_of(record_attempt(source, response, request), response, str(joined))
            source.final_url = source.last_modified = None  # they are the last part's
            source.etag = tag_of(parts)
            yield item

    async def failed(self, failure: Failure, request: Request) -> None:
        """Finalise the row: a file with a gap is useless."""
        await self._downloads.finalise_failure(failure, request, _where(request.meta["parts"], request.meta["part"]))

    def _joined_file(self, source: AudioSource) -> Path:
        name = hashlib.sha256(source.source_url.encode()).hexdigest()[:32]
        return self._crawl.incoming.path_for(f"rendition-{name}")


def tag_of(parts: list[Part]) -> str:
    """Return a validator of a rendition, like a file's ETag: a hash of its parts without what rotates."""
    named = "\n".join(f"{row_key(part.url)} {part.first_byte} {part.size_bytes}" for part in parts)
    return f"hls-{hashlib.sha256(named.encode()).hexdigest()[:32]}"


def append(part: Path, joined: Path, *, is_first: bool) -> int:
    """Append a part to the file, remove it, and return the size of the file in bytes."""
    with part.open("rb") as source, joined.open("wb" if is_first else "ab") as target:
        shutil.copyfileobj(source, target)
        size_bytes = target.tell()
    part.unlink()
    return size_bytes


def _where(parts: list[Part], number: int) -> str:
    return f"part {number + 1} of {len(parts)}: "
