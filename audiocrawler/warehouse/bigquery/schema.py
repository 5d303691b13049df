"""BigQuery's schemas of the declared tables, and rows as lines for load jobs."""

from google.cloud.bigquery import SchemaField

from audiocrawler.model.rows import AUDIO_CRAWLS, AUDIO_METADATA, AUDIO_SOURCES, Column, TableSpec
from audiocrawler.warehouse.bigquery.merge import SEQUENCE
from audiocrawler.warehouse.outbox import PendingRow

CLUSTERING = {
    AUDIO_METADATA.name: ["gcp_url"],
    AUDIO_SOURCES.name: ["site", "source_url"],
    AUDIO_CRAWLS.name: ["crawl_id"],
}
"""Table name -> clustering columns."""

_LEGACY_NAMES = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}


def schema_of(table: TableSpec) -> list[SchemaField]:
    """Return the schema of a new table."""
    return [field_of(column, column.mode) for column in table.columns]


def staging_schema(table: TableSpec) -> list[SchemaField]:
    """Return the schema of a staging table: all columns and the sequence number."""
    return [*schema_of(table), SchemaField(SEQUENCE, "INTEGER", "REQUIRED")]


def field_of(column: Column, mode: str) -> SchemaField:
    """Return one column; an existing table accepts only NULLABLE new columns."""
    return SchemaField(column.name, column.type, mode, description=column.description)


def declared_type(name: str) -> str:
    """Return the declared name for either of BigQuery's names of a type."""
    return _LEGACY_NAMES.get(name.upper(), name.upper())


def staging_line(row: PendingRow) -> bytes:
    """Return a row as a line of newline-delimited JSON for its staging table."""
    return f'{row.json[:-1]}, "{SEQUENCE}": {row.sequence}}}\n'.encode()
