"""Decide which download slots may start another request.

A request starts only when no delay or pause of its host is pending. A media request also needs a free transfer of its
host, files and bytes on disk within their limits, and room within the spider's ``limit``. Pages are held back while
too many files are pending, and everything while too many rows are pending in the outbox.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from time import monotonic

from scrapy import Request
from scrapy.crawler import Crawler

from audiocrawler.fetch.requests import is_media
from audiocrawler.fetch.slots import is_media_slot, polite
from audiocrawler.fetch.staging import DiskReserve
from audiocrawler.model.settings import settings_of
from audiocrawler.scrapy_private import in_progress

MAX_WAITING_MEDIA = 5_000
"""Pending media requests above which no page is requested: pages yield more files than are fetched meanwhile."""
MEASURED_EVERY_S = 0.05
"""How often bytes on disk are measured: once per request would cost a tenth of a crawl of small files."""


class OpenSlots:
    """The download slots that may start another request."""

    def __init__(self, crawler: Crawler, waiting_turns: Mapping[str, int], store_folder: Path | None = None) -> None:
        settings, ours = crawler.settings, settings_of(crawler)
        self._crawler = crawler
        self._waiting_turns = waiting_turns
        """By slot: requests that were handed out and are waiting for their turn at the host."""
        self._media_per_host = ours.media_per_host
        self._pages_per_host = settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        self._max_files = ours.max_files_in_flight
        self._max_bytes = ours.max_incoming_bytes
        self._room = DiskReserve.from_settings(settings, store_folder)
        self._has_room_until = 0.0
        self._max_rows = ours.max_outbox_rows

    def least_active(self, slots: Iterable[str], waiting_media: int) -> str | None:
        """Return the open slot with the fewest running requests, the first of equals, or None."""
        if self._crawler.stats.get_value("warehouse/pending_rows", 0) >= self._max_rows:
            return None
        media_open, pages_open = self._has_room(), waiting_media <= MAX_WAITING_MEDIA
        active = self.active()
        may_open = [slot for slot in slots if (media_open if is_media_slot(slot) else pages_open)]
        self._wake_for(may_open, active)
        return min((slot for slot in may_open if self.free(slot, active)), key=lambda slot: active[slot], default=None)

    def _wake_for(self, slots: list[str], active: Counter[str]) -> None:
        """Wake the engine when the first slot's delay ends."""
        downloader = polite(self._crawler)
        waits_s = [wait_s for slot in slots if (wait_s := downloader.opens_in_s(slot, active)) > 0]
        if waits_s:
            downloader.wake_in(min(waits_s))

    def active(self) -> Counter[str]:
        """Return the number of running requests by slot, including those waiting for robots.txt."""
        downloader = self._crawler.engine.downloader
        return Counter(map(downloader.get_slot_key, downloader.active))

    def free(self, slot: str, active: Counter[str]) -> int:
        """Return how many more requests of ``slot`` may start now, 0 while it waits for a delay."""
        if self._waiting_turns.get(slot) or polite(self._crawler).opens_in_s(slot, active) > 0:
            return 0
        # Scrapy's own count misses requests waiting for robots.txt, and its limit lets bursts through.
        return max(0, (self._media_per_host if is_media_slot(slot) else self._pages_per_host) - active[slot])

    def _has_room(self) -> bool:
        under_way = media_under_way(self._crawler)
        if len(under_way) >= min(self._max_files, self._files_wanted()):
            return False
        if monotonic() >= self._has_room_until:
            if not self._has_room_on_disk(under_way):
                return False
            self._has_room_until = monotonic() + MEASURED_EVERY_S
        return True

    def _has_room_on_disk(self, under_way: list[Request]) -> bool:
        if sum(map(_size_on_disk, under_way)) >= self._max_bytes:
            return False
        # With nothing running that could free space, let the next transfer fail and end the crawl with its reason.
        return not under_way or self._room.deficit() is None

    def _files_wanted(self) -> int:
        limit = getattr(self._crawler.spider, "limit", None)
        stored = self._crawler.stats.get_value("audio/stored", 0)
        # Once the limit is reached, the rest is handed out to be refused and recorded.
        return self._max_files if limit is None or stored >= limit else limit - stored


def media_under_way(crawler: Crawler) -> list[Request]:
    """Return the media requests that were handed out and whose items are not through the pipelines."""
    return [request for request in in_progress(crawler) if is_media(request)]


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
