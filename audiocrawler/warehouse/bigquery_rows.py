"""The name of a table in BigQuery in; its rows out, page by page: all of them at no charge, or those of some sites."""

from collections.abc import Iterator, Sequence

from google.cloud.bigquery import ArrayQueryParameter, Client

from audiocrawler.errors import WarehouseError
from audiocrawler.gcp import failure_of
from audiocrawler.items import AudioSource, Row, Table
from audiocrawler.warehouse.bigquery_jobs import FAILURES, RETRY, TIMEOUT_S, Jobs

PAGE_ROWS = 1000
"""Rows that one answer has: about 2 MB."""
RECALLED = (
    *("source_url", "site", "host", "status", "reason", "last_status", "gcp_url", "etag", "last_modified"),
    *("size_bytes", "sha256", "variants", "judged_by", "last_attempt_at", "crawl_id"),
    *("guid", "url_pattern", "rotates", "title", "link_text", "published_at", "last_seen_at"),
)
"""Columns of audio_sources that the next crawl needs: a query is billed for the columns that it names."""


def rows_of(client: Client, name: str, table: Table) -> Iterator[Row]:
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
    statement = f"SELECT {', '.join(RECALLED)} FROM `{name}` WHERE site IN UNNEST(@sites) AND status <> 'pending'"  # noqa: S608 - a checked name
    try:
        for record in jobs.read(statement, [ArrayQueryParameter("sites", "STRING", list(sites))], PAGE_ROWS):
            yield AudioSource(**dict(zip(RECALLED, record.values(), strict=True)))
    except FAILURES as error:
        raise WarehouseError(f"{name}: cannot be read: {failure_of(error)}; check the network and run again") from error
