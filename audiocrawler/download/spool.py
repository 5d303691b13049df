"""One body on its way to disk: a part file, decoded while it is written, that can be resumed."""

import zlib
from pathlib import Path
from typing import Protocol

from audiocrawler.errors import AudioCrawlerError


class SpoolError(AudioCrawlerError):
    """Raised when a body cannot be written or decoded; ``__cause__`` tells a full disk from a damaged encoding."""


class Decoder(Protocol):
    """What zlib's decompression objects offer."""

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        """Return the next decoded bytes."""


CHUNK_BYTES = 1 << 20
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 47}


def decoder_for(content_encoding: str) -> Decoder | None:
    """Return what undoes this Content-Encoding, None for none; raises SpoolError for one that is not known."""
    encoding = content_encoding.strip().lower()
    if encoding in {"", "identity"}:
        return None
    if encoding not in _WINDOW_BITS:
        raise SpoolError(f"the server sent Content-Encoding {encoding}, although identity was asked for")
    return zlib.decompressobj(_WINDOW_BITS[encoding])


class Spool:
    """Stands in for the buffer in which Scrapy collects a response body, and writes it to ``part`` instead.

    ``max_bytes`` bounds what is written after decoding, 0 means no bound.
    """

    def __init__(self, part: Path, max_bytes: int) -> None:
        self.part = part
        self.max_bytes = max_bytes
        self.size_bytes = part.stat().st_size if part.exists() else 0
        self.error: SpoolError | None = None
        self.too_large = False
        self._decoder: Decoder | None = None
        self._file = part.open("ab", buffering=0)

    def begin(self, *, resumed: bool, decoder: Decoder | None) -> None:
        """Start a body: go on after what is there if ``resumed``, else from nothing."""
        self._decoder = decoder
        if not resumed:
            self._file.truncate(0)
            self.size_bytes = 0

    def write(self, data: bytes) -> None:
        """Write the next bytes from the wire; what goes wrong is kept in ``error`` and ``too_large``."""
        if self.error or self.too_large:
            return
        try:
            self._write(data)
        except (OSError, zlib.error) as error:
            self.error = SpoolError(f"the body cannot be kept: {error}")
            self.error.__cause__ = error

    def _write(self, data: bytes) -> None:
        if self._decoder is None:
            self._append(data)
            return
        while data and not self.too_large:
            self._append(self._decoder.decompress(data, CHUNK_BYTES))
            data = getattr(self._decoder, "unconsumed_tail", b"")

    def _append(self, data: bytes) -> None:
        self.size_bytes += len(data)
        self.too_large = bool(self.max_bytes) and self.size_bytes > self.max_bytes
        if not self.too_large:
            self._file.write(data)

    def getvalue(self) -> bytes:
        """Return no bytes: they are on disk."""
        return b""

    def truncate(self, _size: int) -> None:
        """Drop the body, as Scrapy does when it grows too large."""
        self.too_large = True

    def close(self) -> None:
        """Close the part file and leave it."""
        self._file.close()
