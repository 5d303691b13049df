"""Scrapy's priority queue, holding requests back for which there is no room yet.

A request is handed out when its host can be asked at once: no delay and no pause lies before it. A media request is
handed out while its host has a free transfer, files and bytes on disk are within their bounds, and
the ``limit`` of the spider is not used up by what is under way. Pages wait while very many files do, and everything
while too many rows wait for the warehouse.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sized
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.pqueues import DownloaderAwarePriorityQueue, DownloaderInterface

from audiocrawler.download.downloader import PoliteDownloader, polite
from audiocrawler.download.room import Room
from audiocrawler.download.slots import is_media_slot

MAX_WAITING_MEDIA = 5_000
"""Waiting media requests, at about 5 kB each, above which no further page is asked for."""


class OpenSlots(DownloaderInterface):
    """Tells the queue only of the download slots that may start another request."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.downloader: PoliteDownloader = polite(crawler)
        settings = crawler.settings
        self._crawler = crawler
        self._media_per_host = settings.getint("AUDIO_MEDIA_PER_HOST")
        self._pages_per_host = settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        self._max_files = settings.getint("AUDIO_MAX_FILES_IN_FLIGHT")
        self._max_bytes = settings.getint("AUDIO_MAX_INCOMING_BYTES")
        self._room = Room.from_settings(settings)
        self._max_rows = settings.getint("AUDIO_MAX_OUTBOX_ROWS")

    def stats(self, possible_slots: Iterable[str]) -> list[tuple[int, str]]:
        """Return (active requests, slot) for each open slot; ``possible_slots`` maps them to their queues."""
        assert isinstance(possible_slots, Mapping)
        if self._crawler.stats.get_value("warehouse/pending_rows", 0) >= self._max_rows:
            return []
        media_open, pages_open = self._has_room(), _waiting_media(possible_slots) <= MAX_WAITING_MEDIA
        # A slot's own count misses what waits for robots.txt, and its own limit lets bursts through.
        active = Counter(map(self.downloader.get_slot_key, self.downloader.active))
        open_slots = [
            slot
            for slot in possible_slots
            if (media_open if is_media_slot(slot) else pages_open) and active[slot] < self._limit(slot)
        ]
        return [(active[slot], slot) for slot in self._due(open_slots, active)]

    def _due(self, slots: list[str], active: Counter[str]) -> list[str]:
        """Return the slots that can send at once; what waits for its host's delay would take the place of others."""
        opens_in_s = {slot: self.downloader.opens_in_s(slot, active) for slot in slots}
        if waits_s := [wait_s for wait_s in opens_in_s.values() if wait_s > 0]:
            self.downloader.wake_in(min(waits_s))
        return [slot for slot, wait_s in opens_in_s.items() if wait_s <= 0]

    def _limit(self, slot: str) -> int:
        return self._media_per_host if is_media_slot(slot) else self._pages_per_host

    def _has_room(self) -> bool:
        under_way = media_under_way(self._crawler)
        if len(under_way) >= min(self._max_files, self._files_wanted()):
            return False
        if sum(map(_size_on_disk, under_way)) >= self._max_bytes:
            return False
        # With nothing under way that could make room the next transfer ends the crawl, with the reason.
        return not under_way or self._room.shortage() is None

    def _files_wanted(self) -> int:
        limit = getattr(self._crawler.spider, "limit", None)
        stored = self._crawler.stats.get_value("audio/stored", 0)
        # With the limit reached the rest is handed out, to be refused without a request and recorded as such.
        return self._max_files if limit is None or stored >= limit else limit - stored


class RoomAwareQueue(DownloaderAwarePriorityQueue):
    """DownloaderAwarePriorityQueue over open slots only."""

    def __init__(self, crawler: Crawler, *args: Any, **kwargs: Any) -> None:
        super().__init__(crawler, *args, **kwargs)
        self._downloader_interface = OpenSlots(crawler)


def media_under_way(crawler: Crawler) -> list[Request]:
    """Return the media requests between being handed out and their item's leaving the pipelines."""
    slot = crawler.engine._slot  # noqa: SLF001 - the engine's exact set, and no public way to it
    return [request for request in slot.inprogress if "audio" in request.meta] if slot else []


def _waiting_media(queues: Mapping[str, Sized]) -> int:
    return sum(len(queue) for slot, queue in queues.items() if is_media_slot(slot))


def _size_on_disk(request: Request) -> int:
    if "body_file" not in request.meta:
        return 0
    body = Path(request.meta["body_file"])
    for path in (body, body.with_suffix(".part")):
        try:
            return path.stat().st_size
        except FileNotFoundError:
            continue
    return 0
