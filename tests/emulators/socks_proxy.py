"""A SOCKS proxy on loopback that counts what it is asked to connect to, and knows names that nobody else does.

SOCKS5 (RFC 1928) with or without user and password (RFC 1929), and SOCKS4a.
"""

import socket
import socketserver
import struct
import threading
from contextlib import suppress
from typing import Any, Self
from urllib.parse import quote

CONNECT_TIMEOUT_S = 30
_ADDRESS, _NAME, _ADDRESS_V6 = 1, 3, 4


class SocksProxy:
    """A proxy in threads of this process, between ``with`` and its end.

    ``asked`` has the host and port of each connection as the client named them. ``names`` are the hosts that only the
    proxy knows, with their addresses. With ``login``, a user and a password, nobody else is let in; ``refused`` counts.
    """

    def __init__(self, names: dict[str, str] | None = None, login: tuple[str, str] | None = None) -> None:
        self.names, self.login = names or {}, login
        self.asked: list[tuple[str, int]] = []
        self.refused = 0
        self._server = _Server(("127.0.0.1", 0), _Client)
        self._server.proxy = self
        self.port: int = self._server.server_address[1]

    def url(self, scheme: str = "socks5h") -> str:
        """Return the proxy as a URL, with the login."""
        user = "{}:{}@".format(*map(quote, self.login)) if self.login else ""
        return f"{scheme}://{user}127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64
    proxy: SocksProxy

    def handle_error(self, *_: Any) -> None:
        """Keep quiet: a client that hangs up is no error of ours."""


class _Client(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        if (version := self._read(1)[0]) == 5:
            self._serve_5()
        elif version == 4:
            self._serve_4()

    def _serve_5(self) -> None:
        methods = self._read(self._read(1)[0])
        if not self._let_in(methods):
            return
        _, command, _, kind = self._read(4)
        host, port = self._read_host(kind), struct.unpack("!H", self._read(2))[0]
        upstream = self._connect(host, port) if command == 1 else None
        self.request.sendall(bytes([5, 0 if upstream else 5, 0, 1, 0, 0, 0, 0, 0, 0]))
        if upstream:
            join(self.request, upstream)

    def _serve_4(self) -> None:
        command, port, address = struct.unpack("!BH4s", self._read(7))
        self._read_text()
        is_name = address[:3] == b"\0\0\0" and address[3]
        host = self._read_text() if is_name else socket.inet_ntoa(address)
        upstream = self._connect(host, port) if command == 1 and not self.server.proxy.login else None
        self.request.sendall(bytes([0, 90 if upstream else 91, 0, 0, 0, 0, 0, 0]))
        if upstream:
            join(self.request, upstream)

    def _let_in(self, methods: bytes) -> bool:
        login = self.server.proxy.login
        method = 2 if login else 0
        if method not in methods:
            self.server.proxy.refused += 1
            self.request.sendall(b"\x05\xff")
            return False
        self.request.sendall(bytes([5, method]))
        if not login:
            return True
        self._read(1)
        given = tuple(self._read(self._read(1)[0]).decode() for _ in login)
        self.server.proxy.refused += given != login
        self.request.sendall(bytes([1, 0 if given == login else 1]))
        return given == login

    def _read_host(self, kind: int) -> str:
        if kind == _NAME:
            return self._read(self._read(1)[0]).decode()
        if kind == _ADDRESS_V6:
            return socket.inet_ntop(socket.AF_INET6, self._read(16))
        assert kind == _ADDRESS
        return socket.inet_ntoa(self._read(4))

    def _connect(self, host: str, port: int) -> socket.socket | None:
        proxy = self.server.proxy
        proxy.asked.append((host, port))
        try:
            return socket.create_connection((proxy.names.get(host, host), port), CONNECT_TIMEOUT_S)
        except OSError:
            return None

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            if not (more := self.request.recv(size - len(data))):
                raise EOFError
            data += more
        return data

    def _read_text(self) -> str:
        data = b""
        while (byte := self._read(1)) != b"\0":
            data += byte
        return data.decode()


def join(client: socket.socket, upstream: socket.socket) -> None:
    """Copy in both directions until either side has ended."""
    back = threading.Thread(target=_copy, args=(upstream, client), daemon=True)
    back.start()
    _copy(client, upstream)
    back.join(CONNECT_TIMEOUT_S)
    upstream.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
