"""What discovery gives: a Candidate per URL, and the Find from which it was made."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from audiocrawler.model.statements import Statement

ELEMENT = 0.95
"""Confidence where an audio element or a declared audio type names the URL."""
LINK = 0.9
"""Confidence where a link's URL has an audio extension."""
ATTRIBUTE = 0.8
"""Confidence where some other attribute or JSON member holds such a URL."""
STRING = 0.6
"""Confidence where a string in a script or in running text holds such a URL."""
NAME = 0.3
"""Confidence where there is only a file name, or a path that had to be completed."""


class Kind(StrEnum):
    """What a URL leads to, and so what a crawler does with it."""

    AUDIO = "audio"
    STREAM = "stream"
    FEED = "feed"
    PLAYLIST = "playlist"
    MANIFEST = "manifest"
    EMBED = "embed"
    PAGE = "page"


class Role(StrEnum):
    """What an audio file is for on the page that offers it."""

    MAIN = "main"
    PREVIEW = "preview"
    INTERFACE = "interface"
    SPEECH_SYNTHESIS = "speech_synthesis"


class Relation(StrEnum):
    """What the document is to a URL that it names not as audio."""

    SITEMAP = "sitemap"
    NEXT_PAGE = "next_page"


@dataclass(slots=True, kw_only=True)
class Description:
    """What a document says of an audio file; None where it says nothing."""

    mime_type: str | None = None
    title: str | None = None
    artist: str | None = None
    duration_ms: int | None = None
    size_bytes: int | None = None
    bit_rate_bps: int | None = None
    language: str | None = None
    statements: tuple[Statement, ...] | None = None
    credit: str | None = None
    transcript_url: str | None = None
    published_at: datetime | None = None
    link_text: str | None = None
    guid: str | None = None
    is_derivative: bool | None = None


@dataclass(slots=True, kw_only=True)
class Find(Description):
    """A URL as one finder met it.

    ``url`` may be relative to the document's base. ``expected`` is what the place where it stands makes of it, None
    where only the URL itself or its mime type can tell. Finds with the same ``group`` are alternates of one recording.
    ``hidden`` says that its place shows readers neither a player nor a link; ``is_in_script`` that scripts read it
    there; ``is_certain_audio`` that a playlist there can only be one of audio. ``found_by`` is for readers of the rows:
    nothing depends on it.
    """

    url: str
    found_by: str
    confidence: float
    expected: Kind | None = None
    group: str | None = None
    role: Role = Role.MAIN
    hidden: bool = False
    relation: Relation | None = None
    is_in_script: bool = False
    is_certain_audio: bool = False


@dataclass(slots=True, kw_only=True)
class Candidate(Description):
    """One URL of a document, absolute and otherwise as written, with all that the document says of it.

    ``confidence`` is 0 to 1. ``group`` is equal for the alternates of one recording, None where there is no other.
    ``relation``, ``is_in_script`` and ``is_certain_audio`` are those of the surest find.
    """

    url: str
    kind: Kind
    found_by: str
    confidence: float
    group: str | None = None
    role: Role = Role.MAIN
    relation: Relation | None = None
    is_in_script: bool = False
    is_certain_audio: bool = False
    is_from_browser: bool = False
