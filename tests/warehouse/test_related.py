"""Rows that are found by what stays when a URL changes, and rows that an older version has written."""

import sqlite3

import pytest

from audiocrawler.model.rows import AudioSource
from audiocrawler.warehouse import Outboxed, Warehouse
from tests.warehouse.rows import MINUTE, NOON, OTHER_SHA, SHA, an_audio

SITE = "example.org"
of_older_versions = pytest.mark.parametrize("uri", ["sqlite", "bigquery"], indirect=True)


def visit(number: int, token: str, sha256: str = SHA, title: str | None = None) -> AudioSource:
    """Return a row as a version that knew no identity wrote it at its visit of this number."""
    return AudioSource(
        source_url=f"https://{SITE}/ep1.mp3?token=~{token}",
        site=SITE,
        status="stored",
        last_status="stored",
        sha256=sha256,
        first_seen_at=NOON + number * MINUTE,
        last_seen_at=NOON + number * MINUTE,
        etag=f'"{number}"',
        page_url=f"https://{SITE}/",
        title=title,
    )


def test_rows_are_found_by_guid_and_by_pattern(warehouse):
    one = AudioSource(source_url="https://example.org/1", site=SITE, status="stored", guid="g", sha256=SHA)
    other = AudioSource(source_url="https://example.org/2?t=1", site=SITE, status="stored", url_pattern="p", sha256=SHA)
    warehouse.upsert([one, other, visit(1, "0" * 8)])
    preload(warehouse)
    found = [
        sorted(row.source_url for row in warehouse.related_sources(guid, pattern))
        for guid, pattern in (("g", None), (None, "p"), ("g", "p"), ("x", "y"), (None, None))
    ]
    assert found == [[one.source_url], [other.source_url], [one.source_url, other.source_url], [], []]


@of_older_versions
def test_rows_of_visits_under_other_tokens_are_folded(opened, uri):
    warehouse = opened()
    old = [visit(number, f"{number}" * 8) for number in range(4)]
    warehouse.upsert([*old, an_audio(source_url=old[0].source_url, page_url=f"https://{SITE}/")])
    make_old(warehouse, uri)
    again = opened()
    preload(again)
    rows, audio = list(again.source_rows()), list(again.audio_rows())
    assert [(row.source_url, row.etag, row.first_seen_at) for row in rows] == [
        (f"https://{SITE}/ep1.mp3?token=~", '"3"', NOON)
    ]
    assert (rows[0].status, rows[0].page_url) == ("stored", f"https://{SITE}/")
    assert [row.source_url for row in audio] == [rows[0].source_url]
    assert again.find_source(rows[0].source_url).etag == '"3"'


@of_older_versions
def test_rows_that_may_be_of_different_files_stay(opened, uri):
    warehouse = opened()
    old = [visit(1, "1" * 8, title="One"), visit(1, "2" * 8, OTHER_SHA, title="Two")]
    warehouse.upsert(old)
    make_old(warehouse, uri)
    again = opened()
    preload(again)
    rows = list(again.source_rows())
    assert [row.source_url for row in rows] == [row.source_url for row in old]
    assert len(again.related_sources(None, f"{SITE}/ep1.mp3?token=*")) == 2


def preload(warehouse: Warehouse) -> None:
    if isinstance(warehouse, Outboxed):
        warehouse.preload([SITE])


def make_old(warehouse: Warehouse, uri: str) -> None:
    """Let the next one that opens the warehouse take it for one of an older version."""
    warehouse.close()
    if uri.startswith("sqlite:"):
        with sqlite3.connect(uri.removeprefix("sqlite:")) as database:
            database.execute("PRAGMA user_version = 0")
