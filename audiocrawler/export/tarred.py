"""Sets for Lhotse and NeMo whose audio is in tar archives, each with a manifest: what training reads in order."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from audiocrawler.export.archives import MAX_BYTES, SHARD_BYTES, add_audio, add_bytes, opened_archive
from audiocrawler.export.entries import Entry
from audiocrawler.export.folder import Folder
from audiocrawler.export.manifests import compressed, cut, json_line, nemo_line, recording
from audiocrawler.export.plan import Plan, Shard
from audiocrawler.export.shards import Record


class _TarredFormat:
    has_audio: ClassVar[bool] = True
    max_bytes: ClassVar[int | None] = MAX_BYTES
    shard_bytes: ClassVar[int | None] = SHARD_BYTES
    needs: ClassVar[str | None] = None

    def finish(self, plan: Plan, records: Sequence[Record], folder: Folder) -> None:
        """Write nothing: each archive has its manifest."""


class LhotseSharFormat(_TarredFormat):
    """``train/cuts.000000.jsonl.gz`` and ``train/recording.000000.tar``, which has a recording after each file.

    A folder of its own for each split, since Lhotse takes every file beside them for a part of the set. See
    https://lhotse.readthedocs.io/en/latest/shar.html.
    """

    name: ClassVar[str] = "lhotse-shar"

    def write(self, plan: Plan, shard: Shard, entries: Iterator[Entry], folder: Folder) -> None:
        """Write one archive and its cuts; see Format.write."""
        place, number = shard.split, f"{shard.index:06}"
        with (
            folder.writing(f"{place}/recording.{number}.tar") as audio,
            folder.writing(f"{place}/cuts.{number}.jsonl.gz") as file,
            compressed(file) as cuts,
            opened_archive(audio) as archive,
        ):
            for entry in entries:
                made = recording(entry.row, "shar", "")
                add_audio(archive, entry)
                add_bytes(archive, f"{entry.key}.json", json_line(made))
                cuts.write(json_line(cut(made, entry.row, plan)))


class NemoTarredFormat(_TarredFormat):
    """``train/audio_0.tar`` and ``train/sharded_manifests/manifest_0.json``, whose paths are names in the archive.

    NeMo takes the number of a shard from the names, and wants it in each line too where there is one shard only.
    """

    name: ClassVar[str] = "nemo-tarred"

    def write(self, plan: Plan, shard: Shard, entries: Iterator[Entry], folder: Folder) -> None:
        """Write one archive and its manifest; see Format.write."""
        place, number = shard.split, shard.index
        with (
            folder.writing(f"{place}/audio_{number}.tar") as audio,
            folder.writing(f"{place}/sharded_manifests/manifest_{number}.json") as manifest,
            opened_archive(audio) as archive,
        ):
            for entry in entries:
                add_audio(archive, entry)
                manifest.write(json_line({**nemo_line(entry.row, entry.name, plan), "shard_id": number}))
