"""One column, one merge rule, in any warehouse."""

from collections.abc import Iterator
from itertools import permutations

import pytest

from audiocrawler.model.rows import Row
from audiocrawler.warehouse import Warehouse
from tests.warehouse.conftest import KINDS, warehouse_of
from tests.warehouse.rows import MINUTE, NOON, SHA, a_source, an_audio, of_case, sha_of, side_by_side, url_of


def test_a_newer_measure_overwrites_even_with_null(warehouse):
    warehouse.upsert([an_audio(lufs=-20.0, codec="mp3", analyser_version="1")])
    warehouse.upsert([an_audio(lufs=None, codec="flac", analyser_version="2")])
    row = warehouse.find_audio(SHA)
    assert (row.lufs, row.codec, row.analyser_version) == (None, "flac", "2")


def test_a_null_does_not_take_away_an_album_or_a_site(warehouse):
    warehouse.upsert([an_audio(album="One"), a_source(site="example.org")])
    warehouse.upsert([an_audio(album=None), a_source(site=None)])
    assert warehouse.find_audio(SHA).album == "One"
    assert warehouse.find_source(a_source().source_url).site == "example.org"


def test_first_and_last_times_are_kept_in_either_order(warehouse):
    for time in (NOON, NOON + MINUTE, NOON - MINUTE, None):
        warehouse.upsert(
            [a_source(first_seen_at=time, last_seen_at=time), an_audio(first_seen_at=time, updated_at=time)]
        )
    source, audio = warehouse.find_source(a_source().source_url), warehouse.find_audio(SHA)
    assert source.first_seen_at == audio.first_seen_at == NOON - MINUTE
    assert source.last_seen_at == audio.updated_at == NOON + MINUTE


@pytest.fixture(scope="module", params=KINDS)
def merged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Give a warehouse with the rows of SOURCE_ORDERS, PAGE_ORDERS and STATUSES."""
    cases = [*map(sources_in, SOURCE_ORDERS), *map(pages_in, PAGE_ORDERS)]
    cases += [statuses_in(before, then) for before, then, _ in STATUSES]
    with warehouse_of(request.param, request, tmp_path_factory.mktemp("merged")) as warehouse:
        for rows in side_by_side(cases):
            warehouse.upsert(rows)
        yield warehouse


SOURCE_ORDERS = ["".join(order) for order in permutations("abc")]


def sources_in(order: str) -> list[Row]:
    return [
        an_audio(sha_of(order), source_url=url_of(order, name), file_name=f"{name}.mp3", found_by=name, language=name)
        for name in order
    ]


@pytest.mark.parametrize("order", SOURCE_ORDERS)
def test_the_file_is_described_by_its_smallest_source(merged: Warehouse, order: str) -> None:
    row = merged.find_audio(sha_of(order))
    assert row
    assert (row.source_url, row.file_name, row.found_by, row.language) == (url_of(order, "a"), "a.mp3", "a", "a")


PAGE_ORDERS = ["".join(order) for order in permutations("ab")]


def pages_in(order: str) -> list[Row]:
    said = {
        "a": {"page_url": "https://example.org/a", "link_text": "from a"},
        "b": {"page_url": "https://example.org/b", "link_text": "from b", "page_title": "B"},
    }
    return [of_case(order, a_source(**said[name])) for name in order]


@pytest.mark.parametrize("order", PAGE_ORDERS)
def test_what_the_smallest_page_does_not_say_comes_from_another(merged: Warehouse, order: str) -> None:
    row = merged.find_source(url_of(order, "a"))
    assert row
    assert (row.page_url, row.link_text, row.page_title) == ("https://example.org/a", "from a", "B")


def test_the_same_page_read_again_replaces_what_it_said(warehouse):
    for text in ("old", "new"):
        warehouse.upsert([a_source(page_url="https://example.org/", link_text=text)])
    assert warehouse.find_source(a_source().source_url).link_text == "new"


def test_a_failed_attempt_keeps_what_a_success_has_left(warehouse):
    warehouse.upsert([a_source(gcp_url="gs://b/o", etag="e1", size_bytes=9, http_status=200, attempts=1)])
    warehouse.upsert([a_source(status="failed", reason="HTTP 503", last_error="HTTP 503", http_status=503, attempts=4)])
    row = warehouse.find_source(a_source().source_url)
    assert (row.status, row.reason, row.gcp_url, row.etag, row.sha256, row.size_bytes) == (
        *("stored", None, "gs://b/o", "e1", SHA, 9),
    )
    assert (row.last_status, row.last_error, row.http_status, row.attempts) == ("failed", "HTTP 503", 503, 4)


def test_a_pending_row_changes_no_outcome(warehouse):
    warehouse.upsert([a_source(status="failed", reason="HTTP 503", http_status=503, opt_out="noai", final_url="x")])
    warehouse.upsert([a_source(status="pending", title="Found again")])
    row = warehouse.find_source(a_source().source_url)
    assert (row.status, row.reason, row.last_status) == ("failed", "HTTP 503", "failed")
    assert (row.http_status, row.opt_out, row.final_url, row.title) == (503, "noai", "x", "Found again")


STATUSES = [
    ("pending", "failed", "failed"),
    ("failed", "robots", "robots"),
    ("failed", "stored", "stored"),
    ("stored", "unchanged", "unchanged"),
    ("stored", "gone", "gone"),
    ("gone", "failed", "gone"),
    ("gone", "stored", "stored"),
    ("unchanged", "undecodable", "unchanged"),
]


def statuses_in(before: str, then: str) -> list[Row]:
    return [of_case(f"{before}-{then}", a_source(status=status)) for status in (before, then)]


@pytest.mark.parametrize(("before", "then", "after"), STATUSES)
def test_the_status_tells_the_last_success_if_there_was_one(
    merged: Warehouse, before: str, then: str, after: str
) -> None:
    row = merged.find_source(url_of(f"{before}-{then}", "a"))
    assert row
    assert (row.status, row.last_status) == (after, then)


def test_an_unchanged_file_keeps_its_hash_and_etag(warehouse):
    warehouse.upsert([a_source(etag="e1", content_type="audio/mpeg")])
    warehouse.upsert([a_source(status="unchanged", sha256=None, etag=None)])
    row = warehouse.find_source(a_source().source_url)
    assert (row.status, row.sha256, row.etag, row.content_type) == ("unchanged", SHA, "e1", "audio/mpeg")
