"""Processes are killed at every stage; the same command then ends with what an undisturbed crawl has, asking for no
file twice but those that were under way. What the server was asked for is counted, as equal rows would not show it.
"""

import logging
import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crawling import Run, crawl, finish, processes_in, start
from tests.site.answers import Options
from tests.site.labels import LABELS
from tests.site.server import Site

logger = logging.getLogger(__name__)

TONES = {label.sha256 for label in LABELS if "tone" in label.path}
MANY_AT_ONCE = {"AUDIO_MEDIA_PER_HOST": "20"}
STORED_SOON = 32
"""Files whose transfer may have ended while their row had not been written: AUDIO_MAX_FILES_IN_FLIGHT."""


def tones(site: Site) -> Counter[str]:
    return Counter(r.path for r in site.requests if "tone" in r.path)


def rows_in(folder: Path) -> int:
    if not (folder / "data/audio.db").exists():
        return 0
    with sqlite3.connect(folder / "data/audio.db", timeout=30) as database:
        is_there = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'audio_metadata'").fetchone()[0]
        return int(database.execute("SELECT count(*) FROM audio_metadata").fetchone()[0]) if is_there else 0


def stored_urls(folder: Path) -> set[str]:
    with sqlite3.connect(folder / "data/audio.db", timeout=30) as database:
        return {row[0] for row in database.execute("SELECT source_url FROM audio_sources WHERE status = 'stored'")}


def objects_in(folder: Path) -> int:
    return sum(1 for path in (folder / "data/objects").rglob("*.wav"))


def wait_until(holds: Callable[[], bool], timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_for_more(site: Site, count: int) -> None:
    before = sum(tones(site).values())
    wait_until(lambda: sum(tones(site).values()) >= before + count)


def kill(process) -> None:
    process.kill()
    process.communicate()


def wait_for_end_of_workers(folder: Path) -> None:
    wait_until(lambda: processes_in(folder) == [], 30)


def assert_undisturbed(run: Run) -> None:
    assert run.code == 0, run.stderr
    assert {path.stem for path in run.objects} == {row["sha256"] for row in run.audio} == TONES
    assert len(run.objects) == len(run.audio)
    assert Counter(row["status"] for row in run.sources.values()) == {"stored": len(TONES)}
    assert f"found       {len(TONES)} audio URLs" in run.stdout


@pytest.mark.parametrize(
    ("stage", "is_reached"),
    [
        ("page", lambda site, folder: bool(site.count("/many/"))),
        ("transfer", lambda site, folder: sum(tones(site).values()) >= 3),
        ("object", lambda site, folder: objects_in(folder) >= 5),
        ("row", lambda site, folder: rows_in(folder) >= 20),
    ],
)
def test_a_killed_crawl_is_completed_by_the_same_command(stage: str, is_reached, tmp_path: Path) -> None:
    with Site(Options(many_delay_s=0.1)) as site:
        process = start(tmp_path, f"url={site.url}/many/")
        wait_until(lambda: is_reached(site, tmp_path))
        stored = rows_in(tmp_path)
        kill(process)
        wait_for_end_of_workers(tmp_path)
        logger.info("killed at the stage %r with %d rows, %d objects", stage, stored, objects_in(tmp_path))
        run = crawl(tmp_path, f"url={site.url}/many/", settings=MANY_AT_ONCE)
        asked = tones(site)
    assert_undisturbed(run)
    assert sum(asked.values()) <= len(TONES) + STORED_SOON
    assert sum(count > 1 for count in asked.values()) <= max(0, len(TONES) - stored)
    assert [path for path in (tmp_path / "data/incoming").rglob("*") if path.suffix != ".lock"] == []
    if stage != "page":
        assert "resuming" in run.stderr


def test_many_kills_lose_and_repeat_nothing_that_was_stored(tmp_path: Path) -> None:
    chance = random.Random(7)
    with Site(Options(many_delay_s=0.05)) as site:
        for _ in range(2):
            process = start(tmp_path, f"url={site.url}/many/")
            wait_for_more(site, 12)
            time.sleep(chance.random() * 0.1)
            kill(process)
            wait_for_end_of_workers(tmp_path)
        stored = stored_urls(tmp_path)
        site_asked_before = tones(site)
        run = crawl(tmp_path, f"url={site.url}/many/", settings=MANY_AT_ONCE)
        asked = tones(site) - site_asked_before
    assert_undisturbed(run)
    assert not {site.url + path for path in asked} & stored


def test_after_one_ctrl_c_the_same_command_takes_up_the_rest(tmp_path: Path) -> None:
    with Site(Options(many_delay_s=0.2)) as site:
        process = start(tmp_path, f"url={site.url}/many/")
        wait_until(lambda: sum(tones(site).values()) >= 8)
        os.kill(process.pid, signal.SIGINT)
        stopped_at_s = time.monotonic()
        first = finish(process, tmp_path)
        assert time.monotonic() - stopped_at_s < 10
        assert first.code == 130
        second = crawl(tmp_path, f"url={site.url}/many/", settings=MANY_AT_ONCE)
        asked = tones(site)
    assert_undisturbed(second)
    assert max(asked.values()) == 1
    assert site.count("/many/") == 1
    assert {row["crawl_id"] for row in second.sources.values()} == {first.audio[0]["crawl_id"]}


def test_two_ctrl_c_end_the_crawl_at_once_and_lose_nothing(tmp_path: Path) -> None:
    with Site(Options(many_delay_s=1.0)) as site:
        process = start(tmp_path, f"url={site.url}/many/", settings={"AUDIO_STOP_GRACE_S": "60"})
        wait_until(lambda: sum(tones(site).values()) >= 8)
        os.kill(process.pid, signal.SIGINT)
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGINT)
        stopped_at_s = time.monotonic()
        finish(process, tmp_path)
        assert time.monotonic() - stopped_at_s < 5
        wait_for_end_of_workers(tmp_path)
        stored = stored_urls(tmp_path)
        run = crawl(tmp_path, f"url={site.url}/many/", settings=MANY_AT_ONCE)
        asked = tones(site)
    assert_undisturbed(run)
    assert [path for path, count in asked.items() if count > 1 and site.url + path in stored] == []
    assert sum(asked.values()) <= len(TONES) + STORED_SOON


def test_a_finished_crawl_starts_anew_and_fresh_starts_over(tmp_path: Path) -> None:
    with Site(Options(many_delay_s=0.2)) as site:
        crawl(tmp_path, f"url={site.url}/shore.html")
        again = crawl(tmp_path, f"url={site.url}/shore.html")
        assert site.count("/shore.html") == 2
        assert "resuming" not in again.stderr

        process = start(tmp_path, f"url={site.url}/many/")
        wait_until(lambda: sum(tones(site).values()) >= 8)
        kill(process)
        fresh = crawl(tmp_path, f"url={site.url}/many/", "fresh=yes", settings=MANY_AT_ONCE)
    assert "resuming" not in fresh.stderr
    assert site.count("/many/") == 2
    assert len(fresh.objects) == len(TONES) + 2


def test_two_crawls_in_one_frontier_are_held_apart_and_a_name_stands_for_arguments(tmp_path: Path) -> None:
    with Site(Options(many_delay_s=0.2)) as site:
        for arguments in (["crawl=nightly"], []):
            process = start(tmp_path, f"url={site.url}/many/", *arguments)
            wait_for_more(site, 8)
            os.kill(process.pid, signal.SIGINT)
            assert finish(process, tmp_path).code == 130
        named = crawl(tmp_path, f"url={site.url}/many/", "crawl=nightly", "depth=0", settings=MANY_AT_ONCE)
        assert "resuming" in named.stderr
        with sqlite3.connect(tmp_path / "data/frontier.db") as database:
            left = database.execute("SELECT count(*) FROM requests").fetchone()[0]
        assert left > 20  # those of the other crawl
        other = crawl(tmp_path, f"url={site.url}/many/", "alternates=best", settings=MANY_AT_ONCE)
        assert "resuming" in other.stderr
        assert site.count("/many/") == 2


def test_the_limit_counts_what_was_stored_before_the_stop(tmp_path: Path) -> None:
    with Site(Options(many_delay_s=0.2)) as site:
        process = start(tmp_path, f"url={site.url}/many/", "limit=20")
        wait_until(lambda: sum(tones(site).values()) >= 10)
        os.kill(process.pid, signal.SIGINT)
        finish(process, tmp_path)
        run = crawl(tmp_path, f"url={site.url}/many/", "limit=20", settings=MANY_AT_ONCE)
    assert run.code == 0
    assert len(run.objects) == 20
    assert Counter(row["status"] for row in run.sources.values()) == {"stored": 20, "limit": 60}
