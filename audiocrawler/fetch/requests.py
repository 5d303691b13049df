"""Read and write what a request's ``meta`` says: its kind, its row, its place in the crawl.

``meta`` outlives the process in the frontier, so names never change, and older versions' meta is still read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from scrapy import Request

from audiocrawler.model.rows import AudioSource

KIND = "request_kind"
"""Meta key: the RequestKind; may be absent for pages and other spiders' requests."""
_SOURCE, _RENDERING = "audio", "render"
OWN_KEY = "own_key"
"""Of a file: the key of the row to write if the bytes differ from those of the requested row."""
TRUST = "trust"
"""Of a file: which of the row's validators are valid for the URL; absent if all are."""
KNOWN = "known"
"""Of a file: what earlier crawls recorded, None for nothing; set before the first request."""
IS_SAME = "is_same"
"""Of a file: whether its response headers prove it unchanged."""
SEEN_VALIDATORS = "seen_validators"
"""Of a file that varies at every fetch: its last validators."""
CAME = "came"
"""What was received instead of audio, or of a page."""
OPT_OUT = "opt_out"
"""Of a file: the opt-out signals of its host and headers."""
OPTED_OUT = "opted_out"
"""Of a file: the same if they ended its transfer."""
TEXTS = "texts"
"""Of a file: the transcripts and chapters to fetch with it, with their secrets."""
TEXT_CHAIN = "text_chain"
"""Of a transcript or chapters: which file has it, and what else of that file is done and waits."""
INTERSTITIAL = "interstitial"
"""Of a file: the URL of the interstitial page that led to this request."""
ARCHIVE = "archive"
"""Of a file: whether it is an archive whose members are taken."""
MOST_BYTES = "most_bytes"
"""Of a listing: how much of the response is needed."""
LANDING = "landing"
"""Of a document: whether it came where audio was expected; of a file: whether such a document led to it."""
MOVED_TO = "moved_to"
"""Of a document: the site to which its start page redirects."""
SENT_BACK = "sent_back"
"""Of any request: whether it was put back into the queue, and is not new."""
_AUDIO_BEFORE = frozenset({"hls", "audio_src", "audio_source"})
"""Finders of audio only, by which older versions marked audio playlists."""


class RequestKind(StrEnum):
    """What a request is for, which decides how it is fetched, counted and kept."""

    PAGE = "page"
    RENDERED = "rendered"
    HOST_FILE = "host_file"
    FILE = "file"
    PART = "part"
    CHECK = "check"
    LISTING = "listing"
    """For a range of an archive, to list what is in it."""
    TEXT = "text"


_KINDS = {str(kind): kind for kind in RequestKind}


def kind_of(request: Request) -> RequestKind:
    """Return the request's kind."""
    return _KINDS.get(request.meta.get(KIND, ""), RequestKind.PAGE)


def is_media(request: Request) -> bool:
    """Return whether the request is for an audio file or a part of one."""
    return kind_of(request) in {RequestKind.FILE, RequestKind.PART}


def is_text(request: Request) -> bool:
    """Return whether the request is for a transcript or chapters."""
    return kind_of(request) is RequestKind.TEXT


def is_of_file(request: Request) -> bool:
    """Return whether the request is for a file, which opt-outs of its host are about, or for a part of one."""
    return is_media(request) or kind_of(request) in {RequestKind.LISTING, RequestKind.TEXT}


def is_rendered(request: Request) -> bool:
    """Return whether the request is for a page rendered in a browser."""
    return kind_of(request) is RequestKind.RENDERED


def is_host_file(request: Request) -> bool:
    """Return whether the request is for robots.txt or another small file about a host."""
    return kind_of(request) is RequestKind.HOST_FILE


def audio_row(request: Request) -> AudioSource | None:
    """Return the row of the requested audio, None for another spider's item."""
    source = request.meta.get(_SOURCE)
    return source if isinstance(source, AudioSource) else None


def own_audio_row(request: Request) -> AudioSource:
    """Return the row of the audio requested by our spider."""
    source = audio_row(request)
    assert source is not None
    return source


def name_of_text(chain: Mapping[str, Any]) -> str:
    """Return what identifies the text that a chain is at: one URL may be a text of several files."""
    return f"text {chain['of']} {chain['wanted'][0]['url']}"


def counted_for(request: Request) -> str | None:
    """Return on behalf of what outcomes of the request are counted: its row or text, None for a page."""
    if (chain := request.meta.get(TEXT_CHAIN)) is not None:
        return name_of_text(chain)
    source = audio_row(request)
    return source.source_url if source else None


def meta_of_source(source: AudioSource) -> dict[str, Any]:
    """Return the meta for a request of this row's audio."""
    return {_SOURCE: source}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The position of a document in the crawl."""

    site: str | None
    level: int = 0
    """Links from a start page."""
    nesting: int = 0
    """Nested playlists and players between it and its page."""
    via: str | None = None
    """If it belongs to a page, the finder for its rows' ``found_by``."""
    is_from_browser: bool = False
    """Whether it was found in a browser."""
    is_certain_audio: bool = True
    """Whether a playlist here can only contain audio."""
    opt_out: str | None = None
    """The opt-out signals of the page that it belongs to."""
    is_landing: bool = False
    """Whether it came where audio was expected, or belongs to such a document."""
    moved_to: str | None = None
    """The site to which the start page redirects."""

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> Self:
        """Read the place from a request's meta."""
        return cls(
            site=meta.get("site"),
            level=meta.get("level", 0),
            nesting=meta.get("nesting", 0),
            via=meta.get("via"),
            is_from_browser=meta.get("is_from_browser", False),
            is_certain_audio=meta.get("is_certain_audio", True),
            opt_out=meta.get("page_opt_out"),
            is_landing=meta.get(LANDING, False),
            moved_to=meta.get(MOVED_TO),
        )

    @property
    def meta(self) -> dict[str, Any]:
        """Return the meta of a request for a document at this place."""
        values = {"site": self.site, "level": self.level, "nesting": self.nesting}
        if self.via is not None:
            values |= {"via": self.via, "is_certain_audio": self.is_certain_audio}
        if self.is_from_browser:
            values["is_from_browser"] = True
        if self.is_landing:
            values[LANDING] = True
        if self.moved_to is not None:
            values[MOVED_TO] = self.moved_to
        return values if self.opt_out is None else values | {"page_opt_out": self.opt_out}

    @property
    def home(self) -> str | None:
        """Return the site whose pages are followed."""
        return self.moved_to or self.site

    @property
    def deeper(self) -> "Place":
        """Return the place of pages linked from here."""
        return Place(site=self.site, level=self.level + 1, moved_to=self.moved_to)

    @property
    def alone(self) -> "Place":
        """Return the same place for a document that does not belong to this one."""
        return replace(self, via=None, is_from_browser=False, is_certain_audio=True, opt_out=None)

    def nested(self, via: str, *, is_from_browser: bool, is_certain_audio: bool) -> "Place":
        """Return the place of a playlist entry or player within this document."""
        return replace(
            self,
            nesting=self.nesting + 1,
            via=via,
            is_from_browser=is_from_browser,
            is_certain_audio=is_certain_audio,
        )


@dataclass(frozen=True, slots=True)
class Rendering:
    """The meta of a request for the browser."""

    why: str
    """Why the page is rendered, in words."""
    known: list[str]
    """Digests of the URLs found in the plain document."""
    pattern: str
    """The URL pattern shared by similar pages."""
    context: str
    """The site whose browser context it uses."""

    @classmethod
    def of(cls, request: Request) -> Self:
        """Read it from the request's meta."""
        return cls(**request.meta[_RENDERING])

    @property
    def meta(self) -> dict[str, Any]:
        """Return the meta of a request for the browser."""
        values = {"why": self.why, "known": self.known, "pattern": self.pattern, "context": self.context}
        return {KIND: RequestKind.RENDERED.value, _RENDERING: values}


def with_kind(meta: dict[str, Any]) -> dict[str, Any]:
    """Return the meta of a stored request, upgraded from versions before RequestKind."""
    if KIND in meta:
        return meta
    values: dict[str, Any] = {KIND: _kind_before(meta).value}
    if (via := meta.get("via")) is not None:
        values |= {"is_certain_audio": via in _AUDIO_BEFORE, "is_from_browser": str(via).startswith("browser_")}
    return meta | values


def _kind_before(meta: dict[str, Any]) -> RequestKind:
    names = {
        "part": RequestKind.PART,
        _SOURCE: RequestKind.FILE,
        _RENDERING: RequestKind.RENDERED,
        "robots": RequestKind.HOST_FILE,
        "verified": RequestKind.CHECK,
    }
    return next((kind for name, kind in names.items() if name in meta), RequestKind.PAGE)
