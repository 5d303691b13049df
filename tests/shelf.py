"""A server on loopback whose files a test changes between two crawls, and which counts what it sends."""

import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

File = tuple[bytes, dict[str, str]]
"""The bytes and the headers of an answer."""
Answer = File | Callable[[], File] | None

_PIECE_BYTES = 16_384


class Shelf:
    """Serves ``answers`` by path, and a page at / that links to all of them; 304 where a condition is met.

    A path in ``deaf`` ignores conditions; None as an answer is a 404.
    """

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers
        self.deaf: set[str] = set()
        self.requests: Counter[str] = Counter()
        self.sent_bytes: Counter[str] = Counter()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def forget(self) -> None:
        """Count from nothing again."""
        self.requests.clear()
        self.sent_bytes.clear()

    def page(self) -> File:
        """Return the page of links."""
        links = "".join(f'<a href="{path}">{path}</a>\n' for path in self.answers)
        return f"<!doctype html><title>Shelf</title>{links}".encode(), {"Content-Type": "text/html"}

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.shelf = shelf


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        shelf = self.server.shelf
        shelf.requests[self.path] += 1
        answer = shelf.page if self.path == "/" else shelf.answers.get(self.path)
        found = answer() if callable(answer) else answer
        if found is None:
            self._send(404, b"", {})
        else:
            self._send(304 if self._is_unchanged(found[1]) else 200, *found)

    def _is_unchanged(self, headers: dict[str, str]) -> bool:
        if self.path in self.server.shelf.deaf:
            return False
        if "If-None-Match" in self.headers:
            return self.headers["If-None-Match"] == headers.get("ETag")
        return "Last-Modified" in headers and self.headers["If-Modified-Since"] == headers["Last-Modified"]

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 304:
            self._send_body(body)

    def _send_body(self, body: bytes) -> None:
        try:
            for start in range(0, len(body), _PIECE_BYTES):
                piece = body[start : start + _PIECE_BYTES]
                self.wfile.write(piece)
                self.server.shelf.sent_bytes[self.path] += len(piece)
        except ConnectionError:  # the client has had enough
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing: the shelf counts."""
