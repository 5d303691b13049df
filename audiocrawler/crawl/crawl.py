"""The one object that owns what all parts of a running crawl share, and opens, flushes and closes it in order."""

import asyncio
import hashlib
import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from scrapy.exceptions import DropItem
from scrapy.settings import BaseSettings
from scrapy.statscollectors import StatsCollector

from audiocrawler.analysis import AnalysisPool, EnergyRule, Limits
from audiocrawler.config.settings import check_settings
from audiocrawler.crawl.counts import Tallies
from audiocrawler.crawl.exit_codes import Rest
from audiocrawler.crawl.in_use import use_warehouse
from audiocrawler.crawl.known import Memory, judge_of
from audiocrawler.crawl.rows import Flusher, RowWriter, Threads
from audiocrawler.fetch.staging import Incoming
from audiocrawler.frontier import Frontier, Start, open_frontier
from audiocrawler.model.errors import ConfigurationError, WarehouseError
from audiocrawler.model.gcp import GcpAccess
from audiocrawler.model.marks import Tombstones
from audiocrawler.model.rows import AudioMetadata, AudioSource, Row, Status
from audiocrawler.model.settings import AudioSettings
from audiocrawler.rights.licences import wanted_licences
from audiocrawler.storage import Store, open_store, place_of
from audiocrawler.warehouse import FlushResult, Options, Warehouse, open_warehouse


class Claims:
    """Which contents are under way, so that equal files that arrive together are measured and stored once."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Future[None]] = {}

    async def claim(self, sha256: str) -> None:
        """Return when nobody else is at work on this content."""
        while sha256 in self._under_way:
            await self._under_way[sha256]
        self._under_way[sha256] = asyncio.get_running_loop().create_future()

    def release(self, sha256: str) -> None:
        """Let the next one have it."""
        released = self._under_way.pop(sha256, None)
        if released is not None:
            released.set_result(None)


MAX_WORKERS = 4


def usable_cores() -> int:
    """Return how many cores this process may use by affinity and cgroup quota, at most MAX_WORKERS."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _cgroup_quota(), MAX_WORKERS))


def _cgroup_quota() -> int:
    """Return the whole cores that cgroup v2's cpu.max grants, MAX_WORKERS where it grants all."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return MAX_WORKERS
    return MAX_WORKERS if quota == "max" else max(1, int(quota) // int(period))


class GivenBackError(DropItem):
    """Raised when a crawl that stops leaves a file to its next run: the request is not acknowledged."""


class RefusedError(DropItem):
    """Raised when the row of a file that was refused has been written; another file of the recording may be tried."""


class FetchAgainError(DropItem):
    """Raised when the bytes that came are not to be judged: the same request is made again, and no row is written."""


T = TypeVar("T")

logger = logging.getLogger(__name__)

TAKEN = frozenset({Status.STORED, Status.DUPLICATE, Status.UNCHANGED})
"""Statuses of a URL whose bytes are in the store."""
FILE_THREADS = 8
"""Threads that hash and store files; uploads to a bucket take their time."""


class Crawl:
    """Store, warehouse, analysing workers and the folder of bodies under way; raises ConfigurationError if one fails.

    ``known_sites`` are those whose files are asked for only if they have changed since an earlier crawl.
    Nothing here runs on the reactor: SQL has one thread, files have some, decoding has processes.
    """

    def __init__(
        self, settings: BaseSettings, stats: StatsCollector, start: Start, *, known_sites: Iterable[str] = ()
    ) -> None:
        ours = self._ours = check_settings(settings)
        self.tallies = Tallies(stats)
        self.licenses = wanted_licences(ours.licenses)
        self.left_behind: str | None = None
        """Why rows or requests were left behind, in one line; None if they were not."""
        self.stopped = False
        self.before_close: Callable[[], Awaitable[str | None]] | None = None
        """What is still to be done when the last item has passed: it returns why it failed, None if it has not."""
        self.waiting = 0
        """Requests that were left when the crawl ended."""
        self.when_stopped: Callable[[], Awaitable[int]] | None = None
        """What counts them: the scheduler sets it."""
        self.when_sent: Callable[[], Awaitable[None]] | None = None
        """What is still to be done when the rows that can be sent are: the scheduler sets it."""
        self.frontier: Frontier = open_frontier(ours.frontier, start)
        self.crawl_id = self.frontier.crawl.crawl_id
        self.store: Store = open_store(ours.store, gcp_access(settings))
        self.warehouse: Warehouse = open_warehouse(ours.warehouse, warehouse_options(settings))
        self.incoming = Incoming(ours.incoming, max_parts_bytes=ours.max_incoming_bytes)
        self._use = use_warehouse(settings)
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
        self.claims = Claims()
        self.judge = judge_of(settings)
        sites = sorted(known_sites)
        self._recall(sites)
        self.memory = Memory(self.find_source, self._is_stored, self.judge, is_ignored=not sites)
        self._writer = RowWriter(self.warehouse)
        self.flusher = Flusher(
            self.warehouse,
            rows=ours.flush_rows,
            seconds=ours.flush_seconds,
        )
        self._files = Threads(FILE_THREADS, "files")

    def start(self) -> None:
        """Start what works beside the requests; needs the running event loop."""
        self.analysis.start()
        self.flusher.start()

    def row_counts(self) -> dict[str, int]:
        """Return the stats of the warehouse: rows committed, waiting, sent on to BigQuery and refused by it."""
        return {
            "warehouse/rows": self._writer.rows,
            "warehouse/pending_rows": self.flusher.pending_rows,
            "warehouse/sent_rows": self.flusher.sent,
            "warehouse/refused_rows": self.flusher.set_aside,
        }

    @property
    def rest(self) -> Rest:
        """Return what is left, as far as it is known."""
        return Rest(self.waiting, not self._ours.frontier.startswith("memory"), self.left_behind)

    async def write(self, rows: Iterable[Row]) -> None:
        """Return when the rows are in the warehouse, with the id of this crawl; raises WarehouseError."""
        rows = list(rows)
        for row in rows:
            row.crawl_id = self.crawl_id
        await self._writer.write(rows)

    @property
    def written_up_to(self) -> int:
        """Return the number of the last row that this machine has written; 0 where rows do not wait."""
        return self._writer.written_up_to

    async def find_audio(self, sha256: str) -> AudioMetadata | None:
        """Return the row of the file with these bytes, None if there is none; its URL is where the object is now."""
        row = await self._writer.run(lambda: self.warehouse.find_audio(sha256))
        return row and replace(
            row, gcp_url=await self.in_thread(lambda: place_of(row.gcp_url, row.size_bytes, self.store))
        )

    async def find_source(self, source_url: str) -> AudioSource | None:
        """Return the row of a masked audio URL, None if there is none."""
        return await self._writer.run(lambda: self.warehouse.find_source(source_url))

    async def related_sources(self, sources: Sequence[AudioSource]) -> list[list[AudioSource] | None]:
        """Return for each source the rows with its guid or pattern; None where there is a row of its own key."""

        def related() -> list[list[AudioSource] | None]:
            find, related = self.warehouse.find_source, self.warehouse.related_sources
            return [None if find(each.source_url) else related(each.guid, each.url_pattern) for each in sources]

        return await self._writer.run(related)

    def _recall(self, sites: list[str]) -> None:
        try:
            if sites and (rows := self.warehouse.recall(sites)):
                logger.info("%d sources of earlier crawls are known", rows)
        except WarehouseError as error:
            raise ConfigurationError(str(error)) from error

    async def _is_stored(self, source: AudioSource) -> bool:
        """Tell whether the file of a row is in the store; where the store has moved, its rows are moved after it."""
        url = await self.in_thread(lambda: place_of(str(source.gcp_url), source.size_bytes, self.store))
        if not await self.in_thread(lambda: self.store.exists(url, source.size_bytes)):
            return False
        if url != source.gcp_url and (audio := await self.find_audio(str(source.sha256))):
            await self.write([audio])
        return True

    async def stored_source(self, source_url: str) -> AudioSource | None:
        """Return the row of a masked audio URL whose file this crawl has stored, in this run or an earlier one."""
        row = await self.find_source(source_url)
        if row is None or row.crawl_id != self.crawl_id or row.last_status not in TAKEN:
            return None
        if row.last_attempt_at is None or row.last_attempt_at < self.frontier.crawl.started_at:
            return None
        return row if await self._is_stored(row) else None

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Return what ``work``, which reads or writes files, returns in a thread."""
        return await self._files.run(work)

    async def stop_work(self) -> None:
        """End the workers at once: what they measure is measured again by the next crawl."""
        self.stopped = True
        await self.analysis.close()

    async def close(self, record: Callable[[], Row]) -> None:
        """Close everything, in the order in which the data flows; ``record`` gives the row of the crawl itself."""
        await self.analysis.close()
        if self.before_close is not None and (why := await self.before_close()):
            self.left_behind = f"{self.left_behind}; {why}" if self.left_behind else why
        self._files.close()
        if self.when_stopped is not None:
            self.waiting += await self.when_stopped()
        await self._send_last_rows(record)
        await self._writer.close()
        if self.when_sent is not None:
            await self.when_sent()
        self.flusher.close()
        self.store.close()
        self.warehouse.close()
        self.incoming.close()
        self._use.close()
        self.frontier.close()

    async def _send_last_rows(self, record: Callable[[], Row]) -> None:
        await self._write_record(record)
        known = self.left_behind
        result = await self.flusher.finish()
        self._note_rows_left(result)
        if self.left_behind == known:
            return
        await self._write_record(record)  # its exit code is another one now
        if not result.left:
            await self.flusher.finish()

    async def _write_record(self, record: Callable[[], Row]) -> None:
        try:
            await self.write([await asyncio.to_thread(record)])
        except (OSError, WarehouseError) as error:
            logger.error("the record of the crawl cannot be written: %s", error)  # noqa: TRY400 - one line is enough
            self.left_behind = self.left_behind or str(error)

    def _note_rows_left(self, result: FlushResult) -> None:
        outbox = self._ours.outbox
        if result.left:
            why = result.error or "other crawls go on to write"
            self.left_behind = self.left_behind or (
                f"{result.left} rows are not sent yet ({why}); they wait in {outbox}, `scrapy flush` sends them"
            )
        elif self.flusher.set_aside:
            self.left_behind = self.left_behind or (
                f"{self.flusher.set_aside} rows were refused by {self._ours.warehouse}; "
                f"they and the reasons are in {outbox}, table refused"
            )


def tombstones_of(warehouse: Warehouse) -> Tombstones:
    """Return what was taken down; raises ConfigurationError if that cannot be read, for then nothing may be taken."""
    try:
        return Tombstones(warehouse.taken_down())
    except WarehouseError as error:
        raise ConfigurationError(str(error)) from error


def gcp_access(settings: BaseSettings) -> GcpAccess:
    """Return whose access to Google Cloud the settings ask for."""
    ours = AudioSettings.of(settings)
    return GcpAccess(ours.gcp_project, ours.gcp_key_file)


def warehouse_options(settings: BaseSettings) -> Options:
    """Return what the settings say of a warehouse that is not local."""
    ours = AudioSettings.of(settings)
    return Options(
        gcp=gcp_access(settings),
        outbox=ours.outbox,
        batch_rows=ours.flush_rows,
        create=ours.bigquery_create,
        location=ours.bigquery_location,
    )


def new_crawl_id(job: str | None) -> str:
    """Return Scrapyd's job id, else the UTC time with a random suffix."""
    return job or f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
