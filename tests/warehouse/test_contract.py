"""Batches, writers and restarts, in any warehouse."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import pytest

from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.rows import TABLES, Merge
from audiocrawler.model.statuses import Status
from audiocrawler.warehouse import Options, open_warehouse
from tests.warehouse.rows import MINUTE, NOON, OTHER_SHA, SHA, a_crawl, a_source, an_audio


def test_equal_keys_in_one_batch_are_merged_in_order(warehouse):
    rows = [
        a_source(status="pending", title="T"),
        a_source(etag="e1"),
        a_source(status="failed", last_error="HTTP 503"),
    ]
    warehouse.upsert([*rows, an_audio(codec="mp3", album="One"), an_audio(codec="flac")])
    source, audio = warehouse.find_source(rows[0].source_url), warehouse.find_audio(SHA)
    assert (source.title, source.status, source.etag, source.last_error) == ("T", "stored", "e1", "HTTP 503")
    assert (audio.codec, audio.album) == ("flac", "One")


def test_a_moved_folder_moves_the_row(warehouse):
    old, new = "file:///old/sha256/ab.mp3", "file:///new%20disk/sha256/ab.mp3"
    warehouse.upsert([an_audio(gcp_url=old, first_seen_at=NOON, album="One"), a_source("a", gcp_url=old)])
    warehouse.upsert(
        [a_source("b", gcp_url=new, status="duplicate"), an_audio(gcp_url=new, first_seen_at=NOON + MINUTE)]
    )
    row = warehouse.find_audio(SHA)
    assert (row.gcp_url, row.first_seen_at, row.album) == (new, NOON, "One")
    assert warehouse.find_source("https://example.org/a.mp3").gcp_url == new


def test_rows_are_there_after_a_restart(opened):
    first = opened()
    first.upsert([a_source(), an_audio()])
    first.close()
    again = opened()
    assert again.find_audio(SHA).duration_ms == 1500
    again.upsert([an_audio(duration_ms=1600)])
    assert again.find_audio(SHA).duration_ms == 1600


def test_a_batch_is_seen_by_others_that_have_the_warehouse_open(opened):
    first, second = opened(), opened()
    first.upsert([an_audio()])
    assert second.find_audio(SHA) == first.find_audio(SHA)


def write_many(uri: str, options: Options, writer: int) -> None:
    warehouse = open_warehouse(uri, options)
    for number in range(20):
        name = f"{number:03}"
        own = a_source(f"{writer}-{name}", sha256=f"{number:064x}", first_seen_at=NOON + writer * MINUTE)
        shared = a_source("shared", first_seen_at=NOON + writer * MINUTE, attempts=number)
        warehouse.upsert([own, shared, an_audio(own.sha256, source_url=own.source_url)])
    warehouse.close()


def test_writers_in_several_processes_lose_and_double_nothing(uri, options, opened):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(uri, options, writer)) for writer in range(3)]
    for each in writers:
        each.start()
    for each in writers:
        each.join(60)
    assert [each.exitcode for each in writers] == [0, 0, 0]
    warehouse = opened()
    for number in range(20):
        rows = [warehouse.find_source(f"https://example.org/{writer}-{number:03}.mp3") for writer in range(3)]
        assert [row.status for row in rows] == ["stored", "duplicate", "duplicate"]
        assert warehouse.find_audio(f"{number:064x}").source_url == rows[0].source_url
    assert warehouse.find_source("https://example.org/shared.mp3").first_seen_at == NOON


def test_threads_share_a_warehouse(warehouse):
    def write(number: int) -> str:
        row = a_source(f"{number:03}", status="failed")
        warehouse.upsert([row])
        return str(warehouse.find_source(row.source_url).status)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(write, range(24))) == {Status.FAILED}


def test_an_unknown_scheme_is_named():
    with pytest.raises(ConfigurationError, match=r"^AUDIO_WAREHOUSE=duckdb:x\.db: unknown scheme duckdb; .*sqlite:"):
        open_warehouse("duckdb:x.db")


def test_every_merge_rule_has_a_column():
    used = {column.merge for table in TABLES for column in table.columns}
    assert used == set(Merge)


def test_every_row_is_read_again_with_all_its_columns(warehouse):
    sources = [a_source(f"{number:04}", status="failed", last_attempt_at=NOON) for number in range(2100)]
    audio = an_audio(waveform=b"\x00\xff", tags={"title": "é"}, is_silent=False)
    special = a_source("ünï", title="夜", confidence=0.5)
    warehouse.upsert([*sources, special, audio, an_audio(OTHER_SHA, first_seen_at=NOON)])
    by_url = {row.source_url: row for row in warehouse.source_rows()}
    assert by_url.keys() == {row.source_url for row in (*sources, special)}
    assert by_url[special.source_url] == warehouse.find_source(special.source_url)
    by_hash = {row.sha256: row for row in warehouse.audio_rows()}
    assert by_hash == {sha256: warehouse.find_audio(sha256) for sha256 in (SHA, OTHER_SHA)}


def test_a_new_warehouse_has_no_rows(warehouse):
    assert list(warehouse.audio_rows()) == list(warehouse.source_rows()) == list(warehouse.crawl_rows()) == []


def test_a_crawl_that_ran_twice_has_one_row(warehouse):
    first = a_crawl(exit_code=130, finish_reason="shutdown", stored=3, settings={"AUDIO_CONTACT": "é"})
    warehouse.upsert([first, a_crawl("c2")])
    assert {row.crawl_id: row for row in warehouse.crawl_rows()} == {"c1": first, "c2": a_crawl("c2")}
    warehouse.upsert([a_crawl(started_at=NOON + MINUTE, finished_at=NOON + 2 * MINUTE, stored=7), a_source()])
    (row,) = (row for row in warehouse.crawl_rows() if row.crawl_id == "c1")
    assert (row.started_at, row.finished_at) == (NOON, NOON + 2 * MINUTE)
    assert (row.exit_code, row.finish_reason, row.stored, row.settings) == (0, None, 7, None)
