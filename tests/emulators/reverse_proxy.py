"""Requests to a loopback port in; what another server answers to them out. A subclass changes that on the way."""

import socket
import struct
import sys
import threading
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

UPSTREAM_TIMEOUT_S = 120
_PER_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length"}
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Request:
    """One request with all of its body; ``target`` is the path with the query."""

    method: str
    target: str
    headers: Message
    body: bytes


@dataclass(slots=True)
class Answer:
    """One answer with all of its body; its length is added when it is sent."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


class ReverseProxy:
    """A server in threads of this process, between ``with`` and its end. It passes everything on to ``upstream``."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: Request) -> Answer | None:
        """Return what the client gets; None resets its connection."""
        return self.forward(request)

    def forward(self, request: Request) -> Answer:
        """Return what the upstream answers; its redirects and upload sessions lead here, as Host is the client's."""
        parts = urlsplit(self.upstream)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=UPSTREAM_TIMEOUT_S)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _PER_CONNECTION}
        try:
            connection.request(request.method, request.target, request.body or None, headers)
            response = connection.getresponse()
            kept = [(name, value) for name, value in response.getheaders() if name.lower() not in _PER_CONNECTION]
            return Answer(response.status, kept, response.read())
        except (OSError, HTTPException) as error:
            return Answer(502, body=f"upstream: {error!r}".encode())
        finally:
            connection.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    proxy: ReverseProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # a client that was killed is no error of ours
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _respond(self) -> None:
        if "Transfer-Encoding" in self.headers:
            return self.send_error(411)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.proxy.answer(Request(self.command, self.path, self.headers, body))
        return self._send(answer) if answer else self._reset()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _respond  # noqa: N815

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Keep quiet: a test shows what it needs of the requests."""
