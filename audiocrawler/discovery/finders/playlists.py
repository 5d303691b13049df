"""Text playlists: M3U and PLS. Manifests of HLS share the syntax of M3U, but their lines are not files."""

import re
from collections.abc import Iterator

from audiocrawler.discovery.candidate import LINK, Find, Kind
from audiocrawler.discovery.document import Document, one_line
from audiocrawler.discovery.hls import is_hls
from audiocrawler.discovery.media_types import extension_of
from audiocrawler.discovery.sniff import DocumentType
from audiocrawler.discovery.values import duration_ms

_EXTINF = re.compile(r"#EXTINF:\s*(-?[\d.]+)?[^,]*,?(.*)", re.IGNORECASE)
_PLS_LINE = re.compile(r"\s*(file|title|length)(\d+)\s*=\s*(.*?)\s*$", re.IGNORECASE)
_LOCAL_PATH = re.compile(r"[a-z]:[\\/]|\\\\|/(?:home|mnt|Users|Volumes)/", re.IGNORECASE)
_MAX_ENTRIES = 100_000


def find(document: Document) -> Iterator[Find]:
    """Yield the entries of an M3U or PLS playlist; nothing for a manifest of HLS."""
    if document.type is not DocumentType.PLAYLIST or is_hls(document.text):
        return
    is_pls = document.text[:64].lstrip("\ufeff \t\r\n").lower().startswith("[playlist]")
    yield from _pls(document.text) if is_pls else _m3u(document.text)


def _m3u(text: str) -> Iterator[Find]:
    duration, title = None, None
    for line in text.splitlines()[:_MAX_ENTRIES]:
        entry = line.strip("\ufeff \t")
        if match := _EXTINF.match(entry):
            duration, title = match[1], match[2]
        elif entry and not entry.startswith("#") and not _LOCAL_PATH.match(entry):
            yield _entry(entry, "m3u", title, duration)
            duration, title = None, None


def _pls(text: str) -> Iterator[Find]:
    entries: dict[int, dict[str, str]] = {}
    for line in text.splitlines()[:_MAX_ENTRIES]:
        if match := _PLS_LINE.match(line):
            entries.setdefault(int(match[2][:9]), {})[match[1].lower()] = match[3]
    for _, entry in sorted(entries.items()):
        if (url := entry.get("file")) and not _LOCAL_PATH.match(url):
            yield _entry(url, "pls", entry.get("title"), entry.get("length"))


def _entry(url: str, found_by: str, title: str | None, duration: str | None) -> Find:
    """Return an entry; without an extension and a duration it is taken for what playlists mostly hold then: radio."""
    length_ms = duration_ms(duration)
    endless = not extension_of(url) and length_ms is None
    return Find(
        url=url,
        found_by=found_by,
        confidence=LINK,
        expected=Kind.STREAM if endless else Kind.AUDIO,
        title=one_line(title),
        duration_ms=length_ms,
    )
