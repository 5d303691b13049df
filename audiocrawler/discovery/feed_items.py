"""What a feed says of an item: title, author, date, duration, language, licence and transcript."""

import re
from collections.abc import Iterator
from dataclasses import fields

from lxml import etree

from audiocrawler.discovery.candidate import Description, Find
from audiocrawler.discovery.values import duration_ms, published_at
from audiocrawler.discovery.xml_tree import (
    Children,
    attribute,
    child_text,
    children_of,
    each_named,
    first_text,
    local_name,
)

_ADDRESS = re.compile(r"\S+@\S+ \((.+)\)")  # RSS 2.0: the author is an e-mail address, the name in brackets
FEED_ROOTS = frozenset(("rss", "feed", "rdf"))
_ITEMS = ("item", "entry", "liveitem")
_DESCRIBED = tuple(field.name for field in fields(Description))


def channel_description(root: etree._Element) -> Description:
    """Return what holds for all items of a feed: author, language and licence."""
    channel = channel_of(root)
    children = children_of(channel)
    language = first_text(children, "language") or attribute(channel, "lang")
    about = Description(artist=_author(children), language=language)
    _set_license(about, children)
    return about


def channel_of(root: etree._Element) -> etree._Element:
    """Return the element that describes the feed: RSS has one within its root, Atom's root is it."""
    return next((child for child in root if local_name(child) == "channel"), root)


def items_of(root: etree._Element) -> Iterator[etree._Element]:
    """Yield the items of a feed, live ones included."""
    return each_named(root, *_ITEMS)


def elements_of(item: etree._Element) -> Iterator[etree._Element]:
    """Yield the elements within an item, without those of further items, which unclosed tags put into it."""
    rest = list(reversed(item))
    while rest:
        element = rest.pop()
        if local_name(element) not in _ITEMS:
            yield element
            rest.extend(reversed(element))


def item_description(item: etree._Element, channel: Description) -> Description:
    """Return what an item says of its audio, completed by what holds for the channel."""
    children = children_of(item)
    about = Description(
        title=first_text(children, "title"),
        artist=_author(children) or first_text(children, "person"),
        duration_ms=duration_ms(first_text(children, "duration")),
        language=first_text(children, "language") or attribute(item, "lang"),
        published_at=published_at(first_text(children, "pubdate", "published", "date", "updated")),
        transcript_url=_transcript(children),
    )
    _set_license(about, children)
    fill(about, channel)
    return about


def fill(target: Description | Find, source: Description) -> None:
    """Set what ``target`` lacks from ``source``."""
    for name in _DESCRIBED:
        if getattr(target, name) is None:
            setattr(target, name, getattr(source, name))


def _author(children: Children) -> str | None:
    names = (child_text(author, "name") for author in children.get("author", ()))
    if name := next(filter(None, names), None):
        return name
    author = first_text(children, "creator", "author")
    match = _ADDRESS.fullmatch(author) if author else None
    return match[1] if match else author


def _transcript(children: Children) -> str | None:
    urls = (attribute(transcript, "url") for transcript in children.get("transcript", ()))
    return next(filter(None, urls), None)


def _set_license(about: Description, children: Children) -> None:
    for element in children.get("license", ()):
        text = child_text_of(element)
        about.license_url = attribute(element, "url", "href", "resource") or (text if _is_url(text) else None)
        about.license = text or about.license_url
    for link in children.get("link", ()):
        if attribute(link, "rel") == "license":
            about.license = about.license_url = attribute(link, "href")
    if about.license is None:
        about.license = first_text(children, "rights")


def child_text_of(element: etree._Element) -> str | None:
    """Return the element's own text on one line."""
    return " ".join((element.text or "").split())[:300] or None


def _is_url(text: str | None) -> bool:
    return bool(text and text.startswith(("http://", "https://")))
