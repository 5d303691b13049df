"""A file that was stored or refused in; the same with its rows in the warehouse out."""

from functools import partial
from pathlib import Path
from typing import Any

from audiocrawler.crawl.drops import GivenBackError, RefusedError
from audiocrawler.crawl.lifecycle import stop_crawl
from audiocrawler.errors import WarehouseError
from audiocrawler.items import AudioItem, Row, Status
from audiocrawler.pipelines.stage import CrawlPipeline
from audiocrawler.warehouse.values import checked


class WarehousePipeline(CrawlPipeline):
    """Writes the rows; an item leaves here when they are committed. Files that were refused end here."""

    async def process_item(self, item: Any) -> Any:
        """Write the rows of a file that was stored or refused, and remove its body from the incoming folder."""
        if not isinstance(item, AudioItem):
            return item
        item.source, item.audio = checked(item.source), item.audio and checked(item.audio)
        item.file_urls = [item.source.source_url]
        try:
            await self._write(item)
        except WarehouseError as error:
            stop_crawl(self.crawler, str(error))
            raise GivenBackError(str(error)) from error
        finally:
            for entry in item.files:
                self.crawl.claims.release(str(entry["checksum"]))
                await self.crawl.in_thread(partial(Path(entry["path"]).unlink, missing_ok=True))
        return self._finished(item)

    async def _write(self, item: AudioItem) -> None:
        if item.source.status == Status.PENDING:
            return  # only listed, or given back by a stopping crawl: the spider has written its row
        rows: list[Row] = [item.source] if item.audio is None else [item.source, item.audio]
        await self.crawl.write(rows)

    def _finished(self, item: AudioItem) -> AudioItem:
        source, audio, tallies = item.source, item.audio, self.crawl.tallies
        if source.status != Status.PENDING:
            tallies.count_outcome(source.source_url, source.status, source.reason)
        if audio is None and source.status != Status.PENDING:
            raise RefusedError(f"{source.source_url}: {source.status}: {source.reason}")
        if audio is not None and source.status == Status.STORED:
            tallies.count(source.source_url, "audio/stored_bytes", audio.size_bytes or 0)
            tallies.count(source.source_url, "audio/duration_ms", audio.duration_ms)
        for entry in item.files:
            entry["path"] = str(source.gcp_url)
        return item
