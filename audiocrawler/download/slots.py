"""Download slots: pages of a host share one, its media another, so that neither starves the other."""

from urllib.parse import urlsplit

from scrapy.crawler import Crawler

_MEDIA = "media:"


def media_slot(url: str) -> str:
    """Return the name of the download slot for audio of the URL's host."""
    return _MEDIA + (urlsplit(url).hostname or "")


def is_media_slot(slot: str) -> bool:
    """Return whether ``slot`` is one for media."""
    return slot.startswith(_MEDIA)


def floor_s(crawler: Crawler, slot: str) -> float:
    """Return the delay between requests, in seconds, below which this slot must not go."""
    own = crawler.engine.downloader.per_slot_settings.get(slot, {})
    default = 0.0 if is_media_slot(slot) else crawler.settings.getfloat("DOWNLOAD_DELAY")
    return float(own.get("delay", default))


def ask_delay(crawler: Crawler, host: str, delay_s: float) -> None:
    """Let the slots of ``host``, present and future, wait at least ``delay_s`` seconds between requests."""
    for slot in (host, _MEDIA + host):
        _set_floor(crawler, slot, max(delay_s, floor_s(crawler, slot)))


def open_media_slot(crawler: Crawler, slot: str) -> None:
    """Make the slot one without a delay of its own and with few transfers at a time, unless it is there already."""
    of_slot = crawler.engine.downloader.per_slot_settings.setdefault(slot, {})
    of_slot.setdefault("concurrency", crawler.settings.getint("AUDIO_MEDIA_PER_HOST"))
    of_slot.setdefault("delay", 0.0)


def _set_floor(crawler: Crawler, slot: str, delay_s: float) -> None:
    downloader = crawler.engine.downloader
    downloader.per_slot_settings.setdefault(slot, {})["delay"] = delay_s
    if slot in downloader.slots:
        downloader.slots[slot].delay = max(delay_s, downloader.slots[slot].delay)
