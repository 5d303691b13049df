"""Download slots: pages of a host share one, its media another, so that neither starves the other.

A host is its name without scheme and port: whatever asks for politeness asks for the machine behind it.
"""

from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler

LONGEST_WAIT_S = 300.0
"""The longest pause or crawl delay that is waited for; a host that asks for more is left to a later crawl."""
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
    """Return the slot of the host that the request goes to now, also after a redirect from another one."""
    host = urlsplit(request.url).hostname or ""
    if "audio" in request.meta:
        return _MEDIA + host
    return _ROBOTS + host if "robots" in request.meta else host


def host_of(slot: str) -> str:
    """Return the host that a slot belongs to."""
    return slot.removeprefix(_MEDIA).removeprefix(_ROBOTS)


def slots_of(host: str) -> tuple[str, str, str]:
    """Return the names of all slots of a host."""
    return (host, _MEDIA + host, _ROBOTS + host)


def floor_s(crawler: Crawler, slot: str) -> float:
    """Return the delay between requests, in seconds, below which this slot must not go."""
    own = crawler.engine.downloader.per_slot_settings.get(slot, {})
    default = crawler.settings.getfloat("DOWNLOAD_DELAY") if is_page_slot(slot) else 0.0
    return float(own.get("delay", default))


def open_media_slot(crawler: Crawler, slot: str) -> None:
    """Make the slot one without a delay of its own and with few transfers at a time, unless it is there already."""
    of_slot = crawler.engine.downloader.per_slot_settings.setdefault(slot, {})
    of_slot.setdefault("concurrency", crawler.settings.getint("AUDIO_MEDIA_PER_HOST"))
    of_slot.setdefault("delay", 0.0)


def open_robots_slot(crawler: Crawler, slot: str) -> None:
    """Make the slot one that asks one thing at a time, without a delay of its own."""
    of_slot = crawler.engine.downloader.per_slot_settings.setdefault(slot, {})
    of_slot.setdefault("concurrency", 1)
    of_slot.setdefault("delay", 0.0)
