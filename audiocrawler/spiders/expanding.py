"""Take the audio in archives: each member becomes an item with a row of its own."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response

from audiocrawler.archives.bounds import Bounds, Meter
from audiocrawler.archives.entries import base_name
from audiocrawler.archives.layouts import is_licence
from audiocrawler.archives.unpacking import Archive, Offer
from audiocrawler.crawl.crawl import Crawl
from audiocrawler.crawl.lifecycle import DELIVERIES, UNFINISHED, leave_unfinished
from audiocrawler.discovery import Kind
from audiocrawler.fetch.headers import disk_is_full, explain, is_disk_full
from audiocrawler.fetch.parts import Part
from audiocrawler.fetch.receivers import UNPROVED
from audiocrawler.fetch.requests import ARCHIVE, is_media, own_audio_row
from audiocrawler.fetch.staging import DiskReserve
from audiocrawler.middlewares.gates import limit_reached
from audiocrawler.model.errors import ArchiveError, MemberError, NoRoomError
from audiocrawler.model.members import member_url
from audiocrawler.model.rows import AudioItem, AudioSource, FileInfo
from audiocrawler.model.statements import Statement, statement_of
from audiocrawler.model.statuses import Status
from audiocrawler.records import MemberItem, Outcome, add_statements, clean_name
from audiocrawler.rights.licences import identify
from audiocrawler.scrapy_private import in_progress
from audiocrawler.spiders.listing import NAMES
from audiocrawler.spiders.media import Downloads
from audiocrawler.warehouse.rows import clean_url

MEMBER = "archive_member"
"""``found_by`` of a member."""
_IN_LICENCE, _IN_README = "archive_license", "archive_readme"
_WAITING = 6
"""Members that wait on disk for the analysis, beside those that are being analysed."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Work:
    """An archive that is being expanded."""

    request: Request
    source: AudioSource
    archive: Archive
    path: Path
    may_be_stored: bool
    """Whether an earlier run may have stored members of it."""
    size_bytes: dict[str, int] = field(default_factory=dict)
    """Of each member on disk, by its row."""
    number: int = 0
    taken: Counter[str] = field(default_factory=Counter)


class Expander:
    """Unpacks downloaded archives, a few members at a time.

    A member leaves the disk, and makes room for the next, when the pipelines are through with its item.
    """

    def __init__(
        self, crawler: Crawler, crawl: Crawl, downloads: Downloads, *, limit: int | None, stop: Callable[[str], None]
    ) -> None:
        self._crawler, self._crawl, self._downloads = crawler, crawl, downloads
        self._limit, self._stop = limit, stop
        self._most = crawl.analysis.size + _WAITING
        self._room = DiskReserve.from_settings(crawler.settings, crawl.store_folder)
        self._works: dict[Request, _Work] = {}
        self._changed = asyncio.Event()
        for signal in (signals.item_scraped, signals.item_dropped, signals.item_error):
            crawler.signals.connect(self._left, signal=signal)

    async def expand(self, response: Response, body_file: str) -> AsyncIterator[AudioItem]:
        """Yield an item for each audio member; finalise the archive's row when the rows of all are durable."""
        assert response.request is not None
        work = await self._begin(response, response.request, Path(body_file))
        try:
            outcome = None
            try:
                members = await self._crawl.in_thread(work.archive.look_through)
                _add_statements(work)
                async for item in self._members(work):
                    yield item
                outcome = self._outcome(work, members)
            except (ArchiveError, OSError) as error:
                outcome = self._failure(work, error)
            await self._wait(lambda: not work.size_bytes)
            await self._end(work, outcome)
        finally:
            self._works.pop(work.request, None)
            await self._crawl.in_thread(work.archive.close)

    async def _begin(self, response: Response, request: Request, path: Path) -> _Work:
        source = own_audio_row(request)
        if UNPROVED in response.flags:
            source.etag = source.last_modified = None
        bounds = Bounds(max_member_bytes=self._crawl.settings.max_bytes)
        folder = self._crawl.incoming.folder

        def opened() -> Archive:
            meter = Meter(bounds, path.stat().st_size, lambda: self._crawl.is_stopping)
            return Archive(path, folder, NAMES, meter)

        may_be_stored = bool(request.meta.get(DELIVERIES)) or self._crawl.frontier.crawl.is_resumed
        work = _Work(request, source, await self._crawl.in_thread(opened), path, may_be_stored)
        self._works[request] = work
        return work

    async def _members(self, work: _Work) -> AsyncIterator[AudioItem]:
        offers = work.archive.offers()
        while (offer := await self._crawl.in_thread(partial(next, offers, None))) is not None:
            if self._crawl.is_stopping or UNFINISHED in work.request.meta:
                return
            source = self._row(work, offer)
            self._crawl.outcomes.share(work.source.source_url, source.source_url)
            item = None if await self._is_known(work, source) else await self._item(work, source, offer)
            if item is not None:
                yield item
            else:
                self._crawl.outcomes.unshare(source.source_url)

    async def _is_known(self, work: _Work, source: AudioSource) -> bool:
        """Return whether a member is not to be taken: it was taken down, or this crawl has stored it before."""
        outcomes = self._crawl.outcomes
        outcomes.count(source.source_url, "audio/found")
        if (why := self._crawl.tombstones.covers(source.source_url)) is not None:
            outcomes.count_outcome(source.source_url, Status.TAKEN_DOWN, why)
            return True
        stored = await self._crawl.stored_source(source.source_url) if work.may_be_stored else None
        if stored is not None:
            outcomes.count_outcome(source.source_url, stored.status, None)
            work.taken["audio"] += 1
        return stored is not None

    async def _item(self, work: _Work, source: AudioSource, offer: Offer) -> MemberItem | None:
        """Save a member and return its item; None if its row is finalised instead."""
        outcome = _why_not(offer, self._crawl.settings.max_bytes)
        if outcome is None:
            await self._wait(lambda: self._has_room(offer.size_bytes))
            if self._crawl.is_stopping:
                return None
            outcome = self._beyond_limit()
        if outcome is None:
            return await self._saved(work, source, offer)
        work.taken["left" if outcome.status is Status.LIMIT else "failed"] += 1
        await self._downloads.finalise(source, outcome)
        return None

    async def _saved(self, work: _Work, source: AudioSource, offer: Offer) -> MemberItem | None:
        if deficit := self._room.deficit(offer.size_bytes):
            raise NoRoomError(deficit)
        work.number += 1
        work.size_bytes[source.source_url] = offer.size_bytes  # before others see the room
        path = self._crawl.incoming.folder / f"{work.path.stem}-{work.number}.member"
        try:
            await self._crawl.in_thread(lambda: offer.save(path))
        except (ArchiveError, OSError) as error:
            del work.size_bytes[source.source_url]
            await self._crawl.in_thread(partial(path.unlink, missing_ok=True))
            if not isinstance(error, ArchiveError) or self._crawl.is_stopping:
                raise
            work.taken["failed"] += 1
            await self._downloads.finalise(source, Outcome(error.status, str(error)))
            if not isinstance(error, MemberError):
                raise
            return None
        work.taken["audio"] += 1
        return _item_of(source, offer, path)

    def _row(self, work: _Work, offer: Offer) -> AudioSource:
        """Return the pending row of a member: it inherits what is said of the archive."""
        now = datetime.now(UTC)
        parent = work.source
        return AudioSource(
            source_url=clean_url(member_url(parent.source_url, offer.name, offer.times)),
            **{name: getattr(parent, name) for name in _INHERITED},
            found_by=MEMBER,
            kind=Kind.AUDIO,
            transcript=offer.text,
            declared_size_bytes=offer.size_bytes,
            status=Status.PENDING,
            attempts=parent.attempts,
            last_attempt_at=now,
            first_seen_at=now,
            last_seen_at=now,
        )

    def _has_room(self, size_bytes: int) -> bool:
        """Return whether another member may wait on disk, and may be stored within the limit."""
        if self._crawl.is_stopping:
            return True
        waiting = [each for one in self._works.values() for each in one.size_bytes.values()]
        if waiting and (
            len(waiting) >= self._most or sum(waiting) + size_bytes > self._crawl.settings.max_incoming_bytes
        ):
            return False
        if self._limit is None or self._beyond_limit() is not None:
            return True
        others = [each for each in in_progress(self._crawler) if is_media(each) and ARCHIVE not in each.meta]
        stored: int = self._crawl.stats.get_value("audio/stored", 0)
        return stored + len(waiting) + len(others) < self._limit

    def _beyond_limit(self) -> Outcome | None:
        why = limit_reached(self._crawl.stats, self._limit)
        return None if why is None else Outcome(Status.LIMIT, why)

    async def _wait(self, is_time: Callable[[], bool]) -> None:
        while not is_time():
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), 1.0)  # other files make room without a sign

    def _left(self, item: object, response: Response | None) -> None:
        """Note that an item is through the pipelines."""
        request = getattr(response, "request", None)
        work = self._works.get(request) if request is not None else None
        if work is not None and work.size_bytes:
            key = item.source.source_url if isinstance(item, AudioItem) else ""
            known = key if key in work.size_bytes else next(iter(work.size_bytes))  # a pipeline may change the item
            del work.size_bytes[known]
            self._crawl.outcomes.unshare(known)
            self._changed.set()

    def _outcome(self, work: _Work, members: int) -> Outcome:
        taken, unread = work.taken, work.archive.unread
        found = f"{taken['audio']} of {members} members taken as audio"
        failed = f"; {taken['failed']} could not be read" if taken["failed"] else ""
        left = f"; {taken['left']} beyond the limit" if taken["left"] else ""
        inner = f"; not read: {', '.join(unread[:3])}{' ...' if unread[3:] else ''}" if unread else ""
        return Outcome(Status.EXPANDED, f"{found}{failed}{left}{inner}")

    def _failure(self, work: _Work, error: ArchiveError | OSError) -> Outcome | None:
        if is_disk_full(error):
            self._stop(disk_is_full(explain(error)))
            leave_unfinished(work.request)
            return None
        taken = work.taken["audio"]
        return Outcome(Status.UNDECODABLE, f"{explain(error)}{f'; {taken} members were taken before' if taken else ''}")

    async def _end(self, work: _Work, outcome: Outcome | None) -> None:
        """Finalise the archive's row, and remove the archive; leave both to the next run if something is unfinished."""
        if self._crawl.is_stopping:
            leave_unfinished(work.request)
        if outcome is None or work.request.meta.get(UNFINISHED):
            return
        if not work.taken["left"]:
            work.source.judged_by = self._crawl.ruleset
        await self._downloads.finalise(work.source, outcome)
        await self._crawl.in_thread(lambda: _remove(work.path))


_INHERITED = (
    *("site", "host", "page_url", "page_title", "link_text", "confidence", "role", "artist", "published_at"),
    *("final_url", "license", "license_url", "license_raw", "license_found_in", "attribution", "opt_out"),
)


def _item_of(source: AudioSource, offer: Offer, path: Path) -> MemberItem:
    entry: FileInfo = {"url": source.source_url, "path": str(path), "checksum": None, "status": "downloaded"}
    name = base_name(offer.name).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return MemberItem(file_urls=[source.source_url], files=[entry], file_name=clean_name(name), source=source)


def _why_not(offer: Offer, max_bytes: int) -> Outcome | None:
    if offer.why_not is None:
        return None
    if max_bytes and offer.size_bytes > max_bytes:
        return Outcome(Status.TOO_LARGE, offer.why_not)
    return Outcome(Status.PROTECTED if offer.why_not == "encrypted" else Status.UNDECODABLE, offer.why_not)


def _remove(path: Path) -> None:
    if path.suffix == ".part":
        Part(path).drop()
    else:
        path.unlink(missing_ok=True)


def _add_statements(work: _Work) -> None:
    """Add what the licences and readmes in the archive say to its row."""
    found = [each for name, text in work.archive.abouts for each in statements_in(name, text)]
    add_statements(work.source, found, None)


def statements_in(name: str, text: str) -> Iterator[Statement]:
    """Yield the licence that a licence file or a readme names; the first lines of a licence are its title."""
    place = _IN_LICENCE if is_licence(name) else _IN_README
    lines = [line for each in text.splitlines() if (line := " ".join(each.split()))]
    named = next((line for line in _naming(lines, is_whole=place == _IN_LICENCE) if identify(line)), None)
    if statement := statement_of(named, place):
        yield statement


def _naming(lines: list[str], *, is_whole: bool) -> Iterable[str]:
    """Return the wordings that may name the licence: the title of a licence, the lines of a readme about it."""
    if is_whole:
        return [" ".join(lines[:2]), *lines[:20]]
    about = [line for line in lines if "licen" in line.lower() or "creativecommons.org" in line.lower()]
    return [*about, *(f"{one} {other}" for one, other in pairwise(lines) if one in about)]
