"""Keep delays, pauses and limits per host: the downloader's slots, and AutoThrottle with a minimum delay."""

from collections.abc import Mapping
from time import monotonic
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from scrapy import Request, Spider, signals
from scrapy.core.downloader import Downloader, Slot
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.extensions.throttle import AutoThrottle
from scrapy.utils.asyncio import CallLaterResult, call_later

from audiocrawler.fetch.requests import is_host_file, is_media
from audiocrawler.model.settings import settings_of
from audiocrawler.scrapy_private import wake_engine, withdrawn

LONGEST_WAIT_S = 300.0
"""The longest Retry-After or Crawl-delay that is respected; a host that asks for more is given up."""
_MEDIA = "media:"
_ROBOTS = "robots:"


def media_slot(url: str) -> str:
    """Return the name of the download slot for audio of the URL's host."""
    return _MEDIA + (urlsplit(url).hostname or "")


def is_media_slot(slot: str) -> bool:
    """Return whether ``slot`` is one for media."""
    return slot.startswith(_MEDIA)


def is_page_slot(slot: str) -> bool:
    """Return whether ``slot`` is one for pages."""
    return not slot.startswith((_MEDIA, _ROBOTS))


def slot_of(request: Request) -> str:
    """Return the slot of the request's current host, also after a redirect."""
    host = urlsplit(request.url).hostname or ""
    if is_media(request):
        return _MEDIA + host
    return _ROBOTS + host if is_host_file(request) else host


def host_of(slot: str) -> str:
    """Return the host that a slot belongs to."""
    return slot.removeprefix(_MEDIA).removeprefix(_ROBOTS)


def slots_of(host: str) -> tuple[str, str, str]:
    """Return the names of all slots of a host."""
    return (host, _MEDIA + host, _ROBOTS + host)


def floor_s(crawler: Crawler, slot: str) -> float:
    """Return the minimum delay between requests of this slot, in seconds."""
    own = crawler.engine.downloader.per_slot_settings.get(slot, {})
    default = crawler.settings.getfloat("DOWNLOAD_DELAY") if is_page_slot(slot) else 0.0
    return float(own.get("delay", default))


def open_media_slot(crawler: Crawler, slot: str) -> None:
    """Set the slot up without a delay of its own and with few parallel transfers, unless it is set up already."""
    of_slot = crawler.engine.downloader.per_slot_settings.setdefault(slot, {})
    of_slot.setdefault("concurrency", settings_of(crawler).media_per_host)
    of_slot.setdefault("delay", 0.0)


def open_robots_slot(crawler: Crawler, slot: str) -> None:
    """Set the slot up for one request at a time, without a delay of its own."""
    of_slot = crawler.engine.downloader.per_slot_settings.setdefault(slot, {})
    of_slot.setdefault("concurrency", 1)
    of_slot.setdefault("delay", 0.0)


LOOK_AGAIN_S = 0.1
"""How soon a slot is checked again while its host's robots.txt is being fetched."""
YIELD_S = 0.05
"""How much longer the slot that sent last waits, so that the host's other slots go first."""


class PacedSlot(Slot):
    """A slot that respects its own delay, the Crawl-delay of its host, and the host's pauses."""

    def __init__(self, like: Slot, key: str, downloader: "PoliteDownloader") -> None:
        super().__init__(like.concurrency, like.delay, like.jitter)
        self._host = host_of(key)
        self._downloader = downloader

    def download_delay(self) -> float:
        """Return the seconds from the last request of this slot to the next one."""
        own_s = super().download_delay()
        wait_s = max(self.lastseen + own_s - monotonic(), self._wait_for_host_s())
        # With a delay one request is sent; without, all queued ones would be sent at once.
        return monotonic() - self.lastseen + wait_s if wait_s > 0 else max(own_s, self._downloader.delay_s(self._host))

    def wait_s(self) -> float:
        """Return in how many seconds the next request may be sent, 0 for now."""
        return max(0.0, self.lastseen + self.delay - monotonic(), self._wait_for_host_s())

    def _wait_for_host_s(self) -> float:
        return self._downloader.host_wait_s(self._host, self)


class PoliteDownloader(Downloader):
    """The downloader of all requests; slots are named after the host that a request is really sent to."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self.crawl_delays_s: dict[str, float] = {}
        self.resume_at: dict[str, float] = {}
        self.sent_at: WeakKeyDictionary[Request, float] = WeakKeyDictionary()
        """When requests were last sent, on the monotonic clock."""
        self._probes_s: dict[str, float] = {}
        self._wake_at = 0.0
        self._wake_call: CallLaterResult | None = None

    def get_slot_key(self, request: Request) -> str:
        """Return the slot for the request's URL; the one in its meta may be of the host before a redirect."""
        return slot_of(request)

    def note_sent(self, request: Request) -> None:
        """Record that a request is being sent now."""
        self.sent_at[request] = monotonic()

    def slots_of(self, host: str) -> list[Slot]:
        """Return the existing slots of a host."""
        return [self.slots[key] for key in slots_of(host) if key in self.slots]

    def set_crawl_delay(self, host: str, delay_s: float) -> None:
        """Keep all requests to ``host`` at least ``delay_s`` seconds apart from now on."""
        self.crawl_delays_s[host] = max(delay_s, self.crawl_delays_s.get(host, 0.0))
        for key in slots_of(host):
            floor = max(delay_s, floor_s(self.crawler, key))
            self.per_slot_settings.setdefault(key, {})["delay"] = floor
            if key in self.slots:
                self.slots[key].delay = max(floor, self.slots[key].delay)

    def pause(self, host: str, pause_s: float) -> None:
        """Send nothing to ``host`` for ``pause_s`` seconds."""
        self.resume_at[host] = max(monotonic() + pause_s, self.resume_at.get(host, 0.0))

    def pause_left_s(self, host: str) -> float:
        """Return the rest of the host's pause in seconds; 0 or less for none."""
        return self.resume_at.get(host, 0.0) - monotonic()

    def probe_every(self, host: str, delay_s: float) -> None:
        """Send single requests ``delay_s`` seconds apart to test whether ``host`` serves again; 0 ends this."""
        if delay_s:
            self._probes_s[host] = delay_s
        else:
            self._probes_s.pop(host, None)

    def delay_s(self, host: str) -> float:
        """Return the minimum seconds between any two requests to ``host``; 0 if only its slots have delays."""
        return max(self.crawl_delays_s.get(host, 0.0), self._probes_s.get(host, 0.0))

    def fail_queued(self, key: str, error: IgnoreRequest) -> int:
        """Fail the queued requests of a slot with ``error``, and return how many there were."""
        waiting = list(withdrawn(self.slots[key])) if key in self.slots else []
        for _request, answer in waiting:
            answer.errback(error)
        return len(waiting)

    def host_wait_s(self, host: str, asking: Slot | None = None) -> float:
        """Return in how many seconds a request to ``host`` may be sent; 0 or less for now."""
        pause_s = self.pause_left_s(host)
        delay_s, slots = self.delay_s(host), self.slots_of(host)
        if not delay_s or not slots:
            return pause_s
        last = max(slots, key=lambda slot: slot.lastseen)
        if last is asking and any(slot.queue for slot in slots if slot is not asking):
            delay_s += YIELD_S
        return max(pause_s, last.lastseen + delay_s - monotonic())

    def opens_in_s(self, key: str, active: Mapping[str, int]) -> float:
        """Return in how many seconds a slot can send another request; it should not be handed out before.

        ``active`` counts the requests that are handed out, by slot.
        """
        host = host_of(key)
        slot = self.slots.get(key)
        if not isinstance(slot, PacedSlot):  # the first request waits for robots.txt, which may set a delay
            return max(LOOK_AGAIN_S if active[key] else 0.0, self.host_wait_s(host))
        wait_s, host_delay_s = slot.wait_s(), self.delay_s(host)
        delay_s = max(slot.delay, host_delay_s)
        if not delay_s and not wait_s:
            return 0.0
        keys = slots_of(host)[:2] if host_delay_s else (key,)
        unsent = sum(active[each] - len(self.slots[each].transferring) for each in keys if each in self.slots)
        return max(delay_s, wait_s) if unsent > 0 else wait_s

    def wake_in(self, wait_s: float) -> None:
        """Wake the engine in ``wait_s`` seconds."""
        wake_at = monotonic() + wait_s
        if self._wake_call is not None:
            if self._wake_at <= wake_at:
                return
            self._wake_call.cancel()
        self._wake_at, self._wake_call = wake_at, call_later(wait_s, self._wake)

    def close(self) -> None:
        """Close the slots, and cancel the pending wake-up."""
        if self._wake_call is not None:
            self._wake_call.cancel()
            self._wake_call = None
        super().close()

    def _wake(self) -> None:
        self._wake_call = None
        wake_engine(self.crawler)

    def _get_slot(self, request: Request, spider: Spider | None = None) -> tuple[str, Slot]:
        del spider  # deprecated by Scrapy
        key, slot = super()._get_slot(request)
        if not isinstance(slot, PacedSlot):
            slot = self.slots[key] = PacedSlot(slot, key, self)
        return key, slot


def polite(crawler: Crawler) -> PoliteDownloader:
    """Return the crawler's downloader, typed."""
    downloader = crawler.engine.downloader
    assert isinstance(downloader, PoliteDownloader)
    return downloader


class FlooredAutoThrottle(AutoThrottle):
    """Scrapy's AutoThrottle for pages, with a minimum delay per slot; for media only Crawl-delay counts."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)  # connect the adjustment of the delay before its minimum
        crawler.signals.connect(self._leave_media_alone, signal=signals.request_reached_downloader)
        crawler.signals.connect(self._keep_floor, signal=signals.response_downloaded)

    def _leave_media_alone(self, request: Request) -> None:
        if not is_page_slot(slot_of(request)):
            request.meta["autothrottle_dont_adjust_delay"] = True

    def _keep_floor(self, request: Request) -> None:
        slot_name = request.meta.get("download_slot", "")
        slot = self.crawler.engine.downloader.slots.get(slot_name)
        if slot is not None and is_page_slot(slot_name):
            slot.delay = max(slot.delay, floor_s(self.crawler, slot_name))
