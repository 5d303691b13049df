"""Decide from a body's first bytes whether it is audio or a document; the declared type only breaks ties."""

import zlib
from dataclasses import dataclass

from scrapy.http import Headers

from audiocrawler.fetch.headers import is_audio_type, is_refused_type, media_type
from audiocrawler.sniff import EMPTY, HEAD_BYTES, HTML, JSON, M3U, PLS, TEXT, UNKNOWN, VTT, XML, Sniffed, other, sniff

FIRST_BYTES = "first_bytes"
"""Meta key: the FirstBytes of the response; never kept in the frontier."""
MAX_HEAD_BYTES = 16_384
"""How much of an HTML page is searched for a refresh that leads to the file."""
_DOCUMENTS = (HTML, XML, JSON, M3U, PLS, TEXT)
DOCUMENT_NAMES = frozenset(kind.name for kind in _DOCUMENTS)
_ARCHIVES = frozenset(("7z", "bz2", "gz", "rar", "tar", "tgz", "xz", "zip", "zst"))
_PACKED_TAR = other("tgz", "application/gzip", "a gzipped tar archive")
_MAY_BE_PAGE = frozenset(("gz", EMPTY.extension, VTT.extension))
"""Extensions of types that are read to their end where a page was expected: sitemaps are packed."""
_BEFORE_A_FILE = b"\xef\xbb\xbf\r\n\t "
"""Bytes that scripts print by mistake before the file."""
_GZIP = b"\x1f\x8b"
_ANY_HEADER = zlib.MAX_WBITS | 32
_WINDOW_BITS = {"gzip": (_ANY_HEADER,), "x-gzip": (_ANY_HEADER,), "deflate": (_ANY_HEADER, -zlib.MAX_WBITS)}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The type of a body by its first bytes, and by its headers."""

    kind: Sniffed
    declared: str
    is_declared_audio: bool
    is_declared_other: bool

    @property
    def may_be_audio(self) -> bool:
        """Return whether a file transfer should go on: the declared type decides only for unknown bytes."""
        if self.kind is UNKNOWN:
            return not self.is_declared_other
        return self.kind.is_audio is not False

    @property
    def is_document(self) -> bool:
        """Return whether it may contain links."""
        return self.kind in _DOCUMENTS

    @property
    def is_audio_instead_of_page(self) -> bool:
        """Return whether a request for a page brought audio, or a container that may hold it."""
        is_media = self.kind.is_audio is not False and self.kind is not UNKNOWN
        return is_media or (self.is_declared_audio and not self.is_document)

    @property
    def is_neither(self) -> bool:
        """Return whether a request for a page brought neither a document nor audio: an image, an archive."""
        is_other = self.kind.is_audio is False and not self.is_document
        return is_other and not self.is_declared_audio and self.kind.extension not in _MAY_BE_PAGE

    @property
    def is_video(self) -> bool:
        """Return whether it is a video by its bytes, or by its type where they may be both."""
        return self.kind.is_audio is None and (self.declared.startswith("video/") or self.kind.name.endswith("video"))

    @property
    def is_archive(self) -> bool:
        """Return whether it is an archive, or packed."""
        return self.kind.extension in _ARCHIVES

    @property
    def may_be_archive(self) -> bool:
        """Return whether it may be an archive: old tar archives are of no known type."""
        return self.is_archive or self.kind is UNKNOWN

    @property
    def name(self) -> str:
        """Return what was received, in words for "got ... instead of audio"."""
        return self.declared if self.kind is UNKNOWN and self.declared else self.kind.name


def judge(head: bytes, headers: Headers) -> Judgement:
    """Judge a body by its first HEAD_BYTES, decoded, or all of it if it is shorter."""
    kind = sniff(head[:HEAD_BYTES])
    if kind.extension == "gz" and sniff(_decoded(head, "gzip")).extension == "tar":
        kind = _PACKED_TAR
    if kind is UNKNOWN:
        kind = sniff(head[:HEAD_BYTES].lstrip(_BEFORE_A_FILE))
        kind = UNKNOWN if kind is EMPTY else kind
    return Judgement(kind, media_type(headers), is_audio_type(headers), is_refused_type(headers))


class FirstBytes:
    """Collect a body's first bytes, in pieces of any size, until they can be judged.

    ``judgement`` is None until then; ``head`` keeps the bytes unless they may be audio. The bytes may be encoded or
    already decoded: an unknown kind of file is decoded here if its headers name gzip or deflate.
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
        """Return whether no more bytes are needed."""
        return self.judgement is not None and not self._wants_more_of_page()

    def add(self, data: bytes) -> None:
        """Add the next bytes of the body."""
        if self.is_complete:
            return
        self._raw += data[: 2 * MAX_HEAD_BYTES - len(self._raw)]
        self.head = _decoded(self._raw, self._encoding)[:MAX_HEAD_BYTES]
        if len(self.head) >= HEAD_BYTES or self._is_whole():
            self.end()

    def end(self) -> Judgement:
        """Judge the bytes received so far, at the end of the body."""
        self.judgement = judge(self.head, self._headers)
        if self.judgement.may_be_audio:
            self.head = self._raw = b""
        return self.judgement

    def judged(self) -> Judgement:
        """Return the judgement of a body that has ended."""
        return self.judgement or self.end()

    def _is_whole(self) -> bool:
        return self._length_bytes is not None and len(self._raw) >= self._length_bytes

    def _wants_more_of_page(self) -> bool:
        assert self.judgement is not None
        return self.judgement.kind is HTML and len(self.head) < MAX_HEAD_BYTES and not self._is_whole()


def _decoded(raw: bytes, encoding: str) -> bytes:
    """Return the start of the gzip or deflate content (RFC 1950 to 1952), or the bytes as they are if not encoded."""
    windows = _WINDOW_BITS.get(encoding, ())
    if not windows or (sniff(raw[:HEAD_BYTES]) is not UNKNOWN and not raw.startswith(_GZIP)):
        return raw
    for window_bits in windows:
        try:
            return zlib.decompressobj(window_bits).decompress(raw, MAX_HEAD_BYTES)
        except zlib.error:
            continue
    return raw
