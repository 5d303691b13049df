"""Follow links, feeds and playlists of a document, and avoid crawler traps."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import HtmlResponse, Response
from scrapy.link import Link
from scrapy.linkextractors import LinkExtractor
from scrapy.spidermiddlewares.referer import RefererMiddleware

from audiocrawler.config.arguments import Arguments
from audiocrawler.discovery import Candidate, Document, Kind, choose
from audiocrawler.discovery.candidate import Find, Relation
from audiocrawler.discovery.choose import rank
from audiocrawler.discovery.document import DocumentType, one_line
from audiocrawler.discovery.kinds import classify
from audiocrawler.discovery.paging import is_next_page, is_same_list
from audiocrawler.discovery.urls import MAX_URL_LENGTH
from audiocrawler.fetch.requests import Place
from audiocrawler.model.text import is_masked, mask_url
from audiocrawler.model.urls import origin_of, site_of, without_credentials
from audiocrawler.spiders.partly import leave_out
from audiocrawler.warehouse.rows import clean_url

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
INSTEAD = "instead"
"""In the meta of a request for a manifest: the URLs of its alternates, best first."""
MAX_FOLDERS = 50
"""Folders in folders of one collection."""
FOLDER_LEVEL = "folder_level"
"""In the meta of a request for a folder of a collection: how deep it is in it, absent for the first."""
COLLECTION = "collection"
"""In the meta of a request for a document of a hub: what the files listed there share."""
MAX_PATH_LENGTH = 2000
MAX_SEGMENTS = 20
MAX_REPEATED_SEGMENTS = 3
MAX_BARREN_PAGES = 1_000
"""Consecutive pages of one shape without audio before the shape is given up: a calendar, a faceted list."""
MAX_BARREN_NUMBERED_PAGES = 20_000
"""The same for shapes with a single number in the path, as the articles of many sites have."""
MAX_SHAPES = 50_000
_LONG = "the path is long, or repeats itself"
_SHOWN = 200
_DIGITS = re.compile(r"\d+")


class Traps:
    """Detects crawler traps by the form of a URL, and by the results of pages of the same shape."""

    def __init__(self) -> None:
        self._barren: OrderedDict[str, int] = OrderedDict()
        self._said: OrderedDict[str, None] = OrderedDict()

    def is_first(self, url: str, why: str) -> bool:
        """Return whether ``why`` is said of this host, or of this shape of URL if that matters, for the first time."""
        place = urlsplit(url).netloc if why == _LONG else shape_of(url)
        is_first = place not in self._said
        self._said[place] = None
        if len(self._said) > MAX_SHAPES:
            self._said.popitem(last=False)
        return is_first

    def why_not(self, url: str) -> str | None:
        """Return why ``url`` should not be followed, None if it may be."""
        path = urlsplit(url).path
        segments = [segment for segment in path.split("/") if segment]
        if len(url) > MAX_URL_LENGTH or len(path) > MAX_PATH_LENGTH or len(segments) > MAX_SEGMENTS:
            return _LONG
        if any(segments.count(segment) > MAX_REPEATED_SEGMENTS for segment in segments):
            return _LONG
        shape = shape_of(url)
        barren = self._barren.get(shape, 0)
        if barren < MAX_BARREN_PAGES:
            return None
        is_numbered = shape.endswith("?") and urlsplit(f"//{shape}").path.count("0") == 1
        most = MAX_BARREN_NUMBERED_PAGES if is_numbered else MAX_BARREN_PAGES
        return f"{most} pages like it had no audio" if barren >= most else None

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


MAX_LINKS = 50_000
"""Links followed per page, as many as a sitemap may have."""
# Its ignored extensions are right for pages: audio, feeds and playlists are found by discovery.
_LINKS = LinkExtractor()
_HREF = re.compile(rb"\bhref\s*=\s*(?:\"[^\"?]*|'[^'?]*)", re.IGNORECASE)
_BASE = re.compile(rb"<base\b", re.IGNORECASE)


def page_links(page: Response, site: str, arguments: Arguments) -> list[str]:
    """Return the links of ``page`` on the same site that ``allow`` and ``deny`` permit, at most MAX_LINKS."""
    links = list(islice(_page_links(page, site, arguments), MAX_LINKS + 1))
    if len(links) > MAX_LINKS:
        leave_out(page, f"all links to pages after the first {MAX_LINKS}")
    return links[:MAX_LINKS]


def _page_links(page: Response, site: str, arguments: Arguments) -> Iterator[str]:
    if not isinstance(page, HtmlResponse):
        return
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

    def ask(self, found: Candidate | Find, place: Place, more: dict[str, Any] | None = None) -> Request:
        """Return the request for a document of a hub."""
        shared = {COLLECTION: found.collection} if found.collection else {}
        request = self.request(without_credentials(found.url), place, {**shared, **(more or {})})
        if found.relation is Relation.COLLECTION:  # RFC 4918, section 9.1
            request = request.replace(method="PROPFIND", headers={"Depth": "1"})
        return request

    def follow(self, page: Response, candidates: list[Candidate], links: list[str]) -> Iterator[Request]:
        """Yield the requests for playlists, players and feeds of a document, and for the pages below it."""
        place, number, frames = Place.of(page.meta), page.meta.get(FEED_PAGE, 1), page.meta.get(FRAMES, 0)
        may_go_deeper = place.level < self._arguments.depth
        others = {} if self._arguments.alternates == "all" else others_by_group(candidates)
        left_out = {each.url for members in others.values() for each in members}
        for candidate in candidates:
            if candidate.url in left_out:
                continue
            if candidate.relation is Relation.SITEMAP and not self._arguments.depth:
                continue  # its pages would not be followed
            if candidate.relation is Relation.FRAME:
                yield from self._frame(page, candidate, frames)
            elif is_of_collection(candidate):
                yield from self._in_collection(page, candidate)
            elif candidate.kind in FOLLOWED and place.nesting >= MAX_NESTING:
                leave_out(page, f"playlists and players more than {MAX_NESTING} deep")
            elif candidate.kind in FOLLOWED:
                instead = [each.url for each in others.get(candidate.group or "", ())]
                yield self.request(
                    candidate.url, nested_place(place, candidate), {INSTEAD: instead} if instead else None
                )
            elif self._is_continued(candidate, page, number):
                yield self.request(candidate.url, place.alone, {FEED_PAGE: number + 1})
            elif may_go_deeper and self._is_deeper(candidate, place):
                yield self.request(candidate.url, place.deeper)
        yield from self._follow_links(page, links)

    def _follow_links(self, page: Response, links: list[str]) -> Iterator[Request]:
        place, number = Place.of(page.meta), page.meta.get(FEED_PAGE, 1)
        for url in links:
            if self._is_trap(page, url):
                continue
            if number < MAX_LIST_PAGES and is_same_list(page.url, url):
                yield self.request(url, place.alone, {FEED_PAGE: number + 1})
            else:
                yield self.request(url, place.deeper)

    def _frame(self, page: Response, candidate: Candidate, frames: int) -> Iterator[Request]:
        """Yield the request for a document in a frame of the page: it is part of the page, as are its links."""
        if self._is_trap(page, candidate.url):
            return
        if frames >= MAX_NESTING:
            leave_out(page, f"frames more than {MAX_NESTING} deep")
            return
        yield self.request(candidate.url, Place.of(page.meta), {FRAMES: frames + 1})

    def _is_trap(self, page: Response, url: str) -> bool:
        """Return whether a link is not followed; of each site and of each shape of URL it is said once."""
        if (why := self._traps.why_not(url)) is None:
            return False
        if self._traps.is_first(url, why):
            leave_out(page, f"{one_line(clean_url(mask_url(url)), _SHOWN)} and others like it: {why}")
        return True

    def _is_continued(self, candidate: Candidate, page: Response, number: int) -> bool:
        """Return whether a candidate costs no depth: a next page, a feed that has moved, a feed in a list of feeds."""
        if not self._is_next(candidate, page, number) or self._is_trap(page, candidate.url):
            return False
        if number >= MAX_LIST_PAGES:
            leave_out(page, f"the pages of the list after the first {MAX_LIST_PAGES}")
        return number < MAX_LIST_PAGES

    def _is_next(self, candidate: Candidate, page: Response, number: int) -> bool:
        if candidate.relation is Relation.LISTED:
            return not Place.of(page.meta).level  # the list is a start
        if candidate.relation is not Relation.NEXT_PAGE:
            return False
        if candidate.kind is not Kind.PAGE:
            return True
        is_next = is_next_page(page.url, candidate.url, is_in_list=number > 1)
        return is_next and is_allowed(candidate.url, self._arguments)

    def _in_collection(self, page: Response, candidate: Candidate) -> Iterator[Request]:
        """Yield the request for a folder or a page of a listing, which costs no depth, within bounds."""
        level, number = page.meta.get(FOLDER_LEVEL, 0), page.meta.get(FEED_PAGE, 1)
        if candidate.relation is Relation.NEXT_PAGE:
            number += 1
        else:
            level, number = level + 1, 1
        if level > MAX_FOLDERS or number > MAX_LIST_PAGES:
            leave_out(page, f"folders more than {MAX_FOLDERS} deep, or pages after the first {MAX_LIST_PAGES}")
        else:
            yield self.ask(candidate, Place.of(page.meta).alone, {FOLDER_LEVEL: level, FEED_PAGE: number})

    def instead_of(self, request: Request) -> Iterator[Request]:
        """Yield the request for the next best bit rate where that of a manifest has failed."""
        for url in request.meta.get(INSTEAD, ())[:1]:
            yield self.request(url, Place.of(request.meta), {INSTEAD: request.meta[INSTEAD][1:]})

    def _is_deeper(self, candidate: Candidate, place: Place) -> bool:
        """Return whether to follow it; the pages of a feed that is a start may be on another site than the feed."""
        if candidate.kind is Kind.FEED:
            return True
        is_own = site_of(candidate.url) == place.home or (candidate.relation is Relation.ITEM and not place.level)
        return candidate.kind is Kind.PAGE and is_own and is_allowed(candidate.url, self._arguments)


def others_by_group(candidates: list[Candidate]) -> dict[str, list[Candidate]]:
    """Return the manifests that are alternates of better ones, other bit rates of a recording: by group, best first."""
    manifests = (each for each in candidates if each.kind is Kind.MANIFEST)
    others: dict[str, list[Candidate]] = {}
    for each, is_taken in sorted(choose(manifests), key=lambda pair: rank(pair[0])):
        if not is_taken:
            others.setdefault(each.group or "", []).append(each)
    return others


def is_of_collection(candidate: Candidate) -> bool:
    """Return whether the URL is a folder or a further page of a hub's listing."""
    is_page = candidate.relation is Relation.NEXT_PAGE and candidate.kind is Kind.EMBED
    return is_page or candidate.relation in {Relation.FOLDER, Relation.COLLECTION}


def nested_place(place: Place, candidate: Candidate) -> Place:
    """Return the place of a playlist, manifest or player in the document at ``place``."""
    return place.nested(
        candidate.found_by,
        is_from_browser=candidate.is_from_browser,
        is_certain_audio=candidate.is_certain_audio,
    )


def as_page(answer: Response, document: Document) -> Response:
    """Return the response as HTML with the text that was searched, if its type or its text is another."""
    is_same = isinstance(answer, HtmlResponse) and answer.text == document.text
    if is_same or document.type is not DocumentType.HTML:
        return answer
    return answer.replace(cls=HtmlResponse, body=document.text.encode(errors="replace"), encoding="utf-8")


def refer(crawler: Crawler, request: Request, page_url: str) -> Request:
    """Return the request with the page as its Referer, as REFERRER_POLICY allows."""
    referer = crawler.get_spider_middleware(RefererMiddleware)
    if referer is not None:
        shown = f"{origin_of(page_url)}/" if is_masked(page_url) else page_url
        referer.get_processed_request(request, Response(shown))
    return request
