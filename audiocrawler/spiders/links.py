"""Which links of a page lead to further pages of the same site."""

import re
from collections.abc import Iterator
from itertools import islice

from scrapy.http import HtmlResponse, Response
from scrapy.link import Link
from scrapy.linkextractors import LinkExtractor

from audiocrawler.arguments.arguments import Arguments
from audiocrawler.arguments.sites import site_of
from audiocrawler.discovery import Kind
from audiocrawler.discovery.classify import classify

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
