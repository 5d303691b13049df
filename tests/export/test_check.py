"""``--check`` says what of a published set may not stay."""

import json
import sqlite3
from contextlib import closing

import pytest

from tests.export.collecting import collect, ordinary


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a collection that has changed since a set was made of it, and the rows as they were."""
    folder = tmp_path_factory.mktemp("published")
    collection = collect(folder, ordinary(16))
    assert collection.run("export", "--format", "hf", "--split", "50/50").code == 0
    clean = collection.run("export", "--check", "data/export/hf")
    assert (clean.code, clean.stdout) == (0, "data/export/hf: 12 files, no findings\n")
    rows = {int(row.file_name.removesuffix(".wav")): row for row in collection.audio()}
    assert collection.run("takedown", "--sha256", str(rows[7].sha256), "--yes").code == 0
    with closing(sqlite3.connect(folder / "data/audio.db")) as database, database:
        database.execute("UPDATE audio_sources SET opt_out = 'robots.txt: GPTBot' WHERE sha256 = ?", (rows[8].sha256,))
        database.execute("UPDATE audio_metadata SET license = 'CC-BY-NC-4.0' WHERE sha256 = ?", (rows[9].sha256,))
        database.execute("DELETE FROM audio_metadata WHERE sha256 = ?", (rows[10].sha256,))
    with (folder / "data/export/hf/data/test-00000-of-00001.parquet").open("ab") as file:
        file.write(b"!")
    return collection, rows


def test_what_changed_is_listed_and_the_exit_code_is_4(published):
    collection, rows = published
    done = collection.run("export", "--check", "data/export/hf")
    assert done.code == 4
    lines = done.stdout.splitlines()
    assert lines[0] == "data/test-00000-of-00001.parquet: has changed"
    assert set(lines[1:-1]) == {
        f"{rows[7].sha256}: taken down (https://example.org/p7/00007.wav)",
        f"{rows[8].sha256}: opted out (robots.txt: GPTBot)",
        f"{rows[9].sha256}: relicensed (from CC-BY-4.0 to CC-BY-NC-4.0)",
        f"{rows[10].sha256}: gone from the collection (https://example.org/p10/00010.wav)",
    }
    assert lines[-1] == "data/export/hf: 12 files, 5 findings"


def test_the_same_as_json(published):
    collection, rows = published
    told = json.loads(collection.run("export", "--check", "data/export/hf", "--json").stdout)
    assert {"subject": rows[8].sha256, "problem": "opted out", "detail": "robots.txt: GPTBot"} in told["findings"]


def test_the_next_export_leaves_out_what_was_found(published):
    collection, rows = published
    assert collection.run("export", "--format", "hf", "--split", "50/50", "--licenses", "open").code == 0
    assert collection.run("export", "--check", "data/export/hf").code == 0
    attribution = (collection.folder / "data/export/hf/ATTRIBUTION.csv").read_text()
    assert not any(str(rows[number].sha256) in attribution for number in (7, 8, 9, 10))
