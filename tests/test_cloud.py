"""The same crawl into Cloud Storage and BigQuery, by the command that users run and the official clients."""

import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from audiocrawler.model.rows import AudioMetadata
from tests.cloud import Cloud
from tests.crawling import REPOSITORY, Run, crawl, finish, start
from tests.emulators.bigquery import BigQueryEmulator
from tests.emulators.fault_proxy import Action, Fault
from tests.site.answers import Options
from tests.site.server import Site

CHANGING = {"gcp_url", "crawl_id", "first_seen_at", "last_seen_at", "updated_at", "last_attempt_at"}


def error_of(run: Run) -> str:
    (line,) = [line for line in run.stderr.splitlines() if "error:" in line]
    assert "Traceback" not in run.stderr + run.log
    return line


def test_two_settings_send_the_same_crawl_to_the_cloud(cloud: Cloud, site: Site, tmp_path: Path) -> None:
    local, remote = tmp_path / "local", tmp_path / "remote"
    local.mkdir()
    remote.mkdir()
    here = crawl(local, f"url={site.url}/recordings.html", "depth=1")
    there = crawl(remote, f"url={site.url}/recordings.html", "depth=1", env=cloud.env)
    assert there.code == here.code == 0, there.stderr
    assert not (remote / "data/objects").exists()

    rows = {row.sha256: asdict(row) for row in cloud.audio}
    for row in here.audio:
        for name in AudioMetadata.__slots__:
            if name not in CHANGING | {"tags", "is_silent", "license_conflict"}:
                assert rows[row["sha256"]][name] == row[name], name
    assert {url: row.status for url, row in cloud.sources.items()} == {
        url: row["status"] for url, row in here.sources.items()
    }
    assert cloud.hashes() == {row.gcp_url: row.sha256 for row in cloud.audio}


def test_objects_carry_their_type_their_name_and_their_origin(cloud: Cloud, site: Site, tmp_path: Path) -> None:
    crawl(tmp_path, f"url={site.url}/birds.html", env=cloud.env)
    (stored,) = cloud.gcs.objects(cloud.bucket).values()
    (row,) = cloud.audio
    assert stored["contentType"] == "audio/ogg"
    assert "M%C3%B6wen%20am%20Kai.ogg" in stored["contentDisposition"]
    assert stored["metadata"]["sha256"] == row.sha256


def test_a_second_crawl_uploads_nothing(cloud: Cloud, site: Site, tmp_path: Path) -> None:
    crawl(tmp_path, f"url={site.url}/shore.html", env=cloud.env)
    before, uploads = cloud.audio, cloud.storage.count("POST /upload")
    crawl(tmp_path, f"url={site.url}/shore.html", env=cloud.env)
    assert cloud.storage.count("POST /upload") == uploads
    assert {row.gcp_url: row.first_seen_at for row in cloud.audio} == {row.gcp_url: row.first_seen_at for row in before}


def test_another_machine_adds_no_second_row(cloud: Cloud, site: Site, tmp_path: Path) -> None:
    for machine in ("one", "two"):
        (tmp_path / machine).mkdir()
        assert crawl(tmp_path / machine, f"url={site.url}/shore.html", env=cloud.env).code == 0
    assert len(cloud.audio) == len(cloud.hashes()) == 2


def test_another_machine_transfers_only_what_has_changed(cloud: Cloud, site: Site, tmp_path: Path) -> None:
    posts = []
    for machine, page in (("one", "recordings.html"), ("two", "recordings.html"), ("three", "shore.html")):
        (tmp_path / machine).mkdir()
        asked, before = len(site.requests), cloud.bigquery.count("POST ")
        run = crawl(tmp_path / machine, f"url={site.url}/{page}", "depth=1", env=cloud.env)
        assert run.code == 0, run.stderr
        posts.append(cloud.bigquery.count("POST ") - before)
        sent = {r.path: r.headers["If-None-Match"] for r in site.requests[asked:] if r.path.startswith("/audio/")}
        assert sent
        assert all(sent.values()) == (machine != "one")
    assert posts[1] == posts[2]  # no query for each URL
    assert {row.status for row in cloud.sources.values() if row.sha256} == {"unchanged"}


def test_rows_wait_while_bigquery_is_away_and_flush_sends_them(cloud: Cloud, tmp_path: Path) -> None:
    with Site(Options(many_delay_s=0.2, many_files=8)) as site:
        process = start(tmp_path, f"url={site.url}/many/", env=cloud.env)
        while not site.count("/many/tone-01.wav"):
            time.sleep(0.02)
        cloud.bigquery.faults = [Fault(Action.UNAVAILABLE, "POST ", times=None)]
        run = finish(process, tmp_path, 300)
    assert run.code == 4
    assert "scrapy flush" in error_of(run)
    assert len(cloud.hashes()) == 8

    cloud.bigquery.faults = []
    assert cloud.audio == []

    flushed = scrapy("flush", folder=tmp_path, env=cloud.env)
    assert flushed.returncode == 0, flushed.stderr
    assert "0 pending" in flushed.stdout
    ((code, error),) = cloud.exit_codes
    assert code == 4
    assert "rows are not uploaded yet" in str(error)
    assert len(cloud.audio) == 8


def test_downloads_wait_while_too_many_rows_wait(cloud: Cloud, tmp_path: Path) -> None:
    env = {**cloud.env, "AUDIO_MAX_OUTBOX_ROWS": "30", "AUDIO_FLUSH_SECONDS": "1"}
    with Site(Options(many_delay_s=0.3, many_files=40)) as site:
        process = start(tmp_path, f"url={site.url}/many/", env=env)
        while not site.count("/many/tone-00.wav"):
            time.sleep(0.02)
        cloud.bigquery.faults = [Fault(Action.UNAVAILABLE, "POST ", times=None)]
        asked = -1
        while asked < (asked := sum("tone" in r.path for r in site.requests)):
            time.sleep(4)  # transfers take 0.3 s
        assert process.poll() is None
        assert asked < 40

        cloud.bigquery.faults = []
        run = finish(process, tmp_path, 120)
    assert run.code == 0, run.stderr
    assert len(cloud.audio) == 40


def test_a_row_that_bigquery_refuses_is_set_aside_and_told(
    cloud: Cloud, bigquery_emulator: BigQueryEmulator, site: Site, tmp_path: Path
) -> None:
    bigquery_emulator.unwanted = "surf.mp3"
    try:
        run = crawl(tmp_path, f"url={site.url}/shore.html {site.url}/birds.html", env=cloud.env)
    finally:
        bigquery_emulator.unwanted = None
    assert run.code == 4
    assert "2 rows were refused" in error_of(run)
    ((code, error),) = cloud.exit_codes
    assert code == 4
    assert "2 rows were refused" in str(error)
    assert {row.file_name for row in cloud.audio} == {"harbour-bell.flac", "Möwen am Kai.ogg"}


def test_faults_on_the_way_change_nothing(cloud: Cloud, site: Site, tmp_path: Path) -> None:
    cloud.storage.faults = [
        Fault(Action.LOSE_ANSWER, "POST /upload", times=2),
        Fault(Action.UNAVAILABLE, "POST /upload", times=2),
        Fault(Action.RESET, "POST /upload", times=1),
    ]
    cloud.bigquery.faults = [
        Fault(Action.LOSE_ANSWER, "POST .*/jobs", times=1),
        Fault(Action.UNAVAILABLE, "POST .*/jobs", times=1),
    ]
    run = crawl(tmp_path, f"url={site.url}/recordings.html", "depth=1", env=cloud.env)
    assert run.code == 0, run.stderr
    assert cloud.hashes() == {row.gcp_url: row.sha256 for row in cloud.audio}
    assert len(cloud.storage.happened) == 5
    assert len(cloud.bigquery.happened) == 2


def test_a_bucket_with_a_database_here_works(cloud: Cloud, site: Site, tmp_path: Path) -> None:
    env = {**cloud.env, "AUDIO_WAREHOUSE": "sqlite:data/audio.db"}
    run = crawl(tmp_path, f"url={site.url}/shore.html", env=env)
    assert run.code == 0
    assert {row["gcp_url"] for row in run.audio} == set(cloud.hashes())


def test_a_folder_with_a_database_elsewhere_is_warned_of(cloud: Cloud, site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/birds.html", env={**cloud.env, "AUDIO_STORE": "file:data/objects"})
    assert run.code == 0
    assert "its rows point to local files" in run.stderr
    assert [row.gcp_url for row in cloud.audio] == [path.as_uri() for path in run.objects]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"AUDIO_STORE": "gs://no-such-bucket/audio"}, "no-such-bucket"),
        ({"AUDIO_BIGQUERY_CREATE": "False"}, "AUDIO_BIGQUERY_CREATE"),
        ({"AUDIO_WAREHOUSE": "bigquery://project/dataset"}, "bigquery://project/dataset"),
        ({"AUDIO_GCP_KEY_FILE": "no-such-key.json", "STORAGE_EMULATOR_HOST": ""}, "no-such-key.json"),
        ({"AUDIO_GCP_KEY_FILE": "broken.json", "STORAGE_EMULATOR_HOST": ""}, "broken.json"),
    ],
)
def test_what_google_cloud_lacks_is_told_before_the_first_page(
    change: dict[str, str], words: str, cloud: Cloud, site: Site, tmp_path: Path
) -> None:
    (tmp_path / "broken.json").write_text('{"type": "service_account", "private_key": "hush-hush"', encoding="utf-8")
    run = crawl(tmp_path, f"url={site.url}/shore.html", env={**cloud.env, **change})
    assert run.code == 2
    assert words in error_of(run)
    assert "hush-hush" not in run.stderr + run.log
    assert site.requests == []


def scrapy(*words: str, folder: Path, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    environment = {
        **os.environ,
        **env,
        "SCRAPY_SETTINGS_MODULE": "audiocrawler.settings",
        "PYTHONPATH": str(REPOSITORY),
    }
    command = [sys.executable, "-m", "scrapy", *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
