"""An open file in; a digest of its bytes out."""

import hashlib
from typing import IO, Any

PIECE_BYTES = 1 << 20


def digest(file: IO[bytes], algorithm: str) -> bytes:
    """Return the digest by hashlib's name for it, or by ``crc32c`` (RFC 9260, appendix A), big-endian."""
    hashing = _new(algorithm)
    while piece := file.read(PIECE_BYTES):
        hashing.update(piece)
    return bytes(hashing.digest())


def _new(algorithm: str) -> Any:
    if algorithm != "crc32c":
        return hashlib.new(algorithm, usedforsecurity=False)
    import google_crc32c

    return google_crc32c.Checksum()
