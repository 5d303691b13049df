"""Find audio URLs in any other attribute, plain, in JSON, in a delimited list or an expression."""

import re
from collections.abc import Iterator

from lxml import etree

from audiocrawler.discovery.candidate import ATTRIBUTE, NAME, STRING, Description, Find, Kind, Role, fill
from audiocrawler.discovery.copies import split_copies
from audiocrawler.discovery.document import Document, one_line
from audiocrawler.discovery.flattened import without_pairs
from audiocrawler.discovery.json_media import decoded_urls_in, media_in, tolerant_json, urls_in
from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, MEDIA_NAME, extension_of
from audiocrawler.discovery.played import names_called, relative_parameters
from audiocrawler.discovery.roles import names_read_aloud
from audiocrawler.discovery.values import duration_ms

_WORDS = re.compile(r"(?:^|[-_:])(?:alt|caption|class|download|id|label|mwtitle|name|placeholder|style|text|title)$")
_LIVE = re.compile(r"(?:^|[-_])live")
_PLAYERS = frozenset(("audio", "source", "video"))
_PLUGINS = frozenset(("embed", "iframe", "object", "param"))
_SOURCE = re.compile(
    r"data-(?:(?:audio|lazy|media|original|track)-)?(?:aac|audio|file|flac|m4a|mp3|oga|ogg|opus|source|src|url|wav)"
)
_BARE_NAME = re.compile(r"[^/\\<>{}|\"':;*\n]{1,200}")
_HANDLER = re.compile(r"on[a-z]+$|@|x-on:|v-on:|href$")
_URL = re.compile(r"(?:https?:)?//[^\s'\"<>|{};]+|\.{0,2}/[^'\"<>|{};\n]+|[\w%-]+/[^'\"<>|{};:\n]+", re.IGNORECASE)
_ISLAND = "astro-island"
_JSON_HINT = re.compile(r"audio|mp3", re.IGNORECASE)


def find_attributes(document: Document) -> Iterator[Find]:
    """Yield the audio in attributes that no other finder reads; several formats in an element are alternates."""
    for number, element in enumerate(document.elements()):
        finds = [
            each
            for name, value in ((str(name), str(value)) for name, value in element.items())
            if _may_hold_audio(value) and not _is_read_elsewhere(element, name, value)
            for each in _in_attribute(element, name, value.strip())
        ]
        split_copies(finds)
        for each in finds:
            each.group = each.group and f"attribute {number} {each.group}"
            yield each


def _may_hold_audio(value: str) -> bool:
    return bool(MEDIA_NAME.search(value) or (value[:1] in ("{", "[") and _JSON_HINT.search(value)))


def _is_read_elsewhere(element: etree._Element, name: str, value: str) -> bool:
    if _WORDS.search(name) or name in ("srcdoc", "data-srcdoc"):
        return True
    if name == "href":
        return element.tag in ("a", "area", "link", "base") and not value.lower().startswith("javascript:")
    return name == "src" and element.tag in _PLAYERS


def _in_attribute(element: etree._Element, name: str, value: str) -> Iterator[Find]:
    if value.startswith(("{", "[")):
        stated = tolerant_json(value)
        for each in media_in(without_pairs(stated) if element.tag == _ISLAND else stated, "attribute_json", name):
            fill(each, _data_of(element))
            each.is_in_script = True
            yield each
    if element.tag in _PLUGINS:
        yield from _plugin(element, value)
    elif (_URL.fullmatch(value) and ",http" not in value) or _is_bare_name(element, name, value):
        yield _described(element, name, value)
    else:
        for url in (*urls_in(value), *(names_called(value) if _HANDLER.match(name) else ())):
            yield Find(url=url, found_by="attribute_string", confidence=STRING, hidden=True, is_in_script=True)


def _is_bare_name(element: etree._Element, name: str, value: str) -> bool:
    """Return whether a name without a folder is meant as a file beside the page, as in ``src``."""
    is_source = element.tag == "option" or _SOURCE.fullmatch(name) is not None
    return is_source and _BARE_NAME.fullmatch(value) is not None and extension_of(f"/{value}") in AUDIO_EXTENSIONS


def _plugin(element: etree._Element, value: str) -> Iterator[Find]:
    """Yield the file that a plug-in element plays, or those in its player's parameters."""
    if extension_of(value) in AUDIO_EXTENSIONS and "=" not in value.partition("?")[0]:
        yield Find(url=value, found_by="plugin", confidence=ATTRIBUTE if "/" in value else NAME, is_in_script=True)
        return
    relative = relative_parameters(value) if element.tag != "iframe" else ()
    for url in (*decoded_urls_in(value), *relative):
        yield Find(url=url, found_by="plugin_parameter", confidence=STRING, is_in_script=True)


def _described(element: etree._Element, name: str, url: str) -> Find:
    about = _data_of(element)
    about.title = about.title or one_line(element.get("title"))
    found = Find(
        url=url,
        found_by="attribute",
        confidence=ATTRIBUTE,
        expected=Kind.STREAM if _LIVE.search(name) else None,
        group="formats" if name.rpartition("-")[2] in AUDIO_EXTENSIONS else None,
        role=Role.SPEECH_SYNTHESIS if _reads_aloud(element, name) else Role.MAIN,
        hidden=about.title is None,
        is_in_script=True,
    )
    fill(found, about)
    return found


def _data_of(element: etree._Element) -> Description:
    """Return the metadata in an element's data attributes."""

    def first(*names: str) -> str | None:
        return one_line(next((value for name in names if (value := element.get(f"data-{name}"))), None))

    return Description(
        title=first("title", "tracktitle", "track-title", "asset-title"),
        artist=first("artist", "author"),
        duration_ms=duration_ms(first("duration")),
    )


def _reads_aloud(element: etree._Element, name: str) -> bool:
    return any(names_read_aloud(each) for each in (name, element.get("class"), element.get("id")))
