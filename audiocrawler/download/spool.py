"""One body on its way to disk: a part file, decoded while it is written, that can be resumed."""

from collections.abc import Iterable
from pathlib import Path

from audiocrawler.download.encodings import Decoding
from audiocrawler.errors import AudioCrawlerError


class SpoolError(AudioCrawlerError):
    """Raised when a body cannot be written; ``__cause__`` tells a full disk from other troubles."""


class SpoolFullError(AudioCrawlerError):
    """Raised when a body grows larger than it may be."""


class Spool:
    """Writes a body to the end of ``part``, or after ``emptied``; ``max_bytes`` bounds the file, 0 means no bound."""

    def __init__(self, part: Path, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._decoding = Decoding("")
        try:
            self._file = part.open("ab", buffering=0)
            self.size_bytes = self._file.tell()
        except OSError as error:
            raise SpoolError(f"the body cannot be kept: {error}") from error

    @property
    def is_encoding_named(self) -> bool:
        """Return whether the server names an encoding of the body, be it there or not."""
        return self._decoding.is_named

    @property
    def is_decoded(self) -> bool:
        """Return whether an encoding is being undone: then the size says nothing of what came."""
        return self._decoding.is_encoded

    @property
    def is_decoded_to_its_end(self) -> bool:
        """Return whether the encoding has come to its own end, which proves the body whole."""
        return self._decoding.is_whole

    def empty(self) -> None:
        """Drop what is there."""
        self._file.truncate(0)
        self.size_bytes = 0

    def decode(self, content_encoding: str) -> None:
        """Undo this Content-Encoding from now on; raises EncodingError for one that is not known."""
        self._decoding = Decoding(content_encoding)

    def write(self, data: bytes) -> bytes:
        """Write the next bytes from the wire, and return them decoded; raises SpoolError, EncodingError."""
        return self._append(self._decoding.feed(data)) if self._decoding.is_named else self._append((data,))

    def finish(self) -> bytes:
        """Write what the decoding has kept back, at the end of the body, and return it."""
        return self._append(self._decoding.finish())

    def close(self) -> None:
        """Close the file and leave it."""
        self._file.close()

    def _append(self, pieces: Iterable[bytes]) -> bytes:
        written = []
        for piece in pieces:
            self.size_bytes += len(piece)
            if self._max_bytes and self.size_bytes > self._max_bytes:
                raise SpoolFullError(f"larger than {self._max_bytes} bytes")
            self._write(piece)
            written.append(piece)
        return written[0] if len(written) == 1 else b"".join(written)

    def _write(self, piece: bytes) -> None:
        try:
            self._file.write(piece)
        except OSError as error:
            raise SpoolError(f"the body cannot be kept: {error}") from error
