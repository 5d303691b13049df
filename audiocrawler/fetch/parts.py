"""Parts of files on disk: of what they are parts, and whether an answer continues one (RFC 9110, section 15.3.7).

A part is continued only by bytes of the very same version of the file: equal validators, and an equal total.
"""

import json
import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from audiocrawler.fetch.curl import Head

_RANGE = re.compile(
    r"(?:bytes\s*[\s=:]\s*)?(?:(?P<first>\d+)\s*-\s*(?P<last>\d+)|\*)\s*/\s*(?P<total>\d+|\*)", re.IGNORECASE
)
"""Also as some servers spell it: ``bytes=0-9/10``, ``bytes 0 - 9 / 10``, ``0-9/10``."""
_KEPT_HEADERS = ("Content-Type", "Content-Disposition", "ETag", "Last-Modified")
WITH_FILE = frozenset({200, 201, 203, 206})
"""Statuses of answers that bring a file, or a part of it."""
STRONG_AFTER_S = 1.0
"""A Last-Modified so much older than the answer is a strong validator (section 8.8.2.2)."""
STRONG_AFTER_BY_OUR_CLOCK_S = 60.0


@dataclass(frozen=True, slots=True)
class ContentRange:
    """Which bytes of how many an answer carries; ``first`` is None for none, ``total`` where it is not told."""

    first: int | None
    last: int | None
    total: int | None

    @classmethod
    def of(cls, head: Head) -> "ContentRange | None":
        """Return the answer's Content-Range, None for none or one that makes no sense."""
        match = _RANGE.fullmatch(head.text("Content-Range").strip())
        if match is None:
            return None
        first, last, total = (_number(text) for text in match.group("first", "last", "total"))
        if first is not None and last is not None and last == total and head.length_bytes == last - first:
            last -= 1  # a common mistake: the length shows that the last byte is meant to be excluded
        content = cls(first, last, total)
        return content if content.makes_sense else None

    @property
    def size_bytes(self) -> int | None:
        """Return how many bytes the answer carries, None if that is not told."""
        return None if self.first is None or self.last is None else self.last - self.first + 1

    @property
    def is_whole(self) -> bool:
        """Return whether the range is all of the file."""
        return self.first == 0 and self.total is not None and self.size_bytes == self.total

    @property
    def makes_sense(self) -> bool:
        """Return whether the bytes are in order and within the total."""
        if self.first is None or self.last is None:
            return True
        return self.first <= self.last and (self.total is None or self.last < self.total)


@dataclass(frozen=True, slots=True)
class Version:
    """What tells one version of a file from another."""

    etag: str = ""
    last_modified: str = ""
    is_time_strong: bool = False
    total_bytes: int | None = None
    headers: dict[str, str] = field(default_factory=dict, compare=False)
    """Those of the answer that brought the first bytes, and that describe the file."""

    @classmethod
    def of(cls, head: Head, total_bytes: int | None) -> "Version":
        """Return the version that an answer speaks of."""
        kept = {name: head.text(name) for name in _KEPT_HEADERS if name in head.headers}
        modified = head.text("Last-Modified")
        return cls(head.text("ETag"), modified, _is_older(modified, head.text("Date")), total_bytes, kept)

    @property
    def if_range(self) -> str:
        """Return the strong validator by which a server can tell this version, an empty string for none."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified if self.is_time_strong else ""

    def is_continued_by(self, head: Head, total_bytes: int | None) -> bool:
        """Return whether an answer to ``if_range`` is of this version: a validator agrees, and none differs."""
        if self.total_bytes is not None and total_bytes is not None and self.total_bytes != total_bytes:
            return False
        pairs = ((self.etag, head.text("ETag")), (self.last_modified, head.text("Last-Modified")))
        told = [(had, got) for had, got in pairs if had and got]
        # A weak ETag alone would not do: here the server has also met the condition that the time has not changed.
        return bool(self.if_range and told) and all(had == got for had, got in told)


@dataclass(slots=True)
class Part:
    """A part file and, beside it, the version that it is a part of; ``version`` is None while it cannot be resumed."""

    path: Path
    version: Version | None = None

    @classmethod
    def at(cls, path: Path) -> "Part":
        """Return the part at ``path`` as an earlier transfer has left it; what has no version is removed."""
        part = cls(path)
        try:
            part.version = Version(**json.loads(part.version_path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            part.drop()
        if part.version is not None and not part.size_bytes:
            part.drop()
        return part

    @property
    def version_path(self) -> Path:
        """Return where the version is kept."""
        return self.path.with_suffix(".version")

    @property
    def size_bytes(self) -> int:
        """Return how many bytes are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def is_lacking(self, size_bytes: int | None) -> bool:
        """Return whether just so many bytes are missing: some servers send the rest with the status of the whole."""
        total_bytes = self.version.total_bytes if self.version is not None else None
        if total_bytes is None or size_bytes is None or not self.size_bytes:
            return False
        return self.size_bytes + size_bytes == total_bytes

    def range_headers(self) -> dict[str, str]:
        """Return the headers that ask for the rest; none where there is nothing to go on with."""
        if self.version is None:
            return {}
        condition = {"If-Range": self.version.if_range} if self.version.if_range else {}
        return {"Range": f"bytes={self.size_bytes}-", **condition}

    def keep(self) -> None:
        """Let a later transfer go on with the part, if its version can be told again; else drop it."""
        if self.size_bytes:
            self.note_version()
        if not self.size_bytes or self.version is None or not self.version.if_range:
            self.drop()

    def note_version(self) -> None:
        """Write the version down, so that the part can be resumed even if the process is killed."""
        if self.version is not None and self.version.if_range:
            self.version_path.write_text(json.dumps(asdict(self.version)), encoding="utf-8")

    def drop(self) -> None:
        """Remove the part."""
        self.version = None
        for path in (self.path, self.version_path):
            with suppress(FileNotFoundError):
                path.unlink()

    def become(self, path: Path) -> None:
        """Move the whole file to ``path``."""
        self.path.replace(path)
        self.drop()


def is_part(head: Head, content: ContentRange | None) -> bool:
    """Return whether an answer with status 200 carries only part of the file, as some servers give it."""
    if content is None or content.total is None or content.size_bytes is None:
        return False
    return content.size_bytes < content.total and head.length_bytes == content.size_bytes


def _number(text: str | None) -> int | None:
    return int(text) if text and text != "*" else None


def _is_older(modified: str, date: str) -> bool:
    """Return whether a Last-Modified is older than the answer, by the server's clock or, where it has none, by ours."""
    try:
        modified_at = parsedate_to_datetime(modified)
        answered_at = parsedate_to_datetime(date) if date else datetime.now(UTC)
        age_s = (answered_at - modified_at).total_seconds()
    except (ValueError, TypeError):
        return False
    return age_s >= (STRONG_AFTER_S if date else STRONG_AFTER_BY_OUR_CLOCK_S)
