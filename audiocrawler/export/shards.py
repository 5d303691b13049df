"""A plan and what makes entries in; the shards of the set, each whole or not there, and a record of each, out."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import ClassVar, Protocol

from audiocrawler import __version__
from audiocrawler.export.columns import json_text
from audiocrawler.export.entries import Entry, LeftOutError, Workshop
from audiocrawler.export.folder import OWN, Folder, Made
from audiocrawler.export.plan import Plan, Shard

RECORDS, STALE, PAPERS = f"{OWN}/shards", f"{OWN}/stale", f"{OWN}/papers"


class Format(Protocol):
    """A layout of sets."""

    name: ClassVar[str]
    has_audio: ClassVar[bool]
    max_bytes: ClassVar[int | None]
    """Of one file; None where it may be of any size."""
    shard_bytes: ClassVar[int | None]
    """Of a shard; None where files stand in folders, each of which is a shard."""
    needs: ClassVar[str | None]
    """The package that must be installed, None where none must."""

    def write(self, plan: Plan, shard: Shard, entries: Iterator[Entry], folder: Folder) -> None:
        """Write the files of a shard; what is in them and in which order is all told by plan and entries."""
        ...

    def finish(self, plan: Plan, records: "Sequence[Record]", folder: Folder) -> None:
        """Write what belongs to the whole set, when all shards are there."""
        ...


@dataclass(slots=True)
class Record:
    """What became of a shard."""

    digest: str
    files: list[Made] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    """Reason -> hashes of objects that had to be in it and are not."""

    @property
    def left(self) -> int:
        """How many those are."""
        return sum(map(len, self.left_out.values()))

    @classmethod
    def read(cls, folder: Folder, label: str) -> "Record | None":
        """Return the record of a shard; None where there is none, or none that can be read."""
        try:
            read = json.loads((folder.path / RECORDS / f"{label}.json").read_text("utf-8"))
            return cls(read["digest"], [Made(**made) for made in read["files"]], read["left_out"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, folder: Folder, label: str) -> None:
        """Write it, after all that it tells of."""
        Folder(folder.path).write(f"{RECORDS}/{label}.json", json_text(asdict(self)))


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of the shards this process writes: the third of a hundred, as people count."""

    number: int = 1
    of: int = 1

    def has(self, shard: Shard) -> bool:
        """Tell whether a shard is in it."""
        return shard.number % self.of == self.number - 1


@dataclass(frozen=True, slots=True)
class Writing:
    """The writing of a set."""

    plan: Plan
    format: Format
    workshop: Workshop
    folder: Folder

    def digest_of(self, shard: Shard) -> str:
        """Return the digest of all that decides on the bytes of a shard."""
        plan = self.plan
        how = [
            __version__,
            self.format.name,
            asdict(plan.spec.sound),
            dict(plan.types),
            sorted(plan.has_nulls),
            [shard.digest, shard.label],
        ]
        return blake2b(json_text(how).encode(), digest_size=16).hexdigest()

    def done(self, shard: Shard) -> Record | None:
        """Return the record of a shard that is there as the plan wants it, whatever had to be left out; else None."""
        record = Record.read(self.folder, shard.label)
        is_current = record is not None and record.digest == self.digest_of(shard)
        return record if record and is_current and all(map(self.folder.has, record.files)) else None

    def write(self, part: Part, advance: Callable[[int, int], None]) -> None:
        """Write the shards of a part that are not there yet. Raises OSError.

        ``advance`` is told after each file how many are done, and of how many bytes.
        """
        for shard in filter(part.has, self.plan.shards):
            record = self.done(shard)
            if record and not record.left_out:
                advance(shard.files, 0)
            else:
                self._write(shard, advance)

    def _write(self, shard: Shard, advance: Callable[[int, int], None]) -> None:
        (self.folder.path / "dataset.json").unlink(missing_ok=True)  # it says that the set is whole
        before = Record.read(self.folder, shard.label)
        folder, record = Folder(self.folder.path), Record(self.digest_of(shard))
        entries = self._entries(shard, record, advance)
        self.format.write(self.plan, shard, entries, folder)
        record.files = folder.made
        self._note_stale(before)
        record.write(folder, shard.label)

    def _note_stale(self, record: Record | None) -> None:
        """Remember the files of a shard as it was: once all shards are there, it shows which no longer belong."""
        if record and record.files:
            with (self.folder.path / STALE).open("a", encoding="utf-8") as file:
                file.writelines(f"{made.path}\n" for made in record.files)

    def _entries(self, shard: Shard, record: Record, advance: Callable[[int, int], None]) -> Iterator[Entry]:
        for row in self.plan.rows(shard):
            with ExitStack() as stack:
                try:
                    entry = stack.enter_context(self.workshop.entry(row))
                except LeftOutError as error:
                    record.left_out.setdefault(str(error), []).append(row["sha256"])
                    advance(1, 0)
                    continue
                yield entry
                advance(1, entry.size_bytes)

    def records(self) -> list[Record] | None:
        """Return the records of all shards in order; None while some are not there, which others may still write."""
        records = [self.done(shard) for shard in self.plan.shards]
        return None if None in records else [record for record in records if record]

    def note_papers(self, papers: Iterable[Made]) -> None:
        """Keep the names of what belongs to the whole set; those that were there before and are not any more go."""
        path, names = self.folder.path / PAPERS, {made.path for made in papers}
        before = set(path.read_text("utf-8").splitlines()) if path.exists() else set()
        for name in before - names:
            self.folder.remove(name)
        path.write_text("\n".join(sorted(names)), "utf-8")

    def remove_others(self, records: Iterable[Record]) -> None:
        """Delete what is no longer in the set, be it of other shards or papers, and what interrupted runs have left."""
        labels = {shard.label for shard in self.plan.shards}
        for path in (self.folder.path / RECORDS).glob("*.json"):
            if path.stem not in labels:
                self._note_stale(Record.read(self.folder, path.stem))
                path.unlink()
        stale = self.folder.path / STALE
        if stale.exists():
            current = {made.path for record in records for made in record.files}
            for name in set(stale.read_text("utf-8").splitlines()) - current:
                self.folder.remove(name)
            stale.unlink()
        for path in self.folder.path.rglob(".*.part"):
            path.unlink(missing_ok=True)


def left_out_of(records: Iterable[Record]) -> Counter[str]:
    """Return how many files had to be in the set and are not, by reason."""
    left_out: Counter[str] = Counter()
    for record in records:
        left_out.update({reason: len(hashes) for reason, hashes in record.left_out.items()})
    return left_out
