"""Which links lead to further pages of the same site, and which lead into pages without end."""

import re
from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlsplit

from scrapy.http import HtmlResponse, Response
from scrapy.link import Link
from scrapy.linkextractors import LinkExtractor

from audiocrawler.config.arguments import Arguments
from audiocrawler.discovery import Kind
from audiocrawler.discovery.kinds import classify
from audiocrawler.discovery.urls import MAX_URL_LENGTH
from audiocrawler.model.urls import site_of

MAX_PATH_LENGTH = 2000
MAX_SEGMENTS = 20
MAX_REPEATED_SEGMENTS = 3
MAX_BARREN_PAGES = 1_000
"""Pages of one shape in a row without audio, after which no more of it are asked for: a calendar, a faceted list."""
MAX_BARREN_NUMBERED_PAGES = 20_000
"""The same where one number in the path tells the pages apart, as it does for the articles of many sites."""
MAX_SHAPES = 50_000
_DIGITS = re.compile(r"\d+")


class Traps:
    """Tells which links lead nowhere, from their form and from what pages of the same shape have brought."""

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
        """Remember what a page has brought; of many shapes those seen longest ago are forgotten."""
        shape = shape_of(url)
        self._barren[shape] = 0 if has_audio else self._barren.get(shape, 0) + 1
        self._barren.move_to_end(shape)
        if len(self._barren) > MAX_SHAPES:
            self._barren.popitem(last=False)


def shape_of(url: str) -> str:
    """Return the URL with its numbers and the values of its parameters taken out."""
    parts = urlsplit(url)
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&")})
    return f"{parts.netloc}{_DIGITS.sub('0', parts.path)}?{'&'.join(names)}"


MAX_LINKS = 10_000
"""Links of a page that are followed: more are a trap, or a list that has pages of its own."""
MAX_PAGE_BYTES = 8_000_000
"""How much of a page is searched for links."""
# Its list of ignored extensions is right for pages: audio, feeds and playlists are discovery's.
_LINKS = LinkExtractor()
_HREF = re.compile(rb"\bhref\s*=\s*(?:\"[^\"?]*|'[^'?]*)", re.IGNORECASE)
_BASE = re.compile(rb"<base\b", re.IGNORECASE)


def page_links(page: Response, site: str, arguments: Arguments) -> list[str]:
    """Return what ``page`` links to on the same site and ``allow`` and ``deny`` let pass, MAX_LINKS at most."""
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
    """Return the page with slashes for the backslashes in its links, which the extractor takes for letters."""
    if b"\\" not in page.body:
        return page
    return page.replace(body=_HREF.sub(lambda link: link[0].replace(b"\\", b"/"), page.body))


def _links(page: HtmlResponse) -> list[Link]:
    try:
        return _LINKS.extract_links(page)
    except ValueError:  # its <base> is no URL: browsers take that of the page (HTML, "document base URL")
        return _LINKS.extract_links(page.replace(body=_BASE.sub(b"<br", page.body)))


def is_allowed(url: str, arguments: Arguments) -> bool:
    """Return whether the regular expressions of the arguments let the page pass."""
    if arguments.deny and arguments.deny.search(url):
        return False
    return arguments.allow is None or bool(arguments.allow.search(url))
