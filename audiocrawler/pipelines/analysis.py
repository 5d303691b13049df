"""A file on disk in; the same with its measured row out."""

import re
from pathlib import Path
from typing import Any

from audiocrawler.analysis.version import ANALYSER_VERSION
from audiocrawler.crawl.drops import FetchAgainError, GivenBackError
from audiocrawler.download.body_file import UNPROVED
from audiocrawler.errors import ContentTakenDownError, FileRejectedError, NotAudioError
from audiocrawler.items import AudioItem, AudioMetadata
from audiocrawler.pipelines.stage import Stage
from audiocrawler.rights.licences_tags import credit_in, statements_in
from audiocrawler.sniff import Sniffed, sniff_file
from audiocrawler.spiders.licences import state
from audiocrawler.storage import object_key

ENDS_ARE_ANNOUNCED = frozenset({"wav", "aiff", "flac", "ogg", "opus", "m4a", "mp4"})
"""Extensions of formats whose headers tell where the file ends, so that the analysis sees that it is cut."""
NOT_PROVED = "not proved to be whole: the server gave no length, and the connection was closed"


class AnalysisPipeline(Stage):
    """Measures the file in a worker process, unless equal bytes have been measured before."""

    async def advance(self, item: AudioItem) -> None:
        """Fill ``item.audio``."""
        entry, source = item.files[0], item.source
        body, sha256 = Path(entry["path"]), str(entry["checksum"])
        await self.crawl.claims.claim(sha256)
        if self.crawl.tombstones.has_content(sha256):
            raise ContentTakenDownError("the same bytes were taken down")
        sniffed, size_bytes = await self.crawl.in_thread(lambda: (sniff_file(body), body.stat().st_size))
        source.sha256, source.size_bytes = sha256, size_bytes
        if sniffed.is_audio is False:
            raise NotAudioError(f"{sniffed.name} came in place of audio")
        known = await self._known(sha256)
        item.audio = known or await self._measured(item, sniffed)
        self._judge_end(item, item.audio, sniffed, came_before=known is not None)
        state(source, statements_in(item.audio.tags), credit_in(item.audio.tags))
        item.audio.classification = self.crawl.energy.classify(item.audio.duration_ms, item.audio.loudness)
        item.audio.file_name = _with_extension(item.file_name, sniffed.extension)
        item.audio.source_url, item.audio.page_url = source.source_url, source.page_url
        item.audio.found_by = source.found_by
        item.audio.first_seen_at, item.audio.updated_at = source.first_seen_at, source.last_seen_at

    def _judge_end(self, item: AudioItem, audio: AudioMetadata, sniffed: Sniffed, *, came_before: bool) -> None:
        """Say in the rows whether the file is whole, where the transfer has not proved it.

        Equal bytes that came before prove it. Raises FetchAgainError for what seems to have broken off.
        """
        is_proved = item.files[0]["status"] != UNPROVED
        if is_proved or came_before:
            audio.status = "ok" if audio.status == UNPROVED else audio.status
            return
        if audio.status == "ok" and sniffed.extension in ENDS_ARE_ANNOUNCED:
            return
        if audio.status == "partial" and self.may_fetch_again(item):
            raise FetchAgainError("the transfer may have broken off: it had no length, and the file lacks its end")
        audio.status = UNPROVED if audio.status == "ok" else audio.status
        item.source.reason = NOT_PROVED
        item.source.etag = item.source.last_modified = None  # they would certify it for ever

    async def _known(self, sha256: str) -> AudioMetadata | None:
        row = await self.crawl.find_audio(sha256)
        if row is None or row.analyser_version != ANALYSER_VERSION or row.status != "ok":
            return None  # what is partial may be so only by what verify found
        stored = await self.crawl.in_thread(lambda: self.crawl.store.exists(row.gcp_url, row.size_bytes))
        return row if stored else None

    async def _measured(self, item: AudioItem, sniffed: Sniffed) -> AudioMetadata:
        fields = await self._analyse(Path(item.files[0]["path"]))
        sha256 = str(item.source.sha256)
        return AudioMetadata(
            gcp_url=self.crawl.store.url_of(object_key(sha256, sniffed.extension)),
            file_name=item.file_name,
            sha256=sha256,
            size_bytes=item.source.size_bytes,
            content_type=sniffed.content_type,
            **fields,
        )

    async def _analyse(self, body: Path) -> dict[str, Any]:
        try:
            return await self.crawl.analysis.analyse(body)
        except FileRejectedError:
            if self.crawl.stopped:
                raise GivenBackError("left to the next run: the crawl was stopped") from None
            raise


def _with_extension(name: str, extension: str) -> str:
    """Return the name with the extension that the bytes ask for, where it has none of its own."""
    return name if re.search(r"\.[A-Za-z0-9]{2,5}$", name) else f"{name}.{extension}"
