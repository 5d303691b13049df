"""HLS media playlists (RFC 8216): the parts of one rendition, in the order in which they are joined."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from audiocrawler.discovery.document import Document, DocumentType
from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, extension_of
from audiocrawler.discovery.urls import absolute
from audiocrawler.discovery.values import duration_ms

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')
_BYTE_RANGE = re.compile(r"(\d{1,15})(?:@(\d{1,15}))?")
_MASTER = re.compile(r"^#EXT-X-(?:STREAM-INF|MEDIA|I-FRAME-STREAM-INF):", re.MULTILINE)
_CONTAINERS = {"ts": "ts", "m2ts": "ts", "mp4": "mp4", "m4s": "mp4", "m4f": "mp4", "cmfa": "mp4", "m4a": "mp4"}
_TEXT = frozenset(("vtt", "webvtt", "ttml"))
_MAX_LINES = 400_000


@dataclass(frozen=True, slots=True)
class Part:
    """A URL to fetch: all of it, or ``size_bytes`` from ``first_byte``."""

    url: str
    first_byte: int = 0
    size_bytes: int | None = None


@dataclass(slots=True)
class Rendition:
    """A media playlist. Its ``parts`` joined in order are one file, if it is VOD and not encrypted.

    The media initialization section (EXT-X-MAP), if any, is the first part. ``container`` is implied by the names of
    the parts: ``mp4``, ``ts``, an extension such as ``aac``, or None.
    """

    parts: list[Part] = field(default_factory=list)
    duration_ms: int = 0
    is_vod: bool = False
    is_encrypted: bool = False
    is_cut: bool = False
    """Whether it has more parts than are read, so that the file would not be whole."""
    container: str | None = None


def is_hls(text: str) -> bool:
    """Return whether an M3U text is an HLS manifest (RFC 8216, section 4.3)."""
    return "#EXT-X-" in text


def attributes_of(line: str) -> dict[str, str]:
    """Return the attribute list of a tag (RFC 8216, section 4.2)."""
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(line.partition(":")[2])}


def audio_rendition(document: Document) -> Rendition | None:
    """Return the rendition of a media playlist; None for a master playlist, subtitles, or anything else."""
    text = document.text
    if document.type is not DocumentType.PLAYLIST or not is_hls(text) or _MASTER.search(text):
        return None
    reader = _Reader(document.base_url)
    lines = text.splitlines()
    for line in lines[:_MAX_LINES]:
        reader.read(line.strip("\ufeff \t"))
    rendition = reader.rendition
    rendition.is_cut = len(lines) > _MAX_LINES
    names = {extension_of(part.url) for part in rendition.parts}
    if not rendition.parts or names & _TEXT:
        return None
    rendition.container = next(_containers(names), None)
    return rendition


class _Reader:
    """Parses a media playlist line by line."""

    def __init__(self, base_url: str) -> None:
        self.rendition = Rendition()
        self._base_url = base_url
        self._seconds = ""
        self._byte_range = ""
        self._is_gap = False
        self._map: Part | None = None
        self._ends: dict[str, int] = {}

    def read(self, line: str) -> None:
        tag, _, value = line.partition(":")
        if tag == "#EXTINF":
            self._seconds = value.partition(",")[0]
        elif tag == "#EXT-X-BYTERANGE":
            self._byte_range = value
        elif tag == "#EXT-X-GAP":
            self._is_gap = True
        elif tag == "#EXT-X-MAP":
            self._read_map(attributes_of(line))
        elif tag in ("#EXT-X-KEY", "#EXT-X-SESSION-KEY"):
            self.rendition.is_encrypted |= attributes_of(line).get("METHOD", "NONE") != "NONE"
        elif tag == "#EXT-X-ENDLIST" or line == "#EXT-X-PLAYLIST-TYPE:VOD":
            self.rendition.is_vod = True
        elif line and not line.startswith("#"):
            self._read_segment(line)

    def _read_map(self, attributes: dict[str, str]) -> None:
        part = self._part(attributes.get("URI", ""), attributes.get("BYTERANGE", ""))
        if part is not None and part != self._map:
            self._map = part
            self.rendition.parts.append(part)

    def _read_segment(self, uri: str) -> None:
        part = None if self._is_gap else self._part(uri, self._byte_range)
        if part is not None:
            self.rendition.parts.append(part)
            self.rendition.duration_ms += duration_ms(self._seconds) or 0
        self._seconds, self._byte_range, self._is_gap = "", "", False

    def _part(self, uri: str, byte_range: str) -> Part | None:
        """Return a part; a range without an offset follows the previous one of that file (section 4.3.2.2)."""
        url = absolute(self._base_url, uri)
        if url is None:
            return None
        match = _BYTE_RANGE.fullmatch(byte_range.strip())
        if match is None:
            return Part(url)
        first_byte = int(match[2]) if match[2] else self._ends.get(url, 0)
        self._ends[url] = first_byte + int(match[1])
        return Part(url, first_byte, int(match[1]))


def _containers(extensions: set[str]) -> Iterator[str]:
    for extension in sorted(extensions):
        if container := _CONTAINERS.get(extension) or (extension if extension in AUDIO_EXTENSIONS else None):
            yield container
