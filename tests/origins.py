"""Web servers on loopback with pages of a test's own, which keep what they are sent."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOLD_S = 60
TONE = (Path(__file__).parent / "site/audio/surf.mp3").read_bytes()


@dataclass
class Origin:
    """A web server on loopback: its pages by path without query, and the headers of all requests.

    ``wanted`` has the Authorization without which a path is answered by 401; a path in ``held`` is never answered.
    """

    address: str
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    wanted: dict[str, str] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        origin = self
        self.closing = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                origin.asked.append((self.path, dict(self.headers)))
                path = self.path.partition("?")[0]
                if path in origin.held:
                    origin.closing.wait(HOLD_S)
                status, headers, body = origin.pages.get(path, (404, {}, b"no"))
                if origin.wanted.get(path, self.headers["Authorization"]) != self.headers["Authorization"]:
                    status, headers, body = 401, {"WWW-Authenticate": 'Basic realm="test"'}, b"no"
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer((self.address, 0), Handler)
        self.netloc = f"{self.address}:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def html(self, path: str, text: str, **headers: str) -> None:
        self.pages[path] = (200, {"Content-Type": "text/html", **headers}, text.encode())

    def audio(self, path: str, body: bytes = TONE, **headers: str) -> None:
        self.pages[path] = (200, {"Content-Type": "audio/mpeg", **headers}, body)

    def redirect(self, path: str, target: str) -> None:
        self.pages[path] = (302, {"Location": target}, b"")

    def sent(self, path: str, name: str) -> list[str | None]:
        """Return the values of a header in the requests for a path; its name may be written in any case."""
        asked = [headers for where, headers in self.asked if where.partition("?")[0] == path]
        return [next((value for key, value in each.items() if key.lower() == name.lower()), None) for each in asked]

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
