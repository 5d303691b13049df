from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from audiocrawler.storage import key_in, object_key
from audiocrawler.warehouse import open_warehouse
from tests.commands.collecting import FILES, SOURCES, Collection, audio, source

ORPHAN = object_key("0a" * 32, "wav")


class Folder:
    """The collection's own objects."""

    def __init__(self, collection: Collection) -> None:
        self.store = "data/objects"
        self._folder = collection.folder / "data/objects"

    def write(self, key: str, content: bytes) -> None:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content)

    def delete(self, key: str) -> None:
        (self._folder / key).unlink()

    def url_of(self, key: str) -> str:
        return (self._folder / key).as_uri()


class Bucket:
    """The objects after a sync into a bucket."""

    def __init__(self, collection: Collection, cloud: Any) -> None:
        self.store = cloud.store
        warehouse = ("--to-warehouse", "sqlite:data/audio.db")
        assert collection.run("sync", "--to-store", cloud.store, *warehouse).code == 0
        client = Client(project="project", credentials=AnonymousCredentials())
        self._bucket = client.bucket(cloud.bucket)

    def write(self, key: str, content: bytes) -> None:
        self._bucket.blob(f"audio/{key}").upload_from_string(content)

    def delete(self, key: str) -> None:
        self._bucket.blob(f"audio/{key}").delete()

    def url_of(self, key: str) -> str:
        return f"{self.store}/{key}"


@pytest.fixture(params=["folder", "bucket"])
def objects(request, collection):
    return Folder(collection) if request.param == "folder" else Bucket(collection, request.getfixturevalue("cloud"))


def problem_in(printed: str) -> Callable[[str], list[str]]:
    """Return what tells the lines below the heading of a problem."""
    sections: dict[str, list[str]] = {}
    heading = ""
    for line in printed.splitlines():
        if line.startswith("  "):
            sections[heading].append(line.strip())
        else:
            heading = line
            sections[heading] = []
    return sections.__getitem__


def test_a_whole_collection_has_no_problems(collection):
    run = collection.run("verify", "--hash", "--offline")
    assert (run.code, run.stderr) == (0, "")
    assert run.stdout == (
        f"{FILES} files and {SOURCES} sources in the tables, {FILES} objects (1.1 MB) in the store: no problems\n"
    )


def test_what_rows_and_objects_disagree_on_is_named(collection, objects):
    missing, torn, changed, *_ = collection.audio()
    keys = [key_in(row.gcp_url) for row in (missing, torn, changed)]
    objects.delete(keys[0])
    objects.write(keys[1], b"torn")
    objects.write(keys[2], bytes(changed.size_bytes))
    objects.write(ORPHAN, b"orphan")
    run = collection.run("verify", "--store", objects.store)
    assert run.code == 4
    lines = problem_in(run.stdout)
    assert lines("object missing: 1") == [objects.url_of(keys[0])]
    assert lines("wrong size: 1") == [f"{objects.url_of(keys[1])}: 4 bytes, not {torn.size_bytes}"]
    assert lines("object without a row: 1") == [objects.url_of(ORPHAN)]
    assert run.stdout.endswith(" in the store: 3 problems\n")
    closely = problem_in(collection.run("verify", "--store", objects.store, "--hash", "--offline").stdout)
    wrong = [line.split(": ")[0] for line in closely("wrong hash: 3")]
    assert sorted(wrong) == sorted(objects.url_of(key) for key in (keys[1], keys[2], ORPHAN))


def test_sources_without_their_file_are_found(collection):
    warehouse = open_warehouse(f"sqlite:{collection.folder}/data/audio.db")
    warehouse.upsert([source("lost", sha256="ef" * 32), source("robots", status="robots")])
    warehouse.close()
    run = collection.run("verify")
    assert run.code == 4
    assert problem_in(run.stdout)("source without its audio row: 1") == ["https://example.org/lost: stored"]


def test_a_row_whose_hash_is_not_its_objects_is_found(collection):
    warehouse = open_warehouse(f"sqlite:{collection.folder}/data/audio.db")
    row = collection.audio()[0]
    warehouse.upsert([audio(gcp_url=row.gcp_url, file_name="a", sha256="ef" * 32)])
    warehouse.close()
    lines = problem_in(collection.run("verify").stdout)
    assert lines("wrong hash: 1") == [f"{row.gcp_url}: its row says {'ef' * 32}"]


def test_many_cases_are_counted_and_the_first_named(collection):
    for path in (collection.folder / "data/objects").rglob("*.mp3"):
        path.unlink()
    run = collection.run("verify")
    lines = problem_in(run.stdout)(f"object missing: {FILES}")
    assert len(lines) == 21
    assert lines[-1] == f"and {FILES - 20} more"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--store", "no"), "store no: "),
        (("--warehouse", "sqlite:no.db"), "warehouse sqlite:no.db: "),
        (("--store", "s3://bucket"), "AUDIO_STORE=s3://bucket: unknown scheme s3; "),
    ],
)
def test_a_place_that_is_not_there_is_one_line_and_exit_2(collection, arguments, message):
    run = collection.run("verify", *arguments)
    assert (run.code, run.stdout) == (2, "")
    assert run.stderr.startswith(f"scrapy: error: {message}")
    assert run.stderr.count("\n") == 1
    assert not Path(collection.folder, "no").exists()
