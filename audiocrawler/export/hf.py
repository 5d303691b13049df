"""Parquet with the audio in it: what ``datasets``, the Hub's viewer, DuckDB and polars open."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from audiocrawler.export.entries import Entry
from audiocrawler.export.folder import Folder
from audiocrawler.export.plan import Plan, Shard
from audiocrawler.export.shards import Record


class HfFormat:
    """``data/train-00000-of-00004.parquet``; its schema tells ``datasets`` that there is audio in it.

    See https://huggingface.co/docs/hub/datasets-audio.
    """

    name: ClassVar[str] = "hf"
    has_audio: ClassVar[bool] = True
    max_bytes: ClassVar[int | None] = (1 << 31) - 1
    """Arrow's binary type counts its bytes in 32 bits (Arrow Columnar Format, "Variable-size Binary Layout")."""
    shard_bytes: ClassVar[int | None] = 500_000_000
    needs: ClassVar[str | None] = "pyarrow"

    def write(self, plan: Plan, shard: Shard, entries: Iterator[Entry], folder: Folder) -> None:
        """Write one file; see Format.write."""
        from audiocrawler.export.parquet import Table

        with (
            folder.writing(f"data/{shard.label}.parquet") as file,
            Table(file, plan.types, has_audio=True, audio_rate_hz=plan.one_rate_hz) as table,
        ):
            for entry in entries:
                table.add(entry.row, entry)

    def finish(self, plan: Plan, records: Sequence[Record], folder: Folder) -> None:
        """Write nothing: each file tells all that it needs."""
