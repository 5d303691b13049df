"""Tombstones of takedowns, and marks on rows whose stored file is damaged and fetched again."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from audiocrawler.model.addresses import plain_host
from audiocrawler.model.members import split_member
from audiocrawler.model.rotation import row_key
from audiocrawler.model.rows import MAX_URL_LENGTH, AudioSource
from audiocrawler.model.statuses import Status
from audiocrawler.model.text import mask_url, storable_url
from audiocrawler.model.urls import one_spelling

_HASH, _HOST = "sha256:", "host:"


def hash_mark(sha256: str) -> str:
    """Return the source_url of the tombstone for content with this hash."""
    return _HASH + sha256


def host_mark(host: str) -> str:
    """Return the source_url of the tombstone for a host."""
    return _HOST + plain_host(host)


def tombstone(
    mark: str, reason: str, *, first_seen_at: datetime | None = None, found: AudioSource | None = None
) -> AudioSource:
    """Return the tombstone for a masked audio URL or a mark, with only the columns that block it from then on.

    Of a row that was ``found`` these include what identifies its file under another URL.
    """
    now = datetime.now(UTC)
    return AudioSource(
        source_url=mark,
        host=urlsplit(mark).hostname,
        guid=found.guid if found else None,
        url_pattern=found.url_pattern if found else None,
        status=Status.TAKEN_DOWN,
        reason=reason,
        last_status=Status.TAKEN_DOWN,
        last_attempt_at=now,
        first_seen_at=first_seen_at or now,
        last_seen_at=now,
    )


def is_tombstone(row: AudioSource) -> bool:
    """Return whether the row is a tombstone."""
    return row.status == Status.TAKEN_DOWN


def hash_taken_down(row: AudioSource) -> str | None:
    """Return the SHA-256 of the content that the row takes down, None for any other row."""
    return row.source_url.removeprefix(_HASH) if is_tombstone(row) and row.source_url.startswith(_HASH) else None


def source_marks(url: str) -> frozenset[str]:
    """Return the keys under which a URL's row may be found, for any spelling and any rotating parts.

    Secrets are masked both as written and as they would be without needless escapes.
    """
    url, member = split_member(url)
    keys = (key for each in (url, one_spelling(url)) for key in (mask_url(each), row_key(each)))
    return frozenset(
        f"{one_spelling(storable_url(key, MAX_URL_LENGTH))}{f'#{member}' if member else ''}" for key in keys
    )


def spelling_of(source_url: str) -> str:
    """Return a row's key in one spelling, that of an archive's member included."""
    url, member = split_member(source_url)
    return f"{one_spelling(url)}#{member}" if member else one_spelling(url)


def archive_of(source_url: str) -> str | None:
    """Return the key of the archive in one spelling, None if the row is not that of a member."""
    url, member = split_member(source_url)
    return one_spelling(url) if member else None


class Tombstones:
    """What a crawl must not fetch again; ``marks`` are the source_urls of the tombstones."""

    def __init__(self, marks: Iterable[str] = ()) -> None:
        self._marks = frozenset(spelling_of(mark) for mark in marks)

    def covers(self, url: str) -> str | None:
        """Return why ``url`` may not be requested, in one line; None if it may."""
        if not self._marks:
            return None
        host = urlsplit(one_spelling(url)).hostname or ""
        if host_mark(host) in self._marks:
            return f"host {host} was taken down"
        return "was taken down" if self.has_row(url) else None

    def has_row(self, url: str) -> bool:
        """Return whether this URL, masked or not, in any spelling and with any signature, was taken down.

        So is a member of an archive that was.
        """
        archive_url, member = split_member(url)
        marks = source_marks(url) | (source_marks(archive_url) if member else frozenset())
        return not self._marks.isdisjoint(marks)

    def has_content(self, sha256: str | None) -> bool:
        """Return whether the content with this hash was taken down."""
        return sha256 is not None and hash_mark(sha256) in self._marks


MARK = "verify: "
"""Prefix of ``last_error`` in the row of a damaged file."""


def marked(row: AudioSource, why: str) -> AudioSource:
    """Return the row with ``why`` its file is damaged and without validators, so that it is fetched again.

    The status still describes what is stored. The validators are empty, because NULL would keep the old ones.
    """
    reason = f"{MARK}{why}"
    return replace(row, reason=reason, last_status=Status.FAILED, last_error=reason, etag="", last_modified="")


def mark_of(row: AudioSource) -> str | None:
    """Return why the row's file is to be fetched again, None if it is not."""
    is_marked = row.last_status == Status.FAILED and (row.last_error or "").startswith(MARK)
    return (row.last_error or "").removeprefix(MARK) if is_marked else None
