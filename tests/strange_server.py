"""A server on loopback for one test: what it answers is a function, and it keeps when each request came."""

import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Answer = Callable[["Wire", str], None]


@dataclass
class Wire:
    """The connection of one request; bytes go out as they are."""

    sock: Any
    closing: threading.Event
    headers: dict[str, str] = field(default_factory=dict)
    """Of the request, by their names in lower case."""
    keep_alive: bool = False

    def send(self, data: bytes) -> None:
        """Send these bytes, raw."""
        self.sock.sendall(data)

    def body(self, data: bytes | str, *headers: str, status: str = "200 OK", kind: str = "text/html") -> None:
        """Send a whole answer."""
        raw = data.encode() if isinstance(data, str) else data
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(raw)}", "Connection: close"]
        self.send("\r\n".join([*lines, *headers, "", ""]).encode() + raw)

    def reset(self) -> None:
        """Break the connection off without an orderly end."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def drip(self, data: bytes, every_s: float) -> None:
        """Send a byte at a time until the test ends or the client has had enough."""
        for byte in data:
            self.send(bytes([byte]))
            if self.closing.wait(every_s):
                return


@dataclass
class Strange:
    """The server: ``at(host)`` is its URL under another name of 127.0.0.0/8."""

    port: int
    requests: list[tuple[str, str, float]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Return its URL."""
        return self.at("127.0.0.1")

    def at(self, host: str) -> str:
        """Return its URL at another address."""
        return f"http://{host}:{self.port}"

    def times_s(self, path: str = "/", host: str = "") -> list[float]:
        """Return when paths that begin with ``path`` were asked for, at one host or at all."""
        return [at_s for to, asked, at_s in self.requests if asked.startswith(path) and to.startswith(host)]


@contextmanager
def strange(answer: Answer) -> Iterator[Strange]:
    """Serve ``answer(wire, path)`` on a free port of all of 127.0.0.0/8; ``keep_alive`` is for the answer to set."""
    closing = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                while head := self.head():
                    path = head.split(b" ", 2)[1].decode()
                    server.requests.append((self.request.getsockname()[0], path, time.monotonic()))
                    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:] if line)
                    headers = {name.lower(): value.strip() for name, _, value in lines}
                    wire = Wire(self.request, closing, headers)
                    answer(wire, path)
                    if not wire.keep_alive:
                        return

        def head(self) -> bytes:
            head = b""
            while b"\r\n\r\n" not in head:
                data = self.request.recv(65536)
                if not data:
                    return b""
                head += data
            return head

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        request_queue_size = 512
        block_on_close = False

    listening = Server(("0.0.0.0", 0), Handler)
    server = Strange(listening.server_address[1])
    threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server
    finally:
        closing.set()
        listening.shutdown()
        listening.server_close()
