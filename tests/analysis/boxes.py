"""The boxes of which media files are made, with whatever a test wants in them: atoms, EBML, Ogg pages, RIFF, ID3."""

import struct


def atom(kind: bytes, *parts: bytes) -> bytes:
    """Return an atom of QuickTime and ISO media (ISO/IEC 14496-12, 4.2)."""
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def full_atom(kind: bytes, *parts: bytes, flags: int = 0) -> bytes:
    """Return an atom with version 0 and flags."""
    return atom(kind, flags.to_bytes(4, "big"), *parts)


def movie(*, samples: bytes, dref: bytes, sample_bytes: int = 2, samples_stated: int | None = None) -> bytes:
    """Return a QuickTime movie of 8 kHz 16-bit mono sound whose samples are where the data reference says."""
    count = len(samples) // 2 if samples_stated is None else samples_stated
    start = atom(b"ftyp", b"qt  \0\0\0\0qt  ")
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    sound = struct.pack(">6xHHHIHHHHI", 1, 0, 0, 0, 1, 16, 0, 0, 8000 << 16)
    table = atom(
        b"stbl",
        full_atom(b"stsd", struct.pack(">I", 1), atom(b"sowt", sound)),
        full_atom(b"stts", struct.pack(">III", 1, count, 1)),
        full_atom(b"stsc", struct.pack(">IIII", 1, 1, count, 1)),
        full_atom(b"stsz", struct.pack(">II", sample_bytes, count)),
        full_atom(b"stco", struct.pack(">II", 1, len(start) + 8)),
    )
    media = atom(
        b"mdia",
        full_atom(b"mdhd", struct.pack(">IIIIHH", 0, 0, 8000, count, 0, 0)),
        full_atom(b"hdlr", b"mhlrsoun", bytes(12), b"\0"),
        atom(
            b"minf",
            full_atom(b"smhd", bytes(4)),
            atom(b"dinf", full_atom(b"dref", struct.pack(">I", 1), dref)),
            table,
        ),
    )
    track_head = full_atom(b"tkhd", struct.pack(">IIIII", 0, 0, 1, 0, 1000), bytes(16), matrix, bytes(8), flags=7)
    movie_head = full_atom(b"mvhd", struct.pack(">IIIIIH", 0, 0, 1000, 1000, 0x10000, 0x100), bytes(10), matrix,
                           bytes(24), struct.pack(">I", 2))  # fmt: skip
    return start + atom(b"mdat", samples) + atom(b"moov", movie_head, atom(b"trak", track_head, media))


def element(element_id: str, *parts: bytes) -> bytes:
    """Return an EBML element (RFC 8794) with its size in eight bytes."""
    body = b"".join(parts)
    return bytes.fromhex(element_id) + (1 << 56 | len(body)).to_bytes(8, "big") + body


def matroska(*segment: bytes) -> bytes:
    """Return a Matroska file (RFC 9559) with these elements in its segment."""
    return element("1a45dfa3", element("4282", b"matroska"), element("4287", b"\4")) + element("18538067", *segment)


def pcm_track(number: int) -> bytes:
    """Return the entry of a Matroska track of 8 kHz 16-bit mono sound."""
    return element(
        "ae",
        element("d7", number.to_bytes(2, "big")),
        element("73c5", number.to_bytes(2, "big")),
        element("83", b"\2"),
        element("86", b"A_PCM/INT/LIT"),
        element("e1", element("b5", struct.pack(">d", 8000)), element("9f", b"\1"), element("6264", b"\x10")),
    )


def ogg_page(body: bytes, *, serial: int, number: int = 0, flags: int = 0, granule: int = 0) -> bytes:
    """Return an Ogg page (RFC 3533) with one packet of less than 65,025 bytes."""
    lacing = bytes([255] * (len(body) // 255) + [len(body) % 255])
    head = struct.pack("<4sBBQIIIB", b"OggS", 0, flags, granule, serial, number, 0, len(lacing)) + lacing
    page = bytearray(head + body)
    page[22:26] = _ogg_crc(page).to_bytes(4, "little")
    return bytes(page)


def _ogg_crc(page: bytes | bytearray) -> int:
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


def wav(
    *, samples: bytes, channels: int = 1, rate_hz: int = 8000, bits: int = 16, data_bytes: int | None = None
) -> bytes:
    """Return a WAV file, ``data_bytes`` being what its header says of its samples."""
    size = len(samples) if data_bytes is None else data_bytes
    block = channels * bits // 8
    return struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", min(size + 36, 0xFFFFFFFF), b"WAVEfmt ", 16, 1, channels, rate_hz,
                       rate_hz * block & 0xFFFFFFFF, block & 0xFFFF, bits, b"data", size) + samples  # fmt: skip


def id3_frame(frame_id: bytes, body: bytes) -> bytes:
    """Return a frame of an ID3v2.3 tag."""
    return frame_id + struct.pack(">IH", len(body), 0) + body


def id3(*frames: bytes, size_bytes: int | None = None) -> bytes:
    """Return an ID3v2.3 tag, ``size_bytes`` being what its header says of its frames."""
    body = b"".join(frames)
    size = len(body) if size_bytes is None else size_bytes
    return b"ID3\3\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + body


def picture(kind: bytes, body: bytes) -> bytes:
    """Return the ID3 frame of a cover picture of this media type."""
    return id3_frame(b"APIC", b"\0" + kind + b"\0\3\0" + body)
