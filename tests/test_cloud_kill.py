"""A crawl into Cloud Storage and BigQuery is killed at every stage, by the command that users run."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from audiocrawler.warehouse.views import VIEWS
from tests.cloud import Cloud, waiting_rows
from tests.crawling import crawl, finish, processes_in, start
from tests.emulators.fault_proxy import Action, Fault, FaultProxy
from tests.emulators.gcs import GcsEmulator
from tests.site.answers import Options
from tests.site.server import Site

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
    assert {url: row.status for url, row in cloud.sources.items()} == {
        url: row.status for url, row in other.sources.items()
    }
    assert cloud.tables() == {"audio_metadata", "audio_sources", "audio_crawls", *VIEWS}  # no staging table is left


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
        "outbox": ({}, lambda: waiting_rows(folder) > 3),
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
    bodies = (path for path in (folder / "data/incoming").glob("*-*/[0-9a-f]*") if path.is_file() and not path.suffix)
    return any(Path("/proc", path.parent.name.partition("-")[0]).exists() for path in bodies)
