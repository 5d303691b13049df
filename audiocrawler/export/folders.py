"""Sets whose audio stands in folders: ``audiofolder`` of ``datasets``, Lhotse's manifests and NeMo's."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from audiocrawler.export.columns import Row, json_text
from audiocrawler.export.entries import Entry
from audiocrawler.export.folder import OWN, Folder
from audiocrawler.export.manifests import compressed, cut, json_line, nemo_line, recording
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


class ManifestFormat(ABC):
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

    @abstractmethod
    def write_manifests(self, plan: Plan, split: str, folder: Folder) -> None:
        """Write the manifests of a split."""


def _parts(plan: Plan, split: str, folder: Folder) -> Iterator[tuple[str, Row]]:
    """Yield the path and the row of each file of a split."""
    for shard in plan.shards:
        if shard.split == split:
            with (folder.path / PARTS / f"{shard.label}.jsonl").open(encoding="utf-8") as file:
                yield from (tuple(json.loads(line)) for line in file)


class NemoFormat(ManifestFormat):
    """``train_manifest.json``: an object a line, whose ``audio_filepath`` is relative to the manifest.

    Each path has a slash, for NeMo takes one without for a member of a tar archive.
    """

    name: ClassVar[str] = "nemo"

    def write_manifests(self, plan: Plan, split: str, folder: Folder) -> None:
        """Write the manifest of a split."""
        with folder.writing(f"{split}_manifest.json") as file:
            for path, row in _parts(plan, split, folder):
                file.write(json_line(nemo_line(row, path, plan)))


class LhotseFormat(ManifestFormat):
    """``recordings_train.jsonl.gz`` and ``cuts_train.jsonl.gz``.

    A relative path is taken from wherever the reader runs, so these are absolute.
    """

    name: ClassVar[str] = "lhotse"

    def write_manifests(self, plan: Plan, split: str, folder: Folder) -> None:
        """Write the recordings and the cuts of a split."""
        recordings = (made for made, _ in _recordings(plan, split, folder))
        _write_lines(f"recordings_{split}.jsonl.gz", recordings, folder)
        cuts = (cut(made, row, plan) for made, row in _recordings(plan, split, folder))
        _write_lines(f"cuts_{split}.jsonl.gz", cuts, folder)


def _recordings(plan: Plan, split: str, folder: Folder) -> Iterator[tuple[dict[str, Any], Row]]:
    for path, row in _parts(plan, split, folder):
        yield recording(row, "file", str(folder.path.absolute() / path)), row


def _write_lines(name: str, lines: Iterable[Any], folder: Folder) -> None:
    with folder.writing(name) as file, compressed(file) as target:
        for each in lines:
            target.write(json_line(each))
