"""What a set is to be, rows and objects in; the set with its papers, and what it came to in one line, out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

from audiocrawler.export.card import write_card
from audiocrawler.export.core import counted, listed
from audiocrawler.export.croissant import write_croissant
from audiocrawler.export.folder import OWN, Folder
from audiocrawler.export.papers import counts, write_attribution, write_dataset
from audiocrawler.export.plan import Plan
from audiocrawler.export.shards import Part, Record, Writing, left_out_of
from audiocrawler.model.errors import ConfigurationError, ExportError, LockedError
from audiocrawler.model.locks import lock, open_locked

MANY_FILES = 100_000
"""Files in folders, above which the file system and the Hub get slow."""
_MARK = f"{OWN}/format"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    line: str
    is_whole: bool = False
    """Whether all shards are there, and the papers with them."""
    failed: int = 0
    """Files that had to be in the set and are not."""
    numbers: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def opened_folder(path: Path, format_name: str, part: Part) -> tuple[Folder, IO[bytes]]:
    """Return the folder of a set, created if needed, and the lock on this part of the work.

    Raises ConfigurationError where something else is in the folder, and LockedError where the same work is under way.
    """
    try:
        _refuse_other(path, format_name)
        (path / OWN).mkdir(parents=True, exist_ok=True)
        _mark(path, format_name)
        locked = open_locked(path / OWN / f"lock-{part.number}-of-{part.of}")
    except OSError as error:
        raise ConfigurationError(f"--out {path}: {error.strerror}; make it writable or name another folder") from error
    if locked is None:
        raise LockedError(f"--out {path}: another export writes into it; wait for its end")
    return Folder(path), locked


def _refuse_other(path: Path, format_name: str) -> None:
    if path.exists() and not path.is_dir():
        raise ConfigurationError(f"--out {path}: is a file; name a folder")
    has_others = path.exists() and any(each.name != OWN for each in path.iterdir())
    mark = path / _MARK  # looked for last: another part may be just making the folder
    if not mark.exists():
        if not has_others:
            return
        raise ConfigurationError(f"--out {path}: has files that no export has written; name another folder")
    if (found := mark.read_text("utf-8")) != format_name:
        raise ConfigurationError(f"--out {path}: has a set in the format {found}; name another folder or delete it")


def _mark(path: Path, format_name: str) -> None:
    """Say what the folder is for: whole at once, since the parts of one work begin at the same time."""
    with NamedTemporaryFile("w", encoding="utf-8", dir=path / OWN, prefix=".format-", delete=False) as file:
        file.write(format_name)
    Path(file.name).replace(path / _MARK)


def make(writing: Writing, part: Part, advance: Callable[[int, int], None], about: dict[str, str]) -> Outcome:
    """Write the shards of a part, and the papers where all shards are there then. Raises ExportError."""
    folder = writing.folder
    try:
        writing.write(part, advance)
        records = writing.records()
        if records is None:
            done = sum(writing.done(shard) is not None for shard in writing.plan.shards)
            shards = counted(len(writing.plan.shards), "shard")
            return Outcome(f"{done} of {shards} are there; the part that writes the last one writes the papers")
        numbers = _finish(writing, records, about)
    except OSError as error:
        where = error.filename or folder.path
        raise ExportError(f"{where}: {error.strerror or error}; mend that and run the same command again") from error
    failed = left_out_of(records).total()
    return Outcome(_line(writing.plan, numbers), True, failed, numbers, warnings(writing.plan, numbers))


def _finish(writing: Writing, records: list[Record], about: dict[str, str]) -> dict[str, Any]:
    """Write the papers, and return how many files are in the set; raises OSError.

    Of several parts that end at the same time each finds all shards there: they take turns, and write the same.
    """
    plan, papers = writing.plan, Folder(writing.folder.path)
    with (papers.path / OWN / "lock-papers").open("ab") as turn:
        lock(turn, wait=True)
        writing.remove_others(records)
        numbers = counts(plan, records)
        writing.format.finish(plan, records, papers)
        write_attribution(plan, records, papers)
        write_croissant(plan, records, numbers, papers)
        write_card(plan, records, numbers, about, papers)
        write_dataset(plan, records, numbers, papers)
        writing.note_papers(papers.made)
    return numbers


def _line(plan: Plan, numbers: dict[str, Any]) -> str:
    """Return what an auditor asks."""
    splits = listed(f"{name} {each['files']:,}" for name, each in numbers["splits"].items())
    left_out = listed(f"{number:,} {reason}" for reason, number in numbers["left_out"].items())
    parts = [
        f"{counted(numbers['files'], 'file')}, {numbers['hours']:,.1f} h -> {splits}",
        f"left out: {left_out}" if left_out else "",
        *plan.leaks(),
    ]
    return "; ".join(filter(None, parts))


def warnings(plan: Plan, numbers: dict[str, Any]) -> list[str]:
    """Return what the user may not expect of the set, a line each."""
    found = []
    files = numbers["files"]
    for (name, each), share in zip(numbers["splits"].items(), plan.spec.shares, strict=True):
        if files and abs(each["files"] - files * share / 100) > files * share / 200:
            wanted = f"{share} % of {counted(files, 'file')}"
            found.append(
                f"{name} has {each['files']:,}, and {wanted} were asked for: groups are not divided, see --split-by"
            )
    return found + _of_sound(plan, files)


_FOLDERS = ("audiofolder", "lhotse", "nemo")


def _of_sound(plan: Plan, files: int) -> list[str]:
    name, found = plan.spec.format, []
    if name == "webdataset" and len(plan.extensions) > 1:
        found.append(
            "several kinds of files, of which `datasets` takes the first one only: --audio flac makes one of them"
        )
    if name.startswith(("lhotse", "nemo")) and len(plan.rates_hz) > 1:
        found.append(f"{len(plan.rates_hz)} sample rates: --audio flac --rate 16000 makes one of them")
    if name.startswith("nemo") and plan.channels != {1}:
        found.append("some files have several channels, which NeMo reads as one: --audio flac --mono makes one of them")
    if name in _FOLDERS and files > MANY_FILES:
        found.append(f"{files:,} files in folders are slow to copy and to list: --format hf has them in a few")
    return found
