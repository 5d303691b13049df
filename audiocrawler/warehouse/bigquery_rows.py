"""The name of a table in BigQuery in; its rows out, page by page: all of them at no charge, or those of some sites."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from google.cloud.bigquery import ArrayQueryParameter, Client

from audiocrawler.errors import WarehouseError
from audiocrawler.gcp import failure_of
from audiocrawler.items import AUDIO_SOURCES, AudioSource, Row, Table
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
