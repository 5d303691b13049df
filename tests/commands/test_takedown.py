import os
import signal
import time
from pathlib import Path

import pytest

from audiocrawler.model.rows import AUDIO_METADATA, AUDIO_SOURCES, AudioSource
from audiocrawler.storage import key_in
from audiocrawler.warehouse import open_warehouse
from tests.commands.collecting import FILES, SOURCES, Collection
from tests.emulators.fault_proxy import Action, Fault
from tests.warehouse.in_bigquery import read

SHARED = "https://example.org/000"
AGAIN = "https://example.org/000-again"
ALONE = "https://example.org/020"
CREATE = {"AUDIO_BIGQUERY_CREATE": "1"}


def sources(collection: Collection) -> dict[str, AudioSource]:
    warehouse = open_warehouse(f"sqlite:{collection.folder}/data/audio.db")
    rows = {row.source_url: row for row in warehouse.source_rows()}
    warehouse.close()
    return rows


def objects(collection: Collection) -> set[str]:
    return {path.as_uri() for path in (collection.folder / "data/objects").rglob("*.mp3")}


def file_of(collection: Collection, url: str):
    return next(row for row in collection.audio() if row.source_url == url)


def test_a_dry_run_tells_and_changes_nothing(collection):
    before = sources(collection), objects(collection), collection.audio()
    file = file_of(collection, ALONE)
    run = collection.run("takedown", "--source", ALONE)
    assert (run.code, run.stderr) == (0, "")
    assert run.stdout.splitlines() == [
        f"would remove object {file.gcp_url} and row {file.file_name}",
        f"would take down {ALONE}",
        f"would block {ALONE} from being downloaded again",
        "nothing was changed; add --yes to do it",
    ]
    assert (sources(collection), objects(collection), collection.audio()) == before


def test_a_source_goes_with_its_object_and_its_row(collection):
    file = file_of(collection, ALONE)
    run = collection.run("takedown", "--source", ALONE, "--yes")
    assert (run.code, run.stderr) == (0, "")
    assert run.stdout.splitlines() == [
        f"removed object {file.gcp_url}",
        f"removed row {file.file_name} of {file.sha256}",
        f"took down {ALONE}",
        "1 sources and 1 files were taken down",
    ]
    assert file.gcp_url not in objects(collection)
    assert len(collection.audio()) == len(objects(collection)) == FILES - 1
    row = sources(collection)[ALONE]
    assert (row.status, row.sha256, row.gcp_url) == ("taken_down", None, None)
    assert collection.run("verify", "--hash", "--offline").code == 0
    again = collection.run("takedown", "--source", ALONE, "--yes")
    assert (again.code, again.stdout.splitlines()[-1]) == (0, "0 sources and 0 files were taken down")


def test_an_object_that_another_source_has_stays(collection):
    file = file_of(collection, SHARED)
    run = collection.run("takedown", "--source", SHARED, "--yes")
    assert run.code == 0
    assert f"the content {file.sha256} is kept: {AGAIN} has it, too; use --sha256 to take it down" in run.stdout
    assert file.gcp_url in objects(collection)
    assert (sources(collection)[SHARED].status, sources(collection)[AGAIN].status) == ("taken_down", "stored")
    assert file_of(collection, AGAIN).gcp_url == file.gcp_url
    assert collection.run("takedown", "--source", AGAIN, "--yes").code == 0
    assert file.gcp_url not in objects(collection)


def test_a_content_goes_with_all_its_sources(collection):
    file = file_of(collection, SHARED)
    assert collection.run("takedown", "--sha256", file.sha256.upper(), "--yes").code == 0
    rows = sources(collection)
    assert {rows[url].status for url in (SHARED, AGAIN, f"sha256:{file.sha256}")} == {"taken_down"}
    assert file.gcp_url not in objects(collection)
    assert len(collection.audio()) == FILES - 1


def test_a_host_goes_with_all_that_it_served(collection):
    warehouse = open_warehouse(f"sqlite:{collection.folder}/data/audio.db")
    warehouse.upsert(
        [AudioSource(source_url=url, status="pending", host="example.org") for url in sources(collection)]
        + [AudioSource(source_url="https://other.example/1", status="failed", host="other.example")]
    )
    warehouse.close()
    run = collection.run("takedown", "--host", "example.org", "--yes")
    assert run.code == 0, run.stderr
    assert run.stdout.splitlines()[-1] == f"{SOURCES} sources and {FILES} files were taken down"
    assert (objects(collection), collection.audio()) == (set(), [])
    rows = sources(collection)
    assert rows.pop("https://other.example/1").status == "failed"
    assert {row.status for row in rows.values()} == {"taken_down"}
    assert "host:example.org" in rows


def test_a_masked_url_and_the_real_one_are_the_same(collection):
    real = "https://example.org/a.mp3?token=abc"
    collection.run("takedown", "--source", real, "--yes")
    (masked,) = [url for url in sources(collection) if "token=" in url]
    assert "abc" not in masked
    again = collection.run("takedown", "--source", masked, "--yes")
    assert again.code == 0
    assert len([url for url in sources(collection) if "token=" in url]) == 1


def test_where_nothing_matches_it_is_said_recorded_and_no_success(collection):
    near = ("--source", "http://EXAMPLE.org/020?x=1")
    run = collection.run("takedown", *near)
    assert run.code == 3
    said, hint = run.stderr.splitlines()
    assert said.startswith("scrapy: error: nothing matched http://example.org/020?x=1: no such row in audio_sources; ")
    assert said.endswith("--yes would record it for future crawls")
    assert hint == f"similar: {ALONE}"
    assert len(sources(collection)) == SOURCES
    done = collection.run("takedown", *near, "--yes")
    assert (done.code, "; it is recorded for future crawls" in done.stderr) == (3, True)
    assert sources(collection)["http://example.org/020?x=1"].status == "taken_down"
    again = collection.run("takedown", "--source", "http://example.org:80/0%320?x=1", "--yes")
    assert (again.code, again.stderr, len(sources(collection))) == (0, "", SOURCES + 1)
    unknown = [collection.run("takedown", *target) for target in (("--host", "other.org"), ("--sha256", "ab" * 32))]
    assert [run.code for run in unknown] == [3, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--source", "/a.mp3"), "--source /a.mp3: invalid URL; write https://example.org/file.mp3"),
        (("--host", "https://example.org"), "--host https://example.org: invalid host; write example.org, without"),
        (
            ("--host", "example.org:80"),
            "--host example.org:80: invalid host; write example.org, without scheme and port",
        ),
        (("--sha256", "abc"), "--sha256 abc: must be 64 hex digits"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_2(collection, arguments, message):
    run = collection.run("takedown", *arguments)
    assert (run.code, run.stdout) == (2, "")
    assert run.stderr.startswith(f"scrapy: error: {message}")
    assert run.stderr.count("\n") == 1


def test_nothing_to_take_down_is_a_usage_error(collection):
    assert collection.run("takedown", "--yes").code == 2


def test_a_takedown_that_was_killed_among_the_objects_is_completed_by_another(collection):
    for file in collection.audio()[:3]:  # what a kill after the third object leaves
        collection.path_of(file).unlink()
    hashes = [file.sha256 for file in collection.audio()[:3]]
    for sha256 in hashes:
        run = collection.run("takedown", "--sha256", sha256, "--yes")
        assert (run.code, "was already removed" in run.stdout) == (0, True)
    assert len(collection.audio()) == len(objects(collection)) == FILES - 3
    assert collection.run("verify").code == 0


def test_objects_of_another_store_are_not_forgotten(collection):
    other = collection.folder / "other"
    other.mkdir()
    run = collection.run("takedown", "--source", ALONE, "--yes", settings={"AUDIO_STORE": str(other)})
    assert run.code == 4
    assert run.stderr.endswith(": not in AUDIO_STORE; set AUDIO_STORE to its store\n")
    assert sources(collection)[ALONE].status == "stored"


def cloud_settings(cloud) -> dict[str, str]:
    return {"AUDIO_STORE": cloud.store, "AUDIO_WAREHOUSE": cloud.warehouse, **CREATE}


@pytest.fixture
def in_cloud(collection, cloud):
    assert collection.run("sync", *cloud.targets, settings=CREATE).code == 0
    return cloud


def test_bucket_and_dataset_lose_it_too_and_a_sync_does_not_bring_it_back(collection, in_cloud):
    file = file_of(collection, ALONE)
    run = collection.run("takedown", "--source", ALONE, "--yes", settings=cloud_settings(in_cloud))
    assert run.code == 0, run.stderr
    name = f"audio/{key_in(file.gcp_url)}"
    assert name not in in_cloud.objects()
    assert file.sha256 not in {row.sha256 for row in read(in_cloud.warehouse, AUDIO_METADATA)}
    assert collection.run("sync", *in_cloud.targets, settings=CREATE).code == 0
    assert name not in in_cloud.objects()
    assert file.sha256 not in {row.sha256 for row in read(in_cloud.warehouse, AUDIO_METADATA)}
    statuses = {row.source_url: row.status for row in read(in_cloud.warehouse, AUDIO_SOURCES)}
    assert statuses[ALONE] == "taken_down"
    places = ("--store", in_cloud.store, "--warehouse", in_cloud.warehouse)
    assert collection.run("verify", *places, "--hash", "--offline").code == 0


def test_a_sync_takes_down_there_what_was_taken_down_here(collection, in_cloud):
    file = file_of(collection, SHARED)
    assert collection.run("takedown", "--sha256", file.sha256, "--yes").code == 0
    run = collection.run("sync", *in_cloud.targets, settings=CREATE)
    assert (run.code, ", 0 left, 1 taken down; " in run.stdout) == (0, True)
    assert f"audio/{key_in(file.gcp_url)}" not in in_cloud.objects()
    assert len(read(in_cloud.warehouse, AUDIO_METADATA)) == FILES - 1
    places = ("--store", in_cloud.store, "--warehouse", in_cloud.warehouse)
    assert collection.run("verify", *places).code == 0


def test_while_bigquery_is_away_the_rows_wait_and_the_next_takedown_sends_them(collection, in_cloud):
    file = file_of(collection, ALONE)
    in_cloud.bigquery.faults.append(Fault(Action.FORBIDDEN, "^POST /upload/", times=None))
    run = collection.run("takedown", "--source", ALONE, "--yes", settings=cloud_settings(in_cloud))
    assert run.code == 4
    assert "rows are still in the outbox" in run.stderr
    in_cloud.bigquery.faults.clear()
    again = collection.run("takedown", "--source", ALONE, "--yes", settings=cloud_settings(in_cloud))
    assert again.code == 0, again.stderr
    assert file.sha256 not in {row.sha256 for row in read(in_cloud.warehouse, AUDIO_METADATA)}


def test_a_takedown_killed_at_any_moment_is_completed_by_another(collection, in_cloud):
    in_cloud.storage.faults.append(Fault(Action.DELAY, "^DELETE", times=None, seconds=0.2))
    host = ("takedown", "--host", "example.org", "--yes")
    settings = cloud_settings(in_cloud)
    warehouse = open_warehouse(f"sqlite:{collection.folder}/data/audio.db")
    warehouse.upsert([AudioSource(source_url=u, status="pending", host="example.org") for u in sources(collection)])
    warehouse.close()
    assert collection.run("sync", *in_cloud.targets, settings=CREATE).code == 0
    process = collection.start(*host, settings=settings)
    deadline = time.monotonic() + 60
    while len(in_cloud.objects()) > FILES - 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert in_cloud.objects()
    in_cloud.storage.faults.clear()
    run = collection.run(*host, settings=settings)
    assert run.code == 0, run.stderr
    assert (in_cloud.objects(), read(in_cloud.warehouse, AUDIO_METADATA)) == ({}, [])
    assert {row.status for row in read(in_cloud.warehouse, AUDIO_SOURCES)} == {"taken_down"}


def test_where_no_crawl_ran_there_is_nothing_to_take_down(tmp_path):
    run = Collection(Path(tmp_path)).run("takedown", "--host", "example.org")
    assert run.code == 2
    assert "run this where the crawl ran" in run.stderr
