"""A forward HTTP proxy on loopback: absolute-form requests and CONNECT, counted, with or without a password."""

import socket
import threading
from base64 import b64encode
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import quote, urlsplit

from tests.emulators.socks_proxy import join

TIMEOUT_S = 30


class HttpProxy:
    """A proxy in threads of this process, between ``with`` and its end.

    ``asked`` has each request line's method and target. ``names`` are the hosts that only the proxy knows, with their
    addresses, and ``ports`` where tunnels to a port lead instead. With ``login``, a user and a password, nobody else is
    let in; ``refused`` counts.
    """

    def __init__(
        self,
        names: dict[str, str] | None = None,
        login: tuple[str, str] | None = None,
        ports: dict[int, int] | None = None,
    ) -> None:
        self.names, self.login, self.ports = names or {}, login, ports or {}
        self.asked: list[tuple[str, str]] = []
        self.refused = 0
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self.port = self._server.server_port

    @property
    def url(self) -> str:
        """Return the proxy as a URL, with the login."""
        user = "{}:{}@".format(*map(quote, self.login)) if self.login else ""
        return f"http://{user}127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def lets_in(self, authorization: str | None) -> bool:
        """Tell whether these are the login's credentials, and count those that are not."""
        expected = "Basic " + b64encode(":".join(self.login).encode()).decode() if self.login else None
        self.refused += (is_wrong := expected is not None and authorization != expected)
        return not is_wrong


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    proxy: HttpProxy

    def handle_error(self, *_: Any) -> None:
        """Keep quiet: a client that hangs up is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        if not self._is_let_in():
            return
        parts = urlsplit(self.path)
        upstream = HTTPConnection(self._address(parts.hostname or ""), parts.port or 80, timeout=TIMEOUT_S)
        kept = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
        try:
            upstream.request("GET", self.path[self.path.index(parts.netloc) + len(parts.netloc) :] or "/", None, kept)
            answer = upstream.getresponse()
            self._send(answer.status, answer.getheaders(), answer.read())
        except OSError:
            self._send(502, [], b"")
        finally:
            upstream.close()

    def do_CONNECT(self) -> None:
        if not self._is_let_in():
            return
        host, _, port = self.path.rpartition(":")
        try:
            number = self.server.proxy.ports.get(int(port), int(port))
            upstream = socket.create_connection((self._address(host.strip("[]")), number), TIMEOUT_S)
        except OSError:
            self._send(502, [], b"")
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        join(self.connection, upstream)
        self.close_connection = True

    def _is_let_in(self) -> bool:
        self.server.proxy.asked.append((self.command, self.path))
        if self.server.proxy.lets_in(self.headers["Proxy-Authorization"]):
            return True
        self._send(407, [("Proxy-Authenticate", 'Basic realm="test"')], b"")
        return False

    def _address(self, host: str) -> str:
        return self.server.proxy.names.get(host, host)

    def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"connection", "transfer-encoding", "content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet: a test shows what it needs of the requests."""
