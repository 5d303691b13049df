"""The views that stand in the databases, for those who ask them without us."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.cloud.bigquery import SchemaField, Table

from audiocrawler.model.rows import AUDIO_METADATA
from audiocrawler.warehouse import Options, Query, open_warehouse
from audiocrawler.warehouse.bigquery.warehouse import BigQueryWarehouse
from audiocrawler.warehouse.views import VIEWS
from tests.emulators.bigquery import BigQueryEmulator
from tests.emulators.reverse_proxy import Answer, Request
from tests.warehouse.in_bigquery import InBigQuery, client, dataset_of, query
from tests.warehouse.rows import SHA, a_source, an_audio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audio.db"


def opened_once(path: Path) -> None:
    warehouse = open_warehouse(f"sqlite:{path}")
    warehouse.upsert([an_audio(), a_source(host="example.org"), a_source("b", status="failed", reason="HTTP 404")])
    warehouse.close()


def run_sql(path: Path, *statements: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as database, database:
        return [database.execute(statement).fetchall() for statement in statements][-1]


def names(path: Path, view: str) -> list[str]:
    return [row[1] for row in run_sql(path, f"PRAGMA table_info({view})")]


def test_a_new_database_has_the_views(path: Path) -> None:
    opened_once(path)
    assert {view: names(path, view) for view in VIEWS} == {name: list(view.types) for name, view in VIEWS.items()}
    assert run_sql(path, "SELECT sha256, host FROM files") == [(SHA, "example.org")]
    assert run_sql(path, "SELECT status, reason, n, example FROM failures") == [
        ("failed", "HTTP 404", 1, "https://example.org/b.mp3")
    ]


def test_a_database_of_an_earlier_version_gets_the_views_and_columns(path: Path) -> None:
    opened_once(path)
    run_sql(path, *(f"DROP VIEW {view}" for view in VIEWS), "ALTER TABLE audio_metadata DROP COLUMN tags")
    opened_once(path)
    assert names(path, "files") == list(VIEWS["files"].types)


def test_a_view_of_an_earlier_version_is_replaced(path: Path) -> None:
    opened_once(path)
    (statement,) = run_sql(path, "SELECT sql FROM sqlite_master WHERE name = 'files'")[0]
    older = statement.replace("a.tags, ", "")
    assert older != statement
    run_sql(path, "DROP VIEW files", older)
    opened_once(path)
    assert names(path, "files") == list(VIEWS["files"].types)


@pytest.mark.parametrize("mine", ["CREATE TABLE Pages (mine)", "CREATE VIEW Pages AS SELECT 1 AS mine"])
def test_what_the_user_has_called_by_such_a_name_stays_and_is_not_in_the_way(path: Path, mine: str) -> None:
    run_sql(path, mine)
    opened_once(path)
    assert names(path, "pages") == ["mine"]
    warehouse = open_warehouse(f"sqlite:{path}")
    assert [row["files"] for row in warehouse.select(Query("pages"))] == [1]
    warehouse.close()


# --- BigQuery --------------------------------------------------------------------------------------------------------


@pytest.fixture
def unasked(options: Options, bigquery_uri: str) -> Options:
    """Gives options that create no dataset, and makes it as its owner would."""
    client().create_dataset(dataset_of(bigquery_uri))
    return replace(options, create=False)


@pytest.fixture
def opened_bigquery(bigquery_uri: str, unasked: Options) -> Iterator[InBigQuery]:
    warehouse = InBigQuery(BigQueryWarehouse(bigquery_uri, unasked), bigquery_uri)
    yield warehouse
    warehouse.close()


def columns_of(uri: str, view: str) -> list[str]:
    return [field.name for field in query_schema(f"SELECT * FROM `{dataset_of(uri)}.{view}` LIMIT 0")]


def query_schema(statement: str) -> list[SchemaField]:
    return list(client().query(statement).result().schema)


def test_a_dataset_gets_the_tables_and_the_views(bigquery_uri: str, opened_bigquery: InBigQuery) -> None:
    opened_bigquery.upsert([an_audio(), a_source(host="example.org"), a_source("b", status="failed", reason="404")])
    assert "made by audiocrawler" in client().get_table(f"{dataset_of(bigquery_uri)}.files").description
    assert {view: columns_of(bigquery_uri, view) for view in VIEWS} == {
        name: list(view.types) for name, view in VIEWS.items()
    }
    dataset = dataset_of(bigquery_uri)
    assert [tuple(row) for row in query(f"SELECT sha256, host FROM `{dataset}.files`")] == [(SHA, "example.org")]
    assert [tuple(row) for row in query(f"SELECT reason, n FROM `{dataset}.failures`")] == [("404", 1)]
    assert [row.hours for row in query(f"SELECT hours FROM `{dataset}.hours` WHERE hours < 1")] == [1500 / 3_600_000]


def test_a_view_of_an_earlier_version_is_replaced_in_bigquery(
    bigquery_uri: str, unasked: Options, opened_bigquery: InBigQuery
) -> None:
    del opened_bigquery
    name = f"{dataset_of(bigquery_uri)}.hours"
    description = str(client().get_table(name).description).replace("(", "(0")
    query(f"CREATE OR REPLACE VIEW `{name}` OPTIONS (description = '{description}') AS SELECT 1 AS n")
    BigQueryWarehouse(bigquery_uri, replace(unasked, outbox=unasked.outbox / "other")).close()
    assert columns_of(bigquery_uri, "hours") == list(VIEWS["hours"].types)


def test_a_view_that_is_as_it_should_be_is_not_made_again(
    bigquery: BigQueryEmulator,
    bigquery_uri: str,
    unasked: Options,
    opened_bigquery: InBigQuery,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del opened_bigquery
    bodies: list[bytes] = []
    answer = bigquery.answer

    def noted(request: Request) -> Answer:
        bodies.append(request.body)
        return answer(request)

    monkeypatch.setattr(bigquery, "answer", noted)
    BigQueryWarehouse(bigquery_uri, replace(unasked, outbox=unasked.outbox / "other")).close()
    assert bodies
    assert not [body for body in bodies if b"VIEW" in body]


def test_a_table_of_the_users_by_such_a_name_stays(bigquery_uri: str, unasked: Options) -> None:
    name = f"{dataset_of(bigquery_uri)}.pages"
    client().create_table(Table(name, schema=[SchemaField("mine", "STRING")]))
    warehouse = InBigQuery(BigQueryWarehouse(bigquery_uri, unasked), bigquery_uri)
    warehouse.upsert([an_audio(page_url="https://example.org/")])
    assert columns_of(bigquery_uri, "pages") == ["mine"]
    assert [row["files"] for row in warehouse.select(Query("pages"))] == [1]
    warehouse.close()


def test_without_the_right_to_make_views_there_are_none_and_the_rest_works(
    bigquery: BigQueryEmulator, bigquery_uri: str, unasked: Options
) -> None:
    bigquery.denied = "GET .*/tables/files"
    warehouse = InBigQuery(BigQueryWarehouse(bigquery_uri, unasked), bigquery_uri)
    warehouse.upsert([an_audio()])
    assert [row["sha256"] for row in warehouse.select(Query("files"))] == [SHA]
    assert {each.table_id for each in client().list_tables(dataset_of(bigquery_uri))}.isdisjoint(VIEWS)
    warehouse.close()


def test_a_table_of_another_name_is_that_of_the_views(bigquery_uri: str, unasked: Options) -> None:
    uri = bigquery_uri.replace("/audio_metadata", "/my-audio")
    warehouse = InBigQuery(BigQueryWarehouse(uri, unasked), uri)
    assert columns_of(uri, "files")[: len(AUDIO_METADATA.columns)] == [each.name for each in AUDIO_METADATA.columns]
    warehouse.close()
