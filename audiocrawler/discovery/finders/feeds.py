"""Find audio in RSS and Atom: enclosures, Media RSS, the podcast namespace, items' metadata, the feed's next page."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from lxml import etree

from audiocrawler.discovery.candidate import (
    ATTRIBUTE,
    ELEMENT,
    LINK,
    Description,
    Find,
    Kind,
    Relation,
    Role,
    fill,
)
from audiocrawler.discovery.copies import group_copies
from audiocrawler.discovery.document import (
    Children,
    Document,
    attribute,
    child_text,
    children_of,
    each_named,
    first_text,
    local_name,
    one_line,
    text_of,
)
from audiocrawler.discovery.finders.feed_about import add_item, add_shared, host_of
from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, extension_of, kind_of_type
from audiocrawler.discovery.values import duration_ms, published_at, size_bytes, whole_number
from audiocrawler.model.statements import NOTICE, Statement, statement_of

_ADDRESS = re.compile(r"\S+@\S+ \((.+)\)")  # RSS 2.0: the author is an e-mail address, the name in brackets
FEED_ROOTS = frozenset(("rss", "feed", "rdf"))
_ITEMS = ("item", "entry", "liveitem")
_BODIES = frozenset(("description", "encoded", "content", "summary"))
_PAID = ("http://opds-spec.org/acquisition/borrow", "http://opds-spec.org/acquisition/buy")
_RIGHTS = ("copyright", "rights")


def channel_description(root: etree._Element) -> Description:
    """Return the metadata of a feed that applies to all items: author, language, licence, show, image and people."""
    channel = channel_of(root)
    children = children_of(channel)
    language = first_text(children, "language") or attribute(channel, "lang")
    about = Description(artist=_author(children), language=language)
    about.statements = statements_in(children, "feed_channel")
    about.credit = first_text(children, "credit", "attributionname")
    about.show_title = first_text(children, "title")
    add_shared(about, children)
    return about


def channel_of(root: etree._Element) -> etree._Element:
    """Return the element that describes the feed: a child of the root in RSS, the root in Atom."""
    return next((child for child in root if local_name(child) == "channel"), root)


def items_of(root: etree._Element) -> Iterator[etree._Element]:
    """Yield the items of a feed, including live ones."""
    return each_named(root, *_ITEMS)


def elements_of(item: etree._Element) -> Iterator[etree._Element]:
    """Yield the elements of an item, without those of other items nested in it by unclosed tags."""
    rest = list(reversed(item))
    while rest:
        element = rest.pop()
        if local_name(element) not in _ITEMS:
            yield element
            if len(element):
                rest.extend(reversed(element))


def bodies_of(item: etree._Element) -> Iterator[etree._Element]:
    """Yield the children of an item that contain its text, which may be HTML."""
    return (child for child in item.iterchildren(etree.Element) if local_name(child) in _BODIES)


def item_description(item: etree._Element, channel: Description) -> Description:
    """Return an item's metadata, completed from the channel's."""
    children = children_of(item)
    about = Description(
        title=first_text(children, "title"),
        guid=first_text(children, "guid", "id", "identifier"),
        artist=_author(children),
        duration_ms=duration_ms(first_text(children, "duration")),
        language=first_text(children, "language") or attribute(item, "lang"),
        published_at=published_at(first_text(children, "pubdate", "published", "date", "updated")),
    )
    about.statements = statements_in(inner := _with_media(children), "feed_item")
    about.credit = first_text(inner, "credit", "attributionname")
    add_item(about, inner)
    fill(about, channel)
    about.artist = about.artist or host_of(about.people)
    return about


def _author(children: Children) -> str | None:
    names = (child_text(author, "name") for author in children.get("author", ()))
    if name := next(filter(None, names), None):
        return name
    author = first_text(children, "creator", "author")
    match = _ADDRESS.fullmatch(author) if author else None
    return match[1] if match else author


def statements_in(children: Children, place: str) -> tuple[Statement, ...] | None:
    """Return the licences and copyright notices in the children of an element.

    Podcast namespace: ``license`` is a slug, or a text with a ``url``. Creative Commons, Media RSS 1.5.1 and RSS 1.0
    also have elements of that name; Atom (RFC 4946) has links. ``rights`` and ``copyright`` are texts about both.
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
    """Return the children together with those of ``media:group``, which apply to all its files."""
    together = {name: list(elements) for name, elements in children.items()}
    for group in children.get("group", ()):
        for name, elements in children_of(group).items():
            together.setdefault(name, []).extend(elements)
    return together


def child_text_of(element: etree._Element) -> str | None:
    """Return the element's own text on one line."""
    return " ".join((element.text or "").split())[:300] or None


def find_feeds(document: Document) -> Iterator[Find]:
    """Yield the audio of each item of a feed; copies of one recording are alternates."""
    if document.root is None or document.root_name not in FEED_ROOTS:
        return
    channel = channel_description(document.root)
    for number, item in enumerate(items_of(document.root)):
        about = item_description(item, channel)
        finds = list(media_of(item))
        group_copies(finds, f"item {number}")
        for each in finds:
            yield _completed(each, about, live=local_name(item) == "liveitem")
    for trailer in each_named(document.root, "trailer"):
        for each in _trailer(trailer):
            yield _completed(each, channel, live=False)


def media_of(item: etree._Element) -> Iterator[Find]:
    """Yield the files that an item names, without its metadata."""
    for element in elements_of(item):
        if reader := _READERS.get(local_name(element)):
            yield from reader(element)


def _completed(each: Find, about: Description, *, live: bool) -> Find:
    if live:
        each.expected = Kind.STREAM
    fill(each, about)
    return each


def _enclosure(element: etree._Element) -> Iterator[Find]:
    if url := attribute(element, "url", "href", "resource") or one_line(text_of(element)):
        yield _find(
            url, "feed_enclosure", attribute(element, "type"), size_bytes=size_bytes(attribute(element, "length"))
        )


def _link(element: etree._Element) -> Iterator[Find]:
    """RFC 4287, section 4.2.7.2: any link may have the type of audio; OPDS 1.2, section 5: what may be acquired."""
    relation = (attribute(element, "rel") or "").lower()
    is_audio = kind_of_type(attribute(element, "type")) is Kind.AUDIO
    if relation == "enclosure" or (is_audio and not relation.startswith(_PAID)):
        for each in _enclosure(element):
            each.role = Role.PREVIEW if relation.endswith(("/sample", "/preview")) else Role.MAIN
            yield each


def _media_content(element: etree._Element) -> Iterator[Find]:
    """Media RSS 1.5.1: duration in seconds, bitrate in kilobits per second; Atom's ``src`` (RFC 4287, 4.1.3.2)."""
    if not (url := attribute(element, "url", "src")):
        return
    each = _find(
        url, "media_content", attribute(element, "type"), size_bytes=size_bytes(attribute(element, "filesize"))
    )
    is_named_audio = extension_of(url) in AUDIO_EXTENSIONS
    if each.mime_type is None and attribute(element, "medium") not in (None, "audio") and not is_named_audio:
        return
    each.group = (
        "media:group" if (around := element.getparent()) is not None and local_name(around) == "group" else None
    )
    each.duration_ms = duration_ms(attribute(element, "duration"))
    each.bit_rate_bps = whole_number(attribute(element, "bitrate"), unit=1000)
    each.language = attribute(element, "lang")
    children = children_of(element)
    each.statements, each.credit = statements_in(children, "feed_item"), first_text(children, "credit")
    yield each


def _alternate_enclosure(element: etree._Element) -> Iterator[Find]:
    """Podcast namespace: attributes are on the enclosure, URLs on its sources."""
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


_NEXT = frozenset(("next", "next-archive", "prev-archive"))
_PAGED = re.compile(r"(?:^|&)paged=(\d{1,6})(?=&|$)")


def find_feed_pages(document: Document) -> Iterator[Find]:
    """Yield the feed's next or archive page (RFC 5005), else WordPress's.

    WordPress does not link it, but serves it under ``paged``; it is yielded if this page has enclosures.
    """
    if document.root is None or document.root_name not in FEED_ROOTS:
        return
    channel = channel_of(document.root)
    named = [url for link in channel if (url := _next_url(link))]
    for url in named:
        yield _next_page(url, ELEMENT)
    if not named and _is_from_wordpress(channel) and next(each_named(channel, "enclosure"), None) is not None:
        yield _next_page(_next_paged(document.url), ATTRIBUTE)


def _next_page(url: str, confidence: float) -> Find:
    return Find(url=url, found_by="feed_next", confidence=confidence, expected=Kind.FEED, relation=Relation.NEXT_PAGE)


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
