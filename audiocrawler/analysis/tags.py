"""The textual tags of a media file in, clean and bounded columns out."""

from collections.abc import Iterable
from typing import Any

_MAX_TAGS = 100
_MAX_KEY_LENGTH = 100
_MAX_VALUE_LENGTH = 4000
_UNKNOWN_LANGUAGES = {"und", "unknown", "xxx"}


def tag_columns(sources: Iterable[dict[str, str]]) -> dict[str, Any]:
    """Return title, artist, album, language and all tags; where sources have the same tag, the first counts."""
    tags = _merged(sources)
    language = tags.get("language", "").lower()
    return {
        "title": tags.get("title"),
        "artist": tags.get("artist") or tags.get("author") or tags.get("album_artist"),
        "album": tags.get("album"),
        "language": None if language in _UNKNOWN_LANGUAGES else language or None,
        "tags": tags or None,
    }


def _merged(sources: Iterable[dict[str, str]]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for source in sources:
        for raw_key, raw_value in source.items():
            key, value = _clean(raw_key, _MAX_KEY_LENGTH).lower(), _clean(raw_value, _MAX_VALUE_LENGTH)
            if key and value and len(tags) < _MAX_TAGS:
                tags.setdefault(key, value)
    return tags


def _clean(text: str, max_length: int) -> str:
    """Return text that any database can store: no NUL, no lone surrogate, no blank ends, bounded."""
    storable = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return storable.strip()[:max_length].rstrip()
