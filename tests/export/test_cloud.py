"""A set of what is in a bucket and in BigQuery is the set of the same collection on a disk, byte for byte."""

import json
from pathlib import Path

import pytest

from tests.cloud import Cloud, new_cloud
from tests.crawling import Run, crawl
from tests.emulators.fault_proxy import Action, Fault
from tests.export.collecting import collect, copy, files_in, ordinary


@pytest.fixture(scope="module")
def moved(gcs_emulator, bigquery_emulator, tmp_path_factory):
    """Return a collection, and the bucket and dataset that it was copied to."""
    with pytest.MonkeyPatch.context() as patch, new_cloud(gcs_emulator, bigquery_emulator) as cloud:
        patch.setenv("BIGQUERY_EMULATOR_HOST", bigquery_emulator.url)  # for the test's own look at the tables
        collection = collect(tmp_path_factory.mktemp("moved"), ordinary())
        copy(collection, cloud)
        yield collection, cloud


def in_cloud(cloud: Cloud, folder: Path, *command: str) -> Run:
    """Run a command where nothing of the collection is on the disk."""
    return crawl(folder, command=command, env=cloud.env)


@pytest.mark.parametrize("name", ["hf", "webdataset", "lhotse", "jsonl"])
def test_the_bytes_are_those_of_the_same_collection_on_a_disk(moved, tmp_path, name):
    collection, cloud = moved
    options = ("--format", name, "--split", "60/20/20", "--where", "duration_ms >= 100 AND title LIKE 'M%'")
    command = ("export", *options, "--out", str(tmp_path / "set"), "--json")
    here = collection.run(*command)
    (tmp_path / "set").rename(tmp_path / "from-disk")
    there = in_cloud(cloud, tmp_path, *command)
    assert (here.code, there.code) == (0, 0), there.stderr
    assert json.loads(here.stdout) == json.loads(there.stdout)
    assert files_in(tmp_path / "set") == files_in(tmp_path / "from-disk")


@pytest.mark.parametrize("where", ["nonsense = 1", "1 / 0 > 1"])
def test_an_expression_that_bigquery_does_not_take_is_one_line(moved, tmp_path, where):
    done = in_cloud(moved[1], tmp_path, "export", "--format", "jsonl", "--out", str(tmp_path / "set"), "--where", where)
    assert (done.code, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith("scrapy: error: --where ")
    assert "write one SQL expression over the columns of files" in done.stderr
    assert "http://" not in done.stderr
    assert "Job ID" not in done.stderr


def test_converted_in_parts_that_know_nothing_of_each_other(moved, tmp_path):
    collection, cloud = moved
    command = ("export", "--format", "webdataset", "--split", "50/50", "--audio", "flac", "--out")
    assert collection.run(*command, str(tmp_path / "whole")).code == 0
    for part in ("2/2", "1/2"):
        assert in_cloud(cloud, tmp_path, *command, str(tmp_path / "parts"), "--shard", part).code == 0
    assert files_in(tmp_path / "parts") == files_in(tmp_path / "whole")


def test_an_object_that_cannot_be_read_is_left_out_until_it_can(moved, tmp_path):
    cloud = moved[1]
    command = ("export", "--format", "hf", "--out", str(tmp_path / "set"), "--json")
    name = next(name for name in cloud.gcs.objects(cloud.bucket) if exported(cloud, name))
    cloud.storage.faults.append(Fault(Action.FORBIDDEN, f"{Path(name).name}.*alt=media", times=None))
    done = in_cloud(cloud, tmp_path, *command)
    cloud.storage.faults.clear()
    told = json.loads(done.stdout)
    assert (done.code, told["files"], told["left_out"]["object not readable"]) == (4, 35, 1)
    assert json.loads(in_cloud(cloud, tmp_path, *command).stdout)["files"] == 36


def exported(cloud, name: str) -> bool:
    (row,) = (row for row in cloud.audio if row.gcp_url.endswith(name))
    return row.file_name not in {"0.wav", "1.wav", "2.wav", "4.wav", "5.wav"}


def test_a_bucket_that_does_not_answer_ends_the_export_and_the_next_one_resumes(moved, tmp_path):
    """Nobody wants a set without all that could not be read during an outage."""
    cloud = moved[1]
    command = ("export", "--format", "hf", "--out", str(tmp_path / "set"), "--json")
    cloud.storage.faults.append(Fault(Action.FORBIDDEN, "^GET .*/o/", times=None, skip=20))
    done = in_cloud(cloud, tmp_path, *command)
    cloud.storage.faults.clear()
    assert (done.code, done.stdout, len(done.stderr.splitlines())) == (4, "", 1)
    assert "check the bucket and the network and run again" in done.stderr
    assert not (tmp_path / "set/dataset.json").exists()
    assert json.loads(in_cloud(cloud, tmp_path, *command).stdout)["files"] == 36


def test_what_another_machine_took_down_is_found_in_a_published_set(moved, tmp_path):
    collection, cloud = moved
    out = str(tmp_path / "set")
    assert in_cloud(cloud, tmp_path, "export", "--format", "jsonl", "--out", out).code == 0
    assert in_cloud(cloud, tmp_path, "export", "--check", out).code == 0
    (row,) = (row for row in collection.audio() if row.file_name == "39.wav")
    (tmp_path / "other").mkdir()
    assert in_cloud(cloud, tmp_path / "other", "takedown", "--sha256", row.sha256, "--yes").code == 0
    done = in_cloud(cloud, tmp_path, "export", "--check", out)
    assert (done.code, done.stderr) == (4, "")
    assert done.stdout.splitlines() == [
        f"{row.sha256}: taken down ({row.source_url})",
        f"{out}: 36 files, 1 finding",
    ]
