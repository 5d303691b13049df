"""Find audio in structured data: JSON-LD, microdata, JSON documents, JSPF, and data in scripts."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from lxml import etree

from audiocrawler.discovery.candidate import ATTRIBUTE, ELEMENT, LINK, STRING, Find, Kind, Relation
from audiocrawler.discovery.document import Document, DocumentType, line_of, one_line, parse, text_of
from audiocrawler.discovery.finders.head import find_embeds
from audiocrawler.discovery.json_media import media_in, tolerant_json, urls_in, values_in
from audiocrawler.discovery.kinds import MEDIA_NAME
from audiocrawler.discovery.values import duration_ms, ordinal, plain_text, published_at, size_bytes, whole_number
from audiocrawler.model.statements import NOTICE, Statement, statement_of


def find_jsonld(document: Document) -> Iterator[Find]:
    """Yield the audio of each JSON-LD block."""
    for number, script in enumerate(document.elements("script")):
        if "ld+json" in (script.get("type") or "").lower():
            yield from media_in(tolerant_json(script.text or ""), "json_ld", f"script {number}", stated_in="json_ld")


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
        for name in _URL_PROPERTIES & properties.keys():
            for url in properties[name]:
                yield _find(url, properties, f"microdata {number}" if is_recording else None)


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
    """Yield the audio in a JSON document, the player in an oEmbed response, the next page of a JSON Feed.

    oEmbed 1.0, section 2.3.4.2; JSON Feed 1.1, Top-level.
    """
    value = document.json
    if value is None:
        return
    yield from media_in(value, "json", "document")
    if not isinstance(value, dict):
        return
    if isinstance(markup := value.get("html"), str):
        yield from find_embeds(parse(markup, document.url, DocumentType.HTML))
    if isinstance(url := value.get("next_url"), str) and "jsonfeed.org" in str(value.get("version")):
        yield Find(url=url, found_by="feed_next", confidence=ELEMENT, expected=Kind.FEED, relation=Relation.NEXT_PAGE)


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


_WORTH_PARSING = re.compile(r"audio/|mp3|podcast|AudioObject", re.IGNORECASE)


def find_scripts(document: Document) -> Iterator[Find]:
    """Yield the audio in scripts, except JSON-LD, which has its own finder."""
    for number, script in enumerate(document.elements("script")):
        text = script.text or ""
        if "ld+json" in (script.get("type") or "").lower():
            continue
        if MEDIA_NAME.search(text) or _WORTH_PARSING.search(text):
            yield from _in_script(text, f"script {number}")


def _in_script(text: str, scope: str) -> Iterator[Find]:
    for number, value in enumerate(values_in(text)):
        for each in media_in(value, "script_json", f"{scope} {number}"):
            each.hidden, each.is_in_script = each.title is None, True
            yield each
    for url in urls_in(text):
        yield Find(url=url, found_by="script_string", confidence=STRING, hidden=True, is_in_script=True)
