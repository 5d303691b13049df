"""Export the files that a crawl finds unchanged, with their rows of the warehouse."""

from collections.abc import Callable
from functools import partial
from itertools import islice

from audiocrawler.crawl.crawl import Crawl
from audiocrawler.model.rows import AUDIO_METADATA, AudioItem, AudioMetadata, AudioSource
from audiocrawler.warehouse import Query

_HASHES = 1000
"""Files per query."""


class UnchangedFiles:
    """Pass ``export`` an item for each unchanged file, so that an export has all files of a crawl.

    Their rows are in the warehouse. A remote one is queried at the end, only for rows unknown to this machine and in
    batches, as each query costs money.
    """

    def __init__(self, crawl: Crawl, export: Callable[[AudioItem], None]) -> None:
        self._crawl, self._export = crawl, export
        self._unknown: dict[str, str] = {}

    async def add(self, source: AudioSource) -> None:
        """Export a file whose row says that it is unchanged. Raises WarehouseError."""
        row = await self._crawl.find_source(source.source_url) or source
        audio = await self._crawl.find_audio(row.sha256) if row.sha256 else None
        if audio is None and row.sha256:
            self._unknown[row.source_url] = row.sha256
        else:
            self._export(_item(row, audio))

    async def finish(self) -> None:
        """Export what had to be asked for. Raises WarehouseError."""
        waiting = iter(self._unknown.items())
        while batch := dict(islice(waiting, _HASHES)):
            audio = await self._crawl.in_thread(partial(self._files_with, set(batch.values())))
            for url, sha256 in batch.items():
                row = await self._crawl.find_source(url)
                if row is not None:
                    self._export(_item(row, audio.get(sha256)))

    def _files_with(self, hashes: set[str]) -> dict[str, AudioMetadata]:
        quoted = ", ".join(f"'{each}'" for each in sorted(hashes))
        where = f"sha256 IN ({quoted})"
        columns = tuple(column.name for column in AUDIO_METADATA.columns)
        rows = self._crawl.warehouse.select(Query("files", where, columns))
        return {row["sha256"]: AudioMetadata(**row) for row in rows}


def _item(source: AudioSource, audio: AudioMetadata | None) -> AudioItem:
    return AudioItem(
        file_urls=[source.source_url],
        files=[
            {
                "url": source.source_url,
                "path": str(source.gcp_url),
                "checksum": source.sha256,
                "status": "uptodate",
            }
        ],
        file_name=audio.file_name if audio else "",
        source=source,
        audio=audio,
    )
