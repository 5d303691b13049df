"""What only the BigQuery warehouse does: batches, faults on the way, refused rows, other machines, kills."""

import multiprocessing
import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from audiocrawler.model.rows import AUDIO_METADATA, AUDIO_SOURCES, AudioSource
from audiocrawler.model.statuses import Status
from audiocrawler.warehouse import FlushResult, Options, Warehouse, open_warehouse
from audiocrawler.warehouse.bigquery.warehouse import BigQueryWarehouse
from audiocrawler.warehouse.outbox import key_of
from tests.emulators.fault_proxy import Action, Fault, FaultProxy
from tests.warehouse.in_bigquery import client, dataset_of, read
from tests.warehouse.rows import MINUTE, NOON, OTHER_SHA, SHA, a_source, an_audio
from tests.warehouse.test_sources import crawl_events, state

Opened = Callable[..., BigQueryWarehouse]

STAGES = (
    "POST .*/tables",
    "POST /upload/",
    "PUT /upload/",
    "POST /bigquery/v2/projects/project/jobs",
    "DELETE .*/tables/",
)
"""The requests of a flush, in their order."""


@pytest.fixture
def proxy(bigquery, bigquery_uri, monkeypatch) -> Iterator[FaultProxy]:
    with FaultProxy(bigquery.url) as proxy:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
        yield proxy


@pytest.fixture
def opened(bigquery_uri, options) -> Iterator[Opened]:
    """Opens the warehouse on a machine with that name."""
    warehouses: list[BigQueryWarehouse] = []

    def opened(machine: str = "one", **values: Any) -> BigQueryWarehouse:
        warehouses.append(BigQueryWarehouse(bigquery_uri, replace(options, outbox=options.outbox / machine, **values)))
        return warehouses[-1]

    yield opened
    for each in warehouses:
        each.close()


def staging_tables(uri: str) -> list[str]:
    return [table.table_id for table in client().list_tables(dataset_of(uri)) if "staging" in table.table_id]


def test_rows_wait_until_they_are_flushed_in_batches(opened, bigquery_uri):
    warehouse = opened(batch_rows=2)
    warehouse.upsert([a_source(name) for name in "abc"])
    assert (warehouse.pending_rows(), read(bigquery_uri, AUDIO_SOURCES)) == (3, [])
    assert warehouse.flush() == FlushResult(sent=2, left=1)
    assert warehouse.flush() == FlushResult(sent=1)
    assert warehouse.flush() == FlushResult()
    assert len(read(bigquery_uri, AUDIO_SOURCES)) == 3
    assert staging_tables(bigquery_uri) == []


def test_what_this_machine_knows_is_found_without_asking_bigquery(opened, proxy):
    warehouse = opened()
    warehouse.upsert([an_audio(codec="mp3"), a_source(etag="e1")])
    for _ in range(2):
        asked = len(proxy.requests)
        assert warehouse.find_audio(SHA).codec == "mp3"
        assert warehouse.find_source(a_source().source_url).etag == "e1"
        assert warehouse.find_audio(OTHER_SHA) is None
        assert len(proxy.requests) == asked
        warehouse.flush()


def test_a_flush_costs_two_jobs_a_table_whatever_the_rows(opened, proxy):
    warehouse = opened()
    rows = [row for n in range(150) for row in (a_source(f"{n}", sha256=f"{n:064x}"), an_audio(f"{n:064x}"))]
    warehouse.upsert(rows)
    before = {stage: proxy.count(stage) for stage in STAGES}
    assert warehouse.flush().sent == 300
    assert [proxy.count(stage) - before[stage] for stage in STAGES] == [2, 2, 2, 2, 2]


def test_machines_that_store_the_same_file_make_one_row_of_it(opened, bigquery_uri):
    first, second = opened("one"), opened("two")
    for warehouse, name, time_ in ((first, "b", NOON), (second, "a", NOON + MINUTE)):
        url = f"https://example.org/{name}.mp3"
        warehouse.upsert([a_source(name, license="CC0"), an_audio(source_url=url, first_seen_at=time_)])
    with ThreadPoolExecutor() as pool:
        assert [result.error for result in pool.map(BigQueryWarehouse.flush, (first, second))] == [None, None]
    (audio,) = read(bigquery_uri, AUDIO_METADATA)
    assert (audio.source_url, audio.first_seen_at, audio.license) == ("https://example.org/a.mp3", NOON, "CC0")
    assert [row.status for row in read(bigquery_uri, AUDIO_SOURCES)] == ["stored", "duplicate"]


# --- The same as in SQLite -------------------------------------------------------------------------------------------


NAMES = [f"{number:03}" for number in range(60)]
SHAS = [f"{number:064x}" for number in range(12)]
STATUSES = list(Status)
LEFT_ALONE = {"sha256", "reason", "gcp_url"}


def a_random_source(rng: random.Random, name: str) -> AudioSource:
    status = rng.choice([*STATUSES, Status.PENDING, Status.STORED, Status.DUPLICATE])
    is_stored = status in {Status.STORED, Status.DUPLICATE, Status.UNCHANGED}
    row = a_source(name, status, sha256=rng.choice(SHAS) if is_stored else None, reason=rng.choice([None, "a", "b"]))
    for column in AUDIO_SOURCES.columns:
        if column.type == "STRING" and getattr(row, column.name) is None and column.name not in LEFT_ALONE:
            setattr(row, column.name, rng.choice([None, "x", "y", "é", "z"]))
        if column.type == "TIMESTAMP":
            setattr(row, column.name, rng.choice([None, NOON, NOON + MINUTE, NOON - MINUTE]))
        if column.type == "INTEGER":
            setattr(row, column.name, rng.choice([None, 0, 7]))
    return row


def a_random_audio(rng: random.Random, sha256: str) -> Any:
    url = rng.choice([None, "https://example.org/a.mp3", "https://example.org/b.mp3"])
    return an_audio(
        sha256,
        gcp_url=f"gs://{rng.choice('ab')}/{sha256}.mp3",
        source_url=url,
        file_name=rng.choice("xyz"),
        **{name: rng.choice([None, "x", "y", "z"]) for name in ("album", "language", "page_url", "found_by", "codec")},
        title=rng.choice([None, "T"]),
        tags=rng.choice([None, {}, {"title": "Tagged", "artist": "é"}]),
        updated_at=rng.choice([None, NOON, NOON + MINUTE]),
    )


def in_sqlite(warehouse: Warehouse) -> list[Any]:
    """Return all rows, as far as ``in_bigquery`` returns them."""
    sources = [warehouse.find_source(f"https://example.org/{name}.mp3") for name in NAMES]
    files = [warehouse.find_audio(sha256) for sha256 in SHAS]
    return sorted(filter(None, [*sources, *files]), key=key_of)


def in_bigquery(uri: str) -> list[Any]:
    return sorted([*read(uri, AUDIO_SOURCES), *read(uri, AUDIO_METADATA)], key=key_of)


@pytest.mark.parametrize("seed", range(2))
def test_random_rows_meet_as_they_do_in_sqlite(opened, bigquery_uri, tmp_path, seed):
    rng = random.Random(seed)
    local, remote = open_warehouse(f"sqlite:{tmp_path}/audio.db"), opened()
    for _ in range(3):
        rows: list[Any] = [a_random_source(rng, name) for name in rng.sample(NAMES, 40)]
        rows += [a_random_audio(rng, sha256) for sha256 in rng.sample(SHAS, 8)]
        for warehouse in (local, remote):
            warehouse.upsert(rows)
        assert remote.flush().error is None
        assert in_bigquery(bigquery_uri) == in_sqlite(local)
    local.close()


@pytest.mark.parametrize("seed", range(2))
def test_crawls_of_two_machines_end_as_one_crawl_into_sqlite(opened, bigquery_uri, tmp_path, seed):
    rng = random.Random(seed)
    batches = crawl_events(rng)
    local = open_warehouse(f"sqlite:{tmp_path}/audio.db")
    machines = [opened("one"), opened("two")]
    for batch in rng.sample(batches, len(batches)):
        local.upsert(batch)
    for number, batch in enumerate(rng.sample(batches, len(batches))):
        machine = rng.choice(machines)
        machine.upsert(batch)
        if number % 5 == 0:
            assert machine.flush().error is None
    for machine in machines:
        assert machine.flush().error is None
    assert in_bigquery(bigquery_uri) == sorted(filter(None, state(local)), key=key_of)
    local.close()


def test_rows_with_one_key_in_a_staging_table_make_one_row(opened, bigquery_uri):
    warehouse = opened()
    warehouse.upsert([a_source(etag="e1"), an_audio(codec="mp3")])
    first = warehouse.outbox.take(10)
    warehouse.upsert([a_source(etag="e2"), an_audio(codec="flac")])
    warehouse._sender.send([*warehouse.outbox.take(10), *first])
    assert [row.etag for row in read(bigquery_uri, AUDIO_SOURCES)] == ["e2"]
    assert [row.codec for row in read(bigquery_uri, AUDIO_METADATA)] == ["flac"]


# --- Faults on the way -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [Action.UNAVAILABLE, Action.RESET, Action.LOSE_ANSWER])
def test_a_fault_at_each_stage_of_a_flush_loses_and_doubles_nothing(opened, proxy, bigquery_uri, action):
    warehouse = opened()
    proxy.faults += [Fault(action, stage) for stage in STAGES]
    warehouse.upsert([a_source("a"), a_source("b"), an_audio()])
    results = [warehouse.flush(), warehouse.flush()]
    assert len(proxy.happened) == len(STAGES)
    assert sum(result.sent for result in results) == 3
    assert [row.status for row in read(bigquery_uri, AUDIO_SOURCES)] == ["stored", "duplicate"]
    assert [row.sha256 for row in read(bigquery_uri, AUDIO_METADATA)] == [SHA]
    opened()
    assert staging_tables(bigquery_uri) == []


def test_while_bigquery_is_away_rows_are_kept_and_the_reason_is_told(opened, proxy, bigquery_uri):
    warehouse = opened()
    proxy.faults.append(Fault(Action.UNAVAILABLE, times=None))
    warehouse.upsert([a_source("a")])
    result = warehouse.flush()
    assert (result.sent, result.left) == (0, 1)
    assert result.error is not None
    assert result.error.startswith("503")
    warehouse.upsert([a_source("b")])
    proxy.faults.clear()
    assert warehouse.flush() == FlushResult(sent=2)
    assert len(read(bigquery_uri, AUDIO_SOURCES)) == 2


def test_a_merge_that_meets_another_one_is_tried_again(bigquery, opened, bigquery_uri):
    warehouse = opened()
    warehouse.upsert([a_source()])
    bigquery.conflicts = 2
    assert warehouse.flush() == FlushResult(sent=1)
    assert bigquery.conflicts == 0


def test_a_permission_that_is_taken_away_is_told_and_the_rows_stay(bigquery, opened):
    warehouse = opened()
    warehouse.upsert([a_source()])
    bigquery.denied = "POST .*/jobs"
    result = warehouse.flush()
    assert (result.sent, result.left) == (0, 1)
    assert str(result.error).startswith("403 Access Denied")


def test_rows_that_bigquery_refuses_are_set_aside_and_the_rest_goes_in(bigquery, opened, bigquery_uri):
    warehouse = opened()
    bad = {"03", "11"}
    warehouse.upsert([a_source(f"{n:02}", title="unwanted" if f"{n:02}" in bad else "fine") for n in range(16)])
    warehouse.upsert([an_audio()])
    bigquery.unwanted = "unwanted"
    assert warehouse.flush() == FlushResult(sent=15, refused=2)
    assert len(read(bigquery_uri, AUDIO_SOURCES)) == 14
    assert {row.key[-6:-4] for row in warehouse.outbox.refused()} == bad
    assert all("JSON parsing error in row 1: unwanted" in row.error for row in warehouse.outbox.refused())
    assert staging_tables(bigquery_uri) == []


def test_a_row_that_cannot_fit_is_set_aside_before_it_is_sent(opened, bigquery_uri):
    warehouse = opened()
    warehouse.upsert([an_audio(tags={"comment": "x" * 10_000_000}), a_source("b")])
    assert warehouse.flush() == FlushResult(sent=1, refused=1)
    assert next(row.error for row in warehouse.outbox.refused()).endswith("larger than BigQuery's limit of 10000000")
    assert [row.source_url for row in read(bigquery_uri, AUDIO_SOURCES)] == [a_source("b").source_url]


def flush_once(uri: str, options: Options) -> None:
    BigQueryWarehouse(uri, options).flush()


@pytest.mark.parametrize("stage", [*STAGES[1:4], "DELETE .*/tables/"])
def test_a_killed_flush_is_done_again_and_its_staging_tables_removed(opened, proxy, bigquery_uri, options, stage):
    warehouse = opened()
    warehouse.upsert([a_source("a"), a_source("b"), an_audio()])
    skip = 2 if stage.startswith(("POST /bigquery", "DELETE")) else 0  # those that open the warehouse
    fault = Fault(Action.DELAY, stage, skip=skip, seconds=1)
    proxy.faults.append(fault)
    of_machine = replace(options, outbox=options.outbox / "one")
    process = multiprocessing.get_context("spawn").Process(target=flush_once, args=(bigquery_uri, of_machine))
    process.start()
    while not proxy.happened:
        time.sleep(0.02)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    time.sleep(1.2)  # what was asked for before the kill is done by then
    assert staging_tables(bigquery_uri)
    again = opened()
    assert staging_tables(bigquery_uri) == []
    assert again.flush().sent == 3
    assert [row.status for row in read(bigquery_uri, AUDIO_SOURCES)] == ["stored", "duplicate"]
    assert len(read(bigquery_uri, AUDIO_METADATA)) == 1
