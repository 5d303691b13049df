"""HLS master playlists: the audio renditions and audio-only variants, as further manifests."""

import re
from collections.abc import Iterator

from audiocrawler.discovery.candidate import ELEMENT, Find, Kind
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.hls import attributes_of, is_hls
from audiocrawler.discovery.sniff import DocumentType
from audiocrawler.discovery.values import whole_number

_VIDEO_CODEC = re.compile(r"avc|hev|hvc|vp0?[89]|av01|dvh", re.IGNORECASE)


def find(document: Document) -> Iterator[Find]:
    """Yield the manifests that a master playlist names for audio (RFC 8216, section 4.3.4)."""
    if document.type is not DocumentType.PLAYLIST or not is_hls(document.text):
        return
    variant: dict[str, str] | None = None
    for line in map(str.strip, document.text.splitlines()):
        if line.startswith("#EXT-X-MEDIA:"):
            yield from _rendition(attributes_of(line))
        elif line.startswith("#EXT-X-STREAM-INF:"):
            variant = attributes_of(line)
        elif line and not line.startswith("#"):
            if variant is not None and _is_audio(variant):
                yield _manifest(line, variant)
            variant = None


def _rendition(attributes: dict[str, str]) -> Iterator[Find]:
    if attributes.get("TYPE") == "AUDIO" and (url := attributes.get("URI")):
        yield _manifest(url, attributes)


def _is_audio(variant: dict[str, str]) -> bool:
    return "RESOLUTION" not in variant and not _VIDEO_CODEC.search(variant.get("CODECS", ""))


def _manifest(url: str, attributes: dict[str, str]) -> Find:
    return Find(
        url=url,
        found_by="hls",
        confidence=ELEMENT,
        expected=Kind.MANIFEST,
        title=attributes.get("NAME"),
        language=attributes.get("LANGUAGE"),
        bit_rate_bps=whole_number(attributes.get("BANDWIDTH")),
    )
