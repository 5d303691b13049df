"""Find audio in the HTML bodies of feed items, like on a page."""

from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from audiocrawler.discovery.candidate import Description, Find, fill
from audiocrawler.discovery.document import Document, DocumentType, attribute, child_text, local_name, parse, text_of
from audiocrawler.discovery.finders.feeds import FEED_ROOTS, bodies_of, channel_description, item_description, items_of
from audiocrawler.discovery.finders.markup import find_elements, find_links, find_texts
from audiocrawler.discovery.kinds import MEDIA_NAME
from audiocrawler.discovery.urls import absolute

_END_OF_PLAYER = "</audio></video>"


def find_feed_bodies(document: Document) -> Iterator[Find]:
    """Yield the audio in the bodies of a feed's items; a player's sources are alternates, a body's players are not."""
    if document.root is None or document.root_name not in FEED_ROOTS:
        return
    channel = channel_description(document.root)
    for number, item in enumerate(items_of(document.root)):
        about: Description | None = None
        for each in _in_bodies(document, item):
            about = about or replace(
                item_description(item, channel), duration_ms=None
            )  # the duration is the enclosure's
            each.group = f"body {number} {each.group}" if each.group else None
            fill(each, about)
            yield each


def _in_bodies(document: Document, item: etree._Element) -> Iterator[Find]:
    with_audio = [markup for markup in map(_markup, bodies_of(item)) if MEDIA_NAME.search(markup)]
    if not with_audio:
        return
    markup = _END_OF_PLAYER.join(sorted(with_audio, key=len, reverse=True))  # summaries are often cut within a tag
    page = parse(markup, document.url, DocumentType.HTML, base_url=_link_of(item, document))
    for finder in (find_elements, find_links, find_texts):
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
