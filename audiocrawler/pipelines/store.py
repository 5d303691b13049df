"""A measured file in; the same with its bytes in the store out."""

from pathlib import Path

from audiocrawler.crawl.memory import variants_of
from audiocrawler.items import AudioItem, AudioMetadata, AudioSource, Status
from audiocrawler.pipelines.stage import Stage
from audiocrawler.storage.object_key import key_in


class StorePipeline(Stage):
    """Puts the bytes where the row will say they are."""

    async def advance(self, item: AudioItem) -> None:
        """Store the object and settle the status: stored, duplicate or unchanged."""
        audio = item.audio
        assert audio is not None
        before = await self.crawl.find_source(item.source.source_url)
        item.source.status = await self._status(item, audio, before)
        item.source.variants = variants_of(audio, before)
        if item.source.status == Status.STORED:
            audio.gcp_url = await self.crawl.in_thread(lambda: self._put(item, audio))
        item.source.gcp_url, item.source.last_status = audio.gcp_url, item.source.status

    async def _status(self, item: AudioItem, audio: AudioMetadata, before: AudioSource | None) -> Status:
        if await self.crawl.find_audio(str(audio.sha256)) is None:
            return Status.STORED  # asked first, because for a new file it saves a request to the store
        body, sha256 = Path(item.files[0]["path"]), str(audio.sha256)
        if not await self.crawl.in_thread(lambda: self.crawl.store.has_bytes_of(body, audio.gcp_url, sha256)):
            self.crawl.tallies.count(item.source.source_url, "audio/mended")
            return Status.STORED  # missing, cut off or damaged: the bytes that have just come take its place
        return Status.UNCHANGED if before and before.sha256 == audio.sha256 else Status.DUPLICATE

    def _put(self, item: AudioItem, audio: AudioMetadata) -> str:
        key = key_in(audio.gcp_url)
        assert key is not None
        return self.crawl.store.put(
            Path(item.files[0]["path"]),
            key,
            content_type=str(audio.content_type),
            file_name=audio.file_name,
            sha256=str(audio.sha256),
            source_url=item.source.source_url,
        )
