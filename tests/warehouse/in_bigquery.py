"""A warehouse in BigQuery in; the same one with rows that are sent at once and read from the tables out."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from google.auth.credentials import AnonymousCredentials
from google.cloud.bigquery import Client, QueryJobConfig, ScalarQueryParameter

from audiocrawler.model.rows import (
    AUDIO_METADATA,
    AUDIO_SOURCES,
    AudioCrawl,
    AudioMetadata,
    AudioSource,
    Row,
    TableSpec,
)
from audiocrawler.warehouse import FlushResult, Query
from audiocrawler.warehouse.bigquery.warehouse import BigQueryWarehouse
from audiocrawler.warehouse.rows import clean_url


def dataset_of(uri: str) -> str:
    return ".".join(uri.split("/")[2:4])


def client() -> Client:
    return Client(project="project", credentials=AnonymousCredentials())


def query(statement: str, **values: str) -> list[Any]:
    parameters = [ScalarQueryParameter(name, "STRING", value) for name, value in values.items()]
    return list(client().query(statement, QueryJobConfig(query_parameters=parameters)).result())


def read(uri: str, table: TableSpec, condition: str = "TRUE", **values: str) -> list[Any]:
    """Return rows of the table itself, by the key."""
    records = query(f"SELECT * FROM `{dataset_of(uri)}.{table.name}` WHERE {condition} ORDER BY {table.key}", **values)
    return [_row(record, table) for record in records]


def _row(record: Any, table: TableSpec) -> Row:
    values = {column.name: _value(record[column.name], column.type) for column in table.columns}
    return table.row_type(**values)


def _value(value: Any, type_name: str) -> Any:
    return json.loads(value) if type_name == "JSON" and isinstance(value, str) else value


class InBigQuery:
    is_local: ClassVar[bool] = False

    @staticmethod
    def path_of(uri: str) -> None:
        pass

    @staticmethod
    def query_command(uri: str) -> None:
        pass

    def __init__(self, warehouse: BigQueryWarehouse, uri: str) -> None:
        self._warehouse = warehouse
        self._uri = uri

    def upsert(self, rows: Sequence[Row]) -> None:
        self._warehouse.upsert(rows)
        self.flush()

    def find_audio(self, sha256: str) -> AudioMetadata | None:
        return self._find(AUDIO_METADATA, "sha256", sha256)  # type: ignore[return-value]

    def find_source(self, source_url: str) -> AudioSource | None:
        return self._find(AUDIO_SOURCES, "source_url", clean_url(source_url))  # type: ignore[return-value]

    def related_sources(self, guid: str | None, url_pattern: str | None) -> list[AudioSource]:
        self.flush()
        return self._warehouse.related_sources(guid, url_pattern)

    def recall(self, sites: Sequence[str]) -> int:
        self.flush()
        return self._warehouse.recall(sites)

    def taken_down(self) -> Iterator[str]:
        return self._warehouse.taken_down()

    def audio_rows(self) -> Iterator[AudioMetadata]:
        self.flush()
        return self._warehouse.audio_rows()

    def source_rows(self) -> Iterator[AudioSource]:
        self.flush()
        return self._warehouse.source_rows()

    def crawl_rows(self) -> Iterator[AudioCrawl]:
        self.flush()
        return self._warehouse.crawl_rows()

    def select(self, query: Query) -> Iterator[dict[str, Any]]:
        self.flush()
        return self._warehouse.select(query)

    def written_watermark(self) -> int:
        return self._warehouse.written_watermark()

    def sent_watermark(self) -> int:
        return self._warehouse.sent_watermark()

    def pending_rows(self) -> int:
        return self._warehouse.pending_rows()

    def flush(self) -> FlushResult:
        while (result := self._warehouse.flush()).left and result.error is None:
            pass
        assert result.error is None, result.error
        return result

    def close(self) -> None:
        self._warehouse.close()

    def _find(self, table: TableSpec, column_name: str, value: str) -> Row | None:
        self.flush()
        rows = read(self._uri, table, f"{column_name} = @value", value=value)
        assert len(rows) < 2
        return rows[0] if rows else None
