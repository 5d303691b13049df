"""What headers say: validators for revalidation, types, lengths; and errors in one line."""

import errno
import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from scrapy import exceptions
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Headers

from audiocrawler.model.errors import AudioCrawlerError, NoRoomError
from audiocrawler.model.text import storable

_PLAYLIST_TYPES = frozenset(
    {"audio/mpegurl", "audio/x-mpegurl", "audio/x-scpls", "audio/scpls", "audio/x-pn-realaudio-plugin"}
)
_AUDIO_TYPES = frozenset({"application/ogg", "application/x-flac"})
_REFUSED_TYPES = frozenset(
    {"text/html", "application/xhtml+xml", "text/css", "text/javascript", "application/javascript", "application/pdf"}
)


def media_type(headers: Headers) -> str:
    """Return the media type without its parameters, in lower case; an empty string where there is none."""
    value = headers.get("Content-Type") or b""
    return value.decode("latin-1").split(";", 1)[0].strip().lower()


def is_audio_type(headers: Headers) -> bool:
    """Return whether the body is declared to be audio, or a video that may hold some, and not a playlist."""
    declared = media_type(headers)
    if declared in _PLAYLIST_TYPES:
        return False
    return declared.startswith(("audio/", "video/")) or declared in _AUDIO_TYPES


def is_refused_type(headers: Headers) -> bool:
    """Return whether the body is declared to be what no audio file is: a document, an image, a script."""
    declared = media_type(headers)
    return declared.startswith(("image/", "font/")) or declared in _REFUSED_TYPES | _PLAYLIST_TYPES


def is_endless(headers: Headers) -> bool:
    """Return whether this is a radio stream: it introduces itself as one, and names no length."""
    if headers.get("Content-Length"):
        return False
    return any(name in headers for name in ("icy-name", "icy-br", "icy-metaint", "icy-genre", "icy-url"))


_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_ESCAPE = re.compile(r"[^ -~]|\\")


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What an earlier crawl left of an audio URL: its status, and the validators of the bytes that it got.

    ``varies``: the last crawls got other bytes each time. ``size_bytes`` is None where no file was kept.
    """

    status: str
    reason: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    size_bytes: int | None = None
    varies: bool = False

    def as_meta(self) -> dict[str, Any]:
        """Return the plain values, as a request carries them."""
        return asdict(self)


def conditional_headers(known: KnownFile) -> dict[str, bytes]:
    """Return the headers that ask for the body only if it has changed; none where there is no validator."""
    given = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: header_bytes(value) for name, value in given.items() if value}


def trusted(known: KnownFile) -> KnownFile | None:
    """Return what holds of a file also under a changed URL: its strong ETag; None if it has none."""
    if not known.etag or known.etag.startswith("W/"):
        return None
    return replace(known, last_modified=None, varies=False)


def validators(headers: Headers) -> list[str]:
    """Return the ETag and the Last-Modified of an answer, empty strings for none."""
    return [_text(headers, "ETag"), _text(headers, "Last-Modified")]


def proves_same(headers: Headers, known: KnownFile) -> bool:
    """Return whether a complete answer is the known file again, sent by a server that ignores conditions.

    A strong ETag is proof enough; a weak one, or the time alone, needs the length too.
    """
    etag, last_modified = validators(headers)
    if etag and known.etag:
        is_strong = not etag.startswith("W/")
        return etag == known.etag and (is_strong or _has_length(headers, known))
    return bool(last_modified) and last_modified == known.last_modified and _has_length(headers, known)


def _has_length(headers: Headers, known: KnownFile) -> bool:
    return known.size_bytes is not None and _text(headers, "Content-Length") == str(known.size_bytes)


def _text(headers: Headers, name: str) -> str:
    return header_text(headers.get(name) or b"")


def header_text(value: bytes) -> str:
    """Return a header's value as a row holds it: readable, and such that ``header_bytes`` gives the same bytes."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = ""
    if text and storable(text) == text and not _ESCAPED.search(text):
        return text
    return _ESCAPE.sub(lambda found: f"\\x{ord(found[0]):02x}", value.decode("latin-1"))


def header_bytes(text: str) -> bytes:
    """Return the value that ``header_text`` has made ``text`` of; never a control character, which no header has."""
    pieces = enumerate(_ESCAPED.split(text))
    value = b"".join(bytes.fromhex(piece) if number % 2 else piece.encode() for number, piece in pieces)
    return text.encode() if _CONTROL.search(value) else value


_MESSAGES: dict[type[BaseException], str] = {
    exceptions.CannotResolveHostError: "unknown host",
    exceptions.ResponseDataLossError: "the transfer broke off before its end",
    exceptions.UnsupportedURLSchemeError: "only http and https can be fetched",
}


def explain(error: BaseException) -> str:
    """Return the reason in a few words, without the URL."""
    if isinstance(error, AudioCrawlerError):
        return _first_line(error)
    return next((message for kind, message in _MESSAGES.items() if isinstance(error, kind)), _first_line(error))


def is_disk_full(error: BaseException | None) -> bool:
    """Return whether a full disk or quota, or the end of the reserve, is behind the error."""
    while error is not None:
        if isinstance(error, NoRoomError):
            return True
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}:
            return True
        error = error.__cause__
    return False


def _first_line(error: BaseException) -> str:
    if isinstance(error, IgnoreRequest) and not str(error):
        return "refused before it was sent"
    return str(error).strip().split("\n", 1)[0] or type(error).__name__
