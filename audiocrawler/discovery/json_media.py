"""Audio in parsed JSON, wherever it comes from: documents, JSON-LD, state of scripts, attributes."""

import re
from collections.abc import Iterator

from audiocrawler.discovery.candidate import ATTRIBUTE, ELEMENT, NAME, Find, Kind, Role
from audiocrawler.discovery.feed_links import is_feed_url
from audiocrawler.discovery.json_objects import JSONValue, Node, described, objects_in
from audiocrawler.discovery.media_types import AUDIO_EXTENSIONS, MEDIA_NAME, extension_of, kind_of_type

_FILE = """
audio audiofile audiosrc audiourl contenturl downloadurl enclosure enclosureurl file fileurl filename mediaurl playurl
sourceurl src stream streamurl
"""
_FILE_KEYS = frozenset(_FILE.split())
"""Members that name a file, and are never the page about it."""
_PLACE_KEYS = frozenset(("href", "source", "uri", "url"))
"""Members that name a file, or the page about it where the file stands beside them."""
_URL_KEYS = _FILE_KEYS | _PLACE_KEYS
_FEED_KEYS = frozenset(("feed_url", "feedurl", "rss", "rss_url", "rssfeed", "rssurl", "podcastfeed", "webfeed"))
_TYPE_KEYS = ("mime_type", "mimetype", "encodingformat", "contenttype", "content_type", "fileformat", "mime", "type")
_FORMAT_KEY = re.compile(
    r"(?:aac|flac|m4a|mp3|oga|ogg|opus|wav)"
    r"(?:[-_]?(?:\d+\w*|v\d|download|file|hd|hi|high|hq|link|lo|low|lq|sd|source|src|stream|uri|url))?"
)
_LIVE_KEY = re.compile(r"(?<![a-z])live(?![rd])")
_SPEECH_KEY = re.compile(r"tts|text_?to_?speech|speech_?synthesis|read_?aloud|polly")
_LIVE_FLAGS = ("islive", "is_live", "live", "islivebroadcast")
_EMBEDDED_TYPES = frozenset(("AudioObject", "MusicRecording", "PodcastEpisode", "RadioClip"))
_ENCODING_KEYS = ("encoding", "encodings", "associatedmedia")
_MAX_URL = 65_536


def media_in(value: JSONValue, found_by: str, scope: str) -> Iterator[Find]:
    """Yield the audio, playlists and feeds that a JSON value names, described by the object around each URL.

    ``scope`` tells the value from others of the document, so that their groups do not mix.
    """
    for node in objects_in(value):
        finds = list(_in_object(node, found_by))
        _group_mirrors(finds, node)
        for each in finds:
            each.group = each.group and f"{scope} {each.group}"
            yield each


def _in_object(node: Node, found_by: str) -> Iterator[Find]:
    mime_type = _mime_type(node)
    for key, text in _strings(node):
        if _is_url(text) and (key in _FEED_KEYS or is_feed_url(text)):
            yield Find(url=text, found_by=found_by, confidence=NAME, expected=Kind.FEED)
        elif key == "embedurl" and node.types & _EMBEDDED_TYPES:
            yield Find(url=text, found_by=found_by, confidence=ATTRIBUTE, expected=Kind.EMBED)
        elif _names_media(node, key, text, mime_type):
            yield _find(node, key, text, mime_type, found_by)


def _strings(node: Node) -> Iterator[tuple[str, str]]:
    for key, value in node.members.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str) and 0 < len(each) < _MAX_URL:
                yield key, each


def _mime_type(node: Node) -> str | None:
    values = (node.members.get(key) for key in _TYPE_KEYS)
    return next((each for each in values if isinstance(each, str) and "/" in each and each.isascii()), None)


def _names_media(node: Node, key: str, text: str, mime_type: str | None) -> bool:
    if MEDIA_NAME.search(text):
        return _is_url(text) or (key in _URL_KEYS and _is_path(text)) or bool(_FORMAT_KEY.fullmatch(key))
    if not _is_url(text):
        return False
    return _expected(node, key) is Kind.AUDIO or _has_declared_type(node, key, mime_type)


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://", "/", "./", "../")) and _is_path(text)


def _is_path(text: str) -> bool:
    """Return whether the text may be a path; a bare name is none, since only the script knows its folder."""
    return "/" in text and "<" not in text and "\n" not in text


def _has_declared_type(node: Node, key: str, mime_type: str | None) -> bool:
    return key in _URL_KEYS and kind_of_type(mime_type) is Kind.AUDIO and _names_file(node, key)


def _names_file(node: Node, key: str) -> bool:
    return key in _FILE_KEYS or not any(each in node.members for each in _FILE_KEYS)


def _expected(node: Node, key: str) -> Kind | None:
    """Return what an object and the member's name make of a URL that does not tell itself."""
    if _LIVE_KEY.search(key) or any(node.members.get(each) is True for each in _LIVE_FLAGS):
        return Kind.STREAM
    return Kind.AUDIO if _FORMAT_KEY.fullmatch(key) or (key == "contenturl" and "AudioObject" in node.types) else None


def _find(node: Node, key: str, text: str, mime_type: str | None, found_by: str) -> Find:
    own_type = mime_type if key in _URL_KEYS and _names_file(node, key) else None
    declared = kind_of_type(own_type) is Kind.AUDIO or "AudioObject" in node.types
    find = Find(
        url=text,
        found_by=found_by,
        confidence=ELEMENT if declared else ATTRIBUTE,
        expected=_expected(node, key),
        mime_type=own_type,
        role=_role(key),
    )
    described(node, find, "json_ld" if found_by == "json_ld" else "json")
    find.group = _group(node, key, find.title) or _group_of_encodings(node, text)
    find.guid = _guid(node)
    return find


def _role(key: str) -> Role:
    if "preview" in key:
        return Role.PREVIEW
    return Role.SPEECH_SYNTHESIS if _SPEECH_KEY.match(key) else Role.MAIN


def _group(node: Node, key: str, title: str | None) -> str | None:
    """Return the group of formats side by side, or of attachments with one title (JSON Feed 1.1, Attachments)."""
    if _FORMAT_KEY.fullmatch(key):
        return f"json {node.number}"
    if node.parent and title and "attachments" in node.parent.members:
        return f"json {node.parent.number} {title}"
    return None


def _group_of_encodings(node: Node, url: str) -> str | None:
    """Return the group of a file among the encodings of one work, where folder and name are those of another.

    Pages also list the parts of a work so, and parts must not be taken for alternates.
    """
    place, dot, extension = url.partition("?")[0].rpartition(".")
    if node.parent is None or not dot or extension.lower() not in AUDIO_EXTENSIONS:
        return None
    is_encoding = any(name in node.parent.members for name in _ENCODING_KEYS)
    return f"json {node.parent.number} {'/'.join(place.split('/')[-2:])}" if is_encoding else None


def _guid(node: Node) -> str | None:
    """Return the id of the item whose attachment the object is (JSON Feed 1.1, Items)."""
    if node.parent is None or "attachments" not in node.parent.members:
        return None
    value = node.parent.members.get("id")
    return str(value) if isinstance(value, str | int) and value != "" else None


def _group_mirrors(finds: list[Find], node: Node) -> None:
    """Group the URLs of one object that have folder and name in common, but lie on different hosts."""
    mirrors: dict[str, list[Find]] = {}
    for each in finds:
        _, _, place = each.url.partition("?")[0].partition("://")
        if each.group is None and extension_of(place) in AUDIO_EXTENSIONS:
            mirrors.setdefault("/".join(place.split("/")[1:][-2:]), []).append(each)
    for name, each_of in mirrors.items():
        if len({each.url.split("/")[2] for each in each_of}) > 1:
            for each in each_of:
                each.group = f"json {node.number} {name}"
