"""Undo the compression of a tar archive or of a zip's member, in bounded memory."""

import bz2
import io
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, Protocol

from audiocrawler.archives.bounds import PIECE_BYTES

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_WINDOW_BYTES = 1 << 27
"""Memory of a decoder; what ``xz -9`` and ``zstd --long`` need."""
DAMAGED = (zlib.error, lzma.LZMAError, zstd.ZstdError, EOFError, OSError, ValueError)
"""What the decoders raise for damaged bytes."""


class Decoder(Protocol):
    """A decoder of the standard library: bz2, lzma, zstd."""

    @property
    def eof(self) -> bool:
        """Return whether the stream has ended."""

    @property
    def needs_input(self) -> bool:
        """Return whether more bytes are needed for more output."""

    @property
    def unused_data(self) -> bytes:
        """Return what follows the stream."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return up to ``max_length`` bytes."""


class Decoded(io.RawIOBase):
    """A file of one or more compressed streams in a row, decoded; what is no stream after the first is padding."""

    def __init__(self, file: IO[bytes], decoder: Callable[[], Decoder]) -> None:
        self._file, self._new = file, decoder
        self._decoder = decoder()
        self._is_later = self._is_over = False
        self._rest = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Decode up to as much as the buffer holds; 0 at the end. Raises one of DAMAGED."""
        while not self._is_over:
            piece = self._next(len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)
        return 0

    def _next(self, most: int) -> bytes:
        if self._decoder.eof and not self._begin_next():
            return b""
        data, self._rest = self._rest, b""
        if not data and self._decoder.needs_input and not (data := self._file.read(PIECE_BYTES)):
            raise EOFError("it ends within its compressed data")
        try:
            return self._decoder.decompress(data, most)
        except DAMAGED:
            if not self._is_later:
                raise
            self._is_over = True
            return b""

    def _begin_next(self) -> bool:
        self._rest = self._decoder.unused_data.lstrip(b"\0") or self._file.read(PIECE_BYTES).lstrip(b"\0")
        self._is_over, self._is_later = not self._rest, True
        self._decoder = self._new()
        return not self._is_over


class Inflating:
    """Deflate with the interface of the other decoders; gzip's checksums are checked."""

    def __init__(self, window_bits: int) -> None:
        self._inflate = zlib.decompressobj(window_bits)

    @property
    def eof(self) -> bool:
        """Return whether the stream has ended."""
        return self._inflate.eof

    @property
    def needs_input(self) -> bool:
        """Return whether all input was decoded."""
        return not self._inflate.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """Return what follows the stream."""
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return up to ``max_length`` bytes."""
        return self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)


def _xz() -> Decoder:
    return lzma.LZMADecompressor(memlimit=MAX_WINDOW_BYTES)


def _gz() -> Decoder:
    return Inflating(zlib.MAX_WBITS | 16)


def _deflate() -> Decoder:
    return Inflating(-zlib.MAX_WBITS)


def _zst() -> Decoder:
    bits = MAX_WINDOW_BYTES.bit_length() - 1
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: bits})


_DECODERS: dict[str, Callable[[], Decoder]] = {"gz": _gz, "bz2": bz2.BZ2Decompressor, "xz": _xz, "zst": _zst}


def opened(file: IO[bytes], extension: str) -> IO[bytes]:
    """Return the file with its compression undone, or as it is if it has none that is known."""
    if extension in _DECODERS:
        return io.BufferedReader(Decoded(file, _DECODERS[extension]), PIECE_BYTES)
    return file


STORED, DEFLATED, BZIPPED, ZSTANDARD = 0, 8, 12, 93
"""Methods of zip that are read (APPNOTE, 4.4.5)."""
_METHODS: dict[int, Callable[[], Decoder]] = {DEFLATED: _deflate, BZIPPED: bz2.BZ2Decompressor, ZSTANDARD: _zst}
READ_METHODS = frozenset((STORED, *_METHODS))


def unzipped(file: IO[bytes], packed_bytes: int, method: int) -> Iterator[bytes]:
    """Yield the bytes of a zip's member, whose packed ones come next in the file. Raises one of DAMAGED."""
    if method == STORED:
        yield from _pieces(file, packed_bytes)
        return
    decoder, pieces = _METHODS[method](), _pieces(file, packed_bytes)
    while not decoder.eof:
        data = next(pieces, b"") if decoder.needs_input else b""
        piece = decoder.decompress(data, PIECE_BYTES)
        if not (data or piece) and decoder.needs_input:
            raise EOFError("it ends within its compressed data")
        if piece:
            yield piece


def _pieces(file: IO[bytes], size_bytes: int) -> Iterator[bytes]:
    while size_bytes and (piece := file.read(min(size_bytes, PIECE_BYTES))):
        size_bytes -= len(piece)
        yield piece
    if size_bytes:
        raise EOFError("it ends within a member")
