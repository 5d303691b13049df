"""The next page of a feed that is cut into pages."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from lxml import etree

from audiocrawler.discovery.candidate import ATTRIBUTE, ELEMENT, Find, Kind
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.feed_items import FEED_ROOTS, channel_of
from audiocrawler.discovery.xml_tree import attribute, child_text, each_named, local_name

_NEXT = frozenset(("next", "next-archive", "prev-archive"))
_PAGED = re.compile(r"(?:^|&)paged=(\d{1,6})(?=&|$)")


def find(document: Document) -> Iterator[Find]:
    """Yield the page that the feed names as the next or as its archive (RFC 5005), else that of WordPress.

    WordPress names none, but serves it under ``paged``; it is asked for where this page has enclosures.
    """
    if document.root is None or document.root_name not in FEED_ROOTS:
        return
    channel = channel_of(document.root)
    named = [url for link in channel if (url := _next_url(link))]
    for url in named:
        yield Find(url=url, found_by="feed_next", confidence=ELEMENT, expected=Kind.FEED)
    if not named and _is_from_wordpress(channel) and next(each_named(channel, "enclosure"), None) is not None:
        yield Find(url=_next_paged(document.url), found_by="feed_next", confidence=ATTRIBUTE, expected=Kind.FEED)


def _next_url(element: etree._Element) -> str | None:
    if local_name(element) != "link" or (attribute(element, "rel") or "").lower() not in _NEXT:
        return None
    return attribute(element, "href")


def _is_from_wordpress(channel: etree._Element) -> bool:
    return "wordpress.org" in (child_text(channel, "generator") or "")


def _next_paged(url: str) -> str:
    parts = urlsplit(url)
    match = _PAGED.search(parts.query)
    if match is None:
        return parts._replace(query="&".join(filter(None, (parts.query, "paged=2")))).geturl()
    query = f"{parts.query[: match.start(1)]}{int(match[1]) + 1}{parts.query[match.end(1) :]}"
    return parts._replace(query=query).geturl()
