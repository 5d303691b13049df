"""What is known of a file in; the question whether it has changed, and what the answer's headers say to it, out.

RFC 9110, sections 8.8 and 13: validators and conditional requests.
"""

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from scrapy.http import Headers

from audiocrawler.texts import storable

_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_ESCAPE = re.compile(r"[^ -~]|\\")


@dataclass(frozen=True, slots=True)
class Known:
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


def conditional_headers(known: Known) -> dict[str, bytes]:
    """Return the headers that ask for the body only if it has changed; none where there is no validator."""
    given = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: header_bytes(value) for name, value in given.items() if value}


def trusted(known: Known) -> Known | None:
    """Return what holds of a file also under a changed URL: its strong ETag; None if it has none."""
    if not known.etag or known.etag.startswith("W/"):
        return None
    return replace(known, last_modified=None, varies=False)


def validators(headers: Headers) -> list[str]:
    """Return the ETag and the Last-Modified of an answer, empty strings for none."""
    return [_text(headers, "ETag"), _text(headers, "Last-Modified")]


def proves_same(headers: Headers, known: Known) -> bool:
    """Return whether a complete answer is the known file again, sent by a server that ignores conditions.

    A strong ETag is proof enough; a weak one, or the time alone, needs the length too.
    """
    etag, last_modified = validators(headers)
    if etag and known.etag:
        is_strong = not etag.startswith("W/")
        return etag == known.etag and (is_strong or _has_length(headers, known))
    return bool(last_modified) and last_modified == known.last_modified and _has_length(headers, known)


def _has_length(headers: Headers, known: Known) -> bool:
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
