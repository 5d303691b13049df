"""What mlcroissant reads by croissant.json: all records, for it validates without looking at any."""

from hashlib import sha256
from pathlib import Path

import mlcroissant
import pytest
from etils import epath

SPLITS = ("train", "validation", "test")
TABLES = ("audiofolder", "lhotse", "lhotse-shar", "nemo", "nemo-tarred", "jsonl", "csv", "parquet")
ARCHIVES = ("webdataset", "lhotse-shar", "nemo-tarred")


def described(path: Path) -> mlcroissant.Dataset:
    found = mlcroissant.Dataset(str(path / "croissant.json"))
    assert found.metadata.issues.report() == ""
    return found


def text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


@pytest.mark.parametrize("name", ["hf", "hf-16k"])
def test_every_record_is_read_and_nothing_is_complained_of(sets, name):
    found = described(sets.path(name))
    expected = {row["sha256"]: row for row in sets.expected()}
    for split in SPLITS:
        for record in found.records(split):
            known = expected.pop(record[f"{split}/sha256"].decode())
            assert record[f"{split}/duration_ms"] == known["duration_ms"] or name == "hf-16k"
            digest = sha256(record[f"{split}/audio"]).hexdigest()
            assert digest == known["sha256"] or name == "hf-16k"
    assert expected == {}


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_a_table_is_read(sets, name):
    found = described(sets.path(name))
    expected = {row["sha256"]: row for row in sets.expected()}
    for split in SPLITS:
        for record in found.records(split):
            known = expected.pop(record[f"{split}/sha256"].decode())
            assert record[f"{split}/duration_ms"] == known["duration_ms"]
            assert text(record[f"{split}/source_url"]) == known["source_url"]
            if f"{split}/license" in record:
                assert text(record[f"{split}/license"]) == known["license"]
    assert expected == {}


@pytest.mark.parametrize("name", ARCHIVES)
def test_every_file_in_an_archive_is_read(sets, name, tmp_path, monkeypatch):
    for module in ("core.constants", "operation_graph.operations.extract"):  # it keeps what it has extracted, by name
        monkeypatch.setattr(f"mlcroissant._src.{module}.EXTRACT_PATH", epath.Path(tmp_path))
    found = described(sets.path(name))
    expected = {row["sha256"] for row in sets.expected()}
    for split in SPLITS:
        for record in found.records(f"{split}-audio"):
            digest = record[f"{split}-audio/sha256"].decode()
            assert sha256(record[f"{split}-audio/audio"]).hexdigest() == digest
            expected.remove(digest)
    assert expected == set()
