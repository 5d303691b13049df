"""What each status says, and that statements, counts and the table at a crawl's end go by it."""

import pickle
import re
import runpy

import pytest

from audiocrawler.model.statuses import KINDS, Status, Trait
from audiocrawler.report.summary import Places, format_summary, summarise
from tests.crawling import REPOSITORY

PACKAGE = REPOSITORY / "audiocrawler"


@pytest.mark.parametrize("status", Status)
def test_each_status_has_one_kind_and_a_meaning(status: Status) -> None:
    assert len(list(status.traits & KINDS)) == 1
    assert status.meaning
    assert Trait.ONE_FILE | Trait.RECORDING not in status.traits


@pytest.mark.parametrize("status", Status)
def test_a_status_is_found_by_its_value_and_travels_between_processes(status: Status) -> None:
    assert Status(str(status)) is status
    assert pickle.loads(pickle.dumps(status)) is status


def test_what_each_trait_is_true_of() -> None:
    stored = {"stored", "duplicate", "unchanged"}
    assert {trait: set(Status.having(trait)) for trait in Trait} == {
        Trait.OPEN: {"pending"},
        Trait.STORED: stored,
        Trait.FAILED: {
            *("failed", "robots", "not_audio", "undecodable", "too_large", "gone", "protected", "denied", "opted_out")
        },
        Trait.LEFT_OUT: {"filtered", "expanded", "limit", "stream", "alternate", "taken_down"},
        Trait.FINAL: stored | {"gone", "expanded", "taken_down"},
        Trait.FILE_KEPT: stored | {"gone"},
        Trait.RANKED: {"stored", "duplicate"},
        Trait.REFUSED: {"not_audio", "undecodable", "filtered", "expanded"},
        Trait.ONE_FILE: {
            *("failed", "robots", "not_audio", "undecodable", "too_large", "gone", "protected", "denied"),
            *("filtered", "stream"),
        },
        Trait.RECORDING: {"opted_out", "taken_down"},
    }


def test_a_new_status_would_be_in_every_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    having = Status.having
    monkeypatch.setattr(Status, "having", lambda trait: (*having(trait), "brand_new"))
    sqlite = runpy.run_path(str(PACKAGE / "warehouse/sqlite_sources.py"))
    bigquery = runpy.run_path(str(PACKAGE / "warehouse/bigquery/merge.py"))
    inventory = runpy.run_path(str(PACKAGE / "collection/inventory.py"))
    assert "'brand_new'" in sqlite["_SMALLEST"]
    assert sqlite["_SETTLE"].count("'brand_new'") == 3
    assert bigquery["merge_sources"]("target", "sources", "audio").count("'brand_new'") > 3
    assert "'brand_new'" in inventory["PROBLEMS"]["source without its audio row"]


def test_the_table_at_the_end_counts_every_status_in_order() -> None:
    stats = {f"audio/{status}": 1000 + number for number, status in enumerate(Status) if status != Status.PENDING}
    summary = summarise({"audio/found": sum(stats.values()) + 1, **stats})
    names = re.findall(
        r"^  (\w[\w ]*?) +10\d\d", format_summary(summary, Places("data", "sqlite:audio.db", None)), re.MULTILINE
    )
    assert names == [{"duplicate": "duplicates"}.get(status, status.replace("_", " ")) for status in list(Status)[1:]]
    assert summary.pending == 1
