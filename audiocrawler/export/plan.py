"""Rows in; which of them are in the set, in which split and which shard, out: from the rows alone, on any machine."""

import json
import os
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from tempfile import mkstemp
from typing import Any, Self

from audiocrawler.export.columns import PRIVATE, TEXT, TRANSCRIPT, Row, Types, json_text, public_types
from audiocrawler.export.core import (
    OPUS_RATE_HZ,
    SAME_SAMPLES,
    Sound,
    Spec,
    counted,
    keys_of,
    listed,
    reason_against,
    split_of,
)
from audiocrawler.export.groups import Groups
from audiocrawler.model.flat import plain

_SCHEMA = """
    CREATE TABLE rows (
        sha256 TEXT PRIMARY KEY, number INTEGER, split INTEGER, shard INTEGER, ms INTEGER, size_bytes INTEGER,
        artist TEXT, page TEXT, own TEXT, payload BLOB
    ) WITHOUT ROWID;
    CREATE TABLE samples (hash TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_SETTINGS = ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -4000")
NAMED = 3
"""Examples that a note gives."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of the set that is written at once; shards are numbered from 0 on, over all and within their split."""

    number: int
    split: str
    index: int
    of: int
    """How many the split has."""
    bucket: str
    """The two hex digits that its files begin with, where that is what divides the set."""
    files: int
    digest: str
    """Of all that goes into it."""

    @property
    def label(self) -> str:
        """Return what tells it from all others."""
        return f"{self.split}-{self.bucket or f'{self.index:05}-of-{self.of:05}'}"


@dataclass(slots=True)
class _Cut:
    split: int
    bucket: str
    files: int = 0
    size_bytes: int = 0
    digest: Any = field(default_factory=lambda: blake2b(digest_size=16))


_BYTES_PER_S = {"flac": 1.1, "wav": 2.0}
"""Per sample and channel, about."""
_OPUS_BYTES_PER_S = 12_000


def planned_bytes(row: Row, sound: Sound) -> int:
    """Return how many bytes the file of a row will have, as far as the row tells."""
    if sound.is_original:
        return int(row.get("size_bytes") or 0)
    seconds, rate_hz = (row.get("duration_ms") or 0) / 1000, sound.rate_hz or row.get("sample_rate_hz") or 48_000
    channels = 1 if sound.mono else row.get("channels") or 2
    if sound.kind == "opus":
        return int(seconds * channels * _OPUS_BYTES_PER_S)
    return int(seconds * channels * rate_hz * _BYTES_PER_S[sound.kind])


class Plan:
    """The rows of a set, kept on disk until the set is written: what others write meanwhile changes nothing."""

    def __init__(self, spec: Spec, types: Types, folder: Path, shard_bytes: int | None) -> None:
        """Keep them in a file of the ``folder`` that goes with this process. Raises OSError.

        Without ``shard_bytes`` a shard ends where the first two digits of the names change.
        """
        self._shard_bytes = shard_bytes
        self.spec = spec
        self.types = public_types(types, spec.text)
        self._unlike_json = [name for name, kind in types.items() if kind in {"TIMESTAMP", "BYTES"}]
        self._without_nulls = set(self.types)
        self.left_out: Counter[str] = Counter()
        self.has_nulls: set[str] = set()
        """Columns that have no value in some row of the set."""
        self.crawl_ids: set[str] = set()
        self.rates_hz: set[int] = set()
        self.channels: set[int] = set()
        self.extensions: set[str] = set()
        """What there is of each among the files as they will be in the set."""
        self.as_of = ""
        """When a row of the set was last written."""
        self.since = ""
        """When a file of the set was first stored."""
        self.shards: list[Shard] = []
        self._connection = _unlinked(folder)
        self._groups = Groups(self._connection)
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def fill(self, rows: Iterable[Row]) -> None:
        """Take the rows, which are in the order of their hashes, and decide on each."""
        for row in rows:
            reason = reason_against(row, self.spec) or self._same_samples(row)
            if reason:
                self.left_out[reason] += 1
            else:
                self._take(row)
        self._divide()
        self._cut()

    def _same_samples(self, row: Row) -> str | None:
        if not row.get("pcm_hash"):
            return None
        inserted = self._connection.execute("INSERT OR IGNORE INTO samples VALUES (?)", (row["pcm_hash"],)).rowcount
        return None if inserted else SAME_SAMPLES

    def _take(self, row: Row) -> None:
        record = row | {name: plain(row[name]) for name in self._unlike_json if row.get(name) is not None}
        if self.spec.text:
            record[TEXT] = row.get(self.spec.text) or ""
        record.pop(TRANSCRIPT, None)  # it is no column of the collection
        nulls = {name for name in self._without_nulls if record.get(name) is None}
        self.has_nulls |= nulls
        self._without_nulls -= nulls
        self.crawl_ids |= {row["crawl_id"]} if row.get("crawl_id") else set()
        self.as_of = max(self.as_of, record.get("updated_at") or "")
        first_seen = record.get("first_seen_at") or ""
        self.since = min(filter(None, (self.since, first_seen)), default="")
        self._note_sound(row)
        own, keys = keys_of(row, self.spec)
        if len(self.spec.splits) > 1:
            self._groups.add(keys)
        payload = zlib.compress(json_text(record).encode("utf-8", "surrogatepass"), 1)
        first = f"{first_seen} {own}"
        size_bytes = planned_bytes(row, self.spec.sound)
        values = (self._number, row.get("duration_ms"), size_bytes, row.get("artist"), row.get("page_url"))
        self._connection.execute(
            "INSERT INTO rows (sha256, number, ms, size_bytes, artist, page, own, payload) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (row["sha256"], *values, first, payload),
        )
        self._number += 1

    def _note_sound(self, row: Row) -> None:
        sound = self.spec.sound
        if not sound.is_original:
            self.has_nulls |= {"bit_rate_bps", "bits_per_sample"} & self.types.keys()
        default_hz = OPUS_RATE_HZ if sound.kind == "opus" else row.get("sample_rate_hz")
        self.rates_hz |= {rate_hz} if (rate_hz := sound.rate_hz or default_hz) else set()
        self.channels |= {1 if sound.mono else row.get("channels") or 1}
        self.extensions |= {str(row.get(PRIVATE)).rpartition(".")[2] if sound.is_original else sound.kind}

    def _divide(self) -> None:
        """Give each row its split: the group is named by the member that was there first."""
        if len(self.spec.splits) == 1:
            self._connection.execute("UPDATE rows SET split = 0")
            return
        for number, own in self._connection.execute("SELECT number, own FROM rows"):
            self._groups.propose(number, own)
        places = {name: place for place, name in enumerate(self.spec.splits)}
        last = ""
        query = "SELECT sha256, number FROM rows WHERE sha256 > ? ORDER BY sha256 LIMIT 1000"
        while page := self._connection.execute(query, (last,)).fetchall():
            for sha256, number in page:
                split = split_of(self._groups.name(number).partition(" ")[2], self.spec)
                self._connection.execute("UPDATE rows SET split = ? WHERE sha256 = ?", (places[split], sha256))
            last = page[-1][0]

    def _cut(self) -> None:
        cuts: list[_Cut] = []
        for place in range(len(self.spec.splits)):
            cuts += self._cuts(place, len(cuts))
        of = Counter(cut.split for cut in cuts)
        seen: Counter[int] = Counter()
        for number, cut in enumerate(cuts):
            index, split = seen[cut.split], self.spec.splits[cut.split]
            seen[cut.split] += 1
            self.shards.append(
                Shard(number, split, index, of[cut.split], cut.bucket, cut.files, cut.digest.hexdigest())
            )

    def _cuts(self, place: int, first: int) -> list[_Cut]:
        """Divide a split into shards, the first of which has this number."""
        cuts: list[_Cut] = []
        for sha256, size_bytes, payload in self._pages("sha256, size_bytes, payload", "split = ?", place):
            bucket = "" if self._shard_bytes else sha256[:2]
            if not cuts or self._is_full(cuts[-1], bucket, size_bytes):
                cuts.append(_Cut(place, bucket))
            cut = cuts[-1]
            cut.files, cut.size_bytes = cut.files + 1, cut.size_bytes + size_bytes
            cut.digest.update(zlib.decompress(payload))
            number = first + len(cuts) - 1
            self._connection.execute("UPDATE rows SET shard = ? WHERE sha256 = ?", (number, sha256))
        return cuts

    def _is_full(self, cut: _Cut, bucket: str, size_bytes: int) -> bool:
        if self._shard_bytes is None:
            return bucket != cut.bucket
        return cut.size_bytes + size_bytes > self._shard_bytes

    def _records(self, condition: str, *values: Any) -> Iterator[tuple[str, Row]]:
        """Yield rows after their splits."""
        for _, place, payload in self._pages("sha256, split, payload", condition, *values):
            yield self.spec.splits[place], json.loads(zlib.decompress(payload))

    def _pages(self, columns: str, condition: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Yield columns, the first of which is the hash, a page at a time: rows may be changed meanwhile."""
        query = f"SELECT {columns} FROM rows WHERE {condition} AND sha256 > ? ORDER BY sha256 LIMIT 200"  # noqa: S608
        last = ""
        while page := self._connection.execute(query, (*values, last)).fetchall():
            yield from page
            last = page[-1][0]

    def rows(self, shard: Shard) -> Iterator[Row]:
        """Yield the rows of a shard in the order of their hashes."""
        return (row for _, row in self._records("shard = ?", shard.number))

    def all_rows(self) -> Iterator[tuple[str, Row]]:
        """Yield all rows of the set in the order of their hashes, each after its split."""
        return self._records("TRUE")

    def has(self, sha256: str | None) -> bool:
        """Tell whether a file is in the set."""
        return self._connection.execute("SELECT 1 FROM rows WHERE sha256 = ?", (sha256,)).fetchone() is not None

    @property
    def files(self) -> int:
        """How many files are in the set."""
        return sum(shard.files for shard in self.shards)

    @property
    def matched(self) -> int:
        """How many rows the expression holds for."""
        return self.files + self.left_out.total()

    @property
    def one_rate_hz(self) -> int | None:
        """The sample rate of all files; None where they differ."""
        return next(iter(self.rates_hz)) if len(self.rates_hz) == 1 else None

    def lengths(self) -> Iterator[tuple[str, str, int]]:
        """Yield the split, the hash and the milliseconds of each row of the set."""
        for sha256, place, ms in self._pages("sha256, split, ms", "TRUE"):
            yield self.spec.splits[place], sha256, ms or 0

    def leaks(self) -> list[str]:
        """Return a note for artists, and for pages, that are in several splits."""
        notes = []
        for column, singular in (("artist", "artist"), ("page", "page")):
            query = (
                f"SELECT {column}, COUNT(*) OVER () FROM rows WHERE {column} IS NOT NULL GROUP BY {column} "  # noqa: S608 - two names of ours
                f"HAVING COUNT(DISTINCT split) > 1 ORDER BY {column} LIMIT {NAMED}"
            )
            if found := self._connection.execute(query).fetchall():
                number = found[0][1]
                names = listed(name for name, _ in found) + (", ..." if number > len(found) else "")
                verb = "is" if number == 1 else "are"
                notes.append(f"{counted(number, singular)} {verb} on several sides (--split-by {singular}): {names}")
        return notes


def _unlinked(folder: Path) -> sqlite3.Connection:
    """Return a database whose file has no name any more, so that nothing is left of it whatever happens."""
    descriptor, name = mkstemp(dir=folder, prefix=".plan-")
    os.close(descriptor)
    connection = sqlite3.connect(name, isolation_level=None)
    for setting in _SETTINGS:
        connection.execute(f"PRAGMA {setting}")
    connection.executescript(_SCHEMA)
    connection.execute("BEGIN")
    Path(name).unlink()
    return connection
