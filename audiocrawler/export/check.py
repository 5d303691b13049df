"""A set and the collection as it is now in; what of the set may not stay, a finding for each file, out."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiocrawler.export.columns import Row
from audiocrawler.export.folder import hash_of
from audiocrawler.export.papers import ATTRIBUTION, DATASET
from audiocrawler.model.errors import ConfigurationError

COLUMNS = ("sha256", "license", "license_conflict", "opt_out")
"""What is asked of the collection."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a file that was not so when the set was made."""

    subject: str
    """The hash of an object, or the path of a file of the set."""
    problem: str
    detail: str = ""

    def text(self) -> str:
        """Return it in one line."""
        return f"{self.subject}: {self.problem}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, slots=True)
class PublishedSet:
    """A set that was written before."""

    path: Path
    about: dict[str, Any]
    """What its dataset.json says."""

    @classmethod
    def read(cls, path: Path) -> "PublishedSet":
        """Return the set in a folder; raises ConfigurationError where there is none that is whole."""
        try:
            about = json.loads((path / DATASET).read_text("utf-8"))
            dict(about["files"])
            (path / ATTRIBUTION).stat()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"--check {path}: no whole set is there ({error}); name a folder that `scrapy export` has written"
            ) from error
        return cls(path, about)

    def damaged(self, advance: Callable[[int, int], None]) -> Iterator[Finding]:
        """Yield the files that are not as they were written; all of their bytes are read."""
        for name, made in self.about["files"].items():
            problem = self._problem_with(self.path / name, made["sha256"])
            if problem:
                yield Finding(name, problem)
            advance(1, made["size_bytes"])

    def _problem_with(self, path: Path, expected: str) -> str | None:
        if not path.resolve().is_relative_to(self.path.resolve()):
            return "is not in the folder"
        try:
            return None if hash_of(path) == expected else "has changed"
        except OSError as error:
            return f"cannot be read: {error.strerror}"

    def withdrawn(self, rows: Iterable[Row], was_taken_down: Callable[[str, str], bool]) -> Iterator[Finding]:
        """Yield the files that the collection has no longer, or not on the same terms.

        ``rows`` are those of the collection by their hashes; ``was_taken_down`` is asked about the hash and the
        source_url of those that are gone.
        """
        now = iter(rows)
        row = next(now, None)
        for line in self._lines():
            while row is not None and row["sha256"] < line["sha256"]:
                row = next(now, None)
            if row is None or row["sha256"] != line["sha256"]:
                is_down = was_taken_down(line["sha256"], line["source_url"])
                yield Finding(
                    line["sha256"], "taken down" if is_down else "gone from the collection", line["source_url"]
                )
            else:
                yield from self._changes(line, row)

    def _changes(self, line: dict[str, str], row: Row) -> Iterator[Finding]:
        if row.get("opt_out") and "opted-out" not in self.about.get("with", ()):
            yield Finding(line["sha256"], "opted out", str(row["opt_out"]))
        now = row.get("license") or ""
        if now != line["license"]:
            stated = "several" if row.get("license_conflict") else "none"
            yield Finding(line["sha256"], "relicensed", f"from {line['license'] or 'none'} to {now or stated}")

    def _lines(self) -> Iterator[dict[str, str]]:
        """Yield the attribution, which is in the order of the hashes."""
        with (self.path / ATTRIBUTION).open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
