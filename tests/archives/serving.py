"""A server of archives with validators and ranges, which counts the bytes that it sends."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.strange_server import Wire, strange

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(slots=True)
class Served:
    """What is served, and what was sent."""

    files: dict[str, bytes]
    page: str = ""
    has_ranges: bool = True
    headers: tuple[str, ...] = ()
    """Further headers of the archives."""
    robots: str = ""
    url: str = ""
    sent_bytes: Counter[str] = field(default_factory=Counter)
    asked: list[str] = field(default_factory=list)
    """Paths with the range that was asked for."""

    def answer(self, wire: Wire, path: str) -> None:
        """Answer a request."""
        if path == "/":
            links = "".join(f'<a href="{each}">{each}</a>\n' for each in self.files)
            wire.body(f"<!doctype html><title>Corpora</title>{self.page}{links}")
        elif path == "/robots.txt" and self.robots:
            wire.body(self.robots, kind="text/plain")
        elif path in self.files:
            self.asked.append(f"{path} {wire.headers.get('range', '')}".strip())
            self._file(wire, path, self.files[path])
        else:
            wire.body("", status="404 Not Found")

    def _file(self, wire: Wire, path: str, data: bytes) -> None:
        etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        headers = (f"ETag: {etag}", *self.headers)
        if wire.headers.get("if-none-match") == etag:
            wire.send(f"HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\nConnection: close\r\n\r\n".encode())
            return
        match = _RANGE.match(wire.headers.get("range", ""))
        if match is None or not self.has_ranges or wire.headers.get("if-range", etag) != etag:
            self._send(wire, path, data, *headers)
            return
        first, last = int(match[1]), min(int(match[2] or len(data)), len(data) - 1)
        if first >= len(data):
            wire.body("", *headers, f"Content-Range: bytes */{len(data)}", status="416 Range Not Satisfiable")
            return
        place = f"Content-Range: bytes {first}-{last}/{len(data)}"
        self._send(wire, path, data[first : last + 1], *headers, place, status="206 Partial Content")

    def _send(self, wire: Wire, path: str, data: bytes, *headers: str, status: str = "200 OK") -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", "Content-Type: application/octet-stream"]
        wire.send("\r\n".join([*lines, "Connection: close", *headers, "", ""]).encode())
        for start in range(0, len(data), 16_384):
            piece = data[start : start + 16_384]
            wire.send(piece)
            self.sent_bytes[path] += len(piece)


@contextmanager
def served(files: Mapping[str, bytes], **how: object) -> Iterator[Served]:
    """Serve the files, and a page at / that links to all of them."""
    what = Served(dict(files), **how)  # type: ignore[arg-type]
    with strange(what.answer) as server:
        what.url = server.url
        yield what
