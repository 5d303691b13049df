"""Read a file's headers: stream properties, tags, licence frames, and whether it is truncated."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import av
from av import logging as av_logging

from audiocrawler.analysis.decode import Decoder, codec_bits


def header_columns(decoder: Decoder) -> dict[str, Any]:
    """Return container, codec and bits per sample, the latter None where the codec does not define them."""
    return {
        "container": decoder.container.format.name,
        "codec": decoder.codec,
        "bits_per_sample": codec_bits(decoder.codec) or _lossless_bits(decoder),
    }


def bit_rate_bps(decoder: Decoder, path: Path, duration_ms: int) -> int | None:
    """Return the stream's bit rate, else that of the whole file."""
    if decoder.stream.bit_rate:
        return decoder.stream.bit_rate
    return round(path.stat().st_size * 8000 / duration_ms) if duration_ms else None


def declared_s(decoder: Decoder) -> float | None:
    """Return the duration in seconds that the headers declare or that FFmpeg estimates from them."""
    stream = decoder.stream
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return decoder.container.duration / av.time_base if decoder.container.duration else None


def _lossless_bits(decoder: Decoder) -> int | None:
    if not decoder.lossless:
        return None
    described = re.search(
        rf"Stream #0:{decoder.stream.index}\b.*: Audio: .*\b[su](\d+)p?\b(?: \((\d+) bit\))?", _description(decoder)
    )
    return int(described[2] or described[1]) if described else None


def _description(decoder: Decoder) -> str:
    """Return FFmpeg's description of the file, the only place where PyAV shows the bits of a raw sample."""
    level = av_logging.get_level()
    av_logging.set_level(av_logging.INFO)
    try:
        return str(decoder.container.dumps_format())  # type: ignore[attr-defined]  # left out of PyAV's stubs
    finally:
        av_logging.set_level(level)


_MAX_TAGS = 100
_MAX_KEY_LENGTH = 100
_MAX_VALUE_LENGTH = 4000
_UNKNOWN_LANGUAGES = {"und", "unknown", "xxx"}


def tag_columns(sources: Iterable[dict[str, str]]) -> dict[str, Any]:
    """Return title, artist, album, language and all tags; the first source with a tag counts."""
    tags = _merged(sources)
    language = tags.get("language", "").lower()
    return {
        "title": tags.get("title"),
        "artist": tags.get("artist") or tags.get("author") or tags.get("album_artist"),
        "album": tags.get("album"),
        "language": None if language in _UNKNOWN_LANGUAGES else language or None,
        "tags": tags or None,
    }


def _merged(sources: Iterable[dict[str, str]]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for source in sources:
        for raw_key, raw_value in source.items():
            key, value = _clean(raw_key, _MAX_KEY_LENGTH).lower(), _clean(raw_value, _MAX_VALUE_LENGTH)
            if key and value and len(tags) < _MAX_TAGS:
                tags.setdefault(key, value)
    return tags


def _clean(text: str, max_length: int) -> str:
    """Return text that any database can store: stripped, cut, without NULs and lone surrogates."""
    storable = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return storable.strip()[:max_length].rstrip()


MAX_TAG_BYTES = 1 << 20
MAX_FRAMES = 100
_NAMES = {b"WCOP": "wcop", b"WCP": "wcop", b"WOAF": "woaf", b"WAF": "woaf", b"USER": "user"}
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_HEAD_BYTES = 10
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40


def id3_tags(path: Path) -> dict[str, str]:
    """Return lower-case names and texts of the first 100 frames in the first MiB of the tag."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        if len(head) < _HEAD_BYTES or head[:3] != b"ID3" or head[3] not in (2, 3, 4):
            return {}
        body = file.read(min(_syncsafe(head[6:]), MAX_TAG_BYTES))
    version, flags = head[3], head[5]
    if version < 4 and flags & _UNSYNCHRONISED:
        body = _synchronised(body)
    if flags & _EXTENDED:
        body = body[_syncsafe(body[:4]) if version == 4 else int.from_bytes(body[:4]) + 4 :]
    frames = islice(_frames(body, version), MAX_FRAMES)
    found = ((_NAMES[name], _text(name, data)) for name, data in frames if name in _NAMES)
    return {name: text for name, text in reversed(list(found)) if text}  # the first of each name


def _frames(body: bytes, version: int) -> Iterator[tuple[bytes, bytes]]:
    name_bytes, head_bytes = (3, 6) if version == 2 else (4, 10)
    at = 0
    while at + head_bytes <= len(body) and body[at]:
        head = body[at : at + head_bytes]
        size = head[name_bytes : 2 * name_bytes]
        end = at + head_bytes + (_syncsafe(size) if version == 4 else int.from_bytes(size))
        if end > len(body):
            return
        yield head[:name_bytes], _content(body[at + head_bytes : end], version, head[-1] if version > 2 else 0)
        at = end


def _content(data: bytes, version: int, flags: int) -> bytes:
    """Return the content of a frame, empty if compressed or encrypted."""
    unreadable, grouped = (0xC0, 0x20) if version == 3 else (0x0C, 0x40)
    if flags & unreadable:
        return b""
    data = data[1:] if flags & grouped else data
    if version == 3:
        return data
    data = data[4:] if flags & 0x01 else data  # its length beforehand
    return _synchronised(data) if flags & 0x02 else data


def _text(name: bytes, data: bytes) -> str:
    if name != b"USER":
        return data.partition(b"\0")[0].decode("latin-1").strip()
    encoding = _ENCODINGS[data[0]] if data and data[0] < len(_ENCODINGS) else "latin-1"
    return data[4:].decode(encoding, "replace").partition("\0")[0].strip()  # after three letters of its language


def _synchronised(data: bytes) -> bytes:
    return data.replace(b"\xff\0", b"\xff")


def _syncsafe(data: bytes) -> int:
    """Return a number with seven bits per byte."""
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
    return number


_TOLERANCE_S = 0.1
_SIZE_TOLERANCE = 1.02
_SIZE_UNKNOWN = {0, 0xFFFF_FFFF}
_OGG_HEADER_BYTES = 27
_OGG_LONGEST_PAGE_BYTES = _OGG_HEADER_BYTES + 255 + 255 * 255
_OGG_LAST_PAGE = 0x04


def is_cut_short(path: Path, declared_s: float | None, decoded_ms: int, bit_rate_bps: int | None) -> bool:
    """Return whether bytes are missing at the end, or less was decoded than the header declares."""
    size_bytes = path.stat().st_size
    if _duration_missing(declared_s, decoded_ms / 1000, bit_rate_bps, size_bytes):
        return True
    with path.open("rb") as file:
        return _bytes_missing(file, size_bytes)


def _duration_missing(declared_s: float | None, decoded_s: float, bit_rate_bps: int | None, size_bytes: int) -> bool:
    if not declared_s or declared_s - decoded_s < _TOLERANCE_S:
        return False
    # A duration that is the size divided by the bit rate is FFmpeg's estimate, not a declaration.
    return not bit_rate_bps or declared_s * bit_rate_bps / 8 > size_bytes * _SIZE_TOLERANCE


def _bytes_missing(file: BinaryIO, size_bytes: int) -> bool:
    head = file.read(8)
    if head[:4] in {b"RIFF", b"FORM"}:
        announced = int.from_bytes(head[4:], "little" if head[:4] == b"RIFF" else "big")
        return announced not in _SIZE_UNKNOWN and announced > size_bytes  # many writers count the 8 bytes before, too
    if head[:4] == b"OggS":
        file.seek(max(0, size_bytes - _OGG_LONGEST_PAGE_BYTES))
        return not _ends_with_last_ogg_page(file.read())
    return False


def _ends_with_last_ogg_page(tail: bytes) -> bool:
    """Return whether the last page is complete and marked as the stream's last (RFC 3533, section 6)."""
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < _OGG_HEADER_BYTES:
        return False
    lengths = page[_OGG_HEADER_BYTES:][: page[_OGG_HEADER_BYTES - 1]]
    complete = len(page) >= _OGG_HEADER_BYTES + len(lengths) + sum(lengths)
    return complete and bool(page[5] & _OGG_LAST_PAGE)
