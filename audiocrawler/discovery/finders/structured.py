"""Find audio in structured data: JSON-LD, microdata, JSON documents, JSPF, and data in scripts."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from lxml import etree

from audiocrawler.discovery.candidate import ATTRIBUTE, ELEMENT, LINK, STRING, Description, Find, Kind, Relation, fill
from audiocrawler.discovery.copies import split_copies
from audiocrawler.discovery.document import Document, DocumentType, line_of, one_line, parse, text_of
from audiocrawler.discovery.finders.attributes import find_attributes
from audiocrawler.discovery.finders.head import find_embeds
from audiocrawler.discovery.finders.markup import find_elements, find_links
from audiocrawler.discovery.flattened import (
    flight_payload,
    flight_values,
    is_flight,
    is_streamed,
    plain,
    streamed_values,
)
from audiocrawler.discovery.json_media import (
    Node,
    described,
    media_in,
    objects_in,
    tolerant_json,
    urls_in,
    values_in,
)
from audiocrawler.discovery.kinds import MEDIA_NAME
from audiocrawler.discovery.played import names_played
from audiocrawler.discovery.urls import absolute
from audiocrawler.discovery.values import duration_ms, ordinal, plain_text, published_at, size_bytes, whole_number
from audiocrawler.model.statements import NOTICE, Statement, statement_of


def find_jsonld(document: Document) -> Iterator[Find]:
    """Yield the audio of each JSON-LD block."""
    for number, script in enumerate(document.elements("script")):
        if "ld+json" in (script.get("type") or "").lower():
            text = script.text or ""
            yield from media_in(
                tolerant_json(text),
                "json_ld",
                f"script {number}",
                stated_in="json_ld",
                is_document='"readingOrder"' in text,  # a manifest within its page (W3C Audiobooks, section 3)
            )


_URL_PROPERTIES = frozenset(("associatedmedia", "audio", "contenturl"))
_RECORDINGS = ("AudioObject", "Audiobook", "MusicRecording", "PodcastEpisode", "RadioEpisode")
_VALUE_ATTRIBUTES = ("content", "href", "src", "data", "datetime")
_NOTICES = ("copyrightnotice", "acquirelicensepage")
_MAX_TEXT = 1000
_NEAR = 50

Properties = dict[str, list[str]]


def find_microdata(document: Document) -> Iterator[Find]:
    """Yield the media of items; those of one recording are alternates."""
    if "itemscope" not in document.text:
        return
    for number, item in enumerate(each for each in document.elements() if each.get("itemscope") is not None):
        is_recording = (item.get("itemtype") or "").rpartition("/")[2] in _RECORDINGS
        properties = _properties(item)
        group = f"microdata {number}" if is_recording else None
        urls = (url for name in sorted(_URL_PROPERTIES & properties.keys()) for url in properties[name])
        finds = [_find(url, properties, group) for url in urls]
        split_copies(finds)
        yield from finds


def _properties(item: etree._Element) -> Properties:
    """Return the values of an item's properties by lower-case name, without those of nested items."""
    properties: Properties = {}
    rest = list(reversed(item))
    while rest:
        element = rest.pop()
        is_item = element.get("itemscope") is not None
        for name in (element.get("itemprop") or "").lower().split():
            if (value := _name_of(element) if is_item else _value(element)) and not (
                is_item and name in _URL_PROPERTIES
            ):
                properties.setdefault(name, []).append(value)
        if not is_item:
            rest.extend(reversed(element))
    return properties


def _value(element: etree._Element) -> str | None:
    value = next((value for name in _VALUE_ATTRIBUTES if (value := element.get(name))), None)
    return one_line(value or text_of(element), _MAX_TEXT)


def _name_of(item: etree._Element) -> str | None:
    """Return the name of an item that is the value of a property, such as the artist."""
    near = islice(item.iterdescendants(), _NEAR)
    return next((_value(each) for each in near if each.get("itemprop") == "name"), None)


def _statements(properties: Properties) -> tuple[Statement, ...] | None:
    licenses = [statement_of(each, "microdata") for each in properties.get("license", ())]
    notices = (each for name in _NOTICES for each in properties.get(name, ()))
    return tuple(filter(None, [*licenses, *(statement_of(each, "microdata" + NOTICE) for each in notices)])) or None


def _find(url: str, properties: Properties, group: str | None) -> Find:
    def first(*names: str) -> str | None:
        return next((properties[name][0] for name in names if name in properties), None)

    return Find(
        url=url,
        found_by="microdata",
        confidence=ELEMENT if group else ATTRIBUTE,
        expected=Kind.AUDIO if group and url in properties.get("contenturl", ()) else None,
        group=group,
        mime_type=first("encodingformat", "fileformat"),
        title=first("name", "headline"),
        artist=first("byartist", "author", "creator"),
        duration_ms=duration_ms(first("duration")),
        size_bytes=size_bytes(first("contentsize")),
        language=first("inlanguage"),
        statements=_statements(properties),
        credit=first("credittext", "copyrightholder"),
        published_at=published_at(first("datepublished", "uploaddate")),
        show_title=first("partofseries", "partofpodcast", "inalbum"),
        season=ordinal(first("seasonnumber")),
        episode=ordinal(first("episodenumber")),
        description=plain_text(first("description", "abstract")),
        image_url=first("image", "thumbnailurl"),
    )


def find_json_documents(document: Document) -> Iterator[Find]:
    """Yield the audio in a JSON document, and the next page of a JSON Feed (JSON Feed 1.1, Top-level).

    Relative URLs are relative to the document, or to its own address (Readium Web Publication Manifest, self link).
    """
    value = plain(document.json)
    if value is None:
        return
    base = _own_address(value) or document.base_url
    for each in media_in(value, "json", "document", is_document=True):
        each.url = absolute(base, each.url) or each.url
        yield each
    if not isinstance(value, dict):
        return
    if isinstance(url := value.get("next_url"), str) and "jsonfeed.org" in str(value.get("version")):
        yield Find(url=url, found_by="feed_next", confidence=ELEMENT, expected=Kind.FEED, relation=Relation.NEXT_PAGE)


def _own_address(value: Any) -> str | None:
    links = value.get("links") if isinstance(value, dict) and "readingOrder" in value else None
    own = (each for each in links or () if isinstance(each, dict) and "self" in str(each.get("rel")).split())
    address = next(own, {}).get("href")
    return address if isinstance(address, str) and address.startswith(("http://", "https://")) else None


_MARKUP = re.compile(r"<(?:a|audio|embed|iframe|object|source|video)\b", re.IGNORECASE)
_MARKUP_FINDERS = (find_elements, find_links, find_embeds, find_attributes)
_MOST_MARKUP = 16 * 2**20


def find_json_markup(document: Document) -> Iterator[Find]:
    """Yield the audio and players in the HTML that a JSON document contains: oEmbed, JSON Feed, WordPress's API."""
    if document.json is None or not _MARKUP.search(document.text.replace("\\u003c", "<").replace("\\u003C", "<")):
        return
    for node in objects_in(document.json):
        for text in (each for each in node.members.values() if isinstance(each, str)):
            if "<" in text and _MARKUP.search(text):
                if len(text) > _MOST_MARKUP:
                    document.leave_out(f"all after the first {_MOST_MARKUP} characters of HTML in JSON")
                yield from _in_markup(document, node, text[:_MOST_MARKUP])


def _in_markup(document: Document, node: Node, text: str) -> Iterator[Find]:
    page = parse(text, document.url, DocumentType.HTML)
    about = Description()
    described(node, about, "json", "")
    about.duration_ms = about.size_bytes = about.bit_rate_bps = None
    for each in (each for finder in _MARKUP_FINDERS for each in finder(page)):
        each.group = each.group and f"markup {node.number} {each.group}"
        fill(each, about)
        yield each


def find_jspf(document: Document) -> Iterator[Find]:
    """Yield the locations of each track, as alternates; durations are in milliseconds (xspf.org/jspf)."""
    value = document.json
    playlist = value.get("playlist") if isinstance(value, dict) else None
    tracks = playlist.get("track") if isinstance(playlist, dict) else None
    for number, track in enumerate(tracks if isinstance(tracks, list) else ()):
        if isinstance(track, dict):
            yield from _track(track, f"track {number}")


def _track(track: dict[str, Any], group: str) -> Iterator[Find]:
    statement = statement_of(line_of(track.get("license")), "playlist")
    locations = track.get("location")
    for url in locations if isinstance(locations, list) else [locations]:
        if isinstance(url, str):
            yield Find(
                url=url,
                found_by="jspf",
                confidence=LINK,
                expected=Kind.AUDIO,
                group=group,
                title=line_of(track.get("title")),
                artist=line_of(track.get("creator")),
                duration_ms=whole_number(track.get("duration")),
                statements=(statement,) if statement else None,
            )


_WORTH_PARSING = re.compile(r"audio(?:/|_?(?:download|file|link|src|uri|url))|mp3|podcast|AudioObject", re.IGNORECASE)


def find_scripts(document: Document) -> Iterator[Find]:
    """Yield the audio in scripts, except JSON-LD, which has its own finder; a payload in pieces is read as a whole."""
    if payload := flight_payload(script.text or "" for script in document.elements("script")):
        yield from _in_script(payload, "flight", flight_values(payload))
    streamed = "".join(text for script in document.elements("script") if is_streamed(text := script.text or ""))
    yield from _in_script(streamed, "stream", streamed_values(streamed))
    for number, script in enumerate(document.elements("script")):
        text = script.text or ""
        if "ld+json" in (script.get("type") or "").lower() or (payload and is_flight(text)):
            continue
        if MEDIA_NAME.search(text) or _WORTH_PARSING.search(text):
            yield from _in_script(text, f"script {number}", map(plain, values_in(text, document.leave_out)))


def _in_script(text: str, scope: str, values: Iterator[Any]) -> Iterator[Find]:
    if not MEDIA_NAME.search(text) and not _WORTH_PARSING.search(text):
        return
    for number, value in enumerate(values):
        for each in media_in(value, "script_json", f"{scope} {number}"):
            each.hidden, each.is_in_script = each.title is None, True
            yield each
    for url in (*urls_in(text), *names_played(text)):
        yield Find(url=url, found_by="script_string", confidence=STRING, hidden=True, is_in_script=True)
