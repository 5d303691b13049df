"""The item pipelines: files, analysis, filters, store, warehouse."""

import logging
import re
from abc import ABC, abstractmethod
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.pipelines.files import FilesPipeline
from scrapy.pipelines.media import FileException, MediaPipeline
from scrapy.utils.defer import deferred_from_coro
from twisted.python.failure import Failure

from audiocrawler.analysis.rules import ANALYSER_VERSION
from audiocrawler.crawl.crawl import sha256_of
from audiocrawler.crawl.items import FetchAgainError, RefusedError, ReleasedError
from audiocrawler.crawl.known import variants_of
from audiocrawler.crawl.lifecycle import CrawlComponent, crawl_of, stop_crawl
from audiocrawler.fetch.headers import explain, is_disk_full
from audiocrawler.fetch.receivers import UNPROVED
from audiocrawler.fetch.requests import OPTED_OUT
from audiocrawler.model.errors import (
    ConfigurationError,
    ContentTakenDownError,
    FileRejectedError,
    FilteredError,
    NotAudioError,
    WarehouseError,
    status_of,
)
from audiocrawler.model.rows import AudioItem, AudioMetadata, AudioSource, FileInfo, Row
from audiocrawler.model.settings import settings_of
from audiocrawler.model.statuses import Status
from audiocrawler.model.text import one_line
from audiocrawler.records import (
    MAX_REASON_LENGTH,
    ForeignItem,
    MemberItem,
    add_statements,
    foreign_item,
    foreign_source,
    media_meta,
    outcome_of_failure,
    stated_by,
)
from audiocrawler.rights.licences import credit_in, refusal, statements_in
from audiocrawler.rights.optouts import opt_out_reason
from audiocrawler.sniff import Sniffed, sniff_file
from audiocrawler.storage import object_key
from audiocrawler.storage.store import key_in
from audiocrawler.warehouse.rows import checked

logger = logging.getLogger(__name__)


class Stage(CrawlComponent, ABC):
    """A pipeline for pending files; refused ones pass through unchanged."""

    async def process_item(self, item: Any) -> Any:
        """Process a file; an error becomes the status and reason of its source row."""
        if not isinstance(item, AudioItem) or item.source.status != Status.PENDING or not item.files:
            return item
        try:
            await self.advance(item)
        except ReleasedError:
            self._release_content(item)
            raise
        except FetchAgainError:
            self._release_content(item)
            await self.crawl.in_thread(partial(Path(item.files[0]["path"]).unlink, missing_ok=True))
            raise
        except FileRejectedError as error:
            refuse(item, error.status, str(error))
            item.source.judged_by = self.crawl.ruleset
        except Exception as error:  # noqa: BLE001 - no file may end the crawl
            self._fail(item, error)
        return item

    def may_fetch_again(self, item: AudioItem) -> bool:
        """Return whether the file may be retried, so that FetchAgainError may be raised for it."""
        has_request = not isinstance(item, (ForeignItem, MemberItem))
        return has_request and (item.source.attempts or 1) <= self._crawler.settings.getint("RETRY_TIMES")

    @abstractmethod
    async def advance(self, item: AudioItem) -> None:
        """Do the stage's work; raises FileRejectedError, or FetchAgainError to retry the file."""

    def _release_content(self, item: AudioItem) -> None:
        """Release the file's content for others; its row stays pending."""
        self.crawl.single_flight.release(str(item.files[0]["checksum"]))

    def _fail(self, item: AudioItem, error: Exception) -> None:
        if is_disk_full(error):
            stop_crawl(
                self._crawler,
                f"disk full or read-only: {explain(error)}; free some space and run the same command again",
            )
            self._release_content(item)
            raise ReleasedError(f"{item.source.source_url}: still pending, for the next run") from error
        logger.error("%s: %s", item.source.source_url, explain(error), exc_info=error)
        refuse(item, status_of(error), explain(error))


def refuse(item: AudioItem, status: Status, reason: str) -> None:
    """Give the file a final status and reason; later stages skip it."""
    item.source.status = item.source.last_status = status
    item.source.reason = item.source.last_error = one_line(reason, MAX_REASON_LENGTH)
    item.source.sha256 = item.source.size_bytes = None  # these describe a stored file
    item.audio = None


class _NoStore:
    """A placeholder for FilesPipeline's store: bodies go to AUDIO_STORE instead."""

    def __init__(self, uri: str) -> None:
        pass


class _NoResults(dict[bytes, FileInfo | Failure]):
    """Discards download results, which would pile up in memory; the warehouse has them."""

    def __setitem__(self, fingerprint: bytes, result: FileInfo | Failure) -> None:
        pass


class _SpiderInfoWithoutResults(MediaPipeline.SpiderInfo):
    def __init__(self, spider: Spider) -> None:
        super().__init__(spider)
        self.downloaded = _NoResults()


class AudioFilesPipeline(FilesPipeline):
    """Scrapy's FilesPipeline that takes over bodies already on disk, and streams its own downloads.

    In an entry of ``files``, ``checksum`` is the SHA-256 of the bytes; ``path`` becomes the object's URL.
    """

    STORE_SCHEMES: ClassVar[dict[str, Any]] = {**FilesPipeline.STORE_SCHEMES, "": _NoStore, "file": _NoStore}
    SpiderInfo = _SpiderInfoWithoutResults
    LOG_FAILED_RESULTS = False  # the row in audio_sources has the reason

    def get_media_requests(self, item: Any, info: MediaPipeline.SpiderInfo) -> list[Request]:
        """Return a streaming request per URL."""
        if not isinstance(item, AudioItem):
            requests = [
                request.replace(meta=media_meta(request.url, settings_of(self.crawler)))
                for request in super().get_media_requests(item, info)
            ]
            self._begin_crawl(requests)
            return requests
        # The body tells the members of an archive apart, whose URLs differ only in their fragments.
        adopted = [Request(each["url"], body=each["path"].encode(), callback=NO_CALLBACK) for each in item.files]
        return adopted if item.source.status == Status.PENDING else []

    def _begin_crawl(self, requests: list[Request]) -> None:
        """Open the crawl with the first item of another spider that has files."""
        try:
            if requests:
                crawl_of(self.crawler)
        except ConfigurationError as error:
            raise DropItem(str(error)) from error

    async def media_to_download(  # type: ignore[override]
        self, request: Request, info: MediaPipeline.SpiderInfo, *, item: Any = None
    ) -> FileInfo | None:
        """Return the file that our spider has downloaded; None lets the pipeline download it."""
        if not isinstance(item, AudioItem):
            return None
        return await self._adopt(item.files[0])

    async def media_downloaded(
        self, response: Response, request: Request, info: MediaPipeline.SpiderInfo, *, item: Any = None
    ) -> FileInfo:
        """Return the file that the pipeline downloaded itself; raises FileException with the reason."""
        if signals := response.meta.get(OPTED_OUT):
            raise FileException(opt_out_reason(signals))
        if not hasattr(response, "body_file"):
            raise FileException(f"{response.url}: no file received, HTTP {response.status}")
        child = foreign_item(request, response, response.body_file)
        processed = await self.crawler.engine.scraper.itemproc.process_item_async(child)
        return processed.files[0]  # type: ignore[no-any-return]

    def media_failed(self, failure: Failure, request: Request, info: MediaPipeline.SpiderInfo) -> NoReturn:
        """Raise FileException with the reason in one line; a denied address gets a row, too."""
        outcome = outcome_of_failure(failure)
        if outcome.status is Status.DENIED:
            source = foreign_source(request.url, None)
            source.status = source.last_status = outcome.status
            source.reason = source.last_error = outcome.reason
            crawl_of(self.crawler).outcomes.count_outcome(source.source_url, outcome.status, outcome.reason)
            deferred_from_coro(crawl_of(self.crawler).write([source]))  # the crawl closes after its last row
        raise FileException(outcome.reason) from None

    async def _adopt(self, entry: FileInfo) -> FileInfo:
        checksum = await crawl_of(self.crawler).in_thread(lambda: sha256_of(Path(entry["path"])))
        self.inc_stats(entry["status"])
        return {**entry, "checksum": checksum}


LENGTH_IN_HEADER = frozenset({"wav", "aiff", "flac", "ogg", "opus", "m4a", "mp4"})
"""Formats whose headers give the file's length, so that the analysis detects truncation."""
POSSIBLY_INCOMPLETE = "possibly incomplete: no Content-Length, and the connection was closed"


class AnalysisPipeline(Stage):
    """Measure the file in a worker process, unless equal bytes were measured before."""

    async def advance(self, item: AudioItem) -> None:
        """Fill ``item.audio``."""
        entry, source = item.files[0], item.source
        body, sha256 = Path(entry["path"]), str(entry["checksum"])
        await self.crawl.single_flight.claim(sha256)
        if self.crawl.tombstones.has_content(sha256):
            raise ContentTakenDownError("the same bytes were taken down")
        sniffed, size_bytes = await self.crawl.in_thread(lambda: (sniff_file(body), body.stat().st_size))
        source.sha256, source.size_bytes = sha256, size_bytes
        if sniffed.is_audio is False:
            raise NotAudioError(f"got {sniffed.name} instead of audio")
        before = await self.crawl.find_audio(sha256)
        item.audio = await self._known(before) or await self._measured(item, sniffed)
        self._check_completeness(item, item.audio, sniffed, seen_before=before is not None)
        add_statements(source, statements_in(item.audio.tags), credit_in(item.audio.tags))
        item.audio.classification = self.crawl.energy.classify(item.audio.duration_ms, item.audio.loudness)
        item.audio.file_name = _with_extension(item.file_name, sniffed.extension)
        item.audio.source_url, item.audio.page_url = source.source_url, source.page_url
        item.audio.language = source.language or item.audio.language
        item.audio.found_by = source.found_by
        item.audio.first_seen_at, item.audio.updated_at = source.first_seen_at, source.last_seen_at

    def _check_completeness(
        self, item: AudioItem, audio: AudioMetadata, sniffed: Sniffed, *, seen_before: bool
    ) -> None:
        """Record in the rows whether the file is complete, if the transfer did not prove it.

        Equal bytes from an earlier transfer prove it. Raises FetchAgainError for a file that seems truncated.
        """
        is_proved = item.files[0]["status"] != UNPROVED
        if is_proved or seen_before:
            audio.status = "ok" if audio.status == UNPROVED else audio.status
            return
        if audio.status == "ok" and sniffed.extension in LENGTH_IN_HEADER:
            return
        if audio.status == "partial" and self.may_fetch_again(item):
            raise FetchAgainError("transfer possibly aborted: no Content-Length, and the file is truncated")
        audio.status = UNPROVED if audio.status == "ok" else audio.status
        item.source.reason = POSSIBLY_INCOMPLETE
        item.source.etag = item.source.last_modified = None  # they would confirm an incomplete file for ever

    async def _known(self, row: AudioMetadata | None) -> AudioMetadata | None:
        """Return the row of equal bytes if it is up to date and its object exists."""
        if row is None or row.analyser_version != ANALYSER_VERSION or row.status != "ok":
            return None  # partial may be what verify found
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
            if self.crawl.is_stopping:
                raise ReleasedError("still pending: the crawl was stopped") from None
            raise


def _with_extension(name: str, extension: str) -> str:
    """Return the name, with ``extension`` appended if it has none."""
    return name if re.search(r"\.[A-Za-z0-9]{2,5}$", name) else f"{name}.{extension}"


class FilterPipeline(Stage):
    """Refuse files outside the limits of the settings."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.min_duration_ms = settings_of(crawler).min_duration_ms or 0
        self.min_sample_rate_hz = settings_of(crawler).min_sample_rate_hz or 0

    async def advance(self, item: AudioItem) -> None:
        """Let the file pass, or raise FilteredError."""
        assert item.audio is not None
        if reason := refusal(stated_by(item.source), self.crawl.licenses):
            raise FilteredError(reason)
        if item.audio.duration_ms < self.min_duration_ms:
            raise FilteredError(f"{item.audio.duration_ms} ms long, AUDIO_MIN_DURATION_MS is {self.min_duration_ms}")
        if (item.audio.sample_rate_hz or 0) < self.min_sample_rate_hz:
            raise FilteredError(
                f"{item.audio.sample_rate_hz} Hz, AUDIO_MIN_SAMPLE_RATE_HZ is {self.min_sample_rate_hz}"
            )


class StorePipeline(Stage):
    """Put the file into the store."""

    async def advance(self, item: AudioItem) -> None:
        """Store the object and set the final status: stored, duplicate or unchanged."""
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
            return Status.STORED  # checked first: for a new file it saves a request to the store
        body, sha256 = Path(item.files[0]["path"]), str(audio.sha256)
        if not await self.crawl.in_thread(lambda: self.crawl.store.has_bytes_of(body, audio.gcp_url, sha256)):
            self.crawl.outcomes.count(item.source.source_url, "audio/mended")
            return Status.STORED  # missing, truncated or damaged: replace it with these bytes
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


class WarehousePipeline(CrawlComponent):
    """Write the rows; an item leaves when they are committed, a refused file is dropped."""

    async def process_item(self, item: Any) -> Any:
        """Write the rows of a stored or refused file, and delete its body from the staging folder."""
        if not isinstance(item, AudioItem):
            return item
        item.source, item.audio = checked(item.source), item.audio and checked(item.audio)
        item.file_urls = [item.source.source_url]
        try:
            await self._write(item)
        except WarehouseError as error:
            stop_crawl(self._crawler, str(error))
            raise ReleasedError(str(error)) from error
        finally:
            for entry in item.files:
                self.crawl.single_flight.release(str(entry["checksum"]))
                await self.crawl.in_thread(partial(Path(entry["path"]).unlink, missing_ok=True))
        return self._finished(item)

    async def _write(self, item: AudioItem) -> None:
        if item.source.status == Status.PENDING:
            return  # only listed, or released by a stopping crawl: the spider has written its row
        rows: list[Row] = [item.source] if item.audio is None else [item.source, item.audio]
        await self.crawl.write(rows)

    def _finished(self, item: AudioItem) -> AudioItem:
        source, audio, outcomes = item.source, item.audio, self.crawl.outcomes
        if source.status != Status.PENDING:
            outcomes.count_outcome(source.source_url, source.status, source.reason)
        if audio is None and source.status != Status.PENDING:
            raise RefusedError(source)
        if audio is not None and source.status == Status.STORED:
            outcomes.count(source.source_url, "audio/stored_bytes", audio.size_bytes or 0)
            outcomes.count(source.source_url, "audio/duration_ms", audio.duration_ms)
        for entry in item.files:
            entry["path"] = str(source.gcp_url)
        return item


__all__ = [
    "AnalysisPipeline",
    "AudioFilesPipeline",
    "FilterPipeline",
    "ReleasedError",
    "StorePipeline",
    "WarehousePipeline",
]
