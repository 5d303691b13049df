"""What depends on all sources of a file, in any warehouse."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from audiocrawler.model.rows import AudioMetadata, AudioSource, Row
from audiocrawler.warehouse import Warehouse, open_warehouse
from tests.warehouse.conftest import KINDS, warehouse_of
from tests.warehouse.rows import (
    MINUTE,
    NOON,
    OTHER_SHA,
    SHA,
    a_source,
    an_audio,
    of_case,
    sha_of,
    side_by_side,
    url_of,
)

LICENCES: list[tuple[list[str | None], str | None, bool]] = [
    (["CC0", "CC0"], "CC0", False),
    (["CC0", "CC-BY-4.0"], None, True),
    (["CC0", None], None, False),
    (["CC0", None, "CC-BY-4.0"], None, True),
    ([None, None], None, False),
]


def case_of(licenses: list[str | None]) -> str:
    return "-".join(map(str, licenses))


def licences_in(licenses: list[str | None]) -> Iterator[Row]:
    case = case_of(licenses)
    yield an_audio(sha_of(case), source_url=url_of(case, "a"), license="wrong", license_url="wrong")
    for name, each in zip("abc", licenses, strict=False):
        yield of_case(case, a_source(name, license=each, license_url=each and f"https://licences.org/{each}"))


@pytest.fixture(scope="module", params=KINDS)
def licensed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Give a warehouse with the rows of LICENCES."""
    with warehouse_of(request.param, request, tmp_path_factory.mktemp("licensed")) as warehouse:
        for rows in side_by_side(list(licences_in(licenses)) for licenses, _, _ in LICENCES):
            warehouse.upsert(rows)
        yield warehouse


@pytest.mark.parametrize(("licenses", "license_", "conflict"), LICENCES)
def test_a_licence_is_given_only_where_all_sources_agree(
    licensed: Warehouse, licenses: list[str | None], license_: str | None, conflict: bool
) -> None:
    row = licensed.find_audio(sha_of(case_of(licenses)))
    assert row
    assert (row.license, row.license_conflict) == (license_, conflict)
    assert row.license_url == (license_ and f"https://licences.org/{license_}")


def test_the_url_of_a_licence_that_is_not_known_is_not_given(warehouse):
    warehouse.upsert([an_audio(), a_source(license=None, license_url="https://example.org/terms")])
    assert warehouse.find_audio(SHA).license_url is None


def test_a_row_without_sources_keeps_what_it_has(warehouse):
    warehouse.upsert([an_audio(title="T", license="CC0", tags={"title": "Tagged"})])
    assert (warehouse.find_audio(SHA).title, warehouse.find_audio(SHA).license) == ("T", "CC0")


def test_title_and_artist_come_from_the_smallest_source_that_has_them_else_from_the_tags(warehouse):
    warehouse.upsert([an_audio(tags={"title": "Tagged", "artist": "Tagged"}), a_source("b", title="B"), a_source("a")])
    row = warehouse.find_audio(SHA)
    assert (row.title, row.artist) == ("B", "Tagged")
    warehouse.upsert([a_source("a", title="A")])
    assert warehouse.find_audio(SHA).title == "A"


def test_a_source_that_leaves_for_other_bytes_takes_its_statement_along(warehouse):
    warehouse.upsert([an_audio(), a_source("a", license="CC0"), a_source("b", status="duplicate", license="CC-BY-4.0")])
    assert warehouse.find_audio(SHA).license_conflict is True
    warehouse.upsert([a_source("a", sha256=OTHER_SHA, license="CC0"), an_audio(OTHER_SHA)])
    assert warehouse.find_audio(SHA).license == "CC-BY-4.0"
    assert warehouse.find_audio(OTHER_SHA).license == "CC0"
    assert warehouse.find_source("https://example.org/b.mp3").status == "stored"


def test_of_equal_bytes_the_smallest_url_is_stored_and_the_others_duplicates(warehouse):
    for name, status in (("b", "stored"), ("c", "duplicate"), ("a", "duplicate")):
        warehouse.upsert([a_source(name, status=status)])
    rows = [warehouse.find_source(f"https://example.org/{name}.mp3") for name in "abc"]
    assert [row.status for row in rows] == [row.last_status for row in rows] == ["stored", "duplicate", "duplicate"]
    assert [row.reason for row in rows] == [None, *["the same bytes as https://example.org/a.mp3"] * 2]


def test_a_later_failure_of_a_duplicate_stays_visible(warehouse):
    warehouse.upsert([a_source("a"), a_source("b", status="duplicate")])
    warehouse.upsert([a_source("b", status="failed", last_error="HTTP 500")])
    row = warehouse.find_source("https://example.org/b.mp3")
    assert (row.status, row.last_status, row.last_error) == ("duplicate", "failed", "HTTP 500")


def test_a_duplicate_of_an_unchanged_file_stays_one(warehouse):
    warehouse.upsert([a_source("a"), a_source("b", status="duplicate")])
    warehouse.upsert([a_source("a", status="unchanged")])
    rows = [warehouse.find_source(f"https://example.org/{name}.mp3") for name in "ab"]
    assert [row.status for row in rows] == ["unchanged", "duplicate"]


def crawl_events(rng: random.Random) -> list[list[AudioMetadata | AudioSource]]:
    """What a crawl writes: each URL is found, and then stored under one of two hashes, or fails."""
    batches: list[list[AudioMetadata | AudioSource]] = []
    for name in rng.sample("abcdef", 3):
        time = NOON + rng.randrange(9) * MINUTE
        found = a_source(
            name,
            page_url=f"https://example.org/{name}",
            title=rng.choice([name, None]),
            artist=rng.choice(["X", "Y", None]),
            license=rng.choice(["CC0", "CC-BY-4.0", None]),
            first_seen_at=time,
            last_seen_at=time,
        )
        sha256, status = rng.choice([SHA, SHA, OTHER_SHA]), rng.choice(["stored", "duplicate", "failed"])
        if status == "failed":
            batches.append([replace(found, status=status, last_status=status, sha256=None, reason="HTTP 500")])
        else:
            stored = replace(found, status=status, last_status=status, sha256=sha256)
            batches.append([stored, an_audio(sha256, source_url=found.source_url, file_name=name, updated_at=time)])
        batches.append([replace(found, status="pending", last_status=None, sha256=None)])
    return batches


def state(warehouse: Warehouse) -> list[Any]:
    urls = [f"https://example.org/{name}.mp3" for name in "abcdef"]
    return [warehouse.find_source(url) for url in urls] + [warehouse.find_audio(sha) for sha in (SHA, OTHER_SHA)]


@pytest.mark.parametrize("seed", range(15))
def test_the_order_of_events_does_not_matter(tmp_path, seed):
    rng = random.Random(seed)
    batches = crawl_events(rng)
    states = []
    for number in range(6):
        warehouse = open_warehouse(f"sqlite:{tmp_path}/{number}.db")
        shuffled = rng.sample(batches, len(batches))
        in_one = [[row for batch in shuffled for row in batch]]
        for batch in shuffled if number % 2 else in_one:
            warehouse.upsert(batch)
        for batch in shuffled[:2]:
            warehouse.upsert(batch)  # a retry
        states.append(state(warehouse))
        warehouse.close()
    assert all(each == states[0] for each in states)


def test_a_source_whose_own_statements_differ_is_a_conflict(warehouse):
    found_in = "json_ld=CC-BY-4.0 | page_link=CC0-1.0"
    warehouse.upsert([an_audio(), a_source(license_raw="CC BY 4.0 | CC0", license_found_in=found_in)])
    row = warehouse.find_audio(SHA)
    assert (row.license, row.license_conflict) == (None, True)


def test_statements_are_replaced_together_so_that_a_conflict_is_not_filled_from_what_was_stated_before(warehouse):
    stated = {"license": "CC0-1.0", "license_url": "u", "license_raw": "CC0", "license_found_in": "page_link=CC0-1.0"}
    warehouse.upsert([a_source("a", "pending", page_url="p", **stated)])
    found_in = "page_link=CC0-1.0 | file_tags=CC-BY-4.0"
    both = {"license_raw": "CC0 | CC BY 4.0", "license_found_in": found_in}
    warehouse.upsert([an_audio(), a_source("a", page_url="p", **both)])
    for page_url in ("o", "q"):  # found on other pages afterwards: they do not know the tags
        warehouse.upsert([a_source("a", "pending", page_url=page_url, **stated)])
    row = warehouse.find_source("https://example.org/a.mp3")
    assert (row.license, row.license_url, row.license_found_in) == (None, None, found_in)
    assert warehouse.find_audio(SHA).license_conflict is True


def test_a_page_that_states_nothing_leaves_what_another_has_stated(warehouse):
    stated = {"license": "CC0-1.0", "license_raw": "CC0", "license_found_in": "page_link=CC0-1.0"}
    warehouse.upsert([a_source("a", "pending", page_url="b", **stated)])
    warehouse.upsert([a_source("a", "pending", page_url="a")])
    assert warehouse.find_source("https://example.org/a.mp3").license == "CC0-1.0"
