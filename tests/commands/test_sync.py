import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest

from audiocrawler.model.rows import AUDIO_CRAWLS, AUDIO_METADATA, AUDIO_SOURCES
from audiocrawler.storage import key_in
from audiocrawler.warehouse import open_warehouse
from audiocrawler.warehouse.views import VIEWS
from tests.commands.collecting import FILES, ROWS, SOURCES, collect
from tests.emulators.fault_proxy import Action, Fault
from tests.warehouse.in_bigquery import dataset_of, query, read
from tests.warehouse.rows import a_crawl

CREATE = {"settings": {"AUDIO_BIGQUERY_CREATE": "1", "AUDIO_FLUSH_ROWS": "50"}}

LOAD = "^POST /upload/"
QUERY = "^POST (?!/upload/).*/(jobs|queries)"
"""Before the first of a batch, two statements are checked when the warehouse is opened."""


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def kill(process) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def verify(collection, store: str, warehouse: str):
    return collection.run("verify", "--store", store, "--warehouse", warehouse, "--hash", "--offline")


def assert_complete(cloud, collection) -> None:
    """Every object is in the bucket with its bytes, every row in its table, once, and nothing else is."""
    contents = {name: cloud.emulator.content(cloud.bucket, name) for name in cloud.objects()}
    assert {f"audio/{key_in(row.gcp_url)}" for row in collection.audio()} == set(contents)
    assert all(sha256(content).hexdigest() in name for name, content in contents.items())
    there = {row.sha256: row for row in read(cloud.warehouse, AUDIO_METADATA)}
    for row in collection.audio():
        assert there[row.sha256] == replace(row, gcp_url=f"{cloud.store}/{key_in(row.gcp_url)}")
    sources = read(cloud.warehouse, AUDIO_SOURCES)
    assert (len(there), len({row.source_url for row in sources}), len(sources)) == (FILES, SOURCES, SOURCES)
    assert all(row.gcp_url.startswith(cloud.store) for row in sources if row.status != "failed")
    assert read(cloud.warehouse, AUDIO_CRAWLS) == [a_crawl()]


def test_a_collection_goes_to_the_cloud_once(collection, cloud):
    first = collection.run("sync", *cloud.targets, **CREATE)
    assert first.code == 0
    assert first.stdout == (f"{FILES} objects: {FILES} uploaded (1.1 MB), 0 left; {ROWS} rows: {ROWS} there, 0 left\n")
    assert_complete(cloud, collection)
    uploads = cloud.uploads()
    again = collection.run("sync", *cloud.targets, **CREATE)
    assert again.stdout.startswith(f"{FILES} objects: 0 uploaded (0 bytes), 0 left")
    assert cloud.uploads() == uploads == FILES
    assert_complete(cloud, collection)
    assert (
        collection.run("verify", "--store", cloud.store, "--warehouse", cloud.warehouse, "--hash", "--offline").code
        == 0
    )


def test_a_sync_killed_among_the_uploads_goes_on(collection, cloud):
    cloud.storage.faults.append(Fault(Action.DELAY, "uploadType=", times=None, seconds=0.1))
    targets = ("--to-store", cloud.store, "--to-warehouse", "sqlite:other.db")
    process = collection.start("sync", *targets)
    wait_for(lambda: len(cloud.objects()) >= FILES // 2)
    kill(process)
    assert len(cloud.objects()) < FILES
    cloud.storage.faults.clear()
    assert collection.run("sync", *targets).code == 0
    assert cloud.uploads() <= FILES + 8
    assert len(cloud.objects()) == FILES
    assert (
        collection.run("verify", "--store", cloud.store, "--warehouse", "sqlite:other.db", "--hash", "--offline").code
        == 0
    )


@pytest.mark.parametrize(("request_", "skip"), [(LOAD, 1), (QUERY, 3 + len(VIEWS))], ids=["load", "merge"])
def test_a_sync_killed_among_the_rows_goes_on(collection, cloud, request_, skip):
    cloud.bigquery.faults.append(Fault(Action.DELAY, request_, times=None, skip=skip, seconds=1))
    process = collection.start("sync", *cloud.targets, **CREATE)
    wait_for(lambda: bool(cloud.bigquery.happened))
    kill(process)
    cloud.bigquery.faults.clear()
    assert collection.run("sync", *cloud.targets, **CREATE).code == 0
    assert cloud.uploads() == FILES
    assert_complete(cloud, collection)
    tables = query(f"SELECT table_name FROM `{dataset_of(cloud.warehouse)}.INFORMATION_SCHEMA.TABLES`")
    assert {row["table_name"] for row in tables} - VIEWS.keys() == {"audio_metadata", "audio_sources", "audio_crawls"}


def test_a_collection_goes_to_another_folder_and_file(collection, tmp_path):
    run = collection.run("sync", "--to-store", "file:other/objects", "--to-warehouse", "sqlite:other/audio.db")
    assert run.code == 0
    there = open_warehouse(f"sqlite:{tmp_path}/other/audio.db")
    moved = [replace(row, gcp_url=row.gcp_url.replace("/data/", "/other/")) for row in collection.audio()]
    assert list(there.audio_rows()) == moved
    assert (
        collection.run(
            "verify", "--store", "other/objects", "--warehouse", "sqlite:other/audio.db", "--hash", "--offline"
        ).code
        == 0
    )


def test_missing_and_damaged_objects_are_named_and_the_rest_goes(collection, tmp_path):
    missing, torn, changed, *others = collection.audio()
    collection.path_of(missing).unlink()
    collection.path_of(torn).write_bytes(b"torn")
    content = collection.path_of(changed).read_bytes()
    collection.path_of(changed).write_bytes(b"?" + content[1:])
    run = collection.run("sync", "--to-store", "other/objects", "--to-warehouse", "sqlite:other/audio.db")
    assert run.code == 4
    assert run.stderr.startswith("objects that could not be uploaded: 3\n")
    assert f"{collection.path_of(missing)}: No such file or directory" in run.stderr
    assert f"{collection.path_of(torn)}: damaged: 4 bytes instead of {torn.size_bytes}" in run.stderr
    assert f"{collection.path_of(changed)}: damaged: the bytes do not match its hash" in run.stderr
    assert f"{FILES} objects: {FILES - 3} uploaded" in run.stdout
    assert "3 left; " in run.stdout
    there = open_warehouse(f"sqlite:{tmp_path}/other/audio.db")
    assert {row.sha256 for row in there.audio_rows()} == {row.sha256 for row in others}
    assert not {missing.sha256, torn.sha256, changed.sha256} & {row.sha256 for row in there.source_rows()}
    assert collection.run("verify", "--store", "other/objects", "--warehouse", "sqlite:other/audio.db").code == 0


def test_a_moved_collection_is_found_by_its_hashes(collection, tmp_path):
    (tmp_path / "data/objects").rename(tmp_path / "moved")
    how = {"settings": {"AUDIO_STORE": "moved"}}
    assert collection.run("sync", "--to-store", "other", "--to-warehouse", "sqlite:other.db", **how).code == 0
    assert len(list((tmp_path / "other").rglob("*.mp3"))) == FILES


def test_rows_or_objects_may_go_alone(collection, tmp_path):
    assert collection.run("sync", "--to-warehouse", "sqlite:other/audio.db").code == 0
    assert list(open_warehouse(f"sqlite:{tmp_path}/other/audio.db").audio_rows()) == collection.audio()
    objects = collection.run("sync", "--to-store", "other/objects")
    assert objects.stdout == f"{FILES} objects: {FILES} uploaded (1.1 MB), 0 left; 0 rows: 0 there, 0 left\n"


def test_a_store_that_takes_nothing_more_ends_the_run(tmp_path, small_disk):
    collection = collect(tmp_path, files=300)
    run = collection.run("sync", "--to-store", str(small_disk / "objects"), "--to-warehouse", "sqlite:other.db")
    assert run.code == 4
    assert run.stderr.startswith("scrapy: error: 20 uploads failed in a row, the last: ")
    assert "No space left on device" in run.stderr
    assert list(open_warehouse(f"sqlite:{tmp_path}/other.db").audio_rows()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no target: give --to-store gs://bucket, --to-warehouse or both"),
        (("--to-store", "s3://bucket"), "--to-store=s3://bucket: unknown scheme s3; use one of file:, gs:"),
        (("--to-store", "gs://sync-nowhere"), "gs://sync-nowhere: bucket not found; "),
        (("--to-warehouse", "bigquery://project/nowhere/audio_metadata"), "project.nowhere: dataset not found; "),
        (("--to-warehouse", "bigquery://project"), "bigquery://project: not a table; "),
        (("-s", "AUDIO_WAREHOUSE=sqlite:no.db", "--to-store", "x"), "AUDIO_WAREHOUSE sqlite:no.db: "),
        (("-s", "AUDIO_STORE=no", "--to-store", "x"), "AUDIO_STORE no: "),
        (
            ("-s", "AUDIO_STORE=gs://sync-nowhere", "--to-store", "x"),
            "AUDIO_STORE gs://sync-nowhere: not a local folder",
        ),
    ],
)
def test_what_cannot_work_is_one_line_and_exit_2(collection, cloud, arguments, message):
    run = collection.run("sync", *arguments)
    assert (run.code, run.stdout) == (2, "")
    last = run.stderr.splitlines()[-1]
    assert last.startswith(f"scrapy: error: {message}")
    assert not (collection.folder / "no.db").exists()
