"""Hosts and files that fail for a while, and hosts that turn the crawl away."""

import os
import signal
import socket
import sqlite3
import struct
import time
from collections import Counter, defaultdict
from itertools import pairwise
from operator import ge
from pathlib import Path

from tests.crawling import Run, crawl, finish, start
from tests.emulators.redis_server import RedisServer
from tests.site.tones import tone_wav
from tests.strange_server import Strange, Wire, strange
from tests.test_kill import wait_until

HURRIED = """
from audiocrawler.fetch import back_off as health
from audiocrawler.scheduler.scheduler import FrontierScheduler as Hurried
health.FIRST_PAUSE_S = 0.05
"""
"""A scheduler that only shortens the pauses."""
MISSING = "404 Not Found"


PATIENT = {"RETRY_TIMES": "5"}
"""As by default."""


def hurried(folder: Path) -> dict[str, str]:
    (folder / "hurried.py").write_text(HURRIED, encoding="utf-8")
    return {"SCHEDULER": "hurried.Hurried", **PATIENT}


def reset(wire: Wire) -> None:
    wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.sock.close()


def links(urls: list[str]) -> str:
    return "".join(f'<a href="{url}">x</a>' for url in urls)


def is_about_host(path: str) -> bool:
    return path in {"/robots.txt", "/.well-known/tdmrep.json"}


def asked(server: Strange, host: str) -> list[float]:
    return [at_s for to, path, at_s in server.requests if to == host and not is_about_host(path)]


FOR_3_S = ["429", "503", "500", "502", "504", "522", "reset"]
ONCE = ["202", "425", "empty", "robots"]


def test_what_fails_for_three_seconds_is_not_lost(tmp_path: Path) -> None:
    """Each host of 127.0.1.* fails in its own way, first for the page that starts the crawl."""
    hosts = {f"127.0.1.{number}": how for number, how in enumerate([*FOR_3_S, *ONCE, "403"], 1)}
    first_at: dict[str, float] = {}
    times: Counter[str] = Counter()

    def answer(wire: Wire, path: str) -> None:
        host = wire.sock.getsockname()[0]
        how = hosts.get(host, "")
        if is_about_host(path):
            times[host + path] += 1
            is_busy = how == "robots" and path == "/robots.txt" and times[host + path] == 1
            wire.body("", status="503 Busy" if is_busy else MISSING)
            return
        times[host] += 1
        is_bad = time.monotonic() - first_at.setdefault(host, time.monotonic()) < 3 if how in FOR_3_S else False
        is_bad = is_bad or (how in {"202", "425", "empty", "403"} and times[host] == 1)
        if host == "127.0.0.1" and times[host] == 1:
            wire.body("", status="503 Busy")
        elif host == "127.0.0.1":
            wire.body(links([f"{server.at(other)}/0.wav" for other in hosts]))
        elif not is_bad:
            wire.body(tone_wav(int(host.rpartition(".")[2])), kind="audio/wav")
        elif how == "reset":
            reset(wire)
        elif how == "empty":
            wire.body(b"", kind="audio/wav")
        else:
            wire.body("wait", *(["Retry-After: 1"] if how == "202" else []), status=f"{how} Wait", kind="text/plain")

    with strange(answer) as server:
        run = crawl(tmp_path, f"url={server.url}/", settings=PATIENT)
    became = {how: run.sources[f"{server.at(host)}/0.wav"] for host, how in hosts.items()}
    assert {how: row["status"] for how, row in became.items()} == dict.fromkeys([*FOR_3_S, *ONCE], "stored") | {
        "403": "failed"
    }
    assert became["403"]["attempts"] == 1
    assert run.code == 0
    with sqlite3.connect(tmp_path / "data/frontier.db") as database:  # by which other workers learn of the pauses
        paused = {host for (host,) in database.execute("SELECT host FROM pauses")}
    assert paused == {"127.0.0.1", *(host for host, how in hosts.items() if how in {*FOR_3_S, "robots"})}
    for host, how in hosts.items():
        gaps_s = [later - earlier for earlier, later in pairwise(asked(server, host))]
        least_s = (0.95, 1.9)[: len(gaps_s)]
        assert len(gaps_s) == (2 if how in FOR_3_S else how not in {"robots", "403"}), (how, gaps_s)
        assert all(map(ge, gaps_s, least_s)), (how, gaps_s)


REFUSING = ["429", "503", "500", "502", "521", "reset", "silent"]


def test_a_host_that_turns_the_crawl_away_is_left_and_named(tmp_path: Path) -> None:
    """Those of 127.0.1.* refuse all files; 127.0.0.1 serves pages and no files, 127.0.0.2 all but one file."""
    hosts = {f"127.0.1.{number}": how for number, how in enumerate(REFUSING, 1)}
    files, is_healed = 15, False

    def answer(wire: Wire, path: str) -> None:
        host = wire.sock.getsockname()[0]
        how = "503" if host == "127.0.0.1" and path.endswith(".wav") else hosts.get(host, "")
        if is_about_host(path):
            wire.body("", status=MISSING)
        elif path == "/":
            urls = [f"{server.at(other)}/{n}.wav" for other in [*hosts, "127.0.0.1"] for n in range(files)]
            wire.body(links([*urls, *(f"/{n}.html" for n in range(9))]))
        elif path.endswith(".html"):
            wire.body(links([f"{server.at('127.0.0.2')}/{path[1:-5]}.wav"]))
        elif how == "reset" and not is_healed:
            reset(wire)
        elif how == "silent" and not is_healed:
            wire.closing.wait(5)
        elif (how or (host == "127.0.0.2" and path == "/4.wav")) and not is_healed:
            wire.body("x", status=f"{how or 503} No")
        else:
            wire.body(tone_wav(int(path[1:-4])), kind="audio/wav")

    with strange(answer) as server:
        settings = {**hurried(tmp_path), "AUDIO_STALL_TIMEOUT_S": "0.5"}
        run = crawl(tmp_path, f"url={server.url}/", "depth=1", settings=settings)
        before, is_healed = run.sources, True
        requests = {host: len(asked(server, host)) for host in hosts}
        requests["127.0.0.1"] = len([path for to, path, _ in server.requests if to == "127.0.0.1" and "wav" in path])
        again = crawl(tmp_path, f"url={server.url}/", "depth=1", settings=settings)
    by_host: defaultdict[str, list[str]] = defaultdict(list)
    for row in before.values():
        by_host[row["host"]].append(row["last_error"] or row["status"])
    for host, how in [*hosts.items(), ("127.0.0.1", "503")]:
        reasons = by_host[host]
        assert len(reasons) == files
        assert all(each.startswith(f"gave up on {host}: ") for each in reasons), (how, reasons)
        assert all(each.endswith(" times in a row") for each in reasons)
        assert requests[host] <= (24 if how == "silent" else 12), (host, requests)  # four wait for a timeout at a time
    assert sorted(by_host["127.0.0.2"]) == ["HTTP 503", *["stored"] * 8]
    assert run.code == 4
    assert "127.0.0.1, 127.0.1.1, 127.0.1.2 and 5 more turned the crawl away" in run.stderr
    assert "turned away 15 requests for files: gave up on 127.0.1.2: HTTP 503, 6 times in a row" in run.stdout
    (ended,) = run.query("SELECT exit_code, error FROM audio_crawls WHERE exit_code = 4")
    assert "turned the crawl away" in ended["error"]
    assert again.code == 0
    assert {row["status"] for row in again.sources.values()} <= {"stored", "duplicate", "unchanged"}


def test_a_file_that_waits_for_its_next_try_is_taken_up_after_a_stop(tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        if is_about_host(path):
            wire.body("", status=MISSING)
        elif path == "/":
            wire.body(links(["/1.wav"]))
        elif len(server.times_s("/1.wav")) == 1:
            wire.body("soon", "Retry-After: 60", status="202 Accepted")
        else:
            wire.body(tone_wav(1), kind="audio/wav")

    with strange(answer) as server:
        process = start(tmp_path, f"url={server.url}/")
        wait_until(lambda: len(server.times_s("/1.wav")) == 1)
        time.sleep(1)
        os.kill(process.pid, signal.SIGINT)
        stopped = finish(process, tmp_path)
        run = crawl(tmp_path, f"url={server.url}/")
    assert stopped.code == 130
    assert "interrupted: 1 request pending; run the same command to resume" in stopped.stderr
    assert (run.code, len(run.objects)) == (0, 1)


def test_workers_share_pauses_and_leave_a_host_together(redis_server: RedisServer, tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        host = wire.sock.getsockname()[0]
        if is_about_host(path):
            wire.body("", status=MISSING)
        elif path == "/":
            urls = [f"{server.at(other)}/{n}.wav" for other in ("127.0.1.1", "127.0.1.2") for n in range(40)]
            wire.body(links(urls))
        elif host == "127.0.1.1":
            wire.body("", status="429 Too Many Requests")
        else:
            wire.closing.wait(0.1)
            wire.body(tone_wav(int(path[1:-4])), kind="audio/wav")

    settings = {**hurried(tmp_path), "AUDIO_FRONTIER": redis_server.url}
    with strange(answer) as server:
        workers = [start(tmp_path, f"url={server.url}/", settings=settings) for _ in range(2)]
        runs: list[Run] = [finish(worker, tmp_path) for worker in workers]
    became = Counter((row["host"], row["status"]) for row in runs[0].sources.values())
    assert became == {("127.0.1.1", "failed"): 40, ("127.0.1.2", "stored"): 40}
    assert len(asked(server, "127.0.1.1")) <= 24
    assert [run.code for run in runs] == [4, 4]
    assert all("127.0.1.1 turned the crawl away" in run.stderr for run in runs)
    assert runs[0].log.count("retry its files in a later crawl") == 2
