"""Opening a BigQuery warehouse: what is created, completed, adopted or refused."""

from dataclasses import replace
from typing import Any

import pytest
from google.cloud.bigquery import SchemaField, Table

from audiocrawler.model.errors import ConfigurationError, SchemaError
from audiocrawler.model.rows import AUDIO_METADATA, AUDIO_SOURCES, TABLES
from audiocrawler.warehouse import open_warehouse
from audiocrawler.warehouse.bigquery.warehouse import BigQueryWarehouse
from audiocrawler.warehouse.views import VIEWS
from tests.warehouse.in_bigquery import InBigQuery, client, dataset_of, query, read
from tests.warehouse.rows import SHA, a_source, an_audio

FIVE = [
    SchemaField("gcp_url", "STRING", "REQUIRED"),
    SchemaField("file_name", "STRING", "REQUIRED"),
    SchemaField("duration_ms", "INTEGER", "REQUIRED"),
    SchemaField("loudness", "FLOAT", "REQUIRED"),
    SchemaField("classification", "STRING", "REQUIRED"),
]


def table_there(uri: str, *schema: SchemaField, name: str = "audio_metadata", rows: str = "") -> str:
    """Make a table as a user would, before us."""
    full_name = f"{dataset_of(uri)}.{name}"
    client().create_dataset(dataset_of(uri), exists_ok=True)
    client().create_table(Table(full_name, schema=schema))
    if rows:
        query(f"INSERT INTO `{full_name}` VALUES {rows}")
    return full_name


def refusal(uri: str, options: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        open_warehouse(uri, options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_dataset_and_tables_are_created_when_that_is_asked_for(bigquery_uri, options):
    open_warehouse(bigquery_uri, options).close()
    for table, clustering in ((AUDIO_METADATA, ["gcp_url"]), (AUDIO_SOURCES, ["site", "source_url"])):
        made = client().get_table(f"{dataset_of(bigquery_uri)}.{table.name}")
        assert [(field.name, field.mode, field.description) for field in made.schema] == [
            (column.name, column.mode, column.description) for column in table.columns
        ]
        assert made.clustering_fields == clustering


def test_a_new_dataset_is_kept_where_the_settings_say(bigquery_uri, options):
    open_warehouse(bigquery_uri, replace(options, location="EU")).close()
    assert client().get_dataset(dataset_of(bigquery_uri)).location == "EU"


def test_a_dataset_is_created_only_when_that_is_asked_for_and_tables_where_there_is_one(bigquery_uri, options):
    unasked = replace(options, create=False)
    assert refusal(bigquery_uri, unasked).startswith(
        f"{dataset_of(bigquery_uri)}: dataset not found; create it, or set "
    )
    client().create_dataset(dataset_of(bigquery_uri))
    open_warehouse(bigquery_uri, unasked).close()
    made = {each.table_id for each in client().list_tables(dataset_of(bigquery_uri))}
    assert made >= {table.name for table in TABLES}


def test_no_staging_table_is_left_by_opening(bigquery_uri, options):
    open_warehouse(bigquery_uri, options).close()
    assert {each.table_id for each in client().list_tables(dataset_of(bigquery_uri))} == {
        *(table.name for table in TABLES),
        *VIEWS,
    }


def test_a_table_with_only_the_users_columns_is_adopted_with_its_rows(bigquery_uri, options):
    name = table_there(
        bigquery_uri,
        *FIVE,
        rows="('gs://old/1.mp3', '1.mp3', 10, -3.0, 'High Energy'), ('gs://old/2.mp3', '2.mp3', 20, -4.5, 'Low')",
    )
    warehouse = InBigQuery(BigQueryWarehouse(bigquery_uri, options), bigquery_uri)
    warehouse.upsert([an_audio(gcp_url="gs://old/2.mp3", duration_ms=21, file_name="two.mp3"), a_source()])
    warehouse.close()
    rows = [(row.gcp_url, row.file_name, row.duration_ms, row.sha256) for row in read(bigquery_uri, AUDIO_METADATA)]
    assert rows == [("gs://old/1.mp3", "1.mp3", 10, None), ("gs://old/2.mp3", "two.mp3", 21, SHA)]
    modes = {field.name: field.mode for field in client().get_table(name).schema}
    assert [mode for column, mode in modes.items() if column not in {field.name for field in FIVE}] == ["NULLABLE"] * (
        len(AUDIO_METADATA.columns) - 5
    )


def test_columns_that_are_not_ours_keep_their_values(bigquery_uri, options):
    name = table_there(
        bigquery_uri,
        SchemaField("note", "STRING"),
        *FIVE,
        rows="('mine', 'gs://old/1.mp3', '1.mp3', 10, -3.0, 'High Energy')",
    )
    warehouse = InBigQuery(BigQueryWarehouse(bigquery_uri, options), bigquery_uri)
    warehouse.upsert([an_audio(gcp_url="gs://old/1.mp3")])
    warehouse.upsert([an_audio(gcp_url="gs://moved/1.mp3")])
    warehouse.close()
    assert [tuple(row) for row in query(f"SELECT gcp_url, note FROM `{name}`")] == [("gs://moved/1.mp3", "mine")]


def test_a_row_without_hash_under_the_new_key_of_a_moved_file_is_replaced(bigquery_uri, options):
    table_there(bigquery_uri, *FIVE, rows="('gs://new/1.mp3', '1.mp3', 10, -3.0, 'High Energy')")
    warehouse = InBigQuery(BigQueryWarehouse(bigquery_uri, options), bigquery_uri)
    warehouse.upsert([an_audio(gcp_url="gs://old/1.mp3", album="One")])
    warehouse.upsert([an_audio(gcp_url="gs://new/1.mp3")])
    warehouse.close()
    assert [(row.gcp_url, row.album) for row in read(bigquery_uri, AUDIO_METADATA)] == [("gs://new/1.mp3", "One")]


def test_a_column_of_a_later_version_appears_and_the_rows_stay(bigquery_uri, options):
    older = [SchemaField(column.name, column.type, column.mode) for column in AUDIO_SOURCES.columns[:-9]]
    name = table_there(bigquery_uri, *older, name="audio_sources")
    query(f"INSERT INTO `{name}` (source_url, status, title) VALUES ('https://example.org/a.mp3', 'pending', 'T')")
    warehouse = InBigQuery(BigQueryWarehouse(bigquery_uri, options), bigquery_uri)
    warehouse.upsert([a_source(license="CC0")])
    warehouse.close()
    (row,) = read(bigquery_uri, AUDIO_SOURCES)
    assert (row.title, row.license, row.status) == ("T", "CC0", "stored")


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (
            [*FIVE[:2], SchemaField("duration_ms", "STRING")],
            "column duration_ms is STRING, not INTEGER; set AUDIO_WAREHOUSE to another",
        ),
        (
            [FIVE[0], SchemaField("tags", "STRING", "REPEATED")],
            "column tags is ARRAY, not JSON; set AUDIO_WAREHOUSE to another",
        ),
        ([FIVE[1]], "has no column gcp_url; set AUDIO_WAREHOUSE to another"),
        (
            [*FIVE, SchemaField("owner", "STRING", "REQUIRED")],
            "column owner is REQUIRED and unknown to audiocrawler; make it",
        ),
        ([*FIVE, SchemaField("codec", "STRING", "REQUIRED")], "column codec is REQUIRED; make it NULLABLE"),
    ],
)
def test_a_table_that_contradicts_ours_is_refused_untouched(bigquery_uri, options, schema, message):
    name = table_there(bigquery_uri, *schema)
    with pytest.raises(SchemaError) as caught:
        open_warehouse(bigquery_uri, options)
    assert str(caught.value).startswith(f"{name}: {message}")
    assert len(client().get_table(name).schema) == len(schema)


def test_a_table_with_equal_keys_is_refused(bigquery_uri, options):
    row = "('gs://old/1.mp3', '1.mp3', 10, -3.0, 'High Energy')"
    name = table_there(bigquery_uri, *FIVE, rows=f"{row}, {row}")
    assert refusal(bigquery_uri, options).startswith(f"{name}: has several rows with the same gcp_url; remove all but")


@pytest.mark.parametrize(
    "denied",
    [
        "^GET .*/datasets/",
        "^POST .*/datasets($|[?])",
        "^POST .*/tables($|[?])",
        "^POST .*/projects/project/jobs",
    ],
)
def test_a_missing_permission_is_told_with_what_to_grant(bigquery, bigquery_uri, options, denied):
    bigquery.denied = denied
    message = refusal(bigquery_uri, options)
    assert message.startswith(
        f"{dataset_of(bigquery_uri)}: permission denied; grant roles/bigquery.dataEditor on the dataset"
    )
    assert "roles/bigquery.jobUser on the project" in message


def test_a_wrong_endpoint_is_told_with_the_reason(bigquery_uri, options, monkeypatch):
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    assert "Connection refused" in refusal(bigquery_uri, options)


@pytest.mark.parametrize(
    "uri",
    [
        "bigquery:x",
        "bigquery://project/dataset",
        "bigquery://p/data-set/t",
        "bigquery://p/d/t/u",
        "bigquery://p/d/audio_sources",
    ],
)
def test_a_uri_that_names_no_table_is_refused(options, uri):
    assert refusal(uri, options) == f"{uri}: not a table; write bigquery://project/dataset/audio_metadata"
