"""What a feed says of an item: title, author, date, duration, language, licence and transcript."""

import re
from collections.abc import Iterator
from dataclasses import fields

from lxml import etree

from audiocrawler.discovery.candidate import Description, Find
from audiocrawler.discovery.document import one_line, text_of
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
from audiocrawler.statements import NOTICE, Statement, statement_of

_ADDRESS = re.compile(r"\S+@\S+ \((.+)\)")  # RSS 2.0: the author is an e-mail address, the name in brackets
FEED_ROOTS = frozenset(("rss", "feed", "rdf"))
_ITEMS = ("item", "entry", "liveitem")
_RIGHTS = ("copyright", "rights")
_DESCRIBED = tuple(field.name for field in fields(Description))


def channel_description(root: etree._Element) -> Description:
    """Return what holds for all items of a feed: author, language and licence."""
    channel = channel_of(root)
    children = children_of(channel)
    language = first_text(children, "language") or attribute(channel, "lang")
    about = Description(artist=_author(children), language=language)
    about.statements = statements_in(children, "feed_channel")
    about.credit = first_text(children, "credit", "attributionname")
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
        guid=first_text(children, "guid", "id"),
        artist=_author(children) or first_text(children, "person"),
        duration_ms=duration_ms(first_text(children, "duration")),
        language=first_text(children, "language") or attribute(item, "lang"),
        published_at=published_at(first_text(children, "pubdate", "published", "date", "updated")),
        transcript_url=_transcript(children),
    )
    about.statements = statements_in(inner := _with_media(children), "feed_item")
    about.credit = first_text(inner, "credit", "attributionname")
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


def statements_in(children: Children, place: str) -> tuple[Statement, ...] | None:
    """Return the licences that are stated by children of an element, and its notices of copyright.

    Podcast namespace: ``license`` is a slug, or a text with a ``url``. Creative Commons, Media RSS 1.5.1 and RSS 1.0
    have elements of that name, too; Atom (RFC 4946) has links. ``rights`` and ``copyright`` are texts about both.
    """
    found = [
        statement_of(child_text_of(each), place, url=attribute(each, "url", "href", "resource"))
        for each in children.get("license", ())
    ]
    links = (each for each in children.get("link", ()) if "license" in (attribute(each, "rel") or "").lower().split())
    found += [statement_of(attribute(each, "href"), place) for each in links]
    notices = (each for name in _RIGHTS for each in children.get(name, ()))
    found += [statement_of(one_line(text_of(each)), place + NOTICE, url=attribute(each, "url")) for each in notices]
    return tuple(filter(None, found)) or None


def _with_media(children: Children) -> Children:
    """Return the children together with those of ``media:group``, which hold for all files in it."""
    together = {name: list(elements) for name, elements in children.items()}
    for group in children.get("group", ()):
        for name, elements in children_of(group).items():
            together.setdefault(name, []).extend(elements)
    return together


def child_text_of(element: etree._Element) -> str | None:
    """Return the element's own text on one line."""
    return " ".join((element.text or "").split())[:300] or None
