"""Find media in JSON, scripts and strings: objects that describe a file, and media URLs."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from json import JSONDecodeError, JSONDecoder
from typing import Any
from urllib.parse import unquote, urlsplit

from audiocrawler.discovery.candidate import ATTRIBUTE, ELEMENT, NAME, Description, Find, Kind, Role
from audiocrawler.discovery.copies import copy_key, split_copies
from audiocrawler.discovery.document import one_line, parse_json
from audiocrawler.discovery.json_about import TITLE_KEYS, add_rest, licence_codes
from audiocrawler.discovery.json_files import (
    AUDIO_HOLDERS,
    AUDIO_KEYS,
    KEYS_IN_AUDIO,
    URL_KEYS,
    is_format_key,
    is_place_of_file,
    names_audio_file,
    type_in,
)
from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, MEDIA_EXTENSION, MEDIA_NAME, extension_of, kind_of_type
from audiocrawler.discovery.values import duration_ms, published_at, size_bytes, whole_number
from audiocrawler.model.statements import NOTICE, Statement, statement_of

_FEED_HOST = re.compile(r"https?://(?:feeds?|rss)\d*\.[^/]+/[^/?#]", re.IGNORECASE)
_FEED_PATH = re.compile(
    r"(?:\.rss|\.atom|/podcast\.xml|/feed\.xml|/rss\.xml|/atom\.xml|/podcast/rss|/feed/podcast/?|/podcasts?/.*\.xml)$",
    re.IGNORECASE,
)
_COMMENTS = re.compile(r"comment|kommentar|comentario|commentaire|replies|/comments/", re.IGNORECASE)
_POST_FEED = re.compile(r"/\d{4}/\d{2}/.+/feed/?$")
_GOOGLE_PODCASTS = re.compile(r"https?://(?:www|podcasts)\.google\.com/(?:.*[?&]feed=|feed/)([\w%=-]{16,})")


def is_feed_url(url: str) -> bool:
    """Return whether the URL is that of a feed by its name alone."""
    if _FEED_HOST.match(url):
        return True
    try:
        return bool(_FEED_PATH.search(urlsplit(url).path))
    except ValueError:
        return False


def is_comment_feed(url: str, title: str) -> bool:
    """Return whether a feed contains comments, by its title or WordPress's URLs."""
    return bool(_COMMENTS.search(title) or _COMMENTS.search(url) or _POST_FEED.search(url))


def wrapped_feed(url: str) -> str | None:
    """Return the feed URL encoded in a Google Podcasts link, None for any other link."""
    match = _GOOGLE_PODCASTS.match(url)
    if not match:
        return None
    encoded = match[1].replace("%3D", "").rstrip("=")
    try:
        feed = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:
        return None
    return feed if feed.startswith(("http://", "https://")) else None


_WRAPPING = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/|<!\[CDATA\[)|(?:-->|//\s*\]\]>|/\*\s*\]\]>\s*\*/|\]\]>)\s*$"
)
_TRAILING_COMMA = re.compile(r",\s*(?=[}\]])")
_VALUE_START = re.compile(r"(?:=|\(|,|:)\s*(?=[{\[]\s*[{\[\"])|JSON\.parse\(\s*(?=\")|\.push\(\s*(?=\[)")
_VAIN_CHARACTERS = 32 * 2**20
"""How much of a script is read in vain, apart from _VAIN_READINGS of the whole, before its rest is left out."""
_VAIN_READINGS = 8
_COUNTED_AS_ONE = 16
_DECODER = JSONDecoder(strict=False)
_ESCAPED = re.compile(r"\\+(?:u00([0-9a-fA-F]{2})|x([0-9a-fA-F]{2})|([/\"'&=]))?")


def _said_to_nobody(_: str) -> None:
    """Do nothing about what is left out."""


def tolerant_json(text: str) -> Any:
    """Return the JSON parsed after common repairs, None if it is still invalid."""
    bare = _WRAPPING.sub("", text)
    for candidate in (bare, _TRAILING_COMMA.sub("", bare), unescape(bare)):
        value = parse_json(candidate)
        if value is not None:
            return value
    return None


def values_in(text: str, leave_out: Callable[[str], None] = _said_to_nobody) -> Iterator[Any]:
    """Yield the JSON in a script: the whole text, or each object and list that is assigned, passed or quoted in it.

    A script made of beginnings without an end would take time quadratic in its length: ``leave_out`` is told of it.
    """
    if (whole := tolerant_json(text) if text.lstrip().startswith(("{", "[")) else None) is not None:
        yield whole
        return
    position, vain = 0, _VAIN_CHARACTERS + _VAIN_READINGS * len(text)
    while match := _VALUE_START.search(text, position):
        value, position, tried = _value_at(text, match.end())
        vain -= tried
        if value is not None:
            yield value
        if vain < 0:
            leave_out(f"the data in a script after its first {position} characters")
            return


def _value_at(text: str, start: int) -> tuple[Any, int, int]:
    """Return the object, list or quoted JSON that starts here, its end, and how many characters were read in vain.

    None, if it is not JSON. The decoder counts the lines before a mistake, which is faster than reading them.
    """
    try:
        value, end = _DECODER.raw_decode(text, start)
    except JSONDecodeError as error:
        return None, start, error.pos - start + error.pos // _COUNTED_AS_ONE
    except RecursionError:
        return None, start, len(text) - start
    return (parse_json(value) if isinstance(value, str) else value), end, 0


def without_escapes(text: str) -> str:
    r"""Return the text with ``\/``, ``\u0026``, ``\x26`` and ``&amp;`` unescaped, however deeply nested."""
    if "\\" in text:
        text = _ESCAPED.sub(_character, text)
    return unescape(text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else match[3] or match[0]


JSONValue = dict[str, Any] | list[Any] | str | float | bool | None

_ARTIST_KEYS = ("artist", "byartist", "artistname", "author", "creator", "authors")
_LANGUAGE_KEYS = ("inlanguage", "language", "lang")
_LICENSE_KEYS = ("license", "licence", "license_url", "licenseurl", "license_code", "licensecode")
_NOTICE_KEYS = ("copyrightnotice", "copyright", "acquirelicensepage")
_CREDIT_KEYS = ("credittext", "copyrightholder", "attribution")
_DATE_KEYS = ("date_published", "datepublished", "uploaddate", "publishedat", "published_at", "pubdate")
_SECOND_KEYS = (
    "duration",
    "duration_in_seconds",
    "durationseconds",
    "duration_seconds",
    "itunes_duration",
    "length_formatted",
)
_MILLISECOND_KEYS = ("duration_ms", "durationms", "durationmillis", "durationinmilliseconds", "full_duration")
_SIZE_KEYS = ("size_in_bytes", "filesize", "file_size", "contentsize", "sizebytes", "bytes")
_LARGEST_KILOBIT_RATE = 10_000


@dataclass(slots=True)
class Node:
    """A JSON object: its members by lower-case key, its JSON-LD types, and the object around it."""

    members: dict[str, Any]
    types: frozenset[str]
    number: int
    parent: "Node | None"
    name: str = ""
    """The lower-case name of the member that it is, or is in."""

    def first(self, keys: Iterable[str]) -> Any:
        """Return the first non-empty one of these members, here or in WordPress's ``meta`` beside it."""
        for place in (self.members, self.members.get("meta")):
            if not isinstance(place, dict) or place.keys().isdisjoint(keys):
                continue
            for key in keys:
                if (value := place.get(key)) is not None and value not in ("", [], {}):
                    return value
        return None

    def first_around(self, keys: Iterable[str]) -> Any:
        """Return the first of these members here, else in the parent: a file is within its episode."""
        own = self.first(keys)
        return self.parent.first(keys) if own is None and self.parent else own


_LISTED_TEXT = "url"


def objects_in(value: JSONValue) -> Iterator[Node]:
    """Yield every object in document order, without recursion; the texts of a list in a list are an object, too."""
    stack: list[tuple[Any, Node | None, str | None]] = [([value], None, "")]
    number = -1
    while stack:
        number += 1
        current, parent, name = stack.pop()
        if isinstance(current, dict):
            members = {str(key).lower(): each for key, each in current.items()}
            parent = Node(members, _types(current), number, parent, name or "")
            yield parent
            inner: list[tuple[Any, Node | None, str | None]] = [(each, parent, key) for key, each in members.items()]
        else:
            if name is None and (texts := [each for each in current if isinstance(each, str)]):
                yield Node({_LISTED_TEXT: texts}, frozenset(), number, parent)
            inner = [(each, parent, None if isinstance(each, list) else name) for each in current]
        stack.extend(each for each in reversed(inner) if isinstance(each[0], dict | list))


def _types(members: dict[str, Any]) -> frozenset[str]:
    declared = members.get("@type")
    names = declared if isinstance(declared, list) else [declared]
    return frozenset(name.rpartition("/")[2] for name in names if isinstance(name, str))


def described(node: Node, about: Description, place: str, url: str) -> None:
    """Copy an object's metadata of its file at ``url`` into ``about``; ``place`` is where licences count as found."""
    about.title = one_line(_name(node.first_around(TITLE_KEYS)))
    about.artist = one_line(_name(node.first_around(_ARTIST_KEYS)))
    about.language = one_line(_name(node.first_around(_LANGUAGE_KEYS)))
    about.statements = _statements(node, place)
    about.credit = one_line(_name(node.first_around(_CREDIT_KEYS)))
    about.published_at = published_at(node.first_around(_DATE_KEYS))
    about.duration_ms = _duration_ms(node) or (_duration_ms(node.parent) if node.parent else None)
    about.size_bytes = size_bytes(node.first(_SIZE_KEYS))
    about.bit_rate_bps = _bit_rate_bps(node.members.get("bitrate"))
    add_rest(node, about, url)


def _statements(node: Node, place: str) -> tuple[Statement, ...] | None:
    stated = node.first_around(_LICENSE_KEYS)
    found = [] if stated is None else list(_each_statement(stated, place))
    for key in _NOTICE_KEYS:
        if (notice := node.first_around((key,))) is not None:
            found += _each_statement(notice, place + NOTICE)
    return tuple(dict.fromkeys((*found, *licence_codes(node, place)))) or None


def _each_statement(value: Any, place: str) -> Iterator[Statement]:
    """Yield a statement for each text or object with a name and a URL."""
    for each in value if isinstance(value, list) else [value]:
        inner = each if isinstance(each, dict) else {"name": each}
        urls = (inner.get(key) for key in ("@id", "url", "sameAs"))
        url = next((url for url in urls if isinstance(url, str) and not url.startswith("_:")), None)
        if stated := statement_of(one_line(_name(inner.get("name"))), place, url=url):
            yield stated


def _name(value: Any) -> str | None:
    """Return the name from a string, an object with a name, or a list of these."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("name") or _rendered(value) or value.get("@id") or value.get("url")
    return value if isinstance(value, str) else None


def _rendered(value: dict[str, Any]) -> str | None:
    """Return the text of a WordPress object, which has entities."""
    rendered = value.get("rendered")
    return unescape(rendered) if isinstance(rendered, str) else None


def _duration_ms(node: Node) -> int | None:
    milliseconds = whole_number(node.first(_MILLISECOND_KEYS))
    return milliseconds or duration_ms(node.first(_SECOND_KEYS))


def _bit_rate_bps(value: Any) -> int | None:
    """Return a bit rate in bit/s; small values are in kbit/s."""
    rate = whole_number(value)
    return rate * 1000 if rate and rate < _LARGEST_KILOBIT_RATE else rate


_STOP = r"\s\"'`<>\\|{};"
_TOKEN = re.compile(rf"https?://[^{_STOP}]{{1,65536}}", re.IGNORECASE)
_LISTED = re.compile(r",(?=https?:)", re.IGNORECASE)
_MEDIA_URL = re.compile(rf".+?\.{MEDIA_EXTENSION}(?!\w)(?:[?/].*)?", re.IGNORECASE)
_QUOTED = re.compile(
    rf"(?P<quote>[\"'`])(?P<url>(?:\.{{0,2}}/|[\w%-]+/)[^\"'`<>\\\n{{}}()*$+]{{0,500}}\.{MEDIA_EXTENSION}(?:\?[^{_STOP}]{{0,65536}})?)(?P=quote)",
    re.IGNORECASE,
)
_ENCODED_SCHEME = re.compile(r"https?%3A%2F%2F", re.IGNORECASE)


def urls_in(text: str) -> Iterator[str]:
    """Yield the audio and playlist URLs in a text, unescaped: absolute ones, and relative paths in quotes."""
    if not MEDIA_NAME.search(text):
        return
    plain = without_escapes(text)
    yield from absolute_urls_in(plain)
    for match in _QUOTED.finditer(plain):
        if not _is_concatenated(plain, match):
            yield match["url"]


def absolute_urls_in(text: str) -> Iterator[str]:
    """Yield the absolute audio and playlist URLs in a text without escapes."""
    for token in _TOKEN.findall(text):
        if MEDIA_NAME.search(token):
            for part in _LISTED.split(token):
                if match := _MEDIA_URL.match(part):
                    yield match[0]


def decoded_urls_in(text: str) -> Iterator[str]:
    """Yield the audio URLs in a player's parameters (query or flashvars), percent-encoded or not."""
    yield from absolute_urls_in(unquote(text) if _ENCODED_SCHEME.search(text) else text)


def _is_concatenated(text: str, match: re.Match[str]) -> bool:
    """Return whether a string is only a part of a URL that the script concatenates."""
    before = text[max(0, match.start() - 3) : match.start()].rstrip()
    after = text[match.end() : match.end() + 3].lstrip()
    return before.endswith("+") or after.startswith("+")


_FEED_KEY = re.compile(
    r"(?:original|podcast|self|show)?_?(?:atom|feed|rss|xml)_?(?:feed)?_?(?:href|link|uri|url)"
    r"|(?:podcast|url|web)?_?(?:feed|rss)(?:_?feed)?"
)
_LIVE_KEY = re.compile(r"(?<![a-z])live(?![rd])")
_SPEECH_KEY = re.compile(r"tts|text_?to_?speech|speech_?synthesis|read_?aloud|polly")
_LIVE_FLAGS = ("islive", "is_live", "live", "islivebroadcast")
_EMBEDDED_TYPES = frozenset(("AudioObject", "MusicRecording", "PodcastEpisode", "RadioClip"))
_ENCODING_KEYS = ("encoding", "encodings", "associatedmedia")
_OWN_NAMES = frozenset(("@id", "file_name", "filename", "id"))
"""Members that are URLs in some documents, and names in most."""
_FOLDERLESS = frozenset(("@id", "body", "content", "file_path", "filename", "filepath", "id"))
_MAX_URL = 65_536
_LOCAL_PATH = re.compile(r"[a-z]:[\\/]|/(?:home|mnt|root|scratch|tmp|Users|Volumes)/")


def media_in(
    value: JSONValue, found_by: str, scope: str, *, stated_in: str = "json", is_document: bool = False
) -> Iterator[Find]:
    """Yield the audio, playlists and feeds in a JSON value, with metadata from the object that contains each URL.

    ``scope`` identifies the value within the document, so that groups do not mix; ``stated_in`` is where licence
    statements count as found; ``is_document``: names without a folder are those of files beside it.
    """
    for node in objects_in(value):
        finds = list(_in_object(node, found_by, stated_in, is_document=is_document))
        _group_downloads(finds, node)
        _group_mirrors(finds, node)
        split_copies(finds)
        for each in finds:
            each.group = each.group and f"{scope} {each.group}"
            yield each


def _in_object(node: Node, found_by: str, stated_in: str, *, is_document: bool) -> Iterator[Find]:
    mime_type = type_in(node.members)
    for key, text in _strings(node):
        if _is_url(text) and (_FEED_KEY.fullmatch(key) or is_feed_url(text)):
            yield Find(url=text, found_by=found_by, confidence=NAME, expected=Kind.FEED)
        elif key == "embedurl" and node.types & _EMBEDDED_TYPES:
            yield Find(url=text, found_by=found_by, confidence=ATTRIBUTE, expected=Kind.EMBED)
        elif _names_media(node, key, text, mime_type, is_document=is_document):
            find = _find(node, key, text, mime_type, found_by)
            described(node, find, stated_in, text)
            find.group = _group(node, key, text) or _group_of_encodings(node, text)
            find.guid = _guid(node)
            yield find


def _strings(node: Node) -> Iterator[tuple[str, str]]:
    for key, value in node.members.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str) and 0 < len(each) < _MAX_URL:
                yield key, each


def _names_media(node: Node, key: str, text: str, mime_type: str | None, *, is_document: bool) -> bool:
    if MEDIA_NAME.search(text):
        if _is_url(text) or is_format_key(key):
            return True
        return key in URL_KEYS and (_is_path(text) or (is_document and _is_beside(node, key, text)))
    if not _is_url(text):
        return False
    return _expected(node, key) is Kind.AUDIO or _has_declared_type(node, key, mime_type)


def _is_beside(node: Node, key: str, text: str) -> bool:
    """Return whether a name without a folder is that of a file beside the document, as in manifests."""
    if key in _FOLDERLESS or "\n" in text or "/" in text or extension_of(f"/{text}") not in AUDIO_EXTENSIONS:
        return False
    others = (each for name, each in node.members.items() if name != key)
    return not any(isinstance(each, str) and each.startswith(("http://", "https://")) for each in others)


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://", "/", "./", "../")) and _is_path(text)


def _is_path(text: str) -> bool:
    """Return whether the text may be a path; not a bare name, whose folder only the script knows."""
    return "/" in text and not _LOCAL_PATH.match(text) and "<" not in text and "\n" not in text


def _has_declared_type(node: Node, key: str, mime_type: str | None) -> bool:
    if key not in URL_KEYS or not is_place_of_file(node.members, key):
        return False
    return kind_of_type(mime_type) is Kind.AUDIO or (key not in _OWN_NAMES and _names_audio(node))


def _names_audio(node: Node) -> bool:
    return names_audio_file(node.members, node.parent.members if node.parent else None)


def _expected(node: Node, key: str) -> Kind | None:
    """Return the kind that an object and the member's name imply for an ambiguous URL."""
    is_live = _LIVE_KEY.search(key) or any(node.members.get(each) is True for each in _LIVE_FLAGS)
    if is_live and _duration_ms(node) is None:
        return Kind.STREAM
    if key.replace("-", "_") in AUDIO_KEYS or (node.name in AUDIO_HOLDERS and key in KEYS_IN_AUDIO):
        return Kind.AUDIO
    if is_format_key(key) or (key == "contenturl" and "AudioObject" in node.types):
        return Kind.AUDIO
    is_named = key in URL_KEYS and key not in _OWN_NAMES and is_place_of_file(node.members, key) and _names_audio(node)
    return Kind.AUDIO if is_named else None


def _find(node: Node, key: str, text: str, mime_type: str | None, found_by: str) -> Find:
    own_type = mime_type if key in URL_KEYS and is_place_of_file(node.members, key) else None
    declared = kind_of_type(own_type) is Kind.AUDIO or "AudioObject" in node.types
    return Find(
        url=text,
        found_by=found_by,
        confidence=ELEMENT if declared else ATTRIBUTE,
        expected=_expected(node, key),
        mime_type=own_type,
        role=_role(key),
    )


def _role(key: str) -> Role:
    if "preview" in key:
        return Role.PREVIEW
    return Role.SPEECH_SYNTHESIS if _SPEECH_KEY.match(key) else Role.MAIN


def _group(node: Node, key: str, url: str) -> str | None:
    """Return the group of formats side by side, or of attachments with one title or name.

    The former is so in JSON Feed 1.1 (Attachments).
    """
    if is_format_key(key):
        return f"json {node.number}"
    if node.parent and "attachments" in node.parent.members:
        return f"json {node.parent.number} {one_line(_name(node.first(TITLE_KEYS))) or copy_key(url)}"
    return None


def _group_of_encodings(node: Node, url: str) -> str | None:
    """Return the group of a file among the encodings of one work, if another has the same folder and name.

    Pages may list the parts of a work in the same way, which are not alternates.
    """
    place, dot, extension = url.partition("?")[0].rpartition(".")
    if node.parent is None or not dot or extension.lower() not in AUDIO_EXTENSIONS:
        return None
    is_encoding = any(name in node.parent.members for name in _ENCODING_KEYS)
    return f"json {node.parent.number} {'/'.join(place.split('/')[-2:])}" if is_encoding else None


def _guid(node: Node) -> str | None:
    """Return the id of the item to which the object is attached (JSON Feed 1.1, Items)."""
    if node.parent is None or "attachments" not in node.parent.members:
        return None
    value = node.parent.members.get("id")
    return str(value) if isinstance(value, str | int) and value != "" else None


def _group_mirrors(finds: list[Find], node: Node) -> None:
    """Group the URLs of one object with the same folder and name on different hosts."""
    mirrors: dict[str, list[Find]] = {}
    for each in finds:
        _, _, place = each.url.partition("?")[0].partition("://")
        if each.group is None and extension_of(place) in AUDIO_EXTENSIONS:
            mirrors.setdefault("/".join(place.split("/")[1:][-2:]), []).append(each)
    for name, each_of in mirrors.items():
        if len({each.url.split("/")[2] for each in each_of}) > 1:
            for each in each_of:
                each.group = f"json {node.number} {name}"


def _group_downloads(finds: list[Find], node: Node) -> None:
    """Group what an object plays or describes with what it offers for download, which is preferred."""
    downloads = {each for key, each in node.members.items() if "download" in key and isinstance(each, str)}
    if len(finds) <= 1 or not any(each.url in downloads for each in finds):
        return
    names = {copy_key(url.partition("?")[0]) for url in downloads}
    for each in finds:
        is_named = MEDIA_NAME.search(each.url) is not None
        if each.group is None and (not is_named or copy_key(each.url.partition("?")[0]) in names):
            each.group = f"json {node.number} download"
            each.is_derivative = each.url not in downloads or None
