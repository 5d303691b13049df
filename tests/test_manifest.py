"""Each crawl leaves a record: a file at its start and end, and a row of audio_crawls at its end."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from audiocrawler import __version__
from tests.crawling import Run, crawl, finish, start
from tests.site.answers import Options
from tests.site.server import Site

SECRETS = ("hushhush", "swordfish", "pssst", "abcdefgh")


def manifest(folder: Path) -> dict[str, Any]:
    (path,) = (folder / "data/crawls").iterdir()
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def row_of(run: Run) -> dict[str, Any]:
    (row,) = run.query("SELECT * FROM audio_crawls")
    return row


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_record_tells_what_was_asked_for_and_what_came_of_it(site: Site, tmp_path: Path):
    began = time.time()
    run = crawl(tmp_path, f"url={site.url}/", "depth=1", settings={"AUDIO_WORKERS": "1"})
    record, row = manifest(tmp_path), row_of(run)
    assert run.code == record["exit_code"] == row["exit_code"] == 0
    assert record["arguments"] == {"url": f"{site.url}/", "depth": "1"} == json.loads(row["arguments"])
    assert (record["settings"]["AUDIO_WORKERS"], record["settings"]["DOWNLOAD_DELAY"]) == ("1", "0")
    assert "ROBOTSTXT_OBEY" not in record["settings"]
    assert record["versions"]["audiocrawler"] == __version__
    assert {"scrapy", "python", "analysis"} <= record["versions"].keys()
    (crawl_id,) = {each["crawl_id"] for each in (*run.audio, *run.sources.values())}
    assert record["crawl_id"] == row["crawl_id"] == crawl_id
    started, finished = (datetime.fromisoformat(row[name]).timestamp() for name in ("started_at", "finished_at"))
    assert began - 1 < started <= finished < time.time() + 1


def test_its_counts_are_those_of_the_tables(whole_crawl: Run):
    row = row_of(whole_crawl)
    sources, audio = whole_crawl.sources.values(), whole_crawl.audio
    assert row["stored"] == len(audio) > 20
    assert row["found"] == len(sources)
    assert row["duplicate"] == sum(source["status"] == "duplicate" for source in sources)
    failed = {"failed", "robots", "not_audio", "undecodable", "too_large", "gone", "protected", "denied", "opted_out"}
    assert row["failed"] == sum(source["status"] in failed for source in sources) > 5
    assert row["stored_bytes"] == sum(each["size_bytes"] for each in audio)
    assert row["duration_ms"] == sum(each["duration_ms"] for each in audio)


def test_it_holds_no_secret(site: Site, tmp_path: Path):
    settings = {
        "MY_API_KEY": "swordfish",
        "AUDIO_CONTACT": "https://me:pssst@example.org/?token=abcdefgh",
        "AUDIO_GCP_KEY_FILE": "/run/secrets/key.json",
    }
    run = crawl(tmp_path, f"url=http://user:hushhush@{site.url[7:]}/nothing-here", settings=settings)
    text = json.dumps(manifest(tmp_path)) + json.dumps(row_of(run))
    assert [secret for secret in SECRETS if secret in text] == []
    assert manifest(tmp_path)["settings"]["AUDIO_GCP_KEY_FILE"] == "/run/secrets/key.json"
    assert manifest(tmp_path)["settings"]["MY_API_KEY"] == "***"


@pytest.mark.parametrize(
    ("path", "error"), [("/nothing-here", "every start failed"), ("/about.html", "no audio was found")]
)
def test_it_says_why_nothing_was_found(site: Site, tmp_path: Path, path: str, error: str):
    run = crawl(tmp_path, f"url={site.url}{path}")
    assert f"scrapy: error: {error}" in run.stderr
    assert run.code == 3
    assert (row_of(run)["exit_code"], row_of(run)["error"]) == (3, error)


def test_a_killed_crawl_is_unfinished_and_an_interrupted_one_is_not(tmp_path: Path):
    with Site(Options(many_files=12, many_delay_s=0.5)) as site:
        process = start(tmp_path, f"url={site.url}/many/")
        until(lambda: any("tone" in request.path for request in site.requests))
        os.killpg(process.pid, signal.SIGKILL)
        assert finish(process, tmp_path).code == -signal.SIGKILL
        killed = manifest(tmp_path)
        assert (killed["finished_at"], killed["exit_code"], killed["stored"]) == (None, None, None)
        assert killed["arguments"]["url"] == f"{site.url}/many/"

        (tmp_path / "data/crawls" / f"{killed['crawl_id']}.json").unlink()
        before = len(site.requests)
        process = start(tmp_path, f"url={site.url}/many/")
        until(lambda: any("tone" in request.path for request in site.requests[before:]))
        process.send_signal(signal.SIGINT)
        run = finish(process, tmp_path)
    assert run.code == manifest(tmp_path)["exit_code"] == 130
    with sqlite3.connect(tmp_path / "data/audio.db") as database:
        rows = database.execute("SELECT crawl_id, exit_code, finish_reason FROM audio_crawls").fetchall()
    assert rows == [(manifest(tmp_path)["crawl_id"], 130, "shutdown")]


def test_a_job_id_names_a_file_in_the_folder_and_nowhere_else(site: Site, tmp_path: Path):
    run = crawl(tmp_path, f"url={site.url}/about.html", "_job=../../2026/05 é")
    assert [path.name for path in (tmp_path / "data/crawls").iterdir()] == ["_.._2026_05_é.json"]
    assert row_of(run)["crawl_id"] == "../../2026/05 é"


def test_a_folder_that_cannot_be_written_is_named(site: Site, tmp_path: Path):
    (tmp_path / "file").touch()
    run = crawl(tmp_path, f"url={site.url}/", settings={"AUDIO_MANIFEST_DIR": "file/crawls"})
    assert run.code == 2
    assert run.stderr.splitlines()[-1].startswith("scrapy: error: AUDIO_MANIFEST_DIR=file/crawls: cannot be written")
    assert site.requests == []
