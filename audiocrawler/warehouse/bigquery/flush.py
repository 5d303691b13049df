"""Upload batches of an outbox's rows and merge them into BigQuery's tables."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from audiocrawler.model.errors import WarehouseError
from audiocrawler.model.rows import AUDIO_CRAWLS, AUDIO_METADATA, AUDIO_SOURCES, TableSpec
from audiocrawler.warehouse.bigquery.jobs import FAILURES, Jobs, RowsRefusedError
from audiocrawler.warehouse.bigquery.merge import merge_audio, merge_crawls, merge_sources
from audiocrawler.warehouse.bigquery.tables import TableRef
from audiocrawler.warehouse.outbox import Outbox, PendingRow
from audiocrawler.warehouse.rows import objection

STAGING_PREFIX = "audiocrawler_staging_"
Refused = tuple[PendingRow, str]
"""A row and why it was refused."""
MAX_LOADS = 200
"""Maximum number of load jobs to find refused rows in one batch; one row in 5,000 takes about 26."""


@dataclass(slots=True)
class Sent:
    """The rows of a batch that were uploaded, and those that were refused, with the reasons."""

    rows: list[PendingRow] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def move(self, refused: Sequence[Refused]) -> None:
        """Move these rows to the refused ones."""
        self.refused += refused
        numbers = {row.sequence for row, _ in refused}
        self.rows = [row for row in self.rows if row.sequence not in numbers]


class Sender:
    """Uploads batches: a load job and a MERGE for each table, through staging tables that exist for one batch.

    Both can be repeated: a load job fills its own table, a MERGE is idempotent. So after any failure or kill the rows
    are still in the outbox and are uploaded again.
    """

    def __init__(self, jobs: Jobs, place: TableRef, outbox: Outbox) -> None:
        self._jobs = jobs
        self._place = place
        self._outbox = outbox
        self._prefix = f"{STAGING_PREFIX}{outbox.identity}_"

    def send(self, batch: Sequence[PendingRow]) -> Sent:
        """Merge the rows of a batch into their tables. Raises WarehouseError and the client's FAILURES."""
        sent = Sent(list(batch))
        sent.move([(row, reason) for row in batch if (reason := objection(row.json, row.table))])
        if sent.rows:
            self._load_and_merge(sent)
        return sent

    def check(self) -> None:
        """Dry-run the statements of a flush. Raises FAILURES."""
        with self._staging(AUDIO_SOURCES) as sources, self._staging(AUDIO_METADATA) as audio:
            for statement in self._statements(sources, audio):
                self._jobs.check(statement)

    def remove_leftovers(self) -> None:
        """Delete staging tables left by killed flushes of this outbox. Raises FAILURES.

        Call it while no flush of this outbox runs. Those of deleted outboxes expire.
        """
        for name in self._jobs.tables(self._prefix):
            self._jobs.drop(name)

    def _load_and_merge(self, sent: Sent) -> None:
        with ExitStack() as staging:
            if _has(sent, AUDIO_SOURCES, AUDIO_METADATA):
                sources, audio = (self._loaded(table, sent, staging) for table in (AUDIO_SOURCES, AUDIO_METADATA))
                if _has(sent, AUDIO_SOURCES, AUDIO_METADATA):
                    for statement in self._statements(sources, audio):
                        self._jobs.run(statement)
            if _has(sent, AUDIO_CRAWLS):
                crawls = self._loaded(AUDIO_CRAWLS, sent, staging)
                self._jobs.run(merge_crawls(self._place.name_of(AUDIO_CRAWLS), crawls))

    def _statements(self, sources: str, audio: str) -> tuple[str, str]:
        audio_sources, audio_metadata = self._place.name_of(AUDIO_SOURCES), self._place.name_of(AUDIO_METADATA)
        return (merge_sources(audio_sources, sources, audio), merge_audio(audio_metadata, audio_sources, audio))

    def _loaded(self, table: TableSpec, sent: Sent, staging: ExitStack) -> str:
        """Load the batch's rows of ``table``, without refused ones, into a staging table and return its name."""
        rows = [row for row in sent.rows if row.table is table]
        try:
            return self._load(table, rows, staging)
        except RowsRefusedError as error:
            refused = self._isolated(table, rows, error, iter(range(MAX_LOADS)))
        sent.move(refused)
        return self._load(table, [row for row in sent.rows if row.table is table], staging)

    def _load(self, table: TableSpec, rows: Sequence[PendingRow], staging: ExitStack) -> str:
        name = staging.enter_context(self._staging(table))
        if rows:
            self._jobs.load(name, table, rows)
        return name

    def _isolated(
        self, table: TableSpec, rows: Sequence[PendingRow], error: RowsRefusedError, loads: Iterator[int]
    ) -> list[Refused]:
        """Return which of the rows that were refused together are the cause, found by bisection."""
        if len(rows) == 1:
            return [(rows[0], str(error))]
        middle = len(rows) // 2
        return [found for half in (rows[:middle], rows[middle:]) for found in self._refused(table, half, loads)]

    def _refused(self, table: TableSpec, rows: Sequence[PendingRow], loads: Iterator[int]) -> list[Refused]:
        if next(loads, None) is None:
            raise WarehouseError(f"{self._place.name_of(table)}: too many rows of this batch were refused")
        try:
            with ExitStack() as staging:
                self._load(table, rows, staging)
        except RowsRefusedError as error:
            return self._isolated(table, rows, error, loads)
        return []

    @contextmanager
    def _staging(self, table: TableSpec) -> Iterator[str]:
        """Create a staging table with a unique name, yield the name, and delete the table afterwards."""
        name = self._jobs.create_staging(table, f"{self._prefix}{secrets.token_hex(4)}_{table.name}")
        try:
            yield name
        finally:
            with suppress(*FAILURES):  # it expires, and the next start retries
                self._jobs.drop(name)


def _has(sent: Sent, *tables: TableSpec) -> bool:
    return any(row.table in tables for row in sent.rows)
