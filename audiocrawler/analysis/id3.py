"""The ID3v2 tag at the beginning of a file in; the frames about its licence that FFmpeg leaves out, out.

ID3v2.2, 2.3 and 2.4 (id3.org): WCOP and WOAF (4.3.1), USER (4.22 of 2.4); unsynchronisation (6.1).
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

MAX_TAG_BYTES = 1 << 20
MAX_FRAMES = 100
_NAMES = {b"WCOP": "wcop", b"WCP": "wcop", b"WOAF": "woaf", b"WAF": "woaf", b"USER": "user"}
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_HEAD_BYTES = 10
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40


def id3_tags(path: Path) -> dict[str, str]:
    """Return the frames as lower-case names and texts, from the first MiB and 100 frames of the tag."""
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
    """Return what a frame holds, nothing where that is compressed or encrypted."""
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
    """Return a number of seven bits a byte."""
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
    return number
