"""Scrapy's downloader with one clock per host: its crawl delay and its pauses hold for all that is asked of it."""

from collections.abc import Mapping
from time import monotonic
from weakref import WeakKeyDictionary

from scrapy import Request, Spider
from scrapy.core.downloader import Downloader, Slot
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.utils.asyncio import CallLaterResult, call_later

from audiocrawler.download.slots import floor_s, host_of, slot_of, slots_of

LOOK_AGAIN_S = 0.1
"""How soon a slot is looked at again whose host's robots.txt is being read."""
YIELD_S = 0.05
"""By so much what was sent last lets the other slots of its host go first."""


class PacedSlot(Slot):
    """A slot that waits for its own delay, for the crawl delay of its host, and while the host wants a pause."""

    def __init__(self, like: Slot, key: str, downloader: "PoliteDownloader") -> None:
        super().__init__(like.concurrency, like.delay, like.jitter)
        self._host = host_of(key)
        self._downloader = downloader

    def download_delay(self) -> float:
        """Return the seconds from the last request of this slot to the next one."""
        own_s = super().download_delay()
        wait_s = max(self.lastseen + own_s - monotonic(), self._wait_for_host_s())
        # A delay lets one request go; without one, all that wait would go at once.
        return monotonic() - self.lastseen + wait_s if wait_s > 0 else max(own_s, self._downloader.delay_s(self._host))

    def wait_s(self) -> float:
        """Return in how many seconds the next request may be sent, 0 for now."""
        return max(0.0, self.lastseen + self.delay - monotonic(), self._wait_for_host_s())

    def _wait_for_host_s(self) -> float:
        return self._downloader.host_wait_s(self._host, self)


class PoliteDownloader(Downloader):
    """The downloader of all requests; slots are named after the host that a request really goes to."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.crawl_delays_s: dict[str, float] = {}
        self.resume_at: dict[str, float] = {}
        self.sent_at: WeakKeyDictionary[Request, float] = WeakKeyDictionary()
        """When requests were sent last, on the monotonic clock."""
        self._probes_s: dict[str, float] = {}
        self._wake_at = 0.0
        self._wake_call: CallLaterResult | None = None

    def get_slot_key(self, request: Request) -> str:
        """Return the slot by the request's URL: the one in its meta is that of the host before a redirect."""
        return slot_of(request)

    def slots_of(self, host: str) -> list[Slot]:
        """Return the slots of a host that are there."""
        return [self.slots[key] for key in slots_of(host) if key in self.slots]

    def ask_delay(self, host: str, delay_s: float) -> None:
        """Let requests to ``host``, for whatever they are, be at least ``delay_s`` seconds apart from now on."""
        self.crawl_delays_s[host] = max(delay_s, self.crawl_delays_s.get(host, 0.0))
        for key in slots_of(host):
            floor = max(delay_s, floor_s(self.crawler, key))
            self.per_slot_settings.setdefault(key, {})["delay"] = floor
            if key in self.slots:
                self.slots[key].delay = max(floor, self.slots[key].delay)

    def pause(self, host: str, pause_s: float) -> None:
        """Send nothing more to ``host`` for so many seconds."""
        self.resume_at[host] = max(monotonic() + pause_s, self.resume_at.get(host, 0.0))

    def pause_left_s(self, host: str) -> float:
        """Return how many seconds are left of the pause that ``host`` wants; 0 or less for none."""
        return self.resume_at.get(host, 0.0) - monotonic()

    def probe_every(self, host: str, delay_s: float) -> None:
        """Send single requests so many seconds apart, to see whether ``host`` serves again; 0 for as usual."""
        if delay_s:
            self._probes_s[host] = delay_s
        else:
            self._probes_s.pop(host, None)

    def delay_s(self, host: str) -> float:
        """Return the seconds between any two requests to ``host``; 0 where only those of a slot have a delay."""
        return max(self.crawl_delays_s.get(host, 0.0), self._probes_s.get(host, 0.0))

    def refuse_waiting(self, key: str, error: IgnoreRequest) -> int:
        """Let the requests of a slot fail that have not been sent yet, and return how many they are."""
        slot = self.slots.get(key)
        waiting = list(slot.queue) if slot is not None else []
        if slot is not None:
            slot.queue.clear()
        for _request, answer in waiting:
            answer.errback(error)
        return len(waiting)

    def host_wait_s(self, host: str, asking: Slot | None = None) -> float:
        """Return in how many seconds ``host`` may be asked for anything at all; 0 or less for now."""
        pause_s = self.pause_left_s(host)
        delay_s, slots = self.delay_s(host), self.slots_of(host)
        if not delay_s or not slots:
            return pause_s
        last = max(slots, key=lambda slot: slot.lastseen)
        if last is asking and any(slot.queue for slot in slots if slot is not asking):
            delay_s += YIELD_S
        return max(pause_s, last.lastseen + delay_s - monotonic())

    def opens_in_s(self, key: str, active: Mapping[str, int]) -> float:
        """Return in how many seconds a slot can send another request, so that none waits here in the place of others.

        ``active`` counts, by slot, the requests that are handed out.
        """
        host = host_of(key)
        slot = self.slots.get(key)
        if not isinstance(slot, PacedSlot):  # the first request waits for robots.txt, which may ask for a delay
            return max(LOOK_AGAIN_S if active[key] else 0.0, self.host_wait_s(host))
        wait_s, host_delay_s = slot.wait_s(), self.delay_s(host)
        delay_s = max(slot.delay, host_delay_s)
        if not delay_s and not wait_s:
            return 0.0
        keys = slots_of(host)[:2] if host_delay_s else (key,)
        unsent = sum(active[each] - len(self.slots[each].transferring) for each in keys if each in self.slots)
        return max(delay_s, wait_s) if unsent > 0 else wait_s

    def wake_in(self, wait_s: float) -> None:
        """Let the engine ask for requests again after so many seconds."""
        wake_at = monotonic() + wait_s
        if self._wake_call is not None:
            if self._wake_at <= wake_at:
                return
            self._wake_call.cancel()
        self._wake_at, self._wake_call = wake_at, call_later(wait_s, self._wake)

    def close(self) -> None:
        """Close the slots, and wake nobody any more."""
        if self._wake_call is not None:
            self._wake_call.cancel()
            self._wake_call = None
        super().close()

    async def _download(self, slot: Slot, request: Request) -> Response:
        self.sent_at[request] = monotonic()
        return await super()._download(slot, request)

    def _wake(self) -> None:
        self._wake_call = None
        slot = self.crawler.engine._slot  # noqa: SLF001 - what Scrapy's own parts call when there is something to do
        if slot is not None:
            slot.nextcall.schedule()

    def _get_slot(self, request: Request, spider: Spider | None = None) -> tuple[str, Slot]:
        del spider  # deprecated by Scrapy
        key, slot = super()._get_slot(request)
        if not isinstance(slot, PacedSlot):
            slot = self.slots[key] = PacedSlot(slot, key, self)
        return key, slot


def polite(crawler: Crawler) -> PoliteDownloader:
    """Return the crawler's downloader."""
    downloader = crawler.engine.downloader
    assert isinstance(downloader, PoliteDownloader)
    return downloader
