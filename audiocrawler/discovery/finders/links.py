"""Links to audio, playlists and feeds: ``a``, ``area`` and ``link``."""

from collections.abc import Iterator

from lxml import etree

from audiocrawler.discovery.candidate import ELEMENT, LINK, NAME, Find, Kind
from audiocrawler.discovery.document import Document, one_line, text_of
from audiocrawler.discovery.feed_links import is_comment_feed, is_feed_url, wrapped_feed
from audiocrawler.discovery.media_types import AUDIO_EXTENSIONS, MEDIA_NAME, extension_of, kind_of_type
from audiocrawler.discovery.rows import row_description

_MAX_TEXT = 200


def find(document: Document) -> Iterator[Find]:
    """Yield the links whose URL or declared type tells of audio, a playlist or a feed."""
    for element in document.elements("a", "area"):
        if href := element.get("href"):
            yield from _anchor(element, href)
    for element in document.elements("link"):
        if href := element.get("href"):
            yield from _link(element, href)


def _anchor(element: etree._Element, href: str) -> Iterator[Find]:
    mime_type = element.get("type")
    saved_as_audio = extension_of(element.get("download") or "") in AUDIO_EXTENSIONS
    declared = saved_as_audio or isinstance(kind_of_type(mime_type), Kind)
    if declared or MEDIA_NAME.search(href):
        row = row_description(element)
        yield Find(
            url=href,
            found_by="a_href",
            confidence=ELEMENT if declared else LINK,
            expected=Kind.AUDIO if saved_as_audio else None,
            mime_type=mime_type,
            duration_ms=row.duration_ms,
            size_bytes=row.size_bytes,
            language=element.get("hreflang"),
            published_at=row.published_at,
            link_text=_label(element),
        )
    elif feed := wrapped_feed(href) or (href if is_feed_url(href) else None):
        yield Find(url=feed, found_by="a_href", confidence=NAME, expected=Kind.FEED)


def _label(element: etree._Element) -> str | None:
    """Return what a reader sees of the link; its title attribute names the format as often as the recording."""
    texts = (text_of(element), element.get("title"), element.get("aria-label"))
    return next((label for text in texts if (label := one_line(text, _MAX_TEXT))), None)


def _link(element: etree._Element, href: str) -> Iterator[Find]:
    relations = (element.get("rel") or "").lower().split()
    mime_type = element.get("type")
    kind = kind_of_type(mime_type)
    if "alternate" in relations and kind is Kind.FEED:
        if not is_comment_feed(href, element.get("title") or ""):
            yield Find(url=href, found_by="link_alternate", confidence=ELEMENT, expected=Kind.FEED, mime_type=mime_type)
    elif element.get("as") == "audio":
        yield Find(url=href, found_by="link_href", confidence=ELEMENT, expected=Kind.AUDIO, mime_type=mime_type)
    elif isinstance(kind, Kind) or MEDIA_NAME.search(href):
        yield Find(
            url=href,
            found_by="link_href",
            confidence=ELEMENT if kind else LINK,
            mime_type=mime_type,
            title=one_line(element.get("title")),
            language=element.get("hreflang"),
        )
