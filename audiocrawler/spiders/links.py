"""Follow links, feeds and playlists of a document, and avoid crawler traps."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import HtmlResponse, Response
from scrapy.link import Link
from scrapy.linkextractors import LinkExtractor

from audiocrawler.config.arguments import Arguments
from audiocrawler.discovery import Candidate, Kind
from audiocrawler.discovery.candidate import Relation
from audiocrawler.discovery.kinds import classify
from audiocrawler.discovery.paging import is_next_page, is_same_list
from audiocrawler.discovery.urls import MAX_URL_LENGTH
from audiocrawler.fetch.requests import Place
from audiocrawler.model.urls import site_of

FOLLOWED = {Kind.PLAYLIST, Kind.MANIFEST, Kind.EMBED}
"""Kinds that belong to the page itself: they are requested and searched at every depth."""
MAX_NESTING = 4
"""Maximum nesting of playlists in playlists and players in players."""
MAX_LIST_PAGES = 1000
"""Pages of one list, or of one feed, that are followed: they cost no depth."""
NESTED_PRIORITY = 20
FEED_PAGE = "feed_page"
"""In the meta of a request for a page of a feed or list: its number, absent for the first."""
FRAMES = "frames"
"""In the meta of a request for a document in a frame: how many frames it is in."""
MAX_PATH_LENGTH = 2000
MAX_SEGMENTS = 20
MAX_REPEATED_SEGMENTS = 3
MAX_BARREN_PAGES = 1_000
"""Consecutive pages of one shape without audio before the shape is given up: a calendar, a faceted list."""
MAX_BARREN_NUMBERED_PAGES = 20_000
"""The same for shapes with a single number in the path, as the articles of many sites have."""
MAX_SHAPES = 50_000
_DIGITS = re.compile(r"\d+")


class Traps:
    """Detects crawler traps by the form of a URL, and by the results of pages of the same shape."""

    def __init__(self) -> None:
        self._barren: OrderedDict[str, int] = OrderedDict()

    def is_trap(self, url: str) -> bool:
        """Return whether ``url`` should not be followed."""
        path = urlsplit(url).path
        segments = [segment for segment in path.split("/") if segment]
        if len(url) > MAX_URL_LENGTH or len(path) > MAX_PATH_LENGTH or len(segments) > MAX_SEGMENTS:
            return True
        if any(segments.count(segment) > MAX_REPEATED_SEGMENTS for segment in segments):
            return True
        shape = shape_of(url)
        is_numbered = shape.endswith("?") and urlsplit(f"//{shape}").path.count("0") == 1
        return self._barren.get(shape, 0) >= (MAX_BARREN_NUMBERED_PAGES if is_numbered else MAX_BARREN_PAGES)

    def note_page(self, url: str, *, has_audio: bool) -> None:
        """Record whether a page has audio; the least recently seen shapes are forgotten."""
        shape = shape_of(url)
        self._barren[shape] = 0 if has_audio else self._barren.get(shape, 0) + 1
        self._barren.move_to_end(shape)
        if len(self._barren) > MAX_SHAPES:
            self._barren.popitem(last=False)


def shape_of(url: str) -> str:
    """Return the URL without its numbers and parameter values."""
    parts = urlsplit(url)
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&")})
    return f"{parts.netloc}{_DIGITS.sub('0', parts.path)}?{'&'.join(names)}"


MAX_LINKS = 10_000
"""Links followed per page: more are a trap, or a list that is paginated, too."""
MAX_PAGE_BYTES = 8_000_000
"""How much of a page is searched for links."""
# Its ignored extensions are right for pages: audio, feeds and playlists are found by discovery.
_LINKS = LinkExtractor()
_HREF = re.compile(rb"\bhref\s*=\s*(?:\"[^\"?]*|'[^'?]*)", re.IGNORECASE)
_BASE = re.compile(rb"<base\b", re.IGNORECASE)


def page_links(page: Response, site: str, arguments: Arguments) -> list[str]:
    """Return the links of ``page`` on the same site that ``allow`` and ``deny`` permit, at most MAX_LINKS."""
    return list(islice(_page_links(page, site, arguments), MAX_LINKS))


def _page_links(page: Response, site: str, arguments: Arguments) -> Iterator[str]:
    if not isinstance(page, HtmlResponse):
        return
    if len(page.body) > MAX_PAGE_BYTES:
        page = page.replace(body=page.body[:MAX_PAGE_BYTES])
    for link in _links(_with_slashes(page)):
        leads_to = classify(link.url)  # audio, feeds and playlists are taken from what discovery found
        if leads_to in {None, Kind.PAGE} and site_of(link.url) == site and is_allowed(link.url, arguments):
            yield link.url


def _with_slashes(page: HtmlResponse) -> HtmlResponse:
    """Return the page with slashes instead of backslashes in its links, which the extractor does not convert."""
    if b"\\" not in page.body:
        return page
    return page.replace(body=_HREF.sub(lambda link: link[0].replace(b"\\", b"/"), page.body))


def _links(page: HtmlResponse) -> list[Link]:
    try:
        return _LINKS.extract_links(page)
    except ValueError:  # invalid <base>: browsers use the page's URL (HTML, "document base URL")
        return _LINKS.extract_links(page.replace(body=_BASE.sub(b"<br", page.body)))


def is_allowed(url: str, arguments: Arguments) -> bool:
    """Return whether ``allow`` and ``deny`` permit the page."""
    if arguments.deny and arguments.deny.search(url):
        return False
    return arguments.allow is None or bool(arguments.allow.search(url))


def priority_at(place: Place) -> int:
    """Return the priority of a request for a document: breadth first, but what belongs to a page goes with it.

    Otherwise a page first reached by a long path would not be followed further by the short one.
    """
    return NESTED_PRIORITY if place.nesting else -place.level


class Follower:
    """Makes the requests for documents; ``parse`` and ``failed`` are their callbacks."""

    def __init__(self, arguments: Arguments, *, parse: Callable[..., Any], failed: Callable[..., Any]) -> None:
        self._arguments, self._parse, self._failed = arguments, parse, failed
        self._traps = Traps()

    def note_page(self, url: str, *, has_audio: bool) -> None:
        """Record whether a page has audio, for pages of the same shape."""
        self._traps.note_page(url, has_audio=has_audio)

    def request(self, url: str, place: Place, more: dict[str, Any] | None = None) -> Request:
        """Return the request for a document."""
        return Request(
            url,
            self._parse,
            errback=self._failed,
            meta={**place.meta, **(more or {}), "allow_offsite": True},
            priority=priority_at(place),
        )

    def follow(self, page: Response, candidates: list[Candidate], links: list[str]) -> Iterator[Request]:
        """Yield the requests for playlists, players and feeds of a document, and for the pages below it."""
        place, number, frames = Place.of(page.meta), page.meta.get(FEED_PAGE, 1), page.meta.get(FRAMES, 0)
        may_go_deeper = place.level < self._arguments.depth
        for candidate in candidates:
            if candidate.relation is Relation.SITEMAP and not self._arguments.depth:
                continue  # its pages would not be followed
            if candidate.relation is Relation.FRAME:
                yield from self._frame(candidate, place, frames)
            elif candidate.kind in FOLLOWED and place.nesting < MAX_NESTING:
                yield self.request(candidate.url, nested_place(place, candidate))
            elif candidate.relation is Relation.NEXT_PAGE and self._is_next(candidate, page, number):
                yield self.request(candidate.url, place.alone, {FEED_PAGE: number + 1})
            elif may_go_deeper and self._is_deeper(candidate, place.home):
                yield self.request(candidate.url, place.deeper)
        for url in links:
            if self._traps.is_trap(url):
                continue
            if number < MAX_LIST_PAGES and is_same_list(page.url, url):
                yield self.request(url, place.alone, {FEED_PAGE: number + 1})
            else:
                yield self.request(url, place.deeper)

    def _frame(self, candidate: Candidate, place: Place, frames: int) -> Iterator[Request]:
        """Yield the request for a document in a frame of the page: it is part of the page, as are its links."""
        if frames < MAX_NESTING and not self._traps.is_trap(candidate.url):
            yield self.request(candidate.url, place, {FRAMES: frames + 1})

    def _is_next(self, candidate: Candidate, page: Response, number: int) -> bool:
        """Return whether a candidate is the next page of the list that the page is one of."""
        if number >= MAX_LIST_PAGES or self._traps.is_trap(candidate.url):
            return False
        if candidate.kind is not Kind.PAGE:
            return True
        is_next = is_next_page(page.url, candidate.url, is_in_list=number > 1)
        return is_next and is_allowed(candidate.url, self._arguments)

    def _is_deeper(self, candidate: Candidate, site: str | None) -> bool:
        if candidate.kind is Kind.FEED:
            return True
        is_own = candidate.kind is Kind.PAGE and site_of(candidate.url) == site
        return is_own and is_allowed(candidate.url, self._arguments)


def nested_place(place: Place, candidate: Candidate) -> Place:
    """Return the place of a playlist, manifest or player in the document at ``place``."""
    return place.nested(
        candidate.found_by,
        is_from_browser=candidate.is_from_browser,
        is_certain_audio=candidate.is_certain_audio,
    )
