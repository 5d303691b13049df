"""The HTML that feed items carry: its players and links are found as on a page."""

from collections.abc import Iterator

from lxml import etree

from audiocrawler.discovery.candidate import Find
from audiocrawler.discovery.document import Document, parse, text_of
from audiocrawler.discovery.feed_items import FEED_ROOTS, ITEMS, channel_description, fill, item_description
from audiocrawler.discovery.finders import elements, links, texts
from audiocrawler.discovery.media_types import MEDIA_NAME
from audiocrawler.discovery.sniff import DocumentType
from audiocrawler.discovery.urls import absolute
from audiocrawler.discovery.xml_tree import attribute, child_text, each_named, local_name

_BODIES = frozenset(("description", "encoded", "content", "summary"))


def find(document: Document) -> Iterator[Find]:
    """Yield the audio in the bodies of a feed's items; a player's sources are alternates, a body's players are not."""
    if document.root is None or document.root_name not in FEED_ROOTS:
        return
    channel = channel_description(document.root)
    for number, item in enumerate(each_named(document.root, *ITEMS)):
        about = item_description(item, channel)
        for each in _in_bodies(document, item):
            each.group = f"body {number} {each.group}" if each.group else None
            about.duration_ms = None  # that of the enclosure
            fill(each, about)
            yield each


def _in_bodies(document: Document, item: etree._Element) -> Iterator[Find]:
    base_url = _link_of(item, document)
    for child in item.iterchildren(etree.Element):
        if local_name(child) in _BODIES and MEDIA_NAME.search(markup := _markup(child)):
            page = parse(markup, document.url, DocumentType.HTML, base_url=base_url)
            for finder in (elements.find, links.find, texts.find):
                for each in finder(page):
                    if url := absolute(page.base_url, each.url):
                        each.url = url
                        yield each


def _markup(body: etree._Element) -> str:
    if len(body):
        return str(etree.tostring(body, encoding="unicode", with_tail=False))
    return text_of(body)


def _link_of(item: etree._Element, document: Document) -> str:
    for child in item:
        if local_name(child) == "link" and (href := attribute(child, "href")):
            return absolute(document.url, href) or document.url
    return absolute(document.url, child_text(item, "link") or "") or document.url
