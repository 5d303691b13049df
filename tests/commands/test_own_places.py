"""A store and a warehouse of one's own, named by nothing but two settings, in all commands."""

from pathlib import Path

import pytest
from scrapy.settings import Settings

from audiocrawler.crawl.in_use import lock_for_crawl, lock_for_takedown
from audiocrawler.crawl.places import store_options, store_type, warehouse_options
from audiocrawler.model.errors import ConfigurationError, LockedError
from tests.commands.collecting import FILES, ROWS, SOURCES, Collection
from tests.crawling import crawl
from tests.memory import SETTINGS, Memory, remembered
from tests.site.server import Site


def test_a_crawl_goes_into_them_and_every_command_works_on_them(memory: Memory, site: Site, tmp_path: Path) -> None:
    uri = memory.place("crawl")
    settings = {**SETTINGS, "AUDIO_STORE": uri, "AUDIO_WAREHOUSE": uri}
    first, second = (crawl(tmp_path, f"url={site.url}/shore.html", settings=settings) for _ in range(2))
    assert (first.code, second.code) == (0, 0), first.stderr + second.stderr
    assert "stored      2 files" in first.stdout
    assert "unchanged   2 " in second.stdout
    assert f"database    {uri}" in first.stdout
    assert "sqlite3" not in first.stdout
    flush, verify, takedown = (
        crawl(tmp_path, command=command, settings=settings)
        for command in (("flush",), ("verify", "--hash", "--offline"), ("takedown", "--host", "127.0.0.1", "--yes"))
    )
    assert (flush.code, flush.stdout) == (0, "0 rows pending\n")
    assert verify.code == 0, verify.stdout + verify.stderr
    assert verify.stdout.startswith("2 files and 4 sources in the tables, 2 objects")
    assert takedown.code == 0, takedown.stdout + takedown.stderr
    assert remembered("shelf", uri).copy() == {}
    assert not (tmp_path / "data/audio.db").exists()
    assert not (tmp_path / "data/objects").exists()


def test_a_collection_is_sent_into_them(memory: Memory, collection: Collection) -> None:
    uri = memory.place("sync")
    sync = collection.run("sync", "--to-store", uri, "--to-warehouse", uri, settings=SETTINGS)
    assert sync.code == 0, sync.stderr
    assert f"{FILES} uploaded" in sync.stdout
    assert f"{ROWS} there, 0 left" in sync.stdout
    verify = collection.run("verify", "--store", uri, "--warehouse", uri, "--hash", "--offline", settings=SETTINGS)
    assert verify.code == 0, verify.stdout
    assert verify.stdout.startswith(f"{FILES} files and {SOURCES} sources in the tables, {FILES} objects")


@pytest.mark.parametrize(
    ("stores", "message"),
    [
        ("tests.storage", "AUDIO_STORES=tests.storage: must be a JSON object"),
        ({"own": 5}, "AUDIO_STORES={'own': 5}: must have text for own"),
        (
            {"own": "tests.storage.memory.NoStore"},
            "AUDIO_STORE=own:x: tests.storage.memory.NoStore cannot be imported: ",
        ),
        ({"own": "no.such.Store"}, "AUDIO_STORE=own:x: no.such.Store cannot be imported: No module named 'no'"),
        ({"own": "Store"}, "AUDIO_STORE=own:x: Store cannot be imported: "),
        ({}, "AUDIO_STORE=own:x: unknown scheme own; use one of file:, gs:"),
    ],
)
def test_what_names_no_class_is_told(stores: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{message}"):
        store_type(Settings({"AUDIO_STORES": stores, "AUDIO_STORE": "own:x"}))


def test_what_is_there_stays_and_may_be_replaced() -> None:
    settings = Settings({"AUDIO_OUTBOX": "o", "AUDIO_WAREHOUSES": {"SQLite": "package.Own"}, "AUDIO_STORES": {}})
    settings.setmodule("audiocrawler.settings", priority="default")
    assert warehouse_options(settings).schemes["sqlite"] == "package.Own"
    assert {"", "file", "gs"} == store_options(settings).schemes.keys()


def used_by(tmp_path: Path, uri: str) -> Settings:
    return Settings({**SETTINGS, "AUDIO_OUTBOX": str(tmp_path / "outbox"), "AUDIO_WAREHOUSE": uri.format(tmp_path)})


@pytest.mark.parametrize(
    ("uri", "same"),
    [
        ("{}/audio.db", "sqlite://{}/audio.db"),
        ("sqlite:{}/audio.db", "{}/audio.db"),
        ("memory://127.0.0.1:1/x", "memory://127.0.0.1:1/x"),
    ],
)
def test_a_takedown_and_a_crawl_keep_each_other_out_however_the_warehouse_is_named(
    tmp_path: Path, uri: str, same: str
) -> None:
    first, second = used_by(tmp_path, uri), used_by(tmp_path, same)
    with lock_for_crawl(first), lock_for_crawl(second), pytest.raises(LockedError):
        lock_for_takedown(second)
    with lock_for_takedown(first), pytest.raises(LockedError):
        lock_for_crawl(second)
