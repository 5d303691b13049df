"""A media file in, out whether it ends before the audio that it announces.

Decoders do not tell: at the end of the bytes they stop, as at the end of the audio.
"""

from pathlib import Path
from typing import BinaryIO

_TOLERANCE_S = 0.1
_SIZE_TOLERANCE = 1.02
_SIZE_UNKNOWN = {0, 0xFFFF_FFFF}
_OGG_HEADER_BYTES = 27
_OGG_LONGEST_PAGE_BYTES = _OGG_HEADER_BYTES + 255 + 255 * 255
_OGG_LAST_PAGE = 0x04


def is_cut_short(path: Path, declared_s: float | None, decoded_ms: int, bit_rate_bps: int | None) -> bool:
    """Tell whether bytes are missing at the end, or less was decoded than the header declares."""
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
    """Tell whether the last page is marked as the stream's last and complete (RFC 3533, section 6)."""
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < _OGG_HEADER_BYTES:
        return False
    lengths = page[_OGG_HEADER_BYTES:][: page[_OGG_HEADER_BYTES - 1]]
    complete = len(page) >= _OGG_HEADER_BYTES + len(lengths) + sum(lengths)
    return complete and bool(page[5] & _OGG_LAST_PAGE)
