"""HLS renditions: the parts of a finished, unencrypted one are fetched in order and joined into one file."""

import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from audiocrawler.crawl.lifecycle import CONTINUES, LEASE
from audiocrawler.discovery.hls import Part, Rendition
from audiocrawler.model.rotation import row_key
from audiocrawler.model.rows import AudioItem, AudioSource, Status
from audiocrawler.model.settings import settings_of
from audiocrawler.records import Outcome, attempted, item_of, media_meta, note_opt_out, outcome_without_body
from audiocrawler.spiders.media import AUDIO_PRIORITY, MediaSpider

CERTAIN = {None, "hls", "audio_src", "audio_source"}
"""How a media playlist is reached that can only be audio: as a start, from a master playlist or an audio element."""
AUDIO_CONTAINERS = {"aac", "mp3", "m4a", "ac3", "opus", "ogg", "flac"}


class RenditionSpider(MediaSpider):
    """A spider that joins the parts of an HLS rendition."""

    def outcome_of_rendition(self, rendition: Rendition, via: str | None) -> Outcome | None:
        """Return why the rendition is not downloaded, None if it is; raises nothing."""
        if via not in CERTAIN and rendition.container not in AUDIO_CONTAINERS:
            return Outcome(Status.NOT_AUDIO, "a media playlist that may hold video")
        if rendition.is_encrypted:
            return Outcome(Status.PROTECTED, "the segments are encrypted")
        if not rendition.is_vod:
            return Outcome(Status.STREAM, "an endless stream")
        return None

    def part_request(self, parts: list[Part], number: int, source: AudioSource, lease: int | None = None) -> Request:
        """Return the request for one part; the next one follows when it is there, under the ``lease`` of the first.

        The file grows on this machine's disk, so after a crash it begins anew, and no other worker goes on with it.
        """
        part = parts[number]
        ranged = f"bytes={part.first_byte}-{part.first_byte + part.size_bytes - 1}" if part.size_bytes else None
        return Request(
            part.url,
            self.parse_part,
            errback=self.part_failed,
            headers={"Accept-Encoding": "identity", **({"Range": ranged} if ranged else {})},
            meta=media_meta(part.url, settings_of(self.crawler))
            | {"audio": source, "parts": parts, "part": number}
            | ({} if lease is None else {CONTINUES: lease}),
            priority=AUDIO_PRIORITY,
            dont_filter=number > 0,  # ranges of one file have one URL
        )

    async def parse_part(self, response: Response) -> AsyncIterator[Request | AudioItem]:
        """Append the part to the file; ask for the next one, or let the whole file into the pipelines."""
        request = response.request
        assert request is not None
        source: AudioSource = request.meta["audio"]
        parts, number = request.meta["parts"], request.meta["part"]
        note_opt_out(source, request)
        body_file = getattr(response, "body_file", None)
        if body_file is None:
            outcome = outcome_without_body(response)
            await self.settle(source, Outcome(outcome.status, _where(parts, number) + outcome.reason))
            return
        joined = self._joined_file(source)
        size_bytes = await self.crawl.in_thread(lambda: append(Path(body_file), joined, anew=number == 0))
        max_bytes = settings_of(self.crawler).max_bytes
        if max_bytes and size_bytes > max_bytes:
            await self.settle(source, Outcome(Status.TOO_LARGE, f"larger than {max_bytes} bytes"))
        elif number + 1 < len(parts):
            lease = request.meta.get(LEASE, request.meta.get(CONTINUES))
            yield self.part_request(parts, number + 1, source, lease)
        else:
            item = item_of(attempted(source, response, request), response, str(joined))
            source.final_url = source.last_modified = None  # they are the last part's
            source.etag = tag_of(parts)
            yield item

    async def part_failed(self, failure: Failure) -> None:
        """Settle the row: a file with a gap is none."""
        request: Request = failure.request  # type: ignore[attr-defined]
        await self.settle_failure(failure, request, _where(request.meta["parts"], request.meta["part"]))

    def _joined_file(self, source: AudioSource) -> Path:
        name = hashlib.sha256(source.source_url.encode()).hexdigest()[:32]
        return self.crawl.incoming.path_for(f"rendition-{name}")


def tag_of(parts: list[Part]) -> str:
    """Return what stands for a rendition's bytes, as an ETag does for a file's: its parts, without what rotates."""
    named = "\n".join(f"{row_key(part.url)} {part.first_byte} {part.size_bytes}" for part in parts)
    return f"hls-{hashlib.sha256(named.encode()).hexdigest()[:32]}"


def append(part: Path, joined: Path, *, anew: bool) -> int:
    """Append a part to the file, remove it, and return the size of the file in bytes."""
    with part.open("rb") as source, joined.open("wb" if anew else "ab") as target:
        shutil.copyfileobj(source, target)
        size_bytes = target.tell()
    part.unlink()
    return size_bytes


def _where(parts: list[Part], number: int) -> str:
    return f"part {number + 1} of {len(parts)}: "
