"""The first bytes of a file in; what kind of file it is out: extension, media type, whether it can be audio, a name."""

from pathlib import Path

from audiocrawler.sniff import containers, frames, text
from audiocrawler.sniff.kinds import EMPTY, MAGIC, MP3, UNKNOWN, Sniffed

__all__ = ["HEAD_BYTES", "Sniffed", "sniff", "sniff_file"]

HEAD_BYTES = 4096
_ID3_HEADER_BYTES = 10


def sniff_file(path: Path) -> Sniffed:
    """Return the kind of the file at ``path``, looking behind an ID3 tag of any length. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        tag_bytes = _id3_bytes(head)
        if not tag_bytes:
            return sniff(head)
        file.seek(tag_bytes)
        return _tagged(file.read(HEAD_BYTES))


def sniff(head: bytes) -> Sniffed:
    """Return the kind of the file that starts with ``head``: its first HEAD_BYTES, or all of a shorter file."""
    if not head:
        return EMPTY
    tag_bytes = _id3_bytes(head)
    return _tagged(head[tag_bytes:]) if tag_bytes else _untagged(head)


def _untagged(head: bytes) -> Sniffed:
    looks = (_magic, containers.look, frames.look, text.look)
    return next((kind for look in looks if (kind := look(head))), UNKNOWN)


def _magic(head: bytes) -> Sniffed | None:
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), None)


def _id3_bytes(head: bytes) -> int:
    """Return the length of the ID3v2 tag at the start, or 0 (ID3v2.4.0 structure, sections 3.1 and 3.4)."""
    if not head.startswith(b"ID3") or len(head) < _ID3_HEADER_BYTES:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    footer_bytes = _ID3_HEADER_BYTES if head[5] & 0x10 else 0
    return _ID3_HEADER_BYTES + size + footer_bytes


def _tagged(rest: bytes) -> Sniffed:
    """Return the kind of what follows an ID3 tag: MP3 unless it is clearly another audio format."""
    while tag_bytes := _id3_bytes(rest := rest.lstrip(b"\x00")):  # a tag may follow a tag
        rest = rest[tag_bytes:]
    kind = _untagged(rest)
    return kind if kind.is_audio else MP3
