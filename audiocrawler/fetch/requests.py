"""What a request is for, and what goes with it: written into its ``meta`` and read from it here.

``meta`` outlives the process in the frontier, so its names are kept: what an older version wrote is read, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from scrapy import Request

from audiocrawler.model.rows import AudioSource

KIND = "request_kind"
"""In the meta of a request: its RequestKind, which need not be there for pages and for other people's spiders."""
_SOURCE, _RENDERING = "audio", "render"
OWN_KEY = "own_key"
"""Of a file: the key of the row to write if the bytes are not those of the row that it is asked for."""
TRUST = "trust"
"""Of a file: how far the row's validators hold for the URL; left out where they do wholly."""
KNOWN = "known"
"""Of a file: what earlier crawls left of it, None if nothing; set before it is first sent."""
IS_SAME = "is_same"
"""Of a file: whether the headers of its answer say that it is the known one."""
SEEN_VALIDATORS = "seen_validators"
"""Of a file that varies at every fetch: the validators that it was last seen with."""
CAME = "came"
"""Of a file: what its first bytes are where they are not audio."""
OPT_OUT = "opt_out"
"""Of a file: what its host and its headers opt it out by."""
OPTED_OUT = "opted_out"
"""Of a file: the same where that has ended its transfer."""
INTERSTITIAL = "interstitial"
"""Of a file: the URL of the page in its place that has led to this request."""
SENT_BACK = "sent_back"
"""Of anything: whether it was put back into the queue, and so is no new request."""
_AUDIO_BEFORE = frozenset({"hls", "audio_src", "audio_source"})
"""The mechanisms that could only find audio, by whose names a playlist was once known to be one of audio."""


class RequestKind(StrEnum):
    """What is asked for, and so how it is fetched, counted and kept."""

    PAGE = "page"
    RENDERED = "rendered"
    HOST_FILE = "host_file"
    FILE = "file"
    PART = "part"
    CHECK = "check"


_KINDS = {str(kind): kind for kind in RequestKind}


def kind_of(request: Request) -> RequestKind:
    """Return what the request is for."""
    return _KINDS.get(request.meta.get(KIND, ""), RequestKind.PAGE)


def is_media(request: Request) -> bool:
    """Return whether the request is for audio: a file, or a part of one."""
    return kind_of(request) in {RequestKind.FILE, RequestKind.PART}


def is_rendered(request: Request) -> bool:
    """Return whether the request is for a page as a browser shows it."""
    return kind_of(request) is RequestKind.RENDERED


def is_host_file(request: Request) -> bool:
    """Return whether the request is for robots.txt or another small file about a host."""
    return kind_of(request) is RequestKind.HOST_FILE


def audio_row(request: Request) -> AudioSource | None:
    """Return the row of the audio that is asked for, None where it comes from another spider's item."""
    source = request.meta.get(_SOURCE)
    return source if isinstance(source, AudioSource) else None


def own_audio_row(request: Request) -> AudioSource:
    """Return the row of the audio that a request of the spider asks for."""
    source = audio_row(request)
    assert source is not None
    return source


def meta_of_source(source: AudioSource) -> dict[str, Any]:
    """Return the meta of a request for this row's audio."""
    return {_SOURCE: source}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the crawl a document stands."""

    site: str | None
    level: int = 0
    """Links from a start page."""
    nesting: int = 0
    """Playlists in playlists and players in players that led to it from its page."""
    via: str | None = None
    """By what it was found where it belongs to its page, for the rows of what it is."""
    is_from_browser: bool = False
    """Whether that was in a browser."""
    is_certain_audio: bool = True
    """Whether a playlist at this place can only be one of audio."""
    opt_out: str | None = None
    """What opts out the files of the page that it belongs to."""

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> Self:
        """Return the place that a request's meta tells."""
        return cls(
            site=meta.get("site"),
            level=meta.get("level", 0),
            nesting=meta.get("nesting", 0),
            via=meta.get("via"),
            is_from_browser=meta.get("is_from_browser", False),
            is_certain_audio=meta.get("is_certain_audio", True),
            opt_out=meta.get("page_opt_out"),
        )

    @property
    def meta(self) -> dict[str, Any]:
        """Return what a request for a document at this place carries along."""
        told = {"site": self.site, "level": self.level, "nesting": self.nesting}
        if self.via is not None:
            told |= {"via": self.via, "is_certain_audio": self.is_certain_audio}
        if self.is_from_browser:
            told["is_from_browser"] = True
        return told if self.opt_out is None else told | {"page_opt_out": self.opt_out}

    @property
    def deeper(self) -> "Place":
        """Return the place of the pages that this one links to."""
        return Place(site=self.site, level=self.level + 1)

    @property
    def alone(self) -> "Place":
        """Return the place of what stands where this document does, and does not belong to it."""
        return Place(site=self.site, level=self.level, nesting=self.nesting)

    def nested(self, via: str, *, is_from_browser: bool, is_certain_audio: bool) -> "Place":
        """Return the place of what belongs to this document: an entry of a playlist, a player."""
        return replace(
            self,
            nesting=self.nesting + 1,
            via=via,
            is_from_browser=is_from_browser,
            is_certain_audio=is_certain_audio,
        )


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a request for the browser carries along."""

    why: str
    """What makes the page worth it, in words."""
    known: list[str]
    """Digests of the URLs that the plain document told."""
    pattern: str
    """What pages that are alike for this have in common."""
    context: str
    """The site whose cookies and cache it shares."""

    @classmethod
    def of(cls, request: Request) -> Self:
        """Return what the request for a rendered page carries."""
        return cls(**request.meta[_RENDERING])

    @property
    def meta(self) -> dict[str, Any]:
        """Return the meta of a request for the browser."""
        told = {"why": self.why, "known": self.known, "pattern": self.pattern, "context": self.context}
        return {KIND: RequestKind.RENDERED.value, _RENDERING: told}


def with_kind(meta: dict[str, Any]) -> dict[str, Any]:
    """Return the meta of a kept request with what a version before RequestKind told in other ways."""
    if KIND in meta:
        return meta
    told: dict[str, Any] = {KIND: _kind_before(meta).value}
    if (via := meta.get("via")) is not None:
        told |= {"is_certain_audio": via in _AUDIO_BEFORE, "is_from_browser": str(via).startswith("browser_")}
    return meta | told


def _kind_before(meta: dict[str, Any]) -> RequestKind:
    names = {
        "part": RequestKind.PART,
        _SOURCE: RequestKind.FILE,
        _RENDERING: RequestKind.RENDERED,
        "robots": RequestKind.HOST_FILE,
        "verified": RequestKind.CHECK,
    }
    return next((kind for name, kind in names.items() if name in meta), RequestKind.PAGE)
