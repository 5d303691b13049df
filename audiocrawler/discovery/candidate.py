"""The results of discovery: a Candidate per URL, merged from the Find of each finder."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

from audiocrawler.model.statements import Statement

ELEMENT = 0.95
"""Confidence where an audio element or a declared audio type names the URL."""
LINK = 0.9
"""Confidence where a link's URL has an audio extension."""
ATTRIBUTE = 0.8
"""Confidence where some other attribute or JSON member contains such a URL."""
STRING = 0.6
"""Confidence where a string in a script or text contains such a URL."""
NAME = 0.3
"""Confidence for a bare file name, or a path that had to be completed."""


class Kind(StrEnum):
    """What a URL leads to, which decides what a crawler does with it."""

    AUDIO = "audio"
    STREAM = "stream"
    FEED = "feed"
    PLAYLIST = "playlist"
    MANIFEST = "manifest"
    EMBED = "embed"
    PAGE = "page"
    VIDEO = "video"
    """A video, which may have sound."""
    ARCHIVE = "archive"
    """A packed file, which may hold audio."""
    OTHER_SCHEME = "other_scheme"
    """A URL of another scheme than http and https, such as ftp."""
    DATA = "data"
    """Bytes within the document: a data: URL."""


UNRESOLVED = frozenset((Kind.OTHER_SCHEME, Kind.DATA))
"""Kinds whose URLs are kept as they are written."""
FILES = frozenset((Kind.AUDIO, Kind.STREAM, Kind.VIDEO, Kind.ARCHIVE, Kind.OTHER_SCHEME, Kind.DATA))
"""Kinds that get a row of their own."""


class Role(StrEnum):
    """The purpose of an audio file on its page."""

    MAIN = "main"
    PREVIEW = "preview"
    INTERFACE = "interface"
    SPEECH_SYNTHESIS = "speech_synthesis"


class Relation(StrEnum):
    """How a document relates to a URL that is not audio."""

    SITEMAP = "sitemap"
    NEXT_PAGE = "next_page"
    FRAME = "frame"
    ITEM = "item"
    """The page of a feed's item."""
    LISTED = "listed"
    """A feed in a list of feeds."""
    FOLDER = "folder"
    """A further document of the same collection, which costs no depth."""
    COLLECTION = "collection"
    """The same of a WebDAV server, which lists it on PROPFIND."""


Texts = list[dict[str, str]]


@dataclass(slots=True, kw_only=True)
class Description:
    """A document's metadata of an audio file; None where it has none."""

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
    transcripts: Texts | None = None
    """Each with its ``url`` and, where stated, ``type``, ``language`` and ``rel``."""
    chapters_url: str | None = None
    show_title: str | None = None
    season: int | None = None
    episode: int | None = None
    description: str | None = None
    episode_url: str | None = None
    image_url: str | None = None
    people: Texts | None = None
    """Each with ``name`` and ``role`` and, where stated, ``group``, ``url`` and ``image``."""
    published_at: datetime | None = None
    link_text: str | None = None
    guid: str | None = None
    is_derivative: bool | None = None


DESCRIBED = tuple(field.name for field in fields(Description))
"""Names of the fields of a Description."""


_described_in = attrgetter(*DESCRIBED)


def fill(target: Description, source: Description) -> None:
    """Fill missing values of ``target`` from ``source``."""
    for name, own, other in zip(DESCRIBED, _described_in(target), _described_in(source), strict=True):
        if own is None and other is not None:
            setattr(target, name, other)


@dataclass(slots=True, kw_only=True)
class Find(Description):
    """A URL yielded by one finder.

    ``url`` may be relative to the document's base. ``expected`` is the kind implied by its context, None where only
    the URL or its MIME type can decide. Finds with the same ``group`` are alternates of one recording. ``hidden``:
    readers see neither a player nor a link there; ``is_in_script``: it is data for scripts; ``is_certain_audio``: a
    playlist there can only be one of audio. ``collection``: what the files listed there share, which its document is
    read with. ``found_by`` is only informative: nothing depends on it.
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
    collection: dict[str, str] | None = None


@dataclass(slots=True, kw_only=True)
class Candidate(Description):
    """One URL of a document, absolute and otherwise as written, with the document's metadata.

    ``confidence`` is 0 to 1. ``group`` is equal for alternates of one recording, None if there is only one file.
    ``relation``, ``is_in_script``, ``is_certain_audio`` and ``collection`` are those of the find with the highest
    confidence.
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
    collection: dict[str, str] | None = None
