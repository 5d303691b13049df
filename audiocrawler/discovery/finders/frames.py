"""Find the documents in a page's frames: those of the same host to follow, those written in ``srcdoc`` at once."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from audiocrawler.discovery.candidate import NAME, Find, Kind, Relation
from audiocrawler.discovery.document import Document, DocumentType, parse
from audiocrawler.discovery.finders.attributes import find_attributes
from audiocrawler.discovery.finders.head import find_embeds, is_sign_in
from audiocrawler.discovery.finders.markup import find_elements, find_links, find_texts
from audiocrawler.discovery.finders.structured import find_scripts
from audiocrawler.discovery.urls import absolute

_URL_ATTRIBUTES = ("src", "data-src", "data-lazy-src", "data-cmp-src", "data")
_WRITTEN = ("srcdoc", "data-srcdoc")
_PAGE_TYPES = frozenset(("text/html", "application/xhtml+xml"))
_MAX_DEPTH = 3


def find_frames(document: Document) -> Iterator[Find]:
    """Yield the documents that a frameset or page shows in frames, from its own host only."""
    own = urlsplit(document.url).netloc.lower()
    for element in document.elements("frame", "iframe", "object", "embed"):
        if element.tag in ("object", "embed") and (element.get("type") or "").lower() not in _PAGE_TYPES:
            continue
        for name in _URL_ATTRIBUTES:
            url = absolute(document.base_url, element.get(name) or "")
            if url and urlsplit(url).netloc.lower() == own and not is_sign_in(url):
                yield Find(url=url, found_by="frame", confidence=NAME, expected=Kind.PAGE, relation=Relation.FRAME)


def find_srcdoc(document: Document) -> Iterator[Find]:
    """Yield the audio of documents written in ``srcdoc`` (HTML, section 4.8.5), whose base is that of the page."""
    yield from _in_frames(document, 1)


def _in_frames(document: Document, depth: int) -> Iterator[Find]:
    for number, element in enumerate(document.elements("iframe")):
        for markup in filter(None, map(element.get, _WRITTEN)):
            page = parse(markup, document.url, DocumentType.HTML, base_url=document.base_url)
            for each in _in_page(page, depth):
                each.group = each.group and f"frame {number} {each.group}"
                yield each
            document.cuts |= page.cuts


def _in_page(page: Document, depth: int) -> Iterator[Find]:
    for finder in (find_elements, find_links, find_embeds, find_frames, find_attributes, find_scripts, find_texts):
        for each in finder(page):
            each.url = absolute(page.base_url, each.url) or each.url
            yield each
    if depth < _MAX_DEPTH:
        yield from _in_frames(page, depth + 1)
    elif any(element.get(name) for name in _WRITTEN for element in page.elements("iframe")):
        page.leave_out(f"the documents in frames more than {_MAX_DEPTH} deep")
