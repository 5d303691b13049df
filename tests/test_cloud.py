"""The same crawl into Cloud Storage and BigQuery, by the command that users run and the official clients."""

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from audiocrawler.items import AUDIO_CRAWLS, AUDIO_METADATA, AUDIO_SOURCES, AudioMetadata, AudioSource
from tests.crawling import REPOSITORY, Run, crawl, finish, processes_in, start
from tests.emulators.bigquery import BigQueryEmulator
from tests.emulators.fault_proxy import Action, Fault, FaultProxy
from tests.emulators.gcs import GcsEmulator
from tests.site.answers import Options
from tests.site.server import Site
from tests.warehouse.in_bigquery import query, read

NUMBERS = count()
CHANGING = {"gcp_url", "crawl_id", "first_seen_at", "last_seen_at", "updated_at", "last_attempt_at"}
FINAL = (
    "sha256",
    "duration_ms",
    "loudness",
    "classification",
    "pcm_hash",
    "lufs",
    "source_url",
    "size_bytes",
    "status",
)


@dataclass(slots=True)
class Cloud:
    """A bucket and a dataset of the test's own, each behind a proxy that can fail."""

    gcs: GcsEmulator
    storage: FaultProxy
    bigquery: FaultProxy
    bucket: str
    uri: str

    @property
    def env(self) -> dict[str, str]:
        """Return the environment of a crawl into this cloud."""
        return {
            "STORAGE_EMULATOR_HOST": self.storage.url,
            "BIGQUERY_EMULATOR_HOST": self.bigquery.url,
            "AUDIO_STORE": f"gs://{self.bucket}/audio",
            "AUDIO_WAREHOUSE": self.uri,
            "AUDIO_BIGQUERY_CREATE": "True",
        }

    @property
    def audio(self) -> list[AudioMetadata]:
        """Return what the table holds."""
        return read(self.uri, AUDIO_METADATA)

    @property
    def sources(self) -> dict[str, AudioSource]:
        """Return what the table holds, by URL."""
        return {row.source_url: row for row in read(self.uri, AUDIO_SOURCES)}

    @property
    def exit_codes(self) -> list[tuple[int | None, str | None]]:
        """Return how the crawls of the table ended."""
        return [(row.exit_code, row.error) for row in read(self.uri, AUDIO_CRAWLS)]

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of the bytes of each object, by its URL."""
        return {
            f"gs://{self.bucket}/{name}": hashlib.sha256(self.gcs.content(self.bucket, name)).hexdigest()
            for name in self.gcs.objects(self.bucket)
        }

    def tables(self) -> set[str]:
        """Return the names of all tables in the dataset."""
        dataset = ".".join(self.uri.split("/")[2:4])
        return {row["table_name"] for row in query(f"SELECT table_name FROM `{dataset}`.INFORMATION_SCHEMA.TABLES")}


@pytest.fixture
def cloud(
    gcs_emulator: GcsEmulator, bigquery_emulator: BigQueryEmulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cloud]:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", bigquery_emulator.url)  # for the test's own look at the tables
    number = next(NUMBERS)
    uri = f"bigquery://project/crawl_{os.getpid()}_{number}/audio_metadata"
    with FaultProxy(gcs_emulator.url) as storage, FaultProxy(bigquery_emulator.url) as bigquery:
        bucket = gcs_emulator.create_bucket(f"crawl-{os.getpid()}-{number}")
        yield Cloud(gcs_emulator, storage, bigquery, bucket, uri)


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
    assert "0 left" in flushed.stdout
    ((code, error),) = cloud.exit_codes
    assert code == 4
    assert "rows are not sent yet" in str(error)
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
    assert "mean nothing on another machine" in run.stderr
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


def test_killed_at_every_stage_a_crawl_ends_as_if_nothing_had_happened(
    cloud: Cloud, gcs_emulator: GcsEmulator, tmp_path: Path
) -> None:
    killed, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    killed.mkdir()
    undisturbed.mkdir()
    bucket = gcs_emulator.create_bucket(f"{cloud.bucket}-undisturbed")
    other = Cloud(gcs_emulator, cloud.storage, cloud.bigquery, bucket, cloud.uri.replace("/crawl_", "/undisturbed_"))
    with Site(Options(many_delay_s=0.05, many_files=24)) as site:
        start_url = f"url={site.url}/many/"
        assert crawl(undisturbed, start_url, env=other.env).code == 0
        for stage, (faults, is_there) in stages(cloud, site, killed).items():
            kill_at(stage, faults, is_there, cloud, (killed, start_url))
        cloud.storage.faults, cloud.bigquery.faults = [], []
        run = crawl(killed, start_url, env=cloud.env)
        assert run.code == 0, run.stderr

    assert {name.rpartition("/")[2]: sha256 for name, sha256 in cloud.hashes().items()} == {
        name.rpartition("/")[2]: sha256 for name, sha256 in other.hashes().items()
    }
    assert final(cloud) == final(other)
    statuses = {url: row.status.replace("unchanged", "stored") for url, row in cloud.sources.items()}
    assert statuses == {url: row.status for url, row in other.sources.items()}
    assert cloud.tables() == {"audio_metadata", "audio_sources", "audio_crawls"}


def final(cloud: Cloud) -> list[tuple[Any, ...]]:
    return sorted(tuple(getattr(row, name) for name in FINAL) for row in cloud.audio)


def stages(cloud: Cloud, site: Site, folder: Path) -> dict[str, tuple[dict[str, list[Fault]], Callable[[], bool]]]:
    """Return, by stage, the faults that make it last and the condition that says that it is reached."""

    def slow(pattern: str) -> list[Fault]:
        return [Fault(Action.DELAY, pattern, times=None, seconds=2)]

    loads, merges = "POST /(resumable/)?upload/bigquery", "POST /bigquery/v2/.*/(jobs|queries)"
    return {
        "download": ({}, lambda: sum("tone" in r.path for r in site.requests) % 24 in range(3, 20)),
        "analysis": ({}, lambda: is_measuring(folder)),
        "upload": ({"storage": slow("POST /upload")}, seen(cloud.storage, "POST /upload")),
        "outbox": ({}, lambda: waiting(folder) > 3),
        "load": ({"bigquery": slow(loads)}, seen(cloud.bigquery, loads)),
        "merge": ({"bigquery": slow(merges)}, seen(cloud.bigquery, merges)),
        "acknowledge": (
            {"bigquery": [Fault(Action.LOSE_ANSWER, merges, times=None)]},
            lambda: any(action is Action.LOSE_ANSWER for action, _ in cloud.bigquery.happened),
        ),
    }


def seen(proxy: FaultProxy, pattern: str) -> Callable[[], bool]:
    """Return a condition that holds once another request of this pattern has come."""
    before: list[int] = []

    def is_there() -> bool:
        before.append(proxy.count(pattern))
        return before[-1] > before[0]

    return is_there


def kill_at(
    stage: str,
    faults: dict[str, list[Fault]],
    is_there: Callable[[], bool],
    cloud: Cloud,
    crawl_at: tuple[Path, str],
) -> None:
    """Start the crawl, and kill it and its workers when the stage is reached."""
    folder, start_url = crawl_at
    cloud.storage.faults, cloud.bigquery.faults = faults.get("storage", []), faults.get("bigquery", [])
    process = start(folder, start_url, env=cloud.env)
    deadline = time.monotonic() + 60
    while process.poll() is None and not is_there():
        assert time.monotonic() < deadline, f"{stage} was never reached"
        time.sleep(0.01)
    assert process.poll() is None, f"{stage}: the crawl had ended before"
    os.killpg(process.pid, signal.SIGKILL)
    finish(process, folder)
    sys.stdout.write(f"killed at {stage}\n")


def is_measuring(folder: Path) -> bool:
    """Stop the workers, and tell whether a body that is there waits for them."""
    for pid in processes_in(folder):
        try:
            if b"analysis.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGSTOP)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return any(path.is_file() and not path.suffix for path in (folder / "data/incoming").glob("*-*/[0-9a-f]*"))


def waiting(folder: Path) -> int:
    """Return how many rows are in the outbox."""
    total = 0
    for path in (folder / "data/outbox").glob("*.db"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as outbox:
            total += outbox.execute("SELECT count(*) FROM pending").fetchone()[0]
    return total
