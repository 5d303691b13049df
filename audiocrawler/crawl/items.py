"""Shared by the item pipelines: which contents are in progress, and why an item is dropped."""

import asyncio

from scrapy.exceptions import DropItem

from audiocrawler.model.errors import AudioCrawlerError, OutcomeError
from audiocrawler.model.rows import AudioSource
from audiocrawler.model.statuses import Status


class SingleFlight:
    """Serialises work on the same content, so that equal files that arrive together are measured and stored once."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Future[None]] = {}

    async def claim(self, sha256: str) -> None:
        """Wait until nobody else works on this content, then claim it."""
        while sha256 in self._under_way:
            await self._under_way[sha256]
        self._under_way[sha256] = asyncio.get_running_loop().create_future()

    def release(self, sha256: str) -> None:
        """Let the next one claim the content."""
        released = self._under_way.pop(sha256, None)
        if released is not None:
            released.set_result(None)


class ReleasedError(AudioCrawlerError, DropItem):
    """Raised when a stopping crawl leaves a file to its next run: the request is not acknowledged."""


class RefusedError(OutcomeError, DropItem):
    """Raised after the row of a refused file was written; another file of the recording may be tried."""

    def __init__(self, source: AudioSource) -> None:
        super().__init__(f"{source.source_url}: {source.status}: {source.reason}")
        self.status = Status(source.status)


class FetchAgainError(AudioCrawlerError, DropItem):
    """Raised when the downloaded bytes are unusable: the request is retried, and no row is written."""
