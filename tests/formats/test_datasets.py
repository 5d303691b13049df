"""What ``datasets`` and DuckDB read back, row by row and byte by byte."""

import io
import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest
import soundfile
from datasets import Audio, load_dataset

SPLITS = ("train", "validation", "test")


def compared(read: dict[str, Any], expected: dict[str, Any]) -> None:
    """Compare the columns that are told as text or numbers; times are those of their zone."""
    for name, value in expected.items():
        found = read[name]
        if isinstance(found, datetime):
            found = found.astimezone(UTC).isoformat().replace("+00:00", "Z")
        if isinstance(value, dict):
            found = json.loads(found)
        assert found == value, name


@pytest.mark.parametrize("streaming", [False, True])
def test_hf_has_every_row_and_every_byte(sets, streaming):
    expected = {row["sha256"]: row for row in sets.expected()}
    loaded = load_dataset(str(sets.path("hf")), streaming=streaming)
    assert set(loaded) == set(SPLITS)
    for split in SPLITS:
        for row in loaded[split].cast_column("audio", Audio(decode=False)):
            assert sets.rows("hf")[row["sha256"]]["split"] == split
            assert sha256(row["audio"]["bytes"]).hexdigest() == row["sha256"]
            assert row["audio"]["path"].startswith(row["sha256"])
            assert len(row["waveform"]) == 200
            compared(row, expected.pop(row["sha256"]))
    assert expected == {}


def test_hf_knows_audio_and_its_rate_without_being_told(sets):
    assert load_dataset(str(sets.path("hf")), split="test").features["audio"] == Audio()
    uniform = load_dataset(str(sets.path("hf-16k")), split="test")
    assert uniform.features["audio"] == Audio(sampling_rate=16000)


def test_converted_audio_has_the_samples_that_its_row_says(sets):
    number = 0
    for rows in load_dataset(str(sets.path("hf-16k"))).values():
        for row in rows.cast_column("audio", Audio(decode=False)):
            with soundfile.SoundFile(io.BytesIO(row["audio"]["bytes"])) as file:
                shape = (file.format, file.samplerate, file.channels, len(file.read()))
            assert shape == ("FLAC", 16000, 1, round(row["duration_ms"] * 16)) or shape[:3] == ("FLAC", 16000, 1)
            assert abs(shape[3] / 16 - row["duration_ms"]) <= 0.5
            number += 1
    assert number == sets.about("hf-16k")["counts"]["files"]


@pytest.mark.parametrize("name", ["audiofolder", "audiofolder-16k"])
def test_audiofolder_has_every_row_and_every_byte(sets, name):
    expected = {row["sha256"]: row for row in sets.expected()}
    about = sets.about(name)["files"]
    loaded = load_dataset(str(sets.path(name)))
    for split, rows in loaded.items():
        for row in rows.cast_column("audio", Audio(decode=False)):
            content = Path(row["audio"]["path"]).read_bytes()
            key = next(path for path in about if row["sha256"] in path)
            assert key.startswith(f"data/{split}/")
            assert about[key]["sha256"] == sha256(content).hexdigest()
            known = expected.pop(row["sha256"])
            assert (row["title"], row["license"], row["original_name"]) == (
                known["title"],
                known["license"],
                known["file_name"],
            )
            assert name.endswith("16k") or sha256(content).hexdigest() == row["sha256"]
    assert expected == {}


def test_the_loader_of_datasets_reads_webdataset_of_one_kind_whole(sets):
    expected = {row["sha256"]: row for row in sets.expected()}
    loaded = load_dataset(str(sets.path("webdataset-16k")))
    for rows in loaded.values():
        for row in rows.cast_column("flac", Audio(decode=False)):
            known = expected.pop(row["__key__"])
            assert row["flac"]["bytes"][:4] == b"fLaC"
            assert (row["json"]["title"], row["json"]["license"]) == (known["title"] or "", known["license"] or "")
    assert expected == {}


@pytest.mark.parametrize("name", ["csv", "jsonl", "parquet"])
def test_duckdb_reads_tables(sets, name):
    files = f"'{sets.path(name)}/files-*.{name}'"
    query = f"SELECT sha256, duration_ms, license, source_url FROM {files} ORDER BY sha256"
    rows = [(row["sha256"], row["duration_ms"], row["license"], row["source_url"]) for row in sets.expected()]
    assert duckdb.sql(query).fetchall() == sorted(rows)
    sources = duckdb.sql(f"SELECT DISTINCT sha256 FROM '{sets.path(name)}/sources.{name}' ORDER BY 1").fetchall()
    assert [value for (value,) in sources] == sorted(row["sha256"] for row in sets.expected())


def test_duckdb_reads_the_audio_in_parquet(sets):
    query = f"SELECT sha256, audio.bytes FROM '{sets.path('hf')}/data/*.parquet'"
    for digest, content in duckdb.sql(query).fetchall():
        assert sha256(content).hexdigest() == digest
