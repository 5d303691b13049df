"""Microdata (WHATWG HTML, section 5) with the audio vocabulary of schema.org."""

from collections.abc import Iterator
from itertools import islice

from lxml import etree

from audiocrawler.discovery.candidate import ATTRIBUTE, ELEMENT, Find, Kind
from audiocrawler.discovery.document import Document, one_line, text_of
from audiocrawler.discovery.values import duration_ms, published_at, size_bytes
from audiocrawler.statements import NOTICE, Statement, statement_of

_URL_PROPERTIES = frozenset(("associatedmedia", "audio", "contenturl"))
_RECORDINGS = ("AudioObject", "Audiobook", "MusicRecording", "PodcastEpisode", "RadioEpisode")
_VALUE_ATTRIBUTES = ("content", "href", "src", "data", "datetime")
_NOTICES = ("copyrightnotice", "acquirelicensepage")
_MAX_TEXT = 1000
_NEAR = 50

Properties = dict[str, list[str]]


def find(document: Document) -> Iterator[Find]:
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
    """Return the values of an item's properties by lower-case name, without those of the items within it."""
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
    """Return the name of an item that is a property's value, such as the artist."""
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
    )
