"""Tar archives of pairs, ``<sha256>.<extension>`` and ``<sha256>.json``: what ``webdataset`` and NeMo read in order."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from audiocrawler.export.archives import MAX_BYTES, SHARD_BYTES, add_audio, add_bytes, opened_archive
from audiocrawler.export.columns import Row, cell, json_text
from audiocrawler.export.entries import Entry
from audiocrawler.export.folder import Folder
from audiocrawler.export.plan import Plan, Shard
from audiocrawler.export.shards import Record


class WebDatasetFormat:
    """``train-000000.tar`` in USTAR, and how many samples are in each in ``train-sizes.json``.

    See https://github.com/webdataset/webdataset. The loader of ``datasets`` takes names and types from the first
    samples of a set, so each has every key and a value of its type: a missing number is NaN, a missing text empty.
    """

    name: ClassVar[str] = "webdataset"
    has_audio: ClassVar[bool] = True
    max_bytes: ClassVar[int | None] = MAX_BYTES
    shard_bytes: ClassVar[int | None] = SHARD_BYTES
    needs: ClassVar[str | None] = None

    def write(self, plan: Plan, shard: Shard, entries: Iterator[Entry], folder: Folder) -> None:
        """Write one archive; see Format.write."""
        with folder.writing(_name_of(shard)) as file, opened_archive(file) as archive:
            for entry in entries:
                add_audio(archive, entry)
                described = json_text(_described(entry.row, plan))
                add_bytes(archive, f"{entry.key}.json", described.encode("utf-8", "replace"))

    def finish(self, plan: Plan, records: Sequence[Record], folder: Folder) -> None:
        """Write how many samples are in each archive; see Format.finish."""
        sizes: dict[str, dict[str, int]] = {}
        for shard, record in zip(plan.shards, records, strict=True):
            sizes.setdefault(shard.split, {})[_name_of(shard)] = shard.files - record.left
        for split, of_split in sizes.items():
            folder.write(f"{split}-sizes.json", json_text(of_split) + "\n")


def _name_of(shard: Shard) -> str:
    return f"{shard.split}-{shard.index:06}.tar"


def _described(row: Row, plan: Plan) -> dict[str, Any]:
    return {name: _filled(row.get(name), kind, has_nulls=name in plan.has_nulls) for name, kind in plan.types.items()}


def _filled(value: Any, kind: str, *, has_nulls: bool) -> Any:
    """Return a value of the type that this column has in every sample."""
    if kind in {"FLOAT", "INTEGER", "BOOLEAN"}:
        if value is None:
            return math.nan
        return float(value) if has_nulls or kind == "FLOAT" else value
    return "" if value is None else cell(value, kind)
