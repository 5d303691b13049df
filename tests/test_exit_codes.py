"""What a crawl that ended tells by its exit code, and in one line."""

import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from audiocrawler.crawl.exit_codes import Rest, conclusion
from tests.crawling import crawl, finish, start
from tests.site.answers import Options
from tests.site.server import Site
from tests.strange_server import Wire, strange
from tests.test_kill import tones, wait_until

FOUND = {"audio/starts": 1, "audio/found": 3}
TURNED_AWAY = {"audio/turned_away/media:a.example gave up on a.example: HTTP 429, 7 times in a row": 2}


@pytest.mark.parametrize(
    ("stats", "reason", "rest", "code", "words"),
    [
        (FOUND | {"audio/stored": 1, "audio/failed": 2}, "finished", Rest(), 0, None),
        (FOUND | {"audio/unchanged": 3}, "finished", Rest(), 0, None),
        (FOUND | {"audio/listed": 3}, "finished", Rest(), 0, None),
        (FOUND | {"audio/filtered": 3}, "finished", Rest(), 0, None),
        (FOUND | {"audio/stored": 1, "audio/limit": 2}, "finished", Rest(), 0, None),
        (
            FOUND | {"audio/failed": 3, "audio/failed/HTTP 503": 3},
            "finished",
            Rest(),
            3,
            "no file could be downloaded: 3 x HTTP",
        ),
        (FOUND | {"audio/failed": 2, "audio/filtered": 1}, "finished", Rest(), 3, "no file could be downloaded"),
        (FOUND | TURNED_AWAY | {"audio/failed": 3}, "finished", Rest(), 3, "no file could be downloaded"),
        (FOUND | TURNED_AWAY | {"audio/failed": 2, "audio/stored": 1}, "finished", Rest(), 4, "a.example turned the"),
        ({"audio/starts": 1}, "finished", Rest(), 3, "no audio was found"),
        (FOUND | {"audio/stored": 1}, "closespider_timeout", Rest(2), 4, "CLOSESPIDER_TIMEOUT ended the crawl: 2 req"),
        (FOUND, "closespider_itemcount", Rest(1, is_kept=False), 4, "1 request pending, and lost"),
        (FOUND | {"audio/stored": 3}, "closespider_itemcount", Rest(), 0, None),
        (FOUND | {"audio/stored": 1}, "shutdown", Rest(2), 130, "interrupted: 2 requests pending; run the same"),
        (
            FOUND | {"audio/stored": 1},
            "memusage_exceeded",
            Rest(2),
            4,
            "ended early (memusage_exceeded): 2 requests pending",
        ),
        ({"audio/starts": 2}, "start_error", Rest(1), 4, "ended early (start_error): 1 request pending"),
        (FOUND | {"audio/stored": 1}, "finished", Rest(4), 4, "ended early (finished): 4 requests pending"),
        (FOUND | {"audio/stored": 1}, "memusage_exceeded", Rest(), 0, None),
        (FOUND, "shutdown", Rest(), 130, "interrupted: no requests are pending"),
        ({}, None, Rest(), 130, "interrupted at once; run the same command to resume"),
        ({}, None, Rest(is_kept=False), 130, "interrupted at once"),
        (FOUND, "left_behind", Rest(2, left_behind="the disk is full"), 4, "the disk is full"),
        ({"audio/starts": 0, "audio/selected": 0}, "finished", Rest(), 0, None),
    ],
)
def test_each_end_has_its_code(stats: dict[str, Any], reason: str, rest: Rest, code: int, words: str | None) -> None:
    ended = conclusion(stats, reason, rest)
    assert ended[0] == code
    assert (words is None) == (ended[1] is None)
    assert (words or "") in (ended[1] or "")


def left(line: str) -> int:
    return int(line.partition(" requests pending; run the same command to resume")[0].rpartition(" ")[2])


def test_a_bound_or_ctrl_c_says_how_many_requests_wait_and_the_same_command_takes_them(tmp_path: Path) -> None:
    with Site(Options(many_files=12, many_delay_s=0.4)) as site:
        url = f"url={site.url}/many/"
        one_by_one = {"AUDIO_MAX_FILES_IN_FLIGHT": "1"}
        bounded = crawl(tmp_path, url, settings={**one_by_one, "CLOSESPIDER_ITEMCOUNT": "2"})
        process = start(tmp_path, url, settings=one_by_one)
        before = len(tones(site))
        wait_until(lambda: len(tones(site)) >= before + 2)
        os.kill(process.pid, signal.SIGINT)
        interrupted = finish(process, tmp_path)
        stored = len(interrupted.objects)
        whole = crawl(tmp_path, url, settings={"CLOSESPIDER_TIMEOUT": "60"})
        anew = crawl(tmp_path, url)
    assert (bounded.code, interrupted.code, whole.code, anew.code) == (4, 130, 0, 0)
    assert bounded.stderr.splitlines()[-1].startswith("scrapy: error: CLOSESPIDER_ITEMCOUNT ended the crawl: ")
    assert interrupted.stderr.splitlines()[-1].startswith("interrupted: ")
    assert left(interrupted.stderr.splitlines()[-1]) == 12 - stored
    assert f": {left(bounded.stderr.splitlines()[-1])} requests pending" in interrupted.stderr
    assert f": {12 - stored} requests pending" in whole.stderr
    assert len(whole.objects) == 12
    assert "resuming" not in anew.stderr
    ends = whole.query("SELECT exit_code, error FROM audio_crawls ORDER BY started_at")
    assert [row["exit_code"] for row in ends] == [0, 0]


def test_a_bound_that_leaves_nothing_is_no_failure_and_the_next_crawl_starts_anew(tmp_path: Path) -> None:
    with Site(Options(many_files=3)) as site:
        settings = {"CLOSESPIDER_ITEMCOUNT": "3"}
        runs = [crawl(tmp_path, f"url={site.url}/many/", settings=settings) for _ in range(2)]
    assert [run.code for run in runs] == [0, 0]
    assert "resuming" not in runs[1].stderr


def four_files(wire: Wire, path: str) -> None:
    wire.body(
        "".join(f'<a href="/{n}.wav">x</a>' for n in range(4)), status="200 OK" if path == "/" else "404 Not Found"
    )


def test_an_end_of_any_cause_that_leaves_requests_is_told_and_the_same_command_takes_them(tmp_path: Path) -> None:
    def kept() -> list[tuple[int, int | None]]:
        with sqlite3.connect(tmp_path / "data/frontier.db") as database:
            return database.execute("SELECT count(*), sum(leased) FROM requests").fetchall()

    with strange(four_files) as server:
        url, ends, left = f"url={server.url}/", [], []
        for bound in ({"CLOSESPIDER_PAGECOUNT": "2"}, {"MEMUSAGE_LIMIT_MB": "1"}):  # the page and its robots.txt
            ends.append(crawl(tmp_path, url, settings=bound))
            left.append(kept())
        whole = crawl(tmp_path, url)
    assert [run.code for run in ends] == [4, 4]
    assert ends[0].stderr.splitlines()[-1] == (
        "scrapy: error: CLOSESPIDER_PAGECOUNT ended the crawl: 4 requests pending; run the same command to resume"
    )
    assert "the crawl ended early (memusage_exceeded): 4 requests pending" in ends[1].stderr
    assert left == [[(4, 0)], [(4, 0)]]  # nothing is lost, and nothing is leased to a worker that is gone
    assert ": 4 requests pending" in whole.stderr
    assert len(server.times_s("/0.wav")) == 1
    assert len(whole.sources) == 4
    assert kept() == [(0, None)]
