"""Find audio on sites that need their own parser: Bandcamp."""

from collections.abc import Iterator
from typing import Any

from audiocrawler.discovery.candidate import ELEMENT, Find, Kind
from audiocrawler.discovery.document import Document, line_of
from audiocrawler.discovery.json_media import tolerant_json
from audiocrawler.discovery.values import duration_ms, published_at


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
