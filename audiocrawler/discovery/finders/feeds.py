"""RSS and Atom: enclosures, Media RSS, the podcast namespace and vendors' copies, with what the item says of them."""

from collections.abc import Callable, Iterator

from lxml import etree

from audiocrawler.discovery.candidate import ELEMENT, LINK, Description, Find, Kind
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.feed_items import (
    FEED_ROOTS,
    channel_description,
    elements_of,
    fill,
    item_description,
    items_of,
    statements_in,
)
from audiocrawler.discovery.media_types import extension_of, kind_of_type
from audiocrawler.discovery.values import duration_ms, size_bytes, whole_number
from audiocrawler.discovery.xml_tree import attribute, children_of, each_named, first_text, local_name


def find(document: Document) -> Iterator[Find]:
    """Yield the audio of each item of a feed; the files of one item are alternates."""
    if document.root is None or document.root_name not in FEED_ROOTS:
        return
    channel = channel_description(document.root)
    for number, item in enumerate(items_of(document.root)):
        about = item_description(item, channel)
        for each in _media(item):
            yield _completed(each, about, f"item {number}", live=local_name(item) == "liveitem")
    for trailer in each_named(document.root, "trailer"):
        for each in _trailer(trailer):
            yield _completed(each, channel, None, live=False)


def _media(item: etree._Element) -> Iterator[Find]:
    for element in elements_of(item):
        if reader := _READERS.get(local_name(element)):
            yield from reader(element)


def _completed(each: Find, about: Description, group: str | None, *, live: bool) -> Find:
    each.group = group
    if live:
        each.expected = Kind.STREAM
    fill(each, about)
    return each


def _enclosure(element: etree._Element) -> Iterator[Find]:
    if url := attribute(element, "url", "href", "resource"):
        yield _find(
            url, "feed_enclosure", attribute(element, "type"), size_bytes=size_bytes(attribute(element, "length"))
        )


def _link(element: etree._Element) -> Iterator[Find]:
    if (attribute(element, "rel") or "").lower() == "enclosure":
        yield from _enclosure(element)


def _media_content(element: etree._Element) -> Iterator[Find]:
    """Media RSS 1.5.1: duration in seconds, bitrate in kilobits per second."""
    if not (url := attribute(element, "url")):
        return
    each = _find(
        url, "media_content", attribute(element, "type"), size_bytes=size_bytes(attribute(element, "filesize"))
    )
    if each.mime_type is None and attribute(element, "medium") not in (None, "audio"):
        return
    each.duration_ms = duration_ms(attribute(element, "duration"))
    each.bit_rate_bps = whole_number(attribute(element, "bitrate"), unit=1000)
    each.language = attribute(element, "lang")
    children = children_of(element)
    each.statements, each.credit = statements_in(children, "feed_item"), first_text(children, "credit")
    yield each


def _alternate_enclosure(element: etree._Element) -> Iterator[Find]:
    """Podcast namespace: the attributes stand on the enclosure, the URLs on its sources."""
    for source in element:
        if local_name(source) == "source" and (url := attribute(source, "uri", "url")):
            mime_type = attribute(source, "contenttype") or attribute(element, "type")
            each = _find(url, "alternate_enclosure", mime_type, size_bytes=size_bytes(attribute(element, "length")))
            each.bit_rate_bps = whole_number(attribute(element, "bitrate"))
            each.language = attribute(element, "lang")
            yield each


def _trailer(element: etree._Element) -> Iterator[Find]:
    if url := attribute(element, "url"):
        each = _find(url, "trailer", attribute(element, "type"), size_bytes=size_bytes(attribute(element, "length")))
        each.title = " ".join((element.text or "").split()) or None
        yield each


def _vendor_enclosure(element: etree._Element) -> Iterator[Find]:
    if url := attribute(element, "url", "href") or (element.text or "").strip():
        yield _find(url, "vendor_enclosure", attribute(element, "type"))


def _find(url: str, found_by: str, mime_type: str | None, *, size_bytes: int | None = None) -> Find:
    declared = kind_of_type(mime_type)
    return Find(
        url=url,
        found_by=found_by,
        confidence=ELEMENT if declared is Kind.AUDIO else LINK,
        expected=None if declared or extension_of(url) else Kind.AUDIO,
        mime_type=mime_type,
        size_bytes=size_bytes,
    )


_READERS: dict[str, Callable[[etree._Element], Iterator[Find]]] = {
    "enclosure": _enclosure,
    "link": _link,
    "content": _media_content,
    "alternateenclosure": _alternate_enclosure,
    "origenclosurelink": _vendor_enclosure,
    "enclosuresecure": _vendor_enclosure,
    "enclosurelegacy": _vendor_enclosure,
    "attachment_url": _vendor_enclosure,
}
