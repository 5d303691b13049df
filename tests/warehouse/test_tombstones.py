"""What was taken down stays so, in every warehouse and while rows wait."""

import pytest

from audiocrawler.model.marks import Tombstones, hash_mark, host_mark, tombstone
from audiocrawler.model.rows import AudioMetadata, AudioSource
from audiocrawler.warehouse import Options, Warehouse
from audiocrawler.warehouse.bigquery.warehouse import BigQueryWarehouse
from tests.warehouse.rows import a_source, an_audio

SHA = "ab" * 32
OTHER = "cd" * 32


def stored(url: str, sha256: str = SHA, **values: str) -> AudioSource:
    return a_source(source_url=url, sha256=sha256, gcp_url=f"gs://b/{sha256}.mp3", page_url=f"{url}.html", **values)


def file(url: str, sha256: str = SHA) -> AudioMetadata:
    return an_audio(gcp_url=f"gs://b/{sha256}.mp3", sha256=sha256, source_url=url, page_url=f"{url}.html", title=None)


def test_nothing_overwrites_a_source_that_was_taken_down(warehouse: Warehouse) -> None:
    url = "https://example.org/a.mp3"
    warehouse.upsert([stored(url, title="Secret"), file(url)])
    warehouse.upsert([tombstone(url, "taken down")])
    warehouse.upsert([stored(url, title="Secret")])
    row = warehouse.find_source(url)
    assert row is not None
    assert (row.status, row.reason, row.last_status) == ("taken_down", "taken down", "taken_down")
    assert (row.title, row.sha256, row.gcp_url, row.page_url) == (None, None, None, None)
    assert list(warehouse.taken_down()) == [url]


def test_a_file_that_was_taken_down_is_gone_and_does_not_come_back(warehouse: Warehouse) -> None:
    first, second = "https://example.org/a.mp3", "https://example.org/b.mp3"
    warehouse.upsert([stored(first), file(first), stored(second, OTHER), file(second, OTHER)])
    warehouse.upsert([tombstone(hash_mark(SHA), "taken down"), tombstone(first, "taken down")])
    assert [row.sha256 for row in warehouse.audio_rows()] == [OTHER]
    warehouse.upsert([file("https://example.org/c.mp3")])
    assert [row.sha256 for row in warehouse.audio_rows()] == [OTHER]


def test_a_file_of_several_sources_names_the_next_one(warehouse: Warehouse) -> None:
    first, second = "https://example.org/a.mp3", "https://example.org/b.mp3"
    warehouse.upsert([stored(first, title="First"), file(first), stored(second, title="Second", status="duplicate")])
    warehouse.upsert([tombstone(first, "taken down")])
    (row,) = warehouse.audio_rows()
    assert (row.source_url, row.page_url, row.title) == (second, f"{second}.html", "Second")
    rest = warehouse.find_source(second)
    assert rest is not None
    assert (rest.status, rest.reason) == ("stored", None)


def test_rows_that_wait_are_taken_down_with_the_rest(bigquery_uri: str, options: Options) -> None:
    warehouse = BigQueryWarehouse(bigquery_uri, options)
    url = "https://example.org/a.mp3"
    warehouse.upsert([stored(url), file(url)])
    warehouse.upsert([tombstone(hash_mark(SHA), "taken down"), tombstone(url, "taken down")])
    assert warehouse.find_audio(SHA) is None
    assert set(warehouse.taken_down()) == {url, hash_mark(SHA)}
    assert warehouse.flush().error is None
    assert list(warehouse.audio_rows()) == []
    assert {row.status for row in warehouse.source_rows()} == {"taken_down"}
    warehouse.close()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://example.org/a.mp3", "was taken down"),
        ("https://example.org/a.mp3#t=3", "was taken down"),
        ("https://example.org/a.mp3?x=1", None),
        ("https://gone.example:8080/anything", "host gone.example was taken down"),
        ("https://GONE.example/", "host gone.example was taken down"),
        ("https://www.gone.example/", None),
    ],
)
def test_what_tombstones_cover(url: str, why: str | None) -> None:
    assert Tombstones(["https://example.org/a.mp3", host_mark("Gone.example")]).covers(url) == why


def test_a_masked_url_covers_the_real_one() -> None:
    row = tombstone("https://example.org/a.mp3?token=~ba7816bf", "taken down")
    assert Tombstones([row.source_url]).covers("https://example.org/a.mp3?token=abc")
