"""Find what may hold audio and is no audio file: videos, archives, URLs of other schemes, data: URLs."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlsplit

from lxml import etree

from audiocrawler.discovery.candidate import LINK, STRING, Find, Kind
from audiocrawler.discovery.copies import group_copies
from audiocrawler.discovery.document import Document, DocumentType, attribute, each_named, one_line, text_of
from audiocrawler.discovery.finders.feeds import FEED_ROOTS, items_of, media_of
from audiocrawler.discovery.kinds import (
    OTHER_EXTENSIONS,
    PACKED_EXTENSION,
    VIDEO_EXTENSIONS,
    bare_type,
    extension_of,
    is_file_page,
)
from audiocrawler.discovery.values import row_description, size_bytes

_LINKED_VIDEOS = VIDEO_EXTENSIONS - {"ts", "mts"}
"""TypeScript has these extensions, too."""
_VIDEO_EXTENSION = "|".join(sorted(_LINKED_VIDEOS, key=len, reverse=True))
_VIDEO_NAME = re.compile(rf"\.(?:{_VIDEO_EXTENSION})(?![a-z0-9])", re.IGNORECASE)
_SOURCE_ATTRIBUTES = ("src", "data-src", "data-lazy-src", "data-original")
_FEED_FILES = ("enclosure", "content", "link", "source")
_META_NAMES = frozenset(
    ("og:video", "og:video:url", "og:video:secure_url", "twitter:player:stream", "twitter:player:stream:url")
)
_MAX_TEXT = 200


def find_videos(document: Document) -> Iterator[Find]:
    """Yield the video files of players, links, feeds, cards and structured data."""
    for number, player in enumerate(document.elements("video", "amp-video")):
        for element in (player, *player.iter("source")):
            for url in _sources(element):
                yield _video(url, "video", f"video {number}", element.get("type"), one_line(player.get("title")))
    for link in document.elements("a", "area"):
        href = link.get("href") or ""
        if _is_video(href, link.get("type")):
            yield _linked(link, href, "video", Kind.VIDEO)
    for meta in document.elements("meta"):
        content = meta.get("content") or ""
        if (meta.get("property") or meta.get("name") or "").lower() in _META_NAMES and _is_video(content, None):
            yield _video(content, "og_video", None, None, None)
    if document.root is not None and document.root_name in FEED_ROOTS:
        yield from _in_feed(document.root)
    for url in _strings(document, _VIDEO_URL):
        yield _video(url, "video_string", None, None, None)


def _sources(element: etree._Element) -> Iterator[str]:
    for name in _SOURCE_ATTRIBUTES:
        if url := element.get(name):
            yield url


def _is_video(url: str, mime_type: str | None) -> bool:
    if _VIDEO_NAME.search(url) and extension_of(url) in _LINKED_VIDEOS:
        return not is_file_page(_VIDEO_NAME.sub(".ogg", url))
    return bare_type(mime_type).startswith("video/")


def _video(url: str, found_by: str, group: str | None, mime_type: str | None, title: str | None) -> Find:
    return Find(
        url=url,
        found_by=found_by,
        confidence=STRING,
        expected=Kind.VIDEO,
        group=group,
        mime_type=mime_type,
        title=title,
    )


def _linked(link: etree._Element, url: str, found_by: str, kind: Kind) -> Find:
    row = row_description(link)
    return Find(
        url=url,
        found_by=found_by,
        confidence=LINK,
        expected=kind,
        mime_type=link.get("type"),
        size_bytes=row.size_bytes,
        published_at=row.published_at,
        link_text=one_line(text_of(link), _MAX_TEXT),
    )


def _in_feed(root: etree._Element) -> Iterator[Find]:
    for number, item in enumerate(items_of(root)):
        for element in each_named(item, *_FEED_FILES):
            url, mime_type = attribute(element, "url", "href", "uri", "resource"), attribute(element, "type")
            is_video = url is not None and _is_video(url, mime_type)
            if not url or not (is_video or _is_archive(url, mime_type)):
                continue
            title = next((one_line(text_of(each)) for each in each_named(item, "title")), None)
            if is_video:
                groups = _groups(item, f"item {number}")
                found = _video(
                    url, "feed_video", groups.get(url) or next(iter(groups.values()), None), mime_type, title
                )
                found.size_bytes = size_bytes(attribute(element, "length", "filesize"))
                yield found
            else:
                yield Find(
                    url=url,
                    found_by="feed_archive",
                    confidence=LINK,
                    expected=Kind.ARCHIVE,
                    title=title,
                    mime_type=mime_type,
                )


def _groups(item: etree._Element, name: str) -> dict[str, str | None]:
    """Return the groups of an item's files by URL: a video is another file of its namesake, else of the first."""
    finds = list(media_of(item))
    group_copies(finds, name)
    return {each.url: each.group for each in finds}


_ARCHIVE_NAME = re.compile(rf"\.{PACKED_EXTENSION}$", re.IGNORECASE)
_ARCHIVE_TYPES = frozenset(
    f"application/{name}"
    for name in (
        *("zip", "x-zip-compressed", "x-zip", "x-tar", "x-gtar", "x-compressed-tar", "x-bzip-compressed-tar", "x-rar"),
        *("x-xz-compressed-tar", "x-7z-compressed", "vnd.rar", "x-rar-compressed"),
    )
)
_QUERY_NAME = re.compile(r"[=/]([^=&/]+)")


def find_archives(document: Document) -> Iterator[Find]:
    """Yield the archives that a page links to or JSON names."""
    for link in document.elements("a", "area"):
        url = link.get("href") or ""
        if _is_archive(url, link.get("type")) or _ARCHIVE_NAME.search(link.get("download") or ""):
            yield _linked(link, url, "archive", Kind.ARCHIVE)
    for url in _strings(document, _ARCHIVE_URL):
        yield Find(url=url, found_by="archive_string", confidence=STRING, expected=Kind.ARCHIVE)


def _is_archive(url: str, mime_type: str | None) -> bool:
    place, _, query = url.partition("#")[0].partition("?")
    names = [place, *(_QUERY_NAME.findall(f"={query[:2048]}") if query else ())]
    return any(_ARCHIVE_NAME.search(name) for name in names) or bare_type(mime_type) in _ARCHIVE_TYPES


_HOST_AND_PATH = r"https?:(?:\\?/){2}[^\s\"'<>?#\\]+(?:\\/[^\s\"'<>?#\\]+)*"
_QUERY = r"(?:\?[^\s\"'<>\\]*)?(?=[\"'<\s]|$)"
_VIDEO_URL = re.compile(rf"{_HOST_AND_PATH}\.(?:{_VIDEO_EXTENSION}){_QUERY}", re.IGNORECASE)
_ARCHIVE_URL = re.compile(rf"{_HOST_AND_PATH}\.(?:zip|7z|rar|tar|tgz|tar\.(?:gz|bz2|xz|zst)){_QUERY}", re.IGNORECASE)


def _strings(document: Document, pattern: re.Pattern[str]) -> Iterator[str]:
    """Yield the absolute URLs in JSON, in JSON-LD, and in XML that is no feed."""
    is_read = document.type is DocumentType.JSON or (
        document.type is DocumentType.XML and document.root_name not in FEED_ROOTS | {"mpd"}
    )
    texts = [document.text] if is_read else []
    texts += [each.text or "" for each in document.elements("script") if "ld+json" in (each.get("type") or "").lower()]
    for text in texts:
        yield from dict.fromkeys(unescape(match[0].replace("\\/", "/")) for match in pattern.finditer(text))


_OTHER_SCHEME = re.compile(r"\b(?:s?ftp|ftps|rtsp|rtmp[es]?|mms[htu]?)://[^\s\"'<>\\]+", re.IGNORECASE)
_SCHEME_MARKS = (
    *("ftp://", "FTP://", "ftps://", "rtsp://", "rtmp://", "rtmpe://", "rtmps://", "mms://", "mmsh://", "mmst://"),
    *("mmsu://", "RTSP://", "RTMP://", "MMS://"),
)
"""A cheap check before the costly one."""
_NO_SOUND = OTHER_EXTENSIONS - {"7z", "gz", "rar", "tar", "zip"}


def find_other_schemes(document: Document) -> Iterator[Find]:
    """Yield the URLs that only another protocol than HTTP serves, except those of documents and images."""
    if not any(mark in document.text for mark in _SCHEME_MARKS):
        return
    found = dict.fromkeys(unescape(each).rstrip(".,;:!)]") for each in _OTHER_SCHEME.findall(document.text))
    for url in found:
        if extension_of(url) not in _NO_SOUND and _has_host(url):
            yield Find(url=url, found_by="other_scheme", confidence=LINK, expected=Kind.OTHER_SCHEME)


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


_DATA_OF_AUDIO = re.compile(r"data:(?:audio/|application/ogg|video/(?:mp4|ogg|webm))", re.IGNORECASE)
_MEDIA = ("audio", "source", "a", "embed", "object", "bgsound", "video")


def find_data_urls(document: Document) -> Iterator[Find]:
    """Yield the audio that players and links hold within the page (RFC 2397)."""
    if "data:" not in document.text:
        return
    for element in document.elements(*_MEDIA):
        for name in ("src", "data-src", "href", "data"):
            value = (element.get(name) or "").strip()
            is_played = element.tag in ("audio", "bgsound") and value[:5].lower() == "data:"
            if is_played or _DATA_OF_AUDIO.match(value):
                yield Find(
                    url=value,
                    found_by="data_url",
                    confidence=LINK,
                    expected=Kind.DATA,
                    title=one_line(element.get("title") or element.get("aria-label")),
                    link_text=one_line(text_of(element), _MAX_TEXT) if element.tag == "a" else None,
                )
