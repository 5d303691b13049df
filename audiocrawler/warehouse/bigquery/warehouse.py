"""All tables in a BigQuery dataset, written through an outbox on this machine, and read back page by page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar, cast

from google.cloud.bigquery import ArrayQueryParameter, Client

from audiocrawler.model.errors import ConfigurationError, WarehouseError
from audiocrawler.model.gcp import BIGQUERY_EMULATOR, failure_of
from audiocrawler.model.rotation import row_key
from audiocrawler.model.rows import (
    AUDIO_CRAWLS,
    AUDIO_METADATA,
    AUDIO_SOURCES,
    TABLES,
    AudioCrawl,
    AudioMetadata,
    AudioSource,
    Row,
    TableSpec,
)
from audiocrawler.model.statuses import Status
from audiocrawler.model.text import is_masked
from audiocrawler.warehouse.bigquery.flush import Sender, Sent
from audiocrawler.warehouse.bigquery.jobs import FAILURES, RETRY, TIMEOUT_S, Jobs
from audiocrawler.warehouse.bigquery.select import select
from audiocrawler.warehouse.bigquery.tables import explained, place_of, prepare_table, prepared_location
from audiocrawler.warehouse.outbox import Outbox, outbox_path
from audiocrawler.warehouse.query import Query
from audiocrawler.warehouse.rekey import rekeyed
from audiocrawler.warehouse.rows import checked, clean_url
from audiocrawler.warehouse.warehouse import MAX_RELATED, FlushResult, Options

PAGE_ROWS = 1000
"""Rows that one answer has: about 2 MB."""
RECALLED = (
    *("source_url", "site", "host", "status", "reason", "last_status", "gcp_url", "etag", "last_modified"),
    *("size_bytes", "sha256", "variants", "judged_by", "last_attempt_at", "crawl_id"),
    *("guid", "url_pattern", "rotates", "title", "link_text", "published_at", "last_seen_at"),
)
"""Columns of audio_sources that the next crawl needs: a query is billed for the columns that it names."""


def rows_of(client: Client, name: str, table: TableSpec) -> Iterator[Row]:
    """Yield the rows with the declared columns, in no order (tabledata.list). Raises WarehouseError."""
    declared = {column.name for column in table.columns}
    try:
        found = client.get_table(name, retry=RETRY, timeout=TIMEOUT_S)
        fields = [field for field in found.schema if field.name.lower() in declared]
        names = [field.name.lower() for field in fields]
        records = client.list_rows(found, fields, page_size=PAGE_ROWS, retry=RETRY, timeout=TIMEOUT_S)
        for record in records:
            values = dict(zip(names, record.values(), strict=True))
            if values[table.key] is not None:  # an adopted table may have rows that no key tells apart
                yield table.row_type(**values)
    except FAILURES as error:
        raise WarehouseError(f"{name}: cannot be read: {failure_of(error)}; check the network and run again") from error


def recalled_rows(jobs: Jobs, name: str, sites: Sequence[str]) -> Iterator[AudioSource]:
    """Yield the rows of audio_sources that were found from these sites, with their RECALLED columns.

    Raises WarehouseError.
    """
    is_told = f"site IN UNNEST(@sites) AND status <> '{Status.PENDING}'"
    statement = f"SELECT {', '.join(RECALLED)} FROM `{name}` WHERE {is_told}"  # noqa: S608 - a checked name
    for record in _read(jobs, name, statement, sites=list(sites)):
        yield AudioSource(**dict(zip(RECALLED, record.values(), strict=True)))


def rows_with(jobs: Jobs, name: str, keys: Iterable[str]) -> Iterator[AudioSource]:
    """Yield the whole rows of audio_sources that have these keys. Raises WarehouseError."""
    columns = [column.name for column in AUDIO_SOURCES.columns]
    statement = f"SELECT {', '.join(columns)} FROM `{name}` WHERE source_url IN UNNEST(@keys)"  # noqa: S608 - the same
    for batch in _batched(keys):
        for record in _read(jobs, name, statement, keys=batch):
            yield AudioSource(**dict(zip(columns, record.values(), strict=True)))


def delete_replaced(jobs: Jobs, sources: str, audio: str, keys: Mapping[str, str]) -> None:
    """Delete the rows of these keys, and name what stands in their place in audio_metadata. Raises WarehouseError."""
    update = f"""
UPDATE `{audio}` AS t SET source_url = s.new_url
FROM (
  SELECT old_url, new_url FROM UNNEST(@old) AS old_url WITH OFFSET AS i
  JOIN UNNEST(@new) AS new_url WITH OFFSET AS j ON i = j
) AS s WHERE t.source_url = s.old_url"""  # noqa: S608 - the same
    delete = f"DELETE FROM `{sources}` WHERE source_url IN UNNEST(@old)"  # noqa: S608 - the same
    for old in _batched(keys):
        list(_read(jobs, audio, update, old=old, new=[keys[key] for key in old]))
        list(_read(jobs, sources, delete, old=old))


def _batched(keys: Iterable[str]) -> Iterator[list[str]]:
    """Yield the keys in lists that one statement takes."""
    rest = iter(keys)
    return iter(lambda: list(islice(rest, PAGE_ROWS)), [])


def _read(jobs: Jobs, name: str, statement: str, **values: list[str]) -> Iterator[Any]:
    parameters = [ArrayQueryParameter(key, "STRING", value) for key, value in values.items()]
    try:
        yield from jobs.read(statement, parameters, PAGE_ROWS)
    except FAILURES as error:
        raise WarehouseError(f"{name}: cannot be read: {failure_of(error)}; check the network and run again") from error


class BigQueryWarehouse:
    """Three tables in one dataset, and the outbox of the rows that wait for them.

    Finding a row asks no query: it gives what this machine has sent, will send, or has recalled. What other machines
    have stored meanwhile is met when the store has the object already, and the MERGE makes one row of both.

    Raises ConfigurationError, which says what to grant, if a flush could not work; SchemaError if a table contradicts
    ours.
    """

    is_local: ClassVar[bool] = False

    @staticmethod
    def path_of(uri: str) -> None:
        """Return None: the tables are in no file."""

    @staticmethod
    def query_command(uri: str) -> None:
        """Return None: the console shows the tables."""

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
        """Keep what the table knows of these sites beside the outbox, by one query; see Outboxed.recall."""
        replaced: dict[str, str] = {}
        rows = rekeyed(recalled_rows(self._jobs, self._place.name_of(AUDIO_SOURCES), sites), replaced)
        batches = iter(lambda: list(islice(rows, PAGE_ROWS)), [])
        learnt = sum(map(self._outbox.learn, batches))
        if replaced:
            self._replace(replaced)
        return learnt

    def _replace(self, keys: dict[str, str]) -> None:
        """Fold rows of an older version in the tables, too; they wait in the outbox before the old ones are deleted."""
        sources, audio = self._place.name_of(AUDIO_SOURCES), self._place.name_of(AUDIO_METADATA)
        self._outbox.put([checked(row) for row in rekeyed(rows_with(self._jobs, sources, keys), {})])
        delete_replaced(self._jobs, sources, audio, keys)

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

    def select(self, query: Query) -> Iterator[dict[str, Any]]:
        """Yield rows of a view, without those in the outbox; see Warehouse.select."""
        return select(self._jobs, self._place, query)

    def pending_rows(self) -> int:
        """Return how many rows wait in the outbox; see Outboxed.pending_rows."""
        return self._outbox.pending_rows()

    def written_watermark(self) -> int:
        """Return the number of the last row in the outbox; see Outboxed.written_up_to."""
        return self._outbox.written_watermark()

    def sent_watermark(self) -> int:
        """Return the number up to which the outbox is empty; see Outboxed.sent_up_to."""
        return self._outbox.settled_up_to()

    @property
    def outbox(self) -> Outbox:
        """Return the outbox, which tells what was set aside and up to where rows have been sent."""
        return self._outbox

    def flush(self) -> FlushResult:
        """Send one batch; see Outboxed.flush. Only one flush of an outbox runs at a time, in all processes."""
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
        self._outbox.mark_sent(sent.rows)
