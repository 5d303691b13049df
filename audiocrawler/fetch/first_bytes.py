"""The first bytes of an answer in; whether it is audio or a document out. Its declared type only breaks ties."""

import zlib
from dataclasses import dataclass

from scrapy.http import Headers

from audiocrawler.fetch.headers import is_audio_type, is_refused_type, media_type
from audiocrawler.sniff import EMPTY, HEAD_BYTES, HTML, JSON, M3U, PLS, TEXT, UNKNOWN, XML, Sniffed, sniff

FIRST_BYTES = "first_bytes"
"""Where a request's meta has the FirstBytes of its answer; never kept in the frontier."""
MAX_HEAD_BYTES = 16_384
"""So much of an HTML page is looked at for a refresh that leads to the file."""
_DOCUMENTS = (HTML, XML, JSON, M3U, PLS, TEXT)
_BEFORE_A_FILE = b"\xef\xbb\xbf\r\n\t "
"""What a program prints by mistake before the file that it sends."""
_GZIP = b"\x1f\x8b"
_ANY_HEADER = zlib.MAX_WBITS | 32
_WINDOW_BITS = {"gzip": (_ANY_HEADER,), "x-gzip": (_ANY_HEADER,), "deflate": (_ANY_HEADER, -zlib.MAX_WBITS)}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a body is by its first bytes, and what its headers call it."""

    kind: Sniffed
    declared: str
    is_declared_audio: bool
    is_declared_other: bool

    @property
    def may_be_audio(self) -> bool:
        """Whether to read on where audio was asked for: the type decides only where the bytes are unknown."""
        if self.kind is UNKNOWN:
            return not self.is_declared_other
        return self.kind.is_audio is not False

    @property
    def is_document(self) -> bool:
        """Whether links may be found in it."""
        return self.kind in _DOCUMENTS

    @property
    def is_audio_in_place_of_page(self) -> bool:
        """Whether it is audio although a page was asked for."""
        return bool(self.kind.is_audio) or (self.is_declared_audio and not self.is_document)

    @property
    def name(self) -> str:
        """What came, in words that go before "came in place of audio"."""
        return self.declared if self.kind is UNKNOWN and self.declared else self.kind.name


def judge(head: bytes, headers: Headers) -> Judgement:
    """Judge a body by its first HEAD_BYTES, decoded, or by all of a shorter one."""
    kind = sniff(head[:HEAD_BYTES])
    if kind is UNKNOWN:
        kind = sniff(head[:HEAD_BYTES].lstrip(_BEFORE_A_FILE))
        kind = UNKNOWN if kind is EMPTY else kind
    return Judgement(kind, media_type(headers), is_audio_type(headers), is_refused_type(headers))


class FirstBytes:
    """Collects a body's first bytes as they come, in pieces of any size, until they can be judged.

    ``judgement`` is None until then; ``head`` keeps the bytes unless they may be audio. They may come as they are on
    the wire or decoded already: what is no known kind of file is decoded here if its headers name gzip or deflate.
    """

    def __init__(self, headers: Headers) -> None:
        self.head = b""
        self.judgement: Judgement | None = None
        self._headers = headers
        self._raw = b""
        self._encoding = (headers.get("Content-Encoding") or b"").decode("latin-1").strip().lower()
        length = headers.get("Content-Length") or b""
        self._length_bytes = int(length) if length.isdigit() and not self._encoding else None

    @property
    def is_complete(self) -> bool:
        """Whether no more bytes are needed."""
        return self.judgement is not None and not self._wants_more_of_page()

    def add(self, data: bytes) -> None:
        """Take the next bytes of the body."""
        if self.is_complete:
            return
        self._raw += data[: 2 * MAX_HEAD_BYTES - len(self._raw)]
        self.head = _decoded(self._raw, self._encoding)[:MAX_HEAD_BYTES]
        if len(self.head) >= HEAD_BYTES or self._is_whole():
            self.end()

    def end(self) -> Judgement:
        """Judge what has come, because no more will."""
        self.judgement = judge(self.head, self._headers)
        if self.judgement.may_be_audio:
            self.head = self._raw = b""
        return self.judgement

    def _is_whole(self) -> bool:
        return self._length_bytes is not None and len(self._raw) >= self._length_bytes

    def _wants_more_of_page(self) -> bool:
        assert self.judgement is not None
        return self.judgement.kind is HTML and len(self.head) < MAX_HEAD_BYTES and not self._is_whole()


def _decoded(raw: bytes, encoding: str) -> bytes:
    """Return the start of what gzip or deflate hold (RFC 1950 to 1952); the bytes themselves if that is not true."""
    windows = _WINDOW_BITS.get(encoding, ())
    if not windows or (sniff(raw[:HEAD_BYTES]) is not UNKNOWN and not raw.startswith(_GZIP)):
        return raw
    for window_bits in windows:
        try:
            return zlib.decompressobj(window_bits).decompress(raw, MAX_HEAD_BYTES)
        except zlib.error:
            continue
    return raw
