"""Plays the server of one case on loopback: it hands each request to the case's handler and keeps what it saw and sent.

A handler is called with the connection, the request and how often its path has been asked for; it returns a true value
when it has answered. What it leaves unanswered gets a start page that links to the case's files, or a 404.
"""

import socket
import socketserver
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Handle = Callable[["Conn", "Request", int], Any]
PAGE = "/page.html"
"""Where a crawl of a case starts, if the case does not say otherwise."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, with header names in lower case, and when."""

    path: str
    headers: dict[str, str]
    at_s: float


@dataclass(slots=True)
class Conn:
    """The connection of one request."""

    sock: socket.socket
    sent_bytes: int = 0

    def send(self, data: bytes) -> None:
        """Send these bytes as they are."""
        for start in range(0, len(data), 65536):
            piece = data[start : start + 65536]
            self.sock.sendall(piece)
            self.sent_bytes += len(piece)

    def head(self, status: str, *headers: str | bytes, version: str = "HTTP/1.1") -> bool:
        """Send a status line and headers; like all whole answers this returns True."""
        lines = [f"{version} {status}", *headers, "", ""]
        self.sock.sendall(b"\r\n".join(line if isinstance(line, bytes) else line.encode("latin-1") for line in lines))
        return True

    def full(self, body: str | bytes, kind: str = "text/html", status: str = "200 OK", *headers: str | bytes) -> bool:
        """Send a whole answer."""
        raw = body.encode() if isinstance(body, str) else body
        length = f"Content-Length: {len(raw)}"
        self.head(status, f"Content-Type: {kind}", length, "Connection: close", *headers)
        self.send(raw)
        return True

    def audio(self, body: bytes, *headers: str | bytes, status: str = "200 OK", kind: str = "audio/mpeg") -> bool:
        """Send a whole answer of audio."""
        return self.full(body, kind, status, *headers)

    def rst(self) -> None:
        """End the connection with a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


@dataclass(slots=True)
class Case:
    """A registered case: where a crawl starts, what the default page links to, and what the server does."""

    name: str
    start: str
    links: tuple[str, ...]
    handle: Handle


@dataclass(slots=True)
class Playing:
    """A server that plays a case. ``gate`` may answer first; ``sent`` are path and bytes of each answer's body."""

    case: Case
    port: int
    scheme: str = "http"
    gate: Handle | None = None
    requests: list[Request] = field(default_factory=list)
    sent: list[tuple[str, int]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def url(self, path: str | None = None, host: str = "127.0.0.1") -> str:
        """Return the URL of a path, by default of the start."""
        return f"{self.scheme}://{host}:{self.port}{self.case.start if path is None else path}"

    def answer(self, conn: Conn, request: Request) -> None:
        """Answer one request."""
        self.requests.append(request)
        self.counts[request.path] += 1
        number = self.counts[request.path]
        try:
            done = self.gate and self.gate(conn, request, number)
            if not done and not self.case.handle(conn, request, number):
                self._default(conn, request)
        finally:
            self.sent.append((request.path, conn.sent_bytes))

    def _default(self, conn: Conn, request: Request) -> None:
        if request.path == self.case.start and self.case.links:
            conn.full(page(*self.case.links))
        else:
            conn.full("not here", "text/plain", "404 Not Found")


def page(*links: str) -> str:
    """Return a page of links."""
    anchors = "".join(f'<a href="{link}">Listen</a>\n' for link in links)
    return f"<!doctype html><html><head><title>Files</title></head><body>{anchors}</body></html>"


@contextmanager
def playing(case: Case, tls: ssl.SSLContext | None = None) -> Iterator[Playing]:
    """Serve the case on a free port of all loopback addresses; one request a connection."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                sock = tls.wrap_socket(self.request, server_side=True) if tls else self.request
                request = _read(sock)
                if request is not None:
                    server.answer(Conn(sock), request)
                    _end(sock)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True
        block_on_close = False
        request_queue_size = 256

        def handle_error(self, *_: object) -> None:
            """Say nothing: a handler that fails closes its connection, which the client's rows tell."""

    listening = Server(("0.0.0.0", 0), Handler)
    server = Playing(case, listening.server_address[1], "https" if tls else "http")
    threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()


def _read(sock: socket.socket) -> Request | None:
    head = b""
    while b"\r\n\r\n" not in head:
        data = sock.recv(65536)
        if not data:
            return None
        head += data
    first, *lines = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Request(first.split(" ")[1], headers, time.monotonic())


def _end(sock: socket.socket) -> None:
    """Close so that the client reads all that was sent."""
    sock.shutdown(socket.SHUT_WR)
    sock.settimeout(2)
    while sock.recv(65536):
        pass
