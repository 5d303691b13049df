"""Read a response as a Document: all of it, in pieces if it is large, with the documents that follow in its body.

What was not read is stated in the document's ``left_out``.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

from scrapy.http import Response

from audiocrawler.discovery.decoding import Body, body_of, text_of_body
from audiocrawler.discovery.document import Document, DocumentType, parse, root_name, sniff
from audiocrawler.discovery.link_header import next_url
from audiocrawler.discovery.mending import without_noise
from audiocrawler.discovery.pieces import ITEMS, json_pieces, xml_pieces

LARGE_BYTES = 8 * 2**20
"""Larger feeds, sitemaps and JSON documents are parsed in pieces."""
MAX_CHARACTERS = 16 * 2**20
"""Longer documents of other types are cut; no real page comes near."""
_MAX_FOLLOWING = 100
_HEAD = 64 * 2**10


def read(response: Response) -> Document:
    """Parse a response. Never raises: an unreadable body is an empty text."""
    content_type = (response.headers.get("Content-Type") or b"").decode("latin-1").lower()
    body = body_of(response)
    if len(body.content) > LARGE_BYTES:
        document = _large(response, body, content_type)
    else:
        document = _document(without_noise(text_of_body(response, body)), response.url, content_type)
    if body.left_out:
        document.leave_out(body.left_out)
    document.next_url = next_url(response)
    return document


def _document(text: str, url: str, content_type: str, place: int = 0) -> Document:
    """Return the document at the start of the text; ``place`` is how many precede it in the response."""
    kind = sniff(text, content_type, url)
    document = parse(text, url, kind, is_xml="xml" in content_type)
    end = _end_of_first(document, text)
    if end is not None and place >= _MAX_FOLLOWING:
        document.leave_out(f"the documents after the first {_MAX_FOLLOWING}")
    elif end is not None:
        document.following = _Following(text[end:], url, place + 1)
    return document


_FEED = re.compile(r"<(?:rss|feed|rdf:RDF)\s[^<>]*?(?:version|xmlns)", re.IGNORECASE)
_DOCUMENT = re.compile(r"<(?:[\w.-]+:)?(?:rss|feed|rdf|opml|urlset|sitemapindex|playlist|html)[\s>]", re.IGNORECASE)
_PAGE_END = re.compile(r"</html\s*>", re.IGNORECASE)


def _end_of_first(document: Document, text: str) -> int | None:
    """Return where a feed ends if another document follows it, or a page if a feed does."""
    if document.type is DocumentType.XML and document.root_name:
        end = re.search(rf"</(?:[\w.-]+:)?{re.escape(document.root_name)}\s*>", text, re.IGNORECASE)
        following = _DOCUMENT
    elif document.type is DocumentType.HTML:
        end, following = _PAGE_END.search(text), _FEED
    else:
        return None
    return end.end() if end and following.search(text, end.end()) else None


@dataclass(frozen=True, slots=True)
class _Following:
    """The documents after the first one of a body."""

    text: str
    url: str
    place: int

    def __iter__(self) -> Iterator[Document]:
        document = _document(without_noise(self.text), self.url, "", self.place)
        yield document
        yield from document.following


def _large(response: Response, body: Body, content_type: str) -> Document:
    head = without_noise("".join(islice(body.blocks(), 1))[:_HEAD])
    kind = sniff(head, content_type, response.url)
    item = ITEMS.get(root_name(head))
    if kind is DocumentType.JSON:
        document = _in_pieces(partial(_json_documents, text_of_body(response, body), response.url), response.url)
    elif kind is DocumentType.XML and item:
        document = _in_pieces(partial(_xml_documents, body, response.url, item), response.url)
    else:
        document = _cut(without_noise(text_of_body(response, body)), response.url, kind, is_xml="xml" in content_type)
    return document


def _cut(text: str, url: str, kind: DocumentType, *, is_xml: bool) -> Document:
    is_list = kind in (DocumentType.TEXT, DocumentType.PLAYLIST)
    document = parse(text if is_list else text[:MAX_CHARACTERS], url, kind, is_xml=is_xml)
    if len(document.text) < len(text) and not is_list:
        document.leave_out(f"all after the first {MAX_CHARACTERS} of {len(text)} characters")
    return document


def _in_pieces(pieces: Callable[[], Iterator[Document]], url: str) -> Document:
    try:
        first = next(pieces())
    except (ValueError, RecursionError) as error:
        return Document(url, "", DocumentType.TEXT, cuts={f"all of it: {error}": None})
    first.following = _Rest(first, pieces)
    return first


@dataclass(frozen=True, slots=True)
class _Rest:
    """The pieces of a large document after the first one."""

    first: Document
    pieces: Callable[[], Iterator[Document]]

    def __iter__(self) -> Iterator[Document]:
        number = 1
        try:
            for piece in islice(self.pieces(), 1, None):
                number += 1
                yield piece
        except (ValueError, RecursionError) as error:
            self.first.leave_out(f"all after piece {number}: {error}")


def _json_documents(text: str, url: str) -> Iterator[Document]:
    for value in json_pieces(text):
        yield Document(url, text[:_HEAD], DocumentType.JSON, value=value)


def _xml_documents(body: Body, url: str, item: str) -> Iterator[Document]:
    for text in xml_pieces(body.blocks(), item):
        yield parse(without_noise(text), url, DocumentType.XML)
