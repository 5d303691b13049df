"""Own the resources that all parts of a running crawl share: open, flush and close them in order."""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from scrapy.settings import BaseSettings
from scrapy.statscollectors import StatsCollector

from audiocrawler.analysis import AnalysisPool, EnergyRule, Limits
from audiocrawler.analysis.pool import usable_cores
from audiocrawler.config.settings import check_settings
from audiocrawler.crawl.counts import OutcomeCounters
from audiocrawler.crawl.exit_codes import Rest
from audiocrawler.crawl.in_use import lock_for_crawl
from audiocrawler.crawl.items import SingleFlight
from audiocrawler.crawl.known import RevisitPolicy, ruleset_of
from audiocrawler.crawl.places import store_options, store_path, warehouse_options
from audiocrawler.crawl.rows import Flusher, RowWriter, Threads
from audiocrawler.fetch.staging import StagingFolder
from audiocrawler.frontier import Frontier, Start, open_frontier
from audiocrawler.model.errors import ConfigurationError, WarehouseError
from audiocrawler.model.marks import Tombstones
from audiocrawler.model.rows import AudioMetadata, AudioSource, Row
from audiocrawler.model.statuses import Status, Trait
from audiocrawler.rights.licences import wanted_licences
from audiocrawler.storage import Store, open_store, place_of
from audiocrawler.warehouse import FlushResult, Outboxed, Warehouse, open_warehouse

T = TypeVar("T")

logger = logging.getLogger(__name__)

FILE_THREADS = 8
"""Threads that hash and store files; uploads to a bucket are slow."""


class Crawl:
    """Frontier, store, warehouse, analysis pool and staging folder; raises ConfigurationError if one cannot be opened.

    Files of ``known_sites`` are revalidated: they are downloaded only if they have changed since an earlier crawl.
    Nothing here blocks the reactor: SQL runs in one thread, file work in several, decoding in processes.
    """

    def __init__(
        self, settings: BaseSettings, stats: StatsCollector, start: Start, *, known_sites: Iterable[str] = ()
    ) -> None:
        ours = check_settings(settings)
        self.outcomes = OutcomeCounters(stats)
        self.licenses = wanted_licences(ours.licenses)
        self.settings, self.stats = ours, stats
        self._is_stopping = False
        self._left_behind: str | None = None
        self._pending = 0
        """Requests that were pending when the crawl ended."""
        self._finish_items: Callable[[], Awaitable[str | None]] | None = None
        self._tell_unchanged: Callable[[AudioSource], Awaitable[None]] | None = None
        self._count_pending: Callable[[], Awaitable[int]] | None = None
        self._finish_requests: Callable[[], Awaitable[None]] | None = None
        self.frontier: Frontier = open_frontier(ours.frontier, start)
        self.crawl_id = self.frontier.crawl.crawl_id
        logger.info("crawl_id: %s", self.crawl_id)
        self.store: Store = open_store(ours.store, store_options(settings))
        self.store_folder = store_path(settings)
        """The store's folder if it is on this machine, else None."""
        self.warehouse: Warehouse = open_warehouse(ours.warehouse, warehouse_options(settings))
        self.incoming = StagingFolder(ours.incoming, max_parts_bytes=ours.max_incoming_bytes)
        self._use = lock_for_crawl(settings)
        self.tombstones = tombstones_of(self.warehouse)
        self.energy = EnergyRule(
            loudness_dbfs=ours.energy_loudness_dbfs,
            duration_ms=ours.energy_duration_ms,
        )
        self.analysis = AnalysisPool(
            ours.workers or usable_cores(),
            limits=Limits(max_duration_s=ours.max_duration_s),
            energy=self.energy,
        )
        self.single_flight = SingleFlight()
        self.ruleset = ruleset_of(settings)
        sites = sorted(known_sites)
        self._recall(sites)
        self.memory = RevisitPolicy(self.find_source, self._is_stored, self.ruleset, is_ignored=not sites)
        self._writer = RowWriter(self.warehouse)
        self.flusher = Flusher(
            self.warehouse,
            rows=ours.flush_rows,
            seconds=ours.flush_seconds,
        )
        self._files = Threads(FILE_THREADS, "files")

    def start(self) -> None:
        """Start the analysis pool and the flusher; needs the running event loop."""
        self.analysis.start()
        self.flusher.start()

    @property
    def is_stopping(self) -> bool:
        """Whether the crawl ends early: nothing more is started, and what is pending is left to the next run."""
        return self._is_stopping

    def stop(self) -> None:
        """Start nothing more; what is in progress may finish."""
        self._is_stopping = True

    async def stop_work(self) -> None:
        """Stop the workers at once: unfinished files are measured again by the next run."""
        self._is_stopping = True
        await self.analysis.close()

    def leave_behind(self, why: str) -> bool:
        """Record in one line why rows or requests are left behind; return whether it is the first, which is kept."""
        if self._left_behind is not None:
            return False
        self._left_behind = why
        return True

    def on_items_done(self, finish: Callable[[], Awaitable[str | None]]) -> None:
        """Await ``finish`` after the last item; it returns why it failed, or None."""
        self._finish_items = finish

    def on_unchanged(self, tell: Callable[[AudioSource], Awaitable[None]]) -> None:
        """Await ``tell`` for each file that is not fetched again, when its row is written."""
        self._tell_unchanged = tell

    async def tell_unchanged(self, source: AudioSource) -> None:
        """Tell those who want to know that a file is not fetched again."""
        if self._tell_unchanged is not None:
            await self._tell_unchanged(source)

    def on_requests_done(self, count_pending: Callable[[], Awaitable[int]]) -> None:
        """Await ``count_pending`` when nothing is in progress any more; it returns the number of pending requests."""
        self._count_pending = count_pending

    def on_sent(self, finish: Callable[[], Awaitable[None]]) -> None:
        """Await ``finish`` after the last upload of rows."""
        self._finish_requests = finish

    def row_counts(self) -> dict[str, int]:
        """Return the stats of the warehouse: rows committed, pending, uploaded and refused."""
        return {
            "warehouse/rows": self._writer.rows,
            "warehouse/pending_rows": self.flusher.pending_rows,
            "warehouse/sent_rows": self.flusher.sent,
            "warehouse/refused_rows": self.flusher.refused,
        }

    @property
    def rest(self) -> Rest:
        """Return what is known to be left."""
        return Rest(self._pending, not self.settings.frontier.startswith("memory"), self._left_behind)

    async def write(self, rows: Iterable[Row]) -> None:
        """Write the rows with this crawl's id to the warehouse, and return once committed. Raises WarehouseError."""
        rows = list(rows)
        for row in rows:
            row.crawl_id = self.crawl_id
        await self._writer.write(rows)

    @property
    def written_watermark(self) -> int:
        """Return the number of the last row that this machine has written; 0 without an outbox."""
        return self._writer.written_watermark

    async def find_audio(self, sha256: str) -> AudioMetadata | None:
        """Return the row of the file with this hash, with the current URL of its object; None if not found."""
        row = await self._writer.run(lambda: self.warehouse.find_audio(sha256))
        return row and replace(
            row, gcp_url=await self.in_thread(lambda: place_of(row.gcp_url, row.size_bytes, self.store))
        )

    async def find_source(self, source_url: str) -> AudioSource | None:
        """Return the row of a masked audio URL, None if not found."""
        return await self._writer.run(lambda: self.warehouse.find_source(source_url))

    async def related_sources(self, sources: Sequence[AudioSource]) -> list[list[AudioSource] | None]:
        """Return for each source the rows with its guid or URL pattern; None if a row with its own key exists."""

        def related() -> list[list[AudioSource] | None]:
            find, related = self.warehouse.find_source, self.warehouse.related_sources
            return [None if find(each.source_url) else related(each.guid, each.url_pattern) for each in sources]

        return await self._writer.run(related)

    def _recall(self, sites: list[str]) -> None:
        if not isinstance(self.warehouse, Outboxed):
            return  # find_source asks the tables themselves
        try:
            if sites and (rows := self.warehouse.preload(sites)):
                logger.info("%d sources known from earlier crawls", rows)
        except WarehouseError as error:
            raise ConfigurationError(str(error)) from error

    async def _is_stored(self, source: AudioSource) -> bool:
        """Return whether the file of a row is in the store; if the store has moved, update the row's URL."""
        url = await self.in_thread(lambda: place_of(str(source.gcp_url), source.size_bytes, self.store))
        if not await self.in_thread(lambda: self.store.exists(url, source.size_bytes)):
            return False
        if url != source.gcp_url and (audio := await self.find_audio(str(source.sha256))):
            await self.write([audio])
        return True

    async def stored_source(self, source_url: str) -> AudioSource | None:
        """Return the row of a masked audio URL if this crawl has stored its file, in this run or an earlier one."""
        row = await self.find_source(source_url)
        if row is None or row.crawl_id != self.crawl_id or row.last_status not in Status.having(Trait.STORED):
            return None
        if row.last_attempt_at is None or row.last_attempt_at < self.frontier.crawl.started_at:
            return None
        return row if await self._is_stored(row) else None

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run ``work``, which reads or writes files, in a thread, and return its result."""
        return await self._files.run(work)

    async def close(self, record: Callable[[], Row], *, pending_starts: int = 0) -> None:
        """Close everything in the order in which the data flows; ``record`` returns the row of the crawl itself.

        An exception on the way leaves something behind, and keeps nothing else from being written.
        ``pending_starts`` is the number of start URLs that were not requested.
        """
        await self._surely(self.analysis.close)
        await self._surely(self._end_items)
        self._files.close()
        self._pending = pending_starts
        await self._surely(self._count_requests)
        await self._surely(lambda: self._send_last_rows(record))
        known = self._left_behind
        await self._surely(self._end_requests)
        if self._left_behind != known:
            await self._surely(lambda: self._send_last_rows(record))  # its exit code has changed
        await self._surely(self._writer.close)
        for each in (self.flusher, self.store, self.warehouse, self.incoming, self._use, self.frontier):
            each.close()

    async def _surely(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do one thing of closing: what fails is told by the exit code, and what comes after it is still done."""
        try:
            await work()
        except Exception as error:
            logger.exception("the crawl could not be closed in order")
            problem = f"{type(error).__name__}: {' '.join(str(error).split())}"
            self.leave_behind(f"the crawl could not be closed in order ({problem}); run the same command again")

    async def _end_items(self) -> None:
        if self._finish_items is not None and (why := await self._finish_items()):
            self._left_behind = f"{self._left_behind}; {why}" if self._left_behind else why

    async def _count_requests(self) -> None:
        if self._count_pending is not None:
            self._pending += await self._count_pending()

    async def _end_requests(self) -> None:
        if self._finish_requests is not None:
            await self._finish_requests()

    async def _send_last_rows(self, record: Callable[[], Row]) -> None:
        await self._write_record(record)
        known = self._left_behind
        result = await self.flusher.finish()
        self._note_rows_left(result)
        if self._left_behind == known:
            return
        await self._write_record(record)  # its exit code has changed
        if not result.left:
            await self.flusher.finish()

    async def _write_record(self, record: Callable[[], Row]) -> None:
        try:
            await self.write([await asyncio.to_thread(record)])
        except (OSError, WarehouseError) as error:
            logger.error("could not write the record of the crawl: %s", error)  # noqa: TRY400 - one line is enough
            self.leave_behind(str(error))

    def _note_rows_left(self, result: FlushResult) -> None:
        outbox = self.settings.outbox
        if result.left:
            why = result.error or "other crawls are still writing"
            self.leave_behind(
                f"{result.left} rows are not uploaded yet ({why}); they are in {outbox}, `scrapy flush` uploads them"
            )
        elif self.flusher.refused:
            self.leave_behind(
                f"{self.flusher.refused} rows were refused by {self.settings.warehouse}; "
                f"see the table refused in {outbox} for the rows and reasons"
            )


def tombstones_of(warehouse: Warehouse) -> Tombstones:
    """Return what was taken down. Raises ConfigurationError if unreadable: without it nothing may be downloaded."""
    try:
        return Tombstones(warehouse.taken_down())
    except WarehouseError as error:
        raise ConfigurationError(str(error)) from error


def new_crawl_id(job: str | None) -> str:
    """Return the job id if there is one, else the UTC time with a random suffix."""
    return job or f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
