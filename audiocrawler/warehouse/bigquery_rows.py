"""The name of a table in BigQuery in; all its rows out, page by page, at no charge."""

from collections.abc import Iterator

from google.cloud.bigquery import Client

from audiocrawler.errors import WarehouseError
from audiocrawler.gcp import failure_of
from audiocrawler.items import Row, Table
from audiocrawler.warehouse.bigquery_jobs import FAILURES, RETRY, TIMEOUT_S

PAGE_ROWS = 1000
"""Rows that one answer has: about 2 MB."""


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
