"""Sets whose audio stands in folders: ``audiofolder`` of ``datasets``, Lhotse's manifests and NeMo's."""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, cast

from audiocrawler.export.columns import TEXT, Row, json_text
from audiocrawler.export.entries import Entry
from audiocrawler.export.folder import OWN, Folder, HashedFile
from audiocrawler.export.plan import Plan, Shard
from audiocrawler.export.shards import Record

PARTS = f"{OWN}/parts"
FILE_NAME = "file_name"


class AudioFolderFormat:
    """``data/train/ab/<sha256>.<extension>``, and ``metadata.parquet`` in each folder of files.

    See https://huggingface.co/docs/datasets/audio_dataset. Metadata as JSON lines or CSV would get a type of its own
    where a column is empty in one folder, and then no folder could be read.
    """

    name: ClassVar[str] = "audiofolder"
    has_audio: ClassVar[bool] = True
    max_bytes: ClassVar[int | None] = None
    shard_bytes: ClassVar[int | None] = None
    needs: ClassVar[str | None] = "pyarrow"

    def write(self, plan: Plan, shard: Shard, entries: Iterator[Entry], folder: Folder) -> None:
        """Write a folder of files; see Format.write."""
        from audiocrawler.export.parquet import Table

        place = f"data/{shard.split}/{shard.bucket}"
        types = {FILE_NAME: "STRING"} | {
            ("original_name" if name == FILE_NAME else name): kind for name, kind in plan.types.items()
        }
        with folder.writing(f"{place}/metadata.parquet") as file, Table(file, types) as table:
            for entry in entries:
                folder.put(entry.path, f"{place}/{entry.name}", entry.sha256)
                original = {"original_name": entry.row.get(FILE_NAME)}
                table.add({**entry.row, **original, FILE_NAME: entry.name})

    def finish(self, plan: Plan, records: Sequence[Record], folder: Folder) -> None:
        """Write nothing: each folder has its metadata."""


class ManifestFormat:
    """``audio/ab/<sha256>.<extension>``, and manifests of each split."""

    name: ClassVar[str]
    has_audio: ClassVar[bool] = True
    max_bytes: ClassVar[int | None] = None
    shard_bytes: ClassVar[int | None] = None
    needs: ClassVar[str | None] = None

    def write(self, plan: Plan, shard: Shard, entries: Iterator[Entry], folder: Folder) -> None:
        """Write a folder of files, and keep what the manifests will tell of them; see Format.write."""
        with Folder(folder.path).writing(f"{PARTS}/{shard.label}.jsonl") as part:
            for entry in entries:
                path = f"audio/{entry.bucket_name}"
                folder.put(entry.path, path, entry.sha256)
                public = {name: entry.row.get(name) for name in (*plan.types, "samples")}
                part.write(f"{json_text([path, public])}\n".encode("utf-8", "replace"))

    def finish(self, plan: Plan, records: Sequence[Record], folder: Folder) -> None:
        """Write the manifests of each split; see Format.finish."""
        for split in dict.fromkeys(shard.split for shard in plan.shards):
            self.write_manifests(plan, split, folder)

    def write_manifests(self, plan: Plan, split: str, folder: Folder) -> None:
        """Write the manifests of a split."""
        raise NotImplementedError


def _parts(plan: Plan, split: str, folder: Folder) -> Iterator[tuple[str, Row]]:
    """Yield the path and the row of each file of a split."""
    for shard in plan.shards:
        if shard.split == split:
            with (folder.path / PARTS / f"{shard.label}.jsonl").open(encoding="utf-8") as file:
                yield from (tuple(json.loads(line)) for line in file)


def _told(row: Row, plan: Plan) -> Row:
    """Return what there is to tell of a file besides what the manifest has fields for."""
    return {name: row[name] for name, kind in plan.types.items() if kind != "BYTES" and row.get(name) is not None}


class NemoFormat(ManifestFormat):
    """``train_manifest.json``: an object a line, whose ``audio_filepath`` is relative to the manifest.

    See https://docs.nvidia.com/nemo-framework/user-guide/latest/nemotoolkit/asr/datasets.html. Each path has a slash,
    for NeMo takes one without for a member of a tar archive, and each file its rate, for else NeMo opens it.
    """

    name: ClassVar[str] = "nemo"

    def write_manifests(self, plan: Plan, split: str, folder: Folder) -> None:
        """Write the manifest of a split."""
        with folder.writing(f"{split}_manifest.json") as file:
            for path, row in _parts(plan, split, folder):
                line = {
                    **_told(row, plan),
                    "audio_filepath": path,
                    "duration": _seconds(row),
                    "sampling_rate": row.get("sample_rate_hz"),
                    "text": row.get(TEXT) or "",
                    **({"lang": row["language"]} if row.get("language") else {}),
                }
                file.write(f"{json.dumps(line, ensure_ascii=False)}\n".encode("utf-8", "replace"))


def _samples(row: Row) -> int:
    """Return how many samples a channel has, counted where a crawl or the conversion has counted them."""
    counted = row.get("samples")
    rate_hz = row.get("sample_rate_hz") or 0
    return int(counted) if counted is not None else round((row.get("duration_ms") or 0) * rate_hz / 1000)


def _seconds(row: Row) -> float:
    rate_hz = row.get("sample_rate_hz")
    return _samples(row) / rate_hz if rate_hz else (row.get("duration_ms") or 0) / 1000


class LhotseFormat(ManifestFormat):
    """``recordings_train.jsonl.gz`` and ``cuts_train.jsonl.gz``.

    See https://lhotse.readthedocs.io. A relative path is taken from wherever the reader runs, so these are absolute.
    """

    name: ClassVar[str] = "lhotse"

    def write_manifests(self, plan: Plan, split: str, folder: Folder) -> None:
        """Write the recordings and the cuts of a split."""
        recordings = ((_recording(path, row, folder), row) for path, row in _parts(plan, split, folder))
        _write_lines(f"recordings_{split}.jsonl.gz", (recording for recording, _ in recordings), folder)
        recordings = ((_recording(path, row, folder), row) for path, row in _parts(plan, split, folder))
        _write_lines(f"cuts_{split}.jsonl.gz", (_cut(each, row, plan) for each, row in recordings), folder)


def _recording(path: str, row: Row, folder: Folder) -> dict[str, Any]:
    channels = list(range(row.get("channels") or 1))
    return {
        "id": row["sha256"],
        "sources": [{"type": "file", "channels": channels, "source": str(folder.path.absolute() / path)}],
        "sampling_rate": row.get("sample_rate_hz"),
        "num_samples": _samples(row),
        "duration": _seconds(row),
        "channel_ids": channels,
    }


def _cut(recording: dict[str, Any], row: Row, plan: Plan) -> dict[str, Any]:
    channels = recording["channel_ids"]
    is_mono = len(channels) == 1
    supervision = {
        "id": recording["id"],
        "recording_id": recording["id"],
        "start": 0.0,
        "duration": recording["duration"],
        "channel": 0 if is_mono else channels,
        "text": row.get(TEXT),
        **({"language": row["language"]} if row.get("language") else {}),
    }
    return {
        "id": recording["id"],
        "start": 0.0,
        "duration": recording["duration"],
        "channel": 0 if is_mono else channels,
        "supervisions": [supervision] if row.get(TEXT) else [],
        "recording": recording,
        "custom": _told(row, plan),
        "type": "MonoCut" if is_mono else "MultiCut",
    }


def _write_lines(name: str, lines: Iterable[Any], folder: Folder) -> None:
    with folder.writing(name) as file, _compressed(file) as compressed:
        for line in lines:
            compressed.write(f"{json.dumps(line, ensure_ascii=False)}\n".encode("utf-8", "replace"))


@contextmanager
def _compressed(file: HashedFile) -> Iterator[gzip.GzipFile]:
    """Give a gzip file that tells neither its name nor the time, and so is the same each time."""
    with gzip.GzipFile(filename="", mode="wb", fileobj=cast(Any, file), mtime=0) as compressed:
        yield compressed
