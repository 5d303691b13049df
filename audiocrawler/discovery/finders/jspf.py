"""JSPF: XSPF playlists in JSON."""

from collections.abc import Iterator
from typing import Any

from audiocrawler.discovery.candidate import LINK, Find, Kind
from audiocrawler.discovery.document import Document, one_line
from audiocrawler.discovery.values import whole_number
from audiocrawler.statements import statement_of


def find(document: Document) -> Iterator[Find]:
    """Yield the locations of each track, as alternates; durations are in milliseconds (xspf.org/jspf)."""
    value = document.json
    playlist = value.get("playlist") if isinstance(value, dict) else None
    tracks = playlist.get("track") if isinstance(playlist, dict) else None
    for number, track in enumerate(tracks if isinstance(tracks, list) else ()):
        if isinstance(track, dict):
            yield from _track(track, f"track {number}")


def _track(track: dict[str, Any], group: str) -> Iterator[Find]:
    statement = statement_of(_text(track.get("license")), "playlist")
    locations = track.get("location")
    for url in locations if isinstance(locations, list) else [locations]:
        if isinstance(url, str):
            yield Find(
                url=url,
                found_by="jspf",
                confidence=LINK,
                expected=Kind.AUDIO,
                group=group,
                title=_text(track.get("title")),
                artist=_text(track.get("creator")),
                duration_ms=whole_number(track.get("duration")),
                statements=(statement,) if statement else None,
            )


def _text(value: Any) -> str | None:
    return one_line(value) if isinstance(value, str) else None
