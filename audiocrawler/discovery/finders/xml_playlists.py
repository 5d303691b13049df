"""Playlists in XML: XSPF, ASX and WPL; and Metalink, which lists the mirrors of files."""

from collections.abc import Callable, Iterator

from lxml import etree

from audiocrawler.discovery.candidate import LINK, Find, Kind
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.media_types import AUDIO_EXTENSIONS, extension_of
from audiocrawler.discovery.urls import absolute
from audiocrawler.discovery.values import duration_ms, size_bytes, whole_number
from audiocrawler.discovery.xml_tree import attribute, base_of, child_text, each_named, local_name
from audiocrawler.statements import statement_of


def find(document: Document) -> Iterator[Find]:
    """Yield the entries of an XML playlist; the locations of one track are alternates."""
    reader = _READERS.get(document.root_name)
    if reader is None or document.root is None:
        return
    for number, entry in enumerate(each_named(document.root, "track", "entry", "media", "audio", "file")):
        for each in reader(entry):
            each.url = absolute(base_of(entry, document.base_url), each.url) or ""
            each.group = f"track {number}"
            yield each


def _xspf(track: etree._Element) -> Iterator[Find]:
    """XSPF 1: several locations are the same resource in order of preference; duration is in milliseconds."""
    title, artist = child_text(track, "title"), child_text(track, "creator")
    statement = statement_of(child_text(track, "license"), "playlist")
    milliseconds = whole_number(child_text(track, "duration"))
    for location in track:
        if local_name(location) == "location" and (url := (location.text or "").strip()):
            yield Find(
                url=url,
                found_by="xspf",
                confidence=LINK,
                expected=Kind.AUDIO,
                title=title,
                artist=artist,
                duration_ms=milliseconds,
                statements=(statement,) if statement else None,
            )


def _asx(entry: etree._Element) -> Iterator[Find]:
    title, artist = child_text(entry, "title"), child_text(entry, "author")
    duration = duration_ms(child_text(entry, "duration"))
    for reference in each_named(entry, "ref"):
        if url := attribute(reference, "href"):
            yield Find(
                url=url,
                found_by="asx",
                confidence=LINK,
                title=title,
                artist=artist,
                duration_ms=duration,
            )


def _metalink(file: etree._Element) -> Iterator[Find]:
    """RFC 5854: the URLs of a file by their priority; in version 3 they have a preference, and lie deeper."""
    names_audio = extension_of(f"/{attribute(file, 'name')}") in AUDIO_EXTENSIONS
    for mirror in sorted(each_named(file, "url"), key=_priority):
        yield Find(
            url=(mirror.text or "").strip(),
            found_by="metalink",
            confidence=LINK,
            expected=Kind.AUDIO if names_audio else None,
            size_bytes=size_bytes(child_text(file, "size")),
        )


def _priority(mirror: etree._Element) -> int:
    preference = whole_number(attribute(mirror, "preference"))
    return -preference if preference else whole_number(attribute(mirror, "priority")) or 999_999


def _smil(media: etree._Element) -> Iterator[Find]:
    if url := attribute(media, "src"):
        yield Find(url=url, found_by="wpl", confidence=LINK, title=attribute(media, "title"))


_READERS: dict[str, Callable[[etree._Element], Iterator[Find]]] = {
    "playlist": _xspf,
    "asx": _asx,
    "metalink": _metalink,
    "smil": _smil,
    "winmediaplaylist": _smil,
}
