"""Find audio on sites that need their own parser: the Internet Archive and Bandcamp."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from audiocrawler.discovery.candidate import ATTRIBUTE, ELEMENT, Find, Kind
from audiocrawler.discovery.document import Document, line_of
from audiocrawler.discovery.json_media import tolerant_json
from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, extension_of
from audiocrawler.discovery.values import duration_ms, published_at, size_bytes
from audiocrawler.model.statements import NOTICE, Statement, statement_of

_ITEM_PAGE = re.compile(r"https?://(?:www\.)?archive\.org/(?:details|embed)/([\w.-]+)", re.IGNORECASE)
_ORIGINAL = "original"
_LICENSES = ("licenseurl", "license")
_NOTICES = ("rights", "possible-copyright-status")


def find_archive_org(document: Document) -> Iterator[Find]:
    """Yield the metadata URL of an item's page as an embed, and from the metadata its audio files.

    An original and its derivatives are alternates (archive.org/developers/md-read.html).
    """
    if match := _ITEM_PAGE.match(document.url):
        url = f"https://archive.org/metadata/{match[1]}"
        yield Find(url=url, found_by="archive_org", confidence=ATTRIBUTE, expected=Kind.EMBED)
    value = document.json
    about = value.get("metadata") if isinstance(value, dict) else None
    files = value.get("files") if isinstance(value, dict) else None
    if isinstance(about, dict) and isinstance(files, list) and isinstance(item := about.get("identifier"), str):
        for file in files:
            if isinstance(file, dict) and isinstance(name := file.get("name"), str) and _is_public(file, name):
                yield _file(item, name, file, about)


def _is_public(file: dict[str, Any], name: str) -> bool:
    return extension_of(f"/{quote(name, errors='replace')}") in AUDIO_EXTENSIONS and file.get("private") != "true"


def _file(item: str, name: str, file: dict[str, Any], about: dict[str, Any]) -> Find:
    is_original = file.get("source") == _ORIGINAL
    return Find(
        url=f"https://archive.org/download/{item}/{quote(name, errors='replace')}",
        found_by="archive_org",
        confidence=ELEMENT,
        group=f"archive.org {name if is_original else file.get('original') or name}",
        title=_text(file.get("title")) or _text(about.get("title")),
        artist=_text(file.get("creator") or file.get("artist")) or _text(about.get("creator")),
        duration_ms=duration_ms(file.get("length")),
        size_bytes=size_bytes(file.get("size")),
        language=_text(about.get("language")),
        statements=_statements(file, about),
        is_derivative=not is_original,
    )


def _statements(file: dict[str, Any], about: dict[str, Any]) -> tuple[Statement, ...] | None:
    found = [
        statement_of(_text(place.get(name)), "archive_org" + (NOTICE if name in _NOTICES else ""))
        for place in (file, about)
        for name in (*_LICENSES, *_NOTICES)
    ]
    return tuple(dict.fromkeys(filter(None, found))) or None


def _text(value: Any) -> str | None:
    """Return the text of a field, the first one if it has several."""
    first = value[0] if isinstance(value, list) and value else value
    return line_of(first)


def find_bandcamp(document: Document) -> Iterator[Find]:
    """Yield the files of each track in ``data-tralbum``; formats of one track are alternates."""
    if "data-tralbum" not in document.text:
        return
    for element in document.elements("script", "div"):
        album = tolerant_json(element.get("data-tralbum") or "")
        tracks = album.get("trackinfo") if isinstance(album, dict) else None
        for number, track in enumerate(tracks if isinstance(tracks, list) else ()):
            if isinstance(track, dict) and isinstance(files := track.get("file"), dict):
                yield from _track(album, track, files, f"bandcamp {number}")


def _track(album: dict[str, Any], track: dict[str, Any], files: dict[str, Any], group: str) -> Iterator[Find]:
    current = album.get("current")
    for url in files.values():
        if isinstance(url, str):
            yield Find(
                url=url,
                found_by="bandcamp",
                confidence=ELEMENT,
                expected=Kind.AUDIO,
                group=group,
                title=line_of(track.get("title")),
                artist=line_of(track.get("artist") or album.get("artist")),
                duration_ms=duration_ms(track.get("duration")),
                published_at=published_at(current.get("release_date")) if isinstance(current, dict) else None,
            )
