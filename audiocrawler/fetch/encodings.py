"""Decode Content-Encoding while a body arrives (RFC 9110, section 8.4), as leniently as browsers.

Encodings are decoded even if not requested. Unknown names (``identity``, ``aws-chunked``, ``binary``, a charset) are
ignored, as are encodings that the first bytes contradict. A stream without its end marker is incomplete.
"""

import re
import sys
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Protocol

import brotli

from audiocrawler.model.errors import EncodingError
from audiocrawler.sniff import sniff

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHUNK_BYTES = 1 << 20
"""Decoded at a time, so that a decompression bomb cannot fill memory."""
HEAD_BYTES = 512
"""Bytes needed to decide whether the body is really encoded."""
MAX_LAYERS = 4
_GZIP_MAGIC = b"\x1f\x8b\x08"
ZSTD_MAGIC_BYTES = 4
_ZSTD_MAGIC = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")  # RFC 8878, sections 3.1.1 and 3.1.2
_ALIASES = {"x-gzip": "gzip", "x-zstd": "zstd"}
_NOT_UNDONE = frozenset({"compress", "x-compress", "exi", "pack200-gzip", "dcb", "dcz", "bzip2", "xz", "lzma"})
"""Encodings that are registered or seen in the wild, and not supported."""


class _Decoder(Protocol):
    """One compressed stream, fed in pieces of any size."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded bytes in pieces of bounded size; raises EncodingError."""

    @property
    def is_whole(self) -> bool:
        """Return whether the stream's end marker was reached."""


class _Gzip:
    """All members of a gzip file (RFC 1952, section 2.2); what follows the last one is padding and is ignored."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(31)
        self._between = b""
        self._is_padding = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data and not self._is_padding:
            if self._member.eof:
                data = self._next_member(data)
                continue
            yield _unzipped(self._member, data)
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail

    @property
    def is_whole(self) -> bool:
        return self._member.eof and not (self._between and not self._is_padding)

    def _next_member(self, data: bytes) -> bytes:
        """Return the start of the next member, or nothing while there are too few bytes to decide."""
        head, self._between = self._between + data, b""
        if head.startswith(_GZIP_MAGIC):
            self._member = zlib.decompressobj(31)
            return head
        if _GZIP_MAGIC.startswith(head):
            self._between = head
        else:
            self._is_padding = True
        return b""


class _Deflate:
    """zlib's format (RFC 1950), or the raw deflate stream (RFC 1951) that many servers send as deflate."""

    def __init__(self, head: bytes) -> None:
        has_header = len(head) > 1 and head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0
        self._stream = zlib.decompressobj(15 if has_header else -15)

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data and not self._stream.eof:
            yield _unzipped(self._stream, data)
            data = self._stream.unconsumed_tail

    @property
    def is_whole(self) -> bool:
        return self._stream.eof


class _Brotli:
    """RFC 7932."""

    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._stream.is_finished():
            return
        try:
            piece = self._stream.process(data, output_buffer_limit=CHUNK_BYTES)
            while piece or not self._stream.can_accept_more_data():
                yield piece
                if self._stream.is_finished():
                    return
                piece = self._stream.process(b"", output_buffer_limit=CHUNK_BYTES)
        except brotli.error as error:
            raise EncodingError("damaged br encoding") from error

    @property
    def is_whole(self) -> bool:
        return bool(self._stream.is_finished())


class _Zstd:
    """All frames of RFC 8878; what follows the last one is padding and is ignored."""

    def __init__(self) -> None:
        self._frame = zstd.ZstdDecompressor()
        self._between = b""
        self._is_padding = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while (data or not (self._frame.needs_input or self._frame.eof)) and not self._is_padding:
            if self._frame.eof:
                data = self._next_frame(data)
                continue
            try:
                yield self._frame.decompress(data, CHUNK_BYTES)
            except zstd.ZstdError as error:
                raise EncodingError("damaged zstd encoding") from error
            data = self._frame.unused_data if self._frame.eof else b""

    @property
    def is_whole(self) -> bool:
        return bool(self._frame.eof) and not self._between

    def _next_frame(self, data: bytes) -> bytes:
        """Return the start of the next frame, or nothing while there are too few bytes to decide."""
        head, self._between = self._between + data, b""
        if len(head) < ZSTD_MAGIC_BYTES:
            self._between = head
        elif _ZSTD_MAGIC.match(head):
            self._frame = zstd.ZstdDecompressor()
            return head
        else:
            self._is_padding = True
        return b""


class _Layer:
    """One encoding named in the header; the first bytes decide whether it is really present."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._head = b""
        self._is_decided = False
        self.decoder: _Decoder | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if not self._is_decided:
            self._head += data
            if len(self._head) >= HEAD_BYTES:
                yield from self.decide()
        elif self.decoder is None:
            yield data
        else:
            yield from self.decoder.feed(data)

    def decide(self) -> Iterator[bytes]:
        """Choose the decoder, or none, and yield the decoded first bytes."""
        if self._is_decided:
            return
        head, self._head, self._is_decided = self._head, b"", True
        self.decoder = _decoder_for(self._name, head)
        yield from self.decoder.feed(head) if self.decoder is not None else iter([head])


class Decoding:
    """Decode all encodings of one body; raises EncodingError.

    A body that was gzipped twice but declared once is decompressed twice: no audio starts like gzip.
    """

    def __init__(self, content_encoding: str) -> None:
        names = names_of(content_encoding)
        again = ["gzip"] if "gzip" in names else []
        self._layers = [_Layer(name) for name in [*reversed(names), *again]]

    @property
    def is_encoded(self) -> bool:
        """Return whether anything is decoded; known once HEAD_BYTES were fed or the body has ended."""
        return any(layer.decoder is not None for layer in self._layers)

    @property
    def is_whole(self) -> bool:
        """Return whether all encodings reached their end markers."""
        decoders = [layer.decoder for layer in self._layers if layer.decoder is not None]
        return bool(decoders) and all(decoder.is_whole for decoder in decoders)

    @property
    def is_named(self) -> bool:
        """Return whether the header names any encoding."""
        return bool(self._layers)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the next bytes, decoded."""
        return self._through(0, data)

    def finish(self) -> Iterator[bytes]:
        """Yield the rest at the end of the body."""
        for number, layer in enumerate(self._layers):
            for piece in layer.decide():
                yield from self._through(number + 1, piece)

    def _through(self, number: int, data: bytes) -> Iterator[bytes]:
        if number == len(self._layers):
            if data:
                yield data
            return
        for piece in self._layers[number].feed(data):
            yield from self._through(number + 1, piece)


def names_of(content_encoding: str) -> list[str]:
    """Return the encodings in the order they were applied; raises EncodingError for unsupported ones."""
    words = (word.strip().lower() for word in content_encoding.split(","))
    names = [_ALIASES.get(word, word) for word in words]
    if unknown := next((name for name in names if name in _NOT_UNDONE), None):
        raise EncodingError(f"Content-Encoding {unknown} is not supported")
    known = [name for name in names if name in _DECODERS]
    if len(known) > MAX_LAYERS:
        raise EncodingError(f"Content-Encoding lists {len(known)} encodings, at most {MAX_LAYERS} are supported")
    return known


def is_encoded(content_encoding: str, head: bytes) -> bool:
    """Return whether the first bytes of a body confirm any encoding in its header."""
    decoding = Decoding(content_encoding)
    for _ in chain(decoding.feed(head), decoding.finish()):
        pass
    return decoding.is_encoded


def _decoder_for(name: str, head: bytes) -> _Decoder | None:
    """Return the decoder, or None if the bytes are not encoded this way."""
    if name == "gzip":
        return _Gzip() if _GZIP_MAGIC.startswith(head[:3]) and head else None
    if name == "zstd":
        return _Zstd() if _ZSTD_MAGIC.match(head) else None
    if sniff(head).is_audio or not _can_read(_DECODERS[name](head), head):
        return None  # the other two have no magic number
    return _DECODERS[name](head)


def _can_read(decoder: _Decoder, head: bytes) -> bool:
    try:
        for _ in decoder.feed(head):
            pass
    except EncodingError:
        return False
    return True


def _unzipped(stream: "zlib._Decompress", data: bytes) -> bytes:
    try:
        return stream.decompress(data, CHUNK_BYTES)
    except zlib.error as error:
        raise EncodingError("damaged gzip or deflate encoding") from error


_DECODERS: dict[str, Callable[[bytes], _Decoder]] = {
    "gzip": lambda _head: _Gzip(),
    "deflate": _Deflate,
    "br": lambda _head: _Brotli(),
    "zstd": lambda _head: _Zstd(),
}
