"""What a feed says of an item: title, author, date, duration, language, licence and transcript."""

import re
from dataclasses import fields

from lxml import etree

from audiocrawler.discovery.candidate import Description, Find
from audiocrawler.discovery.values import duration_ms, published_at
from audiocrawler.discovery.xml_tree import attribute, child_text, local_name

_ADDRESS = re.compile(r"\S+@\S+ \((.+)\)")  # RSS 2.0: the author is an e-mail address, the name in brackets
FEED_ROOTS = frozenset(("rss", "feed", "rdf"))
ITEMS = ("item", "entry", "liveitem")


def channel_description(root: etree._Element) -> Description:
    """Return what holds for all items of a feed: author, language and licence."""
    channel = next((child for child in root if local_name(child) == "channel"), root)
    about = Description(artist=_author(channel), language=child_text(channel, "language"))
    _set_license(about, channel)
    return about


def item_description(item: etree._Element, channel: Description) -> Description:
    """Return what an item says of its audio, completed by what holds for the channel."""
    about = Description(
        title=child_text(item, "title"),
        artist=_author(item),
        duration_ms=duration_ms(child_text(item, "duration")),
        language=child_text(item, "language"),
        published_at=published_at(child_text(item, "pubdate", "published", "date", "updated")),
        transcript_url=_transcript(item),
    )
    _set_license(about, item)
    fill(about, channel)
    return about


def fill(target: Description | Find, source: Description) -> None:
    """Set what ``target`` lacks from ``source``."""
    for field in fields(Description):
        if getattr(target, field.name) is None:
            setattr(target, field.name, getattr(source, field.name))


def _author(element: etree._Element) -> str | None:
    for child in element:
        if local_name(child) == "author" and (name := child_text(child, "name")):
            return name
    author = child_text(element, "creator", "author")
    match = _ADDRESS.fullmatch(author) if author else None
    return match[1] if match else author


def _transcript(item: etree._Element) -> str | None:
    for child in item:
        if local_name(child) == "transcript" and (url := attribute(child, "url")):
            return url
    return None


def _set_license(about: Description, element: etree._Element) -> None:
    for child in element:
        name = local_name(child)
        if name == "license":
            text = child_text_of(child)
            about.license_url = attribute(child, "url", "href", "resource") or (text if _is_url(text) else None)
            about.license = text or about.license_url
        elif name == "link" and attribute(child, "rel") == "license":
            about.license = about.license_url = attribute(child, "href")
        elif name == "rights" and about.license is None:
            about.license = child_text_of(child)


def child_text_of(element: etree._Element) -> str | None:
    """Return the element's own text on one line."""
    return " ".join((element.text or "").split())[:300] or None


def _is_url(text: str | None) -> bool:
    return bool(text and text.startswith(("http://", "https://")))
