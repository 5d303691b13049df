"""An item with file_urls in; the same with its files on disk out."""

from pathlib import Path
from typing import Any, ClassVar, NoReturn

from scrapy import Request
from scrapy.exceptions import DropItem
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.pipelines.files import FilesPipeline
from scrapy.pipelines.media import FileException, MediaPipeline
from scrapy.utils.defer import deferred_from_coro
from twisted.python.failure import Failure

from audiocrawler.crawl.crawl import sha256_of
from audiocrawler.crawl.lifecycle import crawl_of
from audiocrawler.errors import ConfigurationError
from audiocrawler.items import AudioItem, FileInfo, Status
from audiocrawler.middlewares.optouts import OptedOutError
from audiocrawler.spiders.outcomes import outcome_of_failure
from audiocrawler.spiders.sources import foreign_source, item_of, media_meta


class _NoStore:
    """What FilesPipeline asks for: bodies go to AUDIO_STORE, so that it need make no folder."""

    def __init__(self, uri: str) -> None:
        pass


class AudioFilesPipeline(FilesPipeline):
    """Scrapy's FilesPipeline that adopts a body already on disk, and streams what it downloads itself.

    ``checksum`` of an entry in ``files`` is the SHA-256 of the bytes; ``path`` becomes the object's key in the store.
    """

    STORE_SCHEMES: ClassVar[dict[str, Any]] = {**FilesPipeline.STORE_SCHEMES, "": _NoStore, "file": _NoStore}
    LOG_FAILED_RESULTS = False  # the row in audio_sources tells it

    def get_media_requests(self, item: Any, info: MediaPipeline.SpiderInfo) -> list[Request]:
        """Return a streamed request per URL."""
        if not isinstance(item, AudioItem):
            requests = [
                request.replace(meta=media_meta(request.url, self.crawler.settings) | {"audio": {}})
                for request in super().get_media_requests(item, info)
            ]
            self._begin_crawl(requests)
            return requests
        adopted = [Request(entry["url"], callback=NO_CALLBACK) for entry in item.files]
        return adopted if item.source.status == Status.PENDING else []

    def _begin_crawl(self, requests: list[Request]) -> None:
        """Open what the files of somebody else's spider go to, with the first that has any."""
        try:
            if requests:
                crawl_of(self.crawler)
        except ConfigurationError as error:
            raise DropItem(str(error)) from error

    async def media_to_download(  # type: ignore[override]
        self, request: Request, info: MediaPipeline.SpiderInfo, *, item: Any = None
    ) -> FileInfo | None:
        """Return the file that the spider has downloaded; None lets the pipeline download it."""
        if not isinstance(item, AudioItem):
            return None
        return await self._adopt(item.files[0])

    async def media_downloaded(
        self, response: Response, request: Request, info: MediaPipeline.SpiderInfo, *, item: Any = None
    ) -> FileInfo:
        """Return the file that the pipeline has downloaded itself; raises FileException with the reason."""
        if signals := response.meta.get("opted_out"):
            raise FileException(str(OptedOutError(signals)))
        if not hasattr(response, "body_file"):
            raise FileException(f"{response.url}: no file came, HTTP status {response.status}")
        child = item_of(foreign_source(request.url, response), response, response.body_file)
        processed = await self.crawler.engine.scraper.itemproc.process_item_async(child)
        return processed.files[0]  # type: ignore[no-any-return]

    def media_failed(self, failure: Failure, request: Request, info: MediaPipeline.SpiderInfo) -> NoReturn:
        """Raise the reason in one line; an address that is not allowed leaves a row, too."""
        outcome = outcome_of_failure(failure)
        if outcome.status is Status.DENIED:
            source = foreign_source(request.url, None)
            source.status = source.last_status = outcome.status
            source.reason = source.last_error = outcome.reason
            crawl_of(self.crawler).tallies.count_outcome(source.source_url, outcome.status, outcome.reason)
            deferred_from_coro(crawl_of(self.crawler).write([source]))  # the crawl closes after its last row
        raise FileException(outcome.reason) from None

    def _cache_result_and_execute_waiters(
        self, result: FileInfo | Failure, fp: bytes, info: MediaPipeline.SpiderInfo
    ) -> None:
        super()._cache_result_and_execute_waiters(result, fp, info)
        del info.downloaded[fp]  # it would be kept for ever; the warehouse remembers

    async def _adopt(self, entry: FileInfo) -> FileInfo:
        checksum = await crawl_of(self.crawler).in_thread(lambda: sha256_of(Path(entry["path"])))
        self.inc_stats(entry["status"])
        return {**entry, "checksum": checksum}
