"""Small files that say they are large: in time, channels, streams, tags, pictures, tables and depth."""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from tests.analysis.boxes import (
    atom,
    element,
    full_atom,
    matroska,
    movie,
    ogg_page,
    pcm_track,
    wav,
)

SILENCE = bytes(8000)
OWN_FILE = full_atom(b"url ", flags=1)


def flac_of_days(days: int) -> bytes:
    """Return constant FLAC frames of 65535 samples (RFC 9639, 9.2.2) at 1 kHz: 17 bytes for 65 s each."""
    rate_hz, block = 1000, 65_535
    info = struct.pack(">HH6x", block, block) + (rate_hz << 44 | 15 << 36).to_bytes(8, "big") + bytes(16)
    frames = (_flac_frame(number, block) for number in range(days * 86_400 * rate_hz // block + 1))
    return b"fLaC" + b"\x80" + len(info).to_bytes(3, "big") + info + b"".join(frames)


def _flac_frame(number: int, block: int) -> bytes:
    coded = chr(number).encode("utf-8", "surrogatepass")
    head = b"\xff\xf8\x7d\x08" + coded + struct.pack(">HH", block - 1, 1000)
    head += bytes([_crc(head, 8, 0x07)])
    body = head + b"\0\0\0"  # a constant subframe of value 0
    return body + _crc(body, 16, 0x8005).to_bytes(2, "big")


def _crc(data: bytes, width: int, polynomial: int) -> int:
    crc, top = 0, 1 << width - 1
    for byte in data:
        crc ^= byte << width - 8
        for _ in range(8):
            crc = (crc << 1 ^ polynomial if crc & top else crc << 1) & ((1 << width) - 1)
    return crc


def chained(links: list[bytes], count: int) -> bytes:
    """Return Ogg files one behind the other, taken in turn: a chained stream (RFC 3533, section 4)."""
    return b"".join(links[number % len(links)] for number in range(count))


def png(width: int, height: int) -> bytes:
    """Return a PNG picture of zeros, which packs a thousand to one."""
    pack = zlib.compressobj(9)
    row = bytes(width + 1)
    rows = [pack.compress(row) for _ in range(height)]
    data = b"".join(rows) + pack.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", data), (b"IEND", b"")]
    packed = (struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
              for kind, body in chunks)  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def sparse(path: Path, head: bytes, zeros: int, tail: bytes) -> Path:
    """Write a file with a hole of zeros, which takes no space on the disk."""
    with path.open("wb") as file:
        file.write(head)
        file.seek(zeros, os.SEEK_CUR)
        file.write(tail)
    return path


def vorbis_comments(count: int, length: int, vorbis: bytes) -> bytes:
    """Return an Ogg Vorbis file whose comment header has so many comments, over as many pages as that takes."""
    second = vorbis.index(b"OggS", 4)
    comment = struct.pack("<I", length) + b"A=" + b"x" * (length - 2)
    body = b"\x03vorbis" + struct.pack("<II", 0, count) + comment * count + b"\1"
    serial = struct.unpack_from("<I", vorbis, 14)[0]
    pages = []
    for number, start in enumerate(range(0, len(body), 255 * 255), 1):
        piece = body[start : start + 255 * 255]
        is_last = start + 255 * 255 >= len(body)
        lacing = bytes([255] * (len(piece) // 255) + ([len(piece) % 255] if is_last else []))
        flags = 1 if number > 1 else 0
        granule = 0 if is_last else 0xFFFFFFFFFFFFFFFF
        head = struct.pack("<4sBBQIIIB", b"OggS", 0, flags, granule, serial, number, 0, len(lacing))
        pages.append(head + lacing + piece)
    return vorbis[:second] + b"".join(pages)


def nested(depth: int) -> bytes:
    """Return a Matroska file with tags within tags."""
    inner = b""
    for _ in range(depth):
        size = (1 << 56 | len(inner)).to_bytes(8, "big")
        inner = b"\x67\xc8" + size + inner
    return matroska(element("1254c367", element("7373", inner)), element("1654ae6b", pcm_track(1)))


def streams(count: int) -> bytes:
    """Return a Matroska file with so many tracks and a block for the first."""
    tracks = element("1654ae6b", *(pcm_track(number) for number in range(1, count + 1)))
    return matroska(tracks, element("1f43b675", element("e7", b"\0"), element("a3", b"\x81\0\0\x80" + SILENCE)))


def ogg_streams(count: int) -> bytes:
    """Return an Ogg file that begins so many Opus streams at once."""
    head = b"OpusHead\1\1" + bytes(9)
    return b"".join(ogg_page(head, serial=number, flags=2) for number in range(count))


def empty_blocks(count: int) -> bytes:
    """Return a Matroska file whose blocks hold nothing."""
    blocks = element("a3", b"\x81\0\0\x80") * count
    return matroska(element("1654ae6b", pcm_track(1)), element("1f43b675", element("e7", b"\0"), blocks))


MADE: dict[str, Callable[[], bytes]] = {
    "flac of two days": lambda: flac_of_days(2),
    "65535 channels": lambda: wav(samples=bytes(65_535 * 4), channels=65_535),
    "300 channels": lambda: wav(samples=bytes(300 * 100), channels=300),
    "65 channels": lambda: wav(samples=bytes(65 * 2000), channels=65),
    "rate of 0 Hz": lambda: wav(samples=SILENCE, rate_hz=0),
    "rate of 1 Hz": lambda: wav(samples=SILENCE, rate_hz=1),
    "rate of 4 GHz": lambda: wav(samples=SILENCE, rate_hz=4_000_000_000),
    "blocks of no bytes": lambda: wav(samples=SILENCE, channels=0),
    "samples of no bits": lambda: wav(samples=SILENCE, bits=0),
    "a movie of 4 billion samples": lambda: movie(samples=SILENCE, samples_stated=0xFFFFFFFF, dref=OWN_FILE),
    "a movie of 100 million samples": lambda: movie(samples=SILENCE, samples_stated=100_000_000, dref=OWN_FILE),
    "a movie of empty samples": lambda: movie(samples=SILENCE, sample_bytes=0, samples_stated=1000, dref=OWN_FILE),
    "atoms 100,000 deep": lambda: atom(b"ftyp", b"qt  \0\0\0\0") + b"\x7f\xff\xff\xffmoov" * 100_000,
    "2000 tracks": lambda: streams(2000),
    "ogg of 3000 streams": lambda: ogg_streams(3000),
    "tags 20,000 deep": lambda: nested(20_000),
    "100,000 empty blocks": lambda: empty_blocks(100_000),
}
