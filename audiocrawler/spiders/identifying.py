"""Decide which row a found URL belongs to: its own, or that of a known file whose URL has changed.

A row is matched by its key, by the feed's guid, or by the pattern of its URL. If these leave doubt, the bytes decide:
the row is kept if they are the same, else the URL gets a row of its own.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from audiocrawler.crawl.crawl import Crawl
from audiocrawler.discovery import Candidate
from audiocrawler.discovery.urls import strip_trackers
from audiocrawler.fetch.requests import OWN_KEY, TRUST
from audiocrawler.model.marks import is_tombstone
from audiocrawler.model.rotation import ANY, file_name_of, names_file, pattern_of, row_key
from audiocrawler.model.rows import AudioSource
from audiocrawler.warehouse.rows import clean_url


class Trust(Enum):
    """Which validators of another URL are valid for this one."""

    STRONG = "strong"
    NONE = "none"


class _Verdict(Enum):
    SAME = "the same file"
    MAYBE = "the bytes decide"
    OTHER = "another file"


@dataclass(slots=True)
class Found:
    """A candidate, its row, and what is uncertain about the match."""

    candidate: Candidate
    source: AudioSource
    own_key: str | None = None
    trust: Trust | None = None
    is_taken_down: bool = False

    @property
    def meta(self) -> dict[str, str]:
        """Return the meta for the request."""
        given = {OWN_KEY: self.own_key, TRUST: self.trust and self.trust.value}
        return {name: value for name, value in given.items() if value is not None}


async def identify(crawl: Crawl, finds: Sequence[Found], *, may_doubt: bool) -> None:
    """Give each source the key of its row; without ``may_doubt`` only if the match is certain."""
    _drop_common_guids(finds)
    _tell_apart(finds)
    for each in finds:
        pattern = pattern_of(each.candidate.url)
        each.source.url_pattern = pattern if ANY in pattern else None
    open_finds = [each for each in finds if each.source.guid or each.source.url_pattern]
    if not open_finds:
        return
    related = await crawl.related_sources([each.source for each in open_finds])
    matches = list(_matches(open_finds, related, {each.source.source_url for each in finds}))
    often = Counter(row.source_url for _, (row, _) in matches)
    for each, (row, verdict) in matches:
        if often[row.source_url] == 1:
            _assign_row(each, row, verdict, may_doubt=may_doubt)


def _matches(
    finds: Sequence[Found], related: Sequence[list[AudioSource] | None], claimed: set[str]
) -> Iterator[tuple[Found, tuple[AudioSource, _Verdict]]]:
    """Yield the row that each find without a row of its own may match; rows of other finds are excluded."""
    for each, rows in zip(finds, related, strict=True):
        if rows and (match := _match(each, [row for row in rows if row.source_url not in claimed], finds)):
            yield each, match


def _tell_apart(finds: Sequence[Found]) -> None:
    """Give URLs that differ only in what seems to rotate separate keys, unless they are one file."""
    by_key: dict[str, list[Found]] = {}
    for each in finds:
        by_key.setdefault(each.source.source_url, []).append(each)
    for same in by_key.values():
        if len({each.candidate.url for each in same}) > 1 and not _is_named_as_one(same):
            for each in same:
                each.source.source_url = clean_url(row_key(each.candidate.url, only_sure=True))


def _is_named_as_one(finds: Sequence[Found]) -> bool:
    guids, groups = {each.source.guid for each in finds}, {each.candidate.group for each in finds}
    return any(len(names) == 1 and None not in names for names in (guids, groups))


def _drop_common_guids(finds: Sequence[Found]) -> None:
    """Ignore guids that several items of the document share: they identify nothing."""
    items: dict[str, set[str]] = {}
    for each in finds:
        if each.source.guid:
            items.setdefault(each.source.guid, set()).add(each.candidate.group or each.candidate.url)
    for each in finds:
        if each.source.guid and len(items[each.source.guid]) > 1:
            each.source.guid = None


def label_of(source: AudioSource) -> str | None:
    """Return the file's name in the document: its title or link text."""
    return source.title or source.link_text


def _match(find: Found, rows: list[AudioSource], finds: Sequence[Found]) -> tuple[AudioSource, _Verdict] | None:
    source = find.source
    if source.guid and (row := _of_guid(find, [row for row in rows if row.guid == source.guid], finds)):
        return row, _verdict_by_guid(find, row)
    if source.url_pattern is None:
        return None
    alike = [row for row in rows if row.url_pattern == source.url_pattern and _may_be_guid(row, source)]
    return _of_pattern(find, alike, [each for each in finds if each.source.url_pattern == source.url_pattern])


def _may_be_guid(row: AudioSource, source: AudioSource) -> bool:
    return row.guid is None or source.guid is None or row.guid == source.guid


def _of_guid(find: Found, rows: list[AudioSource], finds: Sequence[Found]) -> AudioSource | None:
    """Return the item's row for this file: an item may offer several formats."""
    pattern = pattern_of(find.candidate.url)
    for alike in (
        [row for row in rows if _pattern(row) == pattern],
        [row for row in rows if _file_name(row.source_url) == _file_name(find.candidate.url)],
    ):
        if alike:
            return alike[0] if len(alike) == 1 else _of_one_content(alike)
    is_only = sum(each.source.guid == find.source.guid for each in finds) == 1
    return rows[0] if is_only and len(rows) == 1 else None


def _verdict_by_guid(find: Found, row: AudioSource) -> _Verdict:
    """Return how far to trust a guid: some feeds reuse one for another episode."""
    source = find.source
    titles, times = _agree(source.title, row.title), _agree(source.published_at, row.published_at)
    only_rotates = pattern_of(find.candidate.url) == _pattern(row)
    if is_tombstone(row):
        return _Verdict.SAME
    if times is False and (titles is False or not only_rotates):
        return _Verdict.MAYBE if titles else _Verdict.OTHER
    is_confirmed = bool(titles or times or names_file(find.candidate.url))
    if (only_rotates and is_confirmed) or (times and titles is not False) or (row.rotates and titles is not False):
        return _Verdict.SAME
    if row.sha256 is None:
        return _Verdict.SAME if titles else _Verdict.OTHER
    if titles or times or _file_name(row.source_url) == _file_name(find.candidate.url):
        return _Verdict.MAYBE
    return _Verdict.OTHER


def _of_pattern(find: Found, rows: list[AudioSource], finds: Sequence[Found]) -> tuple[AudioSource, _Verdict] | None:
    label = label_of(find.source)
    if len(finds) > 1 and sum(label_of(each.source) == label for each in finds) > 1:
        return None
    if len(finds) > 1 or len({row.sha256 for row in rows}) > 1:
        rows = [row for row in rows if label_of(row) == label]
    row = rows[0] if len(rows) == 1 else _of_one_content(rows)
    if row is None or _agree(label, label_of(row)) is False:
        return None
    is_proven = row.rotates or len(rows) > 1
    return row, _Verdict.SAME if is_proven or row.sha256 is None else _Verdict.MAYBE


def _of_one_content(rows: list[AudioSource]) -> AudioSource | None:
    """Return the first of several rows with the same bytes, which show that their URL rotates."""
    contents = {row.sha256 for row in rows}
    if not rows or len(contents) > 1 or None in contents:
        return None
    return min(rows, key=lambda row: row.source_url)


def _assign_row(find: Found, row: AudioSource, verdict: _Verdict, *, may_doubt: bool) -> None:
    if verdict is _Verdict.OTHER or (verdict is _Verdict.MAYBE and (not may_doubt or find.candidate.group)):
        return
    source, pattern = find.source, pattern_of(find.candidate.url)
    is_moved = pattern != _pattern(row)
    if verdict is _Verdict.MAYBE and row.sha256 is not None:
        find.own_key, find.trust = source.source_url, Trust.STRONG if _identifies_same_file(find, row) else Trust.NONE
    elif is_moved and not (row.rotates and _identifies_same_file(find, row)):
        find.trust = Trust.STRONG
    source.source_url, source.url_pattern = row.source_url, pattern
    find.is_taken_down = is_tombstone(row)


def _identifies_same_file(find: Found, row: AudioSource) -> bool:
    """Return whether the URL identifies the row's file: by its path, or by guid, host and file name."""
    url, pattern = find.candidate.url, pattern_of(find.candidate.url)
    if not names_file(url):
        return False
    if pattern == _pattern(row) and ANY not in pattern.partition("?")[0]:
        return True
    is_item = find.source.guid is not None and find.source.guid == row.guid
    return is_item and urlsplit(url).hostname == row.host and _file_name(url) == _file_name(row.source_url)


def _pattern(row: AudioSource) -> str:
    return row.url_pattern or pattern_of(row.source_url)


def _file_name(url: str) -> str:
    parts = urlsplit(url)
    return file_name_of(f"//{strip_trackers(parts.netloc + parts.path)}")


def _agree(one: object, other: object) -> bool | None:
    """Return whether two values are equal; None if either is missing."""
    return None if one is None or other is None else one == other
