"""Incomplete files on disk, and whether a response continues one (RFC 9110, section 15.3.7).

A part is resumed only with bytes of the same version of the file: equal validators and an equal total size.
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
"""Also accepts the spellings of some servers: ``bytes=0-9/10``, ``bytes 0 - 9 / 10``, ``0-9/10``."""
_KEPT_HEADERS = ("Content-Type", "Content-Disposition", "ETag", "Last-Modified")
WITH_FILE = frozenset({200, 201, 203, 206})
"""Statuses of responses with a file or a range of it."""
STRONG_AFTER_S = 1.0
"""A Last-Modified this much older than the response is a strong validator (section 8.8.2.2)."""
STRONG_AFTER_BY_OUR_CLOCK_S = 60.0


@dataclass(frozen=True, slots=True)
class ContentRange:
    """A parsed Content-Range; ``first`` and ``last`` are None without a range, ``total`` is None if unknown."""

    first: int | None
    last: int | None
    total: int | None

    @classmethod
    def of(cls, head: Head) -> "ContentRange | None":
        """Return the response's Content-Range, None if it is absent or invalid."""
        match = _RANGE.fullmatch(head.text("Content-Range").strip())
        if match is None:
            return None
        first, last, total = (_number(text) for text in match.group("first", "last", "total"))
        if first is not None and last is not None and last == total and head.length_bytes == last - first:
            last -= 1  # a common server bug: by its length the last byte is exclusive
        content = cls(first, last, total)
        return content if content.is_valid else None

    @property
    def size_bytes(self) -> int | None:
        """Return the size of the range, None if unknown."""
        return None if self.first is None or self.last is None else self.last - self.first + 1

    @property
    def is_whole(self) -> bool:
        """Return whether the range is the whole file."""
        return self.first == 0 and self.total is not None and self.size_bytes == self.total

    @property
    def is_valid(self) -> bool:
        """Return whether the bytes are in order and within the total."""
        if self.first is None or self.last is None:
            return True
        return self.first <= self.last and (self.total is None or self.last < self.total)


@dataclass(frozen=True, slots=True)
class Version:
    """The validators and size that identify one version of a file."""

    etag: str = ""
    last_modified: str = ""
    is_time_strong: bool = False
    total_bytes: int | None = None
    headers: dict[str, str] = field(default_factory=dict, compare=False)
    """The headers that describe the file, from the response with its first bytes."""

    @classmethod
    def of(cls, head: Head, total_bytes: int | None) -> "Version":
        """Return the version of a response."""
        kept = {name: head.text(name) for name in _KEPT_HEADERS if name in head.headers}
        modified = head.text("Last-Modified")
        return cls(head.text("ETag"), modified, _is_older(modified, head.text("Date")), total_bytes, kept)

    @property
    def if_range(self) -> str:
        """Return the strong validator for an If-Range header, or an empty string."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified if self.is_time_strong else ""

    def is_continued_by(self, head: Head, total_bytes: int | None) -> bool:
        """Return whether a response to ``if_range`` is of this version: a validator matches, and none differs."""
        if self.total_bytes is not None and total_bytes is not None and self.total_bytes != total_bytes:
            return False
        pairs = ((self.etag, head.text("ETag")), (self.last_modified, head.text("Last-Modified")))
        compared = [(had, got) for had, got in pairs if had and got]
        # A weak ETag alone would not suffice: here the server has also met the condition on Last-Modified.
        return bool(self.if_range and compared) and all(had == got for had, got in compared)


@dataclass(slots=True)
class Part:
    """A part file with its version beside it; ``version`` is None while it cannot be resumed."""

    path: Path
    version: Version | None = None

    @classmethod
    def at(cls, path: Path) -> "Part":
        """Return the part that an earlier transfer left at ``path``; one without a version is removed."""
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
        """Return the path of the version file."""
        return self.path.with_suffix(".version")

    @property
    def size_bytes(self) -> int:
        """Return the size of the part file, 0 if there is none."""
        return self.path.stat().st_size if self.path.exists() else 0

    def is_missing(self, size_bytes: int | None) -> bool:
        """Return whether exactly ``size_bytes`` are missing: some servers send the rest with status 200."""
        total_bytes = self.version.total_bytes if self.version is not None else None
        if total_bytes is None or size_bytes is None or not self.size_bytes:
            return False
        return self.size_bytes + size_bytes == total_bytes

    def range_headers(self) -> dict[str, str]:
        """Return the headers that request the rest; none if there is nothing to resume."""
        if self.version is None:
            return {}
        condition = {"If-Range": self.version.if_range} if self.version.if_range else {}
        return {"Range": f"bytes={self.size_bytes}-", **condition}

    def keep(self) -> None:
        """Keep the part for a later transfer if it has a strong validator, else drop it."""
        if self.size_bytes:
            self.note_version()
        if not self.size_bytes or self.version is None or not self.version.if_range:
            self.drop()

    def note_version(self) -> None:
        """Write the version file, so that the part can be resumed even if the process is killed."""
        if self.version is not None and self.version.if_range:
            self.version_path.write_text(json.dumps(asdict(self.version)), encoding="utf-8")

    def drop(self) -> None:
        """Delete the part and its version."""
        self.version = None
        for path in (self.path, self.version_path):
            with suppress(FileNotFoundError):
                path.unlink()

    def move_to(self, path: Path) -> None:
        """Move the complete file to ``path``."""
        self.path.replace(path)
        self.drop()


def is_part(head: Head, content: ContentRange | None) -> bool:
    """Return whether a status 200 response contains only part of the file, as some servers send it."""
    if content is None or content.total is None or content.size_bytes is None:
        return False
    return content.size_bytes < content.total and head.length_bytes == content.size_bytes


def _number(text: str | None) -> int | None:
    return int(text) if text and text != "*" else None


def _is_older(modified: str, date: str) -> bool:
    """Return whether Last-Modified is older than the response, by the server's clock or, without a Date, by ours."""
    try:
        modified_at = parsedate_to_datetime(modified)
        answered_at = parsedate_to_datetime(date) if date else datetime.now(UTC)
        age_s = (answered_at - modified_at).total_seconds()
    except (ValueError, TypeError):
        return False
    return age_s >= (STRONG_AFTER_S if date else STRONG_AFTER_BY_OUR_CLOCK_S)
