"""What a request looks like to a path's function and what it answers; files with validators and ranges (RFC 9110)."""

import hashlib
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path

CONTENT_TYPES = {
    ".html": "text/html",  # no charset: the pages declare their own
    ".css": "text/css",
    ".js": "text/javascript",
    ".txt": "text/plain",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".m3u": "audio/x-mpegurl",
    ".pls": "audio/x-scpls",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".wav": "audio/wav",
    ".aiff": "audio/aiff",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".webm": "audio/webm",
}


@dataclass(frozen=True, slots=True)
class Options:
    """How long the slow parts of the site take, how many files /many/ lists and answers, and what is broken.

    ``missing`` are paths that answer 404; ``robots_status`` is the status of each host's robots.txt;
    ``login_page_bytes`` is the size of the page that is sent as audio.
    """

    slow_s: float = 3.0
    many_files: int = 80
    many_delay_s: float = 0.0
    many_answered: int | None = None
    radio_s: float = 30.0
    missing: tuple[str, ...] = ()
    robots_status: int = 200
    login_page_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: ``path`` is decoded and without query, ``turn`` counts the requests for this path from 1."""

    path: str
    query: Mapping[str, str]
    headers: Message
    turn: int
    options: Options
    closing: threading.Event


@dataclass(slots=True)
class Answer:
    """A response; ``declared_bytes`` is a Content-Length that the body need not keep to."""

    status: int
    content_type: str
    body: bytes | Iterator[bytes] = b""
    headers: dict[str, str] = field(default_factory=dict)
    declared_bytes: int | None = None

    def content_length(self) -> int | None:
        """Return the Content-Length to send, or None if the body ends with the connection."""
        if self.declared_bytes is not None:
            return self.declared_bytes
        return len(self.body) if isinstance(self.body, bytes) else None


def html(status: int, text: str) -> Answer:
    """Return a page of one sentence."""
    return Answer(status, CONTENT_TYPES[".html"], f"<!doctype html><title>{text}</title><p>{text}\n".encode())


def whole(path: Path) -> Answer:
    """Return the file without any validator or range."""
    return Answer(200, CONTENT_TYPES[path.suffix.lower()], path.read_bytes())


def file(path: Path, visit: Visit) -> Answer:
    """Return the file, 304 for its ETag, or the part that a Range asks for; If-Range is honoured."""
    answer = whole(path)
    assert isinstance(answer.body, bytes)
    etag = f'"{hashlib.sha256(answer.body).hexdigest()[:16]}"'
    answer.headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    if visit.headers.get("If-None-Match") == etag:
        return Answer(304, answer.content_type, headers=answer.headers)
    if visit.headers.get("If-Range", etag) != etag:
        return answer
    return _part(answer, answer.body, visit.headers.get("Range", ""))


def _part(answer: Answer, body: bytes, asked: str) -> Answer:
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
    if not match:
        return answer
    first, last = int(match[1]), min(int(match[2] or len(body)), len(body) - 1)
    if first > last:
        return Answer(416, answer.content_type, headers={"Content-Range": f"bytes */{len(body)}"})
    answer.status = 206
    answer.headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
    answer.body = body[first : last + 1]
    return answer
