"""A file's row and all its sources in; the row with what depends on all of them out."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from audiocrawler.items import AudioMetadata, AudioSource


def derive(audio: AudioMetadata, sources: Sequence[AudioSource]) -> AudioMetadata:
    """Return the row with title, artist and licence worked out from all sources of its bytes.

    Sources that state the same may be given once, under the smallest source_url. A row without any source, such as one
    that was there before us, keeps what it has.
    """
    if not sources:
        return audio
    ordered = sorted(sources, key=lambda source: source.source_url)
    tags = audio.tags or {}
    licenses = {source.license for source in ordered}
    is_conflict = len(licenses - {None}) > 1 or any(map(_is_in_conflict, ordered))
    is_agreed = len(licenses) == 1 and None not in licenses
    return replace(
        audio,
        title=_first(source.title for source in ordered) or tags.get("title"),
        artist=_first(source.artist for source in ordered) or tags.get("artist"),
        license=ordered[0].license if is_agreed else None,
        license_url=_first(source.license_url for source in ordered) if is_agreed else None,
        license_conflict=is_conflict,
    )


def _is_in_conflict(source: AudioSource) -> bool:
    """Return whether the source shows the licences that are stated and takes none: its statements differ."""
    return source.license is None and "=" in (source.license_found_in or "")


def _first(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)
