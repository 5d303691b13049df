"""What a report says of a collection, whichever warehouse has it."""

from typing import Any

import pytest

from audiocrawler.collection.reporting import Wanted, report_of
from audiocrawler.model.rows import Row
from audiocrawler.report.charts import CHARTS, HISTOGRAMS
from audiocrawler.warehouse import Query, Tally
from tests.report.pages import rows
from tests.warehouse.conftest import KINDS, warehouse_of
from tests.warehouse.rows import NOON, a_crawl, a_source, an_audio

FILES = 200
LATER = NOON.replace(day=2)
OLD: dict[str, Any] = {"site": "e.test", "first_seen_at": NOON, "last_seen_at": LATER, "last_attempt_at": LATER}
FRESH, CHANGED, UNLINKED = "11" * 32, "22" * 32, "33" * 32
LAST: list[Row] = [
    a_crawl("first"),
    a_crawl("second", started_at=LATER, finished_at=LATER),
    a_source("new", sha256=FRESH, **{**OLD, "first_seen_at": LATER}),
    an_audio(FRESH, first_seen_at=LATER, source_url="https://example.org/new.mp3", pcm_hash="same"),
    a_source("changed", sha256=CHANGED, **OLD),
    an_audio(CHANGED, first_seen_at=LATER, source_url="https://example.org/changed.mp3", pcm_hash="same"),
    a_source("gone", "gone", reason="HTTP 410", **OLD),
    a_source("unlinked", sha256=UNLINKED, **{**OLD, "last_seen_at": NOON, "last_attempt_at": NOON}),
    *(a_source(f"lost-{each:03}", "failed", reason="it's lost", first_seen_at=NOON) for each in range(70)),
]


@pytest.fixture(scope="module", params=KINDS)
def filled(request, tmp_path_factory):
    with warehouse_of(request.param, request, tmp_path_factory.mktemp("report")) as warehouse:
        warehouse.upsert([*rows(FILES), *LAST])
        yield warehouse


def test_a_value_is_counted_in_the_same_bar_by_sql_and_by_python(filled) -> None:
    for chart in CHARTS:
        counted = {row["bar"]: row["n"] for row in filled.select(Query("files", tally=Tally({"bar": chart.sql})))}
        values = [row[chart.column] for row in filled.select(Query("files", columns=(chart.column,)))]
        bars = [chart.bar_of(value) for value in values] if chart in HISTOGRAMS else values
        assert counted == {bar: bars.count(bar) for bar in bars}


def test_what_changed_since_the_crawl_before_is_told(filled) -> None:
    report = report_of(filled, Wanted(crawl_id="second"))
    told = {reason.status: [row["source_url"].rpartition("/")[2] for row in reason.rows] for reason in report.changes}
    assert told == {
        "new": ["new.mp3"],
        "changed": ["changed.mp3"],
        "gone": ["gone.mp3"],
        "not found": ["unlinked.mp3"],
    }
    assert report_of(filled, Wanted(crawl_id="first")).changes == []


def test_totals_reasons_and_copies_are_of_all(filled) -> None:
    report = report_of(filled, Wanted(rows=20))
    assert (report.files["n"], report.files["total"]) == (20, FILES + 2)
    assert report.urls == FILES + len(LAST) - 4
    (lost,) = [reason for reason in report.failures if reason.reason == "it's lost"]
    assert (lost.number, len(lost.rows)) == (70, 50)
    assert [copies.files for copies in report.copies] == [
        ["https://example.org/changed.mp3", "https://example.org/new.mp3"]
    ]
    assert sum(licence.files for licence in report.licences) == FILES + 2
    assert all(sum(chart["all"]) == FILES + 2 for chart in report.files["charts"])


def test_an_expression_narrows_the_files(filled) -> None:
    report = report_of(filled, Wanted(where="codec = 'aac' -- only these"))
    counted = sum(row["codec"] == "aac" for row in filled.select(Query("files", columns=("codec",))))
    assert report.files["total"] == report.files["n"] == counted
