"""Find what feeds and lists of feeds point to: the pages of their items, other feeds, the feed's new address."""

from collections.abc import Iterator

from lxml import etree

from audiocrawler.discovery.candidate import ATTRIBUTE, ELEMENT, LINK, Find, Kind, Relation, fill
from audiocrawler.discovery.document import (
    Document,
    attribute,
    base_of,
    child_text,
    children_of,
    each_named,
    first_text,
    local_name,
    text_of,
)
from audiocrawler.discovery.finders.feed_about import page_links, permalinks
from audiocrawler.discovery.finders.feeds import (
    FEED_ROOTS,
    bodies_of,
    channel_description,
    channel_of,
    item_description,
    items_of,
    media_of,
)
from audiocrawler.discovery.json_media import objects_in
from audiocrawler.discovery.kinds import MEDIA_NAME, classify, kind_of_type
from audiocrawler.discovery.urls import absolute

_HEARD = (Kind.AUDIO, Kind.STREAM, Kind.PLAYLIST, Kind.MANIFEST)


def find_item_links(document: Document) -> Iterator[Find]:
    """Yield the links of the items that have no audio: their pages, or the files that they link to."""
    if document.root is None or document.root_name not in FEED_ROOTS:
        return
    channel = channel_description(document.root)
    for item in items_of(document.root):
        if _has_audio(item, document):
            continue
        base, about = base_of(item, document.base_url), item_description(item, channel)
        for url, mime_type in _links(item):
            each = Find(
                url=absolute(base, url) or "",
                found_by="feed_item",
                confidence=LINK,
                expected=Kind.PAGE,
                mime_type=mime_type if isinstance(kind_of_type(mime_type), Kind) else None,
                relation=Relation.ITEM,
            )
            fill(each, about)
            yield each


def _has_audio(item: etree._Element, document: Document) -> bool:
    for each in media_of(item):
        url = absolute(document.base_url, each.url)
        if url and classify(url, mime_type=each.mime_type, expected=each.expected) in _HEARD:
            return True
    return any(MEDIA_NAME.search(text_of(body)) for body in bodies_of(item))


def _links(item: etree._Element) -> Iterator[tuple[str, str | None]]:
    """Yield the item's links with their declared types; its guid if it is the only one (RSS 2.0, isPermaLink)."""
    children = children_of(item)
    links = list(page_links(children))
    links += [(attribute(each, "url") or "", None) for each in children.get("player", ())]
    links += [(attribute(each, "src") or "", attribute(each, "type")) for each in children.get("content", ())]
    found = [(url, mime_type) for url, mime_type in links if url]
    yield from dict.fromkeys(found or [(url, None) for url in permalinks(children)])


_CATALOG = "profile=opds-catalog"
_NOT_BELOW = frozenset(("self", "start", "up", "search", "next", "previous", "prev", "first", "last", "hub"))
_FEED_LISTS = ("publisher", "audiobookl", "blogl", "filml", "musicl", "newsletterl", "podcastl", "videol", "mixed")


def find_other_feeds(document: Document) -> Iterator[Find]:
    """Yield the feed's new address, the feeds in its ``podcast:remoteItem`` elements, and the catalogues of OPDS."""
    if document.root is None:
        return
    if document.root_name == "redirect":
        yield from _moved(child_text(document.root, "newlocation"))
    if document.root_name not in FEED_ROOTS:
        return
    channel = children_of(channel_of(document.root))
    yield from _moved(first_text(channel, "new-feed-url"))
    is_list = (first_text(channel, "medium") or "").lower() in _FEED_LISTS
    for item in each_named(document.root, "remoteitem"):
        if url := attribute(item, "feedurl"):
            parent = item.getparent()
            is_entry = is_list and parent is not None and local_name(parent) in ("channel", "publisher")
            yield _feed(url, "remote_item", ELEMENT, Relation.LISTED if is_entry else None)
    yield from _catalogues(document.root)


def _moved(url: str | None) -> Iterator[Find]:
    if url:
        yield _feed(url, "feed_moved", ELEMENT, Relation.NEXT_PAGE)


def _feed(url: str, found_by: str, confidence: float, relation: Relation | None = None) -> Find:
    return Find(url=url, found_by=found_by, confidence=confidence, expected=Kind.FEED, relation=relation)


def _catalogues(root: etree._Element) -> Iterator[Find]:
    """OPDS 1.2, section 2: links to feeds below this one have the type of Atom with a profile."""
    for link in each_named(root, "link"):
        relations = set((attribute(link, "rel") or "").lower().split())
        is_catalog = _CATALOG in (attribute(link, "type") or "").lower()
        if is_catalog and not relations & _NOT_BELOW and (url := attribute(link, "href")):
            yield _feed(url, "opds", ELEMENT)


_FEED_TYPES = ("rss", "atom", "feed")


def find_opml(document: Document) -> Iterator[Find]:
    """Yield the feeds and lists that OPML lists (OPML 2.0, "Subscription lists", "Inclusion"), and radio stations."""
    if document.root is None or document.root_name != "opml":
        return
    for outline in each_named(document.root, "outline"):
        kind = (attribute(outline, "type") or "").lower()
        url = attribute(outline, "url")
        feed = attribute(outline, "xmlurl") or (url if kind in _FEED_TYPES else None)
        if feed:
            yield _feed(feed, "opml", LINK, Relation.LISTED)
        elif url and (kind == "include" or (kind == "link" and url.lower().partition("?")[0].endswith(".opml"))):
            yield _feed(url, "opml", LINK, Relation.LISTED)
        elif url and kind in ("audio", "playlist"):
            title = attribute(outline, "text", "title")
            yield Find(url=url, found_by="opml", confidence=LINK, expected=Kind.PLAYLIST, title=title)


def find_json_links(document: Document) -> Iterator[Find]:
    """Yield the links of typed JSON: catalogues and publications of OPDS 2.0, the pages of a JSON Feed's items."""
    value = document.json
    if value is None:
        return
    if isinstance(value, dict) and "jsonfeed.org" in str(value.get("version")):
        yield from _json_pages(value.get("items"))
    for node in objects_in(value):
        url, mime_type = node.members.get("href"), node.members.get("type")
        if isinstance(url, str) and isinstance(mime_type, str) and "templated" not in node.members:
            kind = kind_of_type(mime_type)
            if kind in (Kind.FEED, Kind.EMBED) and not _NOT_BELOW & set(_relations(node.members.get("rel"))):
                yield Find(url=url, found_by="json_link", confidence=ATTRIBUTE, expected=kind, mime_type=mime_type)


def _relations(value: object) -> list[str]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]


def _json_pages(items: object) -> Iterator[Find]:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and not item.get("attachments"):
            for url in (item.get("external_url"), item.get("url")):
                if isinstance(url, str):
                    yield Find(
                        url=url,
                        found_by="feed_item",
                        confidence=LINK,
                        expected=Kind.PAGE,
                        relation=Relation.ITEM,
                        title=item["title"] if isinstance(item.get("title"), str) else None,
                    )
