"""All tables in a BigQuery dataset, written through an outbox on this machine."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import cast

from google.cloud.bigquery import Client

from audiocrawler.errors import ConfigurationError, WarehouseError
from audiocrawler.gcp import BIGQUERY_EMULATOR, failure_of
from audiocrawler.items import (
    AUDIO_CRAWLS,
    AUDIO_METADATA,
    AUDIO_SOURCES,
    TABLES,
    AudioCrawl,
    AudioMetadata,
    AudioSource,
    Row,
    Status,
)
from audiocrawler.masking import is_masked
from audiocrawler.rotation import row_key
from audiocrawler.warehouse.bigquery_jobs import FAILURES, Jobs
from audiocrawler.warehouse.bigquery_rows import PAGE_ROWS, recalled_rows, rows_of
from audiocrawler.warehouse.bigquery_tables import explained, place_of, prepare_table, prepared_location
from audiocrawler.warehouse.flush import Sender, Sent
from audiocrawler.warehouse.outbox import Outbox, outbox_path
from audiocrawler.warehouse.rekey import rekeyed
from audiocrawler.warehouse.values import checked, clean_url
from audiocrawler.warehouse.warehouse import MAX_RELATED, FlushResult, Options


class BigQueryWarehouse:
    """Three tables in one dataset, and the outbox of the rows that wait for them.

    Finding a row asks no query: it gives what this machine has sent, will send, or has recalled. What other machines
    have stored meanwhile is met when the store has the object already, and the MERGE makes one row of both.

    Raises ConfigurationError, which says what to grant, if a flush could not work; SchemaError if a table contradicts
    ours.
    """

    def __init__(self, uri: str, options: Options) -> None:
        self._place = place = place_of(uri)
        login = options.gcp.login(BIGQUERY_EMULATOR)
        self._batch_rows = options.batch_rows
        self._client = Client(project=login.project or place.project, credentials=login.credentials)
        self._outbox = Outbox(outbox_path(options.outbox, uri))
        try:
            location = prepared_location(self._client, place, create=options.create, location=options.location)
            self._jobs = jobs = Jobs(self._client, place.dataset, location)
            for table in TABLES:
                prepare_table(self._client, jobs, place, table, create=options.create)
            self._sender = Sender(jobs, place, self._outbox)
            self._sender.check()
            with self._outbox.flushing(wait=False) as is_alone:
                if is_alone:
                    self._sender.remove_leftovers()
        except ConfigurationError:
            self.close()
            raise
        except FAILURES as error:
            self.close()
            raise explained(error, place, failure_of(error)) from error

    def upsert(self, rows: Sequence[Row]) -> None:
        """Put the rows into the outbox, where they are safe; see Warehouse.upsert."""
        self._outbox.put([checked(row) for row in rows])

    def find_audio(self, sha256: str) -> AudioMetadata | None:
        """Return the row of the file with this hash as far as this machine knows; see Warehouse.find_audio."""
        return cast(AudioMetadata | None, self._outbox.find(AUDIO_METADATA, sha256))

    def find_source(self, source_url: str) -> AudioSource | None:
        """Return the row of this audio URL as far as this machine knows; see Warehouse.find_source."""
        return cast(AudioSource | None, self._outbox.find(AUDIO_SOURCES, clean_url(source_url)))

    def related_sources(self, guid: str | None, url_pattern: str | None) -> list[AudioSource]:
        """Return the rows with this guid or this pattern as far as this machine knows; see Warehouse."""
        return self._outbox.related(guid, url_pattern, MAX_RELATED)

    def recall(self, sites: Sequence[str]) -> int:
        """Keep what the table knows of these sites beside the outbox, by one query; see Warehouse.recall."""
        rows = rekeyed(recalled_rows(self._jobs, self._place.name_of(AUDIO_SOURCES), sites))
        batches = iter(lambda: list(islice(rows, PAGE_ROWS)), [])
        return sum(map(self._outbox.learn, batches))

    def audio_rows(self) -> Iterator[AudioMetadata]:
        """Yield all rows of audio_metadata in no order; see Warehouse.audio_rows."""
        name = self._place.name_of(AUDIO_METADATA)
        return cast(Iterator[AudioMetadata], rows_of(self._client, name, AUDIO_METADATA))

    def source_rows(self) -> Iterator[AudioSource]:
        """Yield all rows of audio_sources in no order; see Warehouse.source_rows."""
        return cast(Iterator[AudioSource], rows_of(self._client, self._place.name_of(AUDIO_SOURCES), AUDIO_SOURCES))

    def crawl_rows(self) -> Iterator[AudioCrawl]:
        """Yield all rows of audio_crawls in no order; see Warehouse.crawl_rows."""
        return cast(Iterator[AudioCrawl], rows_of(self._client, self._place.name_of(AUDIO_CRAWLS), AUDIO_CRAWLS))

    def taken_down(self) -> Iterator[str]:
        """Yield what is taken down, by any machine; see Warehouse.taken_down."""
        name = self._place.name_of(AUDIO_SOURCES)
        statement = f"SELECT source_url FROM `{name}` WHERE status = '{Status.TAKEN_DOWN}'"  # noqa: S608 - no values
        try:
            records = self._jobs.run(statement)
        except FAILURES as error:
            raise WarehouseError(f"{name}: cannot be read: {failure_of(error)}; check the network") from error
        marks = {*(record[0] for record in records), *self._outbox.taken_down()}
        yield from marks | {row_key(mark) for mark in marks if is_masked(mark)}  # of older versions

    def pending_rows(self) -> int:
        """Return how many rows wait in the outbox."""
        return self._outbox.pending_rows()

    def written_up_to(self) -> int:
        """Return the number of the last row in the outbox; see Warehouse.written_up_to."""
        return self._outbox.written_up_to()

    def sent_up_to(self) -> int:
        """Return the number up to which the outbox is empty; see Warehouse.sent_up_to."""
        return self._outbox.settled_up_to()

    @property
    def outbox(self) -> Outbox:
        """Return the outbox, which tells what was set aside and up to where rows have been sent."""
        return self._outbox

    def flush(self) -> FlushResult:
        """Send one batch; see Warehouse.flush. Only one flush of an outbox runs at a time, in all processes."""
        with self._outbox.flushing():
            batch = self._outbox.take(self._batch_rows)
            if not batch:
                return FlushResult()
            try:
                sent = self._sender.send(batch)
            except WarehouseError as error:
                return FlushResult(left=self.pending_rows(), error=str(error))
            except FAILURES as error:
                return FlushResult(left=self.pending_rows(), error=failure_of(error))
            self._settle(sent)
        return FlushResult(len(sent.rows), len(sent.refused), self.pending_rows())

    def close(self) -> None:
        """Close the outbox and the connections."""
        self._outbox.close()
        self._client.close()

    def _settle(self, sent: Sent) -> None:
        for row, error in sent.refused:
            self._outbox.set_aside(row, error)
        self._outbox.settle(sent.rows)
