"""Which rows are in a set, and on which side: from the rows alone."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from audiocrawler.export.core import Spec, SplitBy, shares_of
from audiocrawler.export.plan import Plan

TYPES = dict.fromkeys(
    ("sha256", "pcm_hash", "page_url", "host", "artist", "group_id", "gcp_url", "first_seen_at"), "STRING"
)


def row(number: int, **values: Any) -> dict[str, Any]:
    named = {"page_url": f"page {number}", "host": "a", "artist": None, "group_id": None, "pcm_hash": f"p{number}"}
    return {"sha256": f"{number * 7919 % 4096:064x}", "gcp_url": "x.wav", "size_bytes": 10, **named, **values}


def sides(folder: Path, rows: list[dict[str, Any]], split: str = "60/20/20", by: SplitBy = "page") -> dict[str, str]:
    with Plan(Spec(shares=shares_of(split), split_by=by), TYPES, folder, 1000) as plan:
        plan.fill(sorted(rows, key=lambda each: str(each["sha256"])))
        return {each["sha256"]: side for side, each in plan.all_rows()}


def test_shares_are_about_what_was_asked_for(tmp_path):
    found = list(sides(tmp_path, [row(number) for number in range(2000)], "80/15/5").values())
    assert [round(found.count(name) / 20) for name in ("train", "validation", "test")] == pytest.approx(
        [80, 15, 5], abs=3
    )


@pytest.mark.parametrize("by", ["page", "host", "artist"])
def test_a_group_is_on_one_side(tmp_path, by):
    column = {"page": "page_url", "host": "host", "artist": "artist"}[by]
    rows = [row(number, **{column: f"g{number % 40}"}) for number in range(400)]
    found, of_group = sides(tmp_path, rows, by=by), defaultdict(set)
    for each in rows:
        of_group[each[column]].add(found[each["sha256"]])
    assert {len(each) for each in of_group.values()} == {1}
    assert len(set(found.values())) == 3


def test_alternates_tie_pages_together(tmp_path):
    rows = [row(number, group_id=f"g{number // 2}") for number in range(200)]
    rows += [row(200 + number, page_url=f"page {number}") for number in range(200)]
    found = sides(tmp_path, rows)
    for number in range(0, 200, 2):
        assert len({found[rows[each]["sha256"]] for each in (number, number + 1, number + 200, number + 201)}) == 1


def test_sides_stay_when_the_collection_grows(tmp_path):
    early = [row(number, page_url=f"page {number % 90}", first_seen_at="2026-01-01") for number in range(300)]
    late = [row(number, page_url=f"page {number % 200}", first_seen_at="2026-02-01") for number in range(300, 900)]
    before, after = sides(tmp_path, early), sides(tmp_path, early + late)
    assert before == {sha256: after[sha256] for sha256 in before}


def test_of_the_same_samples_the_first_one_is_in(tmp_path):
    rows = [row(number, pcm_hash=f"p{number % 10}") for number in range(30)]
    found = sides(tmp_path, rows)
    assert len(found) == 10
    for number in range(10):
        assert min(each["sha256"] for each in rows if each["pcm_hash"] == f"p{number}") in found


def test_shards_are_cut_by_size_and_tell_of_every_change(tmp_path):
    def shards(rows: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
        with Plan(Spec(), TYPES, tmp_path, 100) as plan:
            plan.fill(rows)
            return [(shard.label, shard.files, shard.digest) for shard in plan.shards]

    rows = sorted((row(number) for number in range(25)), key=lambda each: str(each["sha256"]))
    first = shards(rows)
    assert [(label, files) for label, files, _ in first] == [
        ("train-00000-of-00003", 10),
        ("train-00001-of-00003", 10),
        ("train-00002-of-00003", 5),
    ]
    rows[12]["artist"] = "another"
    second = shards(rows)
    assert [a == b for a, b in zip(first, second, strict=True)] == [True, False, True]
    assert list(tmp_path.iterdir()) == []
