"""Read HTTP headers (validators, types, lengths), and explain errors in one line."""

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
    """Return the media type in lower case without parameters, or an empty string."""
    value = headers.get("Content-Type") or b""
    return value.decode("latin-1").split(";", 1)[0].strip().lower()


def is_audio_type(headers: Headers) -> bool:
    """Return whether the body is declared as audio or video, and not as a playlist."""
    declared = media_type(headers)
    if declared in _PLAYLIST_TYPES:
        return False
    return declared.startswith(("audio/", "video/")) or declared in _AUDIO_TYPES


def is_refused_type(headers: Headers) -> bool:
    """Return whether the declared type rules audio out: a document, an image, a script."""
    declared = media_type(headers)
    return declared.startswith(("image/", "font/")) or declared in _REFUSED_TYPES | _PLAYLIST_TYPES


def is_endless(headers: Headers) -> bool:
    """Return whether this is a radio stream: it has ICY headers and no Content-Length."""
    if headers.get("Content-Length"):
        return False
    return any(name in headers for name in ("icy-name", "icy-br", "icy-metaint", "icy-genre", "icy-url"))


_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_ESCAPE = re.compile(r"[^ -~]|\\")


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What an earlier crawl recorded for an audio URL: its status, and the validators of the bytes it got.

    ``varies``: the last crawls got different bytes each time. ``size_bytes`` is None where no file was kept.
    """

    status: str
    reason: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    size_bytes: int | None = None
    varies: bool = False

    def as_meta(self) -> dict[str, Any]:
        """Return plain values for a request's meta."""
        return asdict(self)


def conditional_headers(etag: str | None, last_modified: str | None) -> dict[str, bytes]:
    """Return the headers of a conditional request, none if there are no validators."""
    given = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: header_bytes(value) for name, value in given.items() if value}


def trusted(known: KnownFile) -> KnownFile | None:
    """Return what is still valid under a changed URL, the strong ETag; None if there is none."""
    if not known.etag or known.etag.startswith("W/"):
        return None
    return replace(known, last_modified=None, varies=False)


def validators(headers: Headers) -> list[str]:
    """Return the ETag and Last-Modified of a response, empty strings if absent."""
    return [_text(headers, "ETag"), _text(headers, "Last-Modified")]


def proves_same(headers: Headers, known: KnownFile) -> bool:
    """Return whether a complete response is the known file, from a server that ignores conditions.

    A strong ETag suffices; a weak one, or Last-Modified alone, needs an equal length, too.
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
    """Return a header's value as text for a row; ``header_bytes`` restores the same bytes."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = ""
    if text and storable(text) == text and not _ESCAPED.search(text):
        return text
    return _ESCAPE.sub(lambda found: f"\\x{ord(found[0]):02x}", value.decode("latin-1"))


def header_bytes(text: str) -> bytes:
    """Return the bytes of a ``header_text``, never with a control character."""
    pieces = enumerate(_ESCAPED.split(text))
    value = b"".join(bytes.fromhex(piece) if number % 2 else piece.encode() for number, piece in pieces)
    return text.encode() if _CONTROL.search(value) else value


_MESSAGES: dict[type[BaseException], str] = {
    exceptions.CannotResolveHostError: "unknown host",
    exceptions.ResponseDataLossError: "transfer aborted before its end",
    exceptions.UnsupportedURLSchemeError: "only http and https can be fetched",
}


def explain(error: BaseException) -> str:
    """Return the error's reason in one line, without the URL."""
    if isinstance(error, AudioCrawlerError):
        return _first_line(error)
    return next((message for kind, message in _MESSAGES.items() if isinstance(error, kind)), _first_line(error))


def is_disk_full(error: BaseException | None) -> bool:
    """Return whether the error was caused by a full disk, quota or reserve."""
    while error is not None:
        if isinstance(error, NoRoomError):
            return True
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}:
            return True
        error = error.__cause__
    return False


def disk_is_full(why: object) -> str:
    """Return the reason for stopping a crawl whose disk is full, and what to do."""
    return f"the disk is full or read-only: {why}; free some space and run the same command again"


def _first_line(error: BaseException) -> str:
    if isinstance(error, IgnoreRequest) and not str(error):
        return "refused before it was sent to the server"
    return str(error).strip().split("\n", 1)[0] or type(error).__name__
