"""Serves the site on loopback: ``with Site() as site`` gives its URLs and records every request that it gets."""

import sys
import threading
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from email.message import Message
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from tests.site.answers import CONTENT_TYPES, Answer, Options, Visit, file, html, whole
from tests.site.behaviours import behaviour_of, signed_path

SHARED = Path(__file__).parent
PAGES = SHARED / "pages"
SECOND = SHARED / "second"
_TEXTS = {".html", ".rss", ".atom", ".m3u", ".pls", ".txt"}


@dataclass(frozen=True, slots=True)
class Request:
    """A request that reached the site; names of headers are found in any case; ``at_s`` is ``time.monotonic()``."""

    method: str
    url: str
    headers: Message
    at_s: float

    @property
    def path(self) -> str:
        """Return path and query as they were sent."""
        parts = urlsplit(self.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


class Site:
    """The site on a free port (or ``port``) of 127.0.0.1, and a second one on 127.0.0.2 where the system has it."""

    def __init__(self, options: Options | None = None, *, port: int = 0) -> None:
        self.options = options or Options()
        self.closing = threading.Event()
        self._requests: list[Request] = []
        self._turns: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._first = _Server(("127.0.0.1", port), self, PAGES)
        self._second = _second_server(self)
        self.url = self._first.url
        self.second_url = self._second.url

    @property
    def requests(self) -> list[Request]:
        """Return all requests so far, of both hosts, in the order in which they came."""
        with self._lock:
            return list(self._requests)

    def count(self, path: str) -> int:
        """Return how often ``path`` (with its query, as sent) was asked for; a full URL can name the second host."""
        url = urljoin(self.url, path)
        return sum(request.url == url for request in self.requests)

    def sent_bytes(self, path: str) -> int:
        """Return how many bytes of bodies were sent for ``path``."""
        with self._lock:
            return self._sent[urljoin(self.url, path)]

    def note_sent(self, url: str, size_bytes: int) -> None:
        """Note that so many bytes of a body went out."""
        with self._lock:
            self._sent[url] += size_bytes

    def record(self, method: str, url: str, headers: Message) -> int:
        """Note a request and return how many there were for its URL without the query."""
        bare = url.partition("?")[0]
        with self._lock:
            self._requests.append(Request(method, url, headers, time.monotonic()))
            self._turns[bare] += 1
            return self._turns[bare]

    def __enter__(self) -> Self:
        for server in (self._first, self._second):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        for server in (self._first, self._second):
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], site: Site, pages: Path) -> None:
        super().__init__(address, _Handler)
        self.site = site
        self.pages = pages
        self.host = f"{address[0]}:{self.server_address[1]}"
        self.url = f"http://{self.host}"

    def answer(self, visit: Visit) -> Answer:
        """Return what the options break, else the answer of a special path, else the file of that name, else 404."""
        if broken := _broken(visit):
            return broken
        if behaviour := behaviour_of(visit.path):
            return behaviour(visit)
        if path := self._file(visit.path):
            return self._page(path) if path.suffix in _TEXTS else file(path, visit)
        return html(404, "There is no such page.")

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that have had enough; tell of everything else."""
        if not isinstance(sys.exception(), ConnectionError):
            traceback.print_exc()

    def _file(self, path: str) -> Path | None:
        root = SHARED if path.startswith(("/audio/", "/style.css")) else self.pages
        found = (root / path.lstrip("/")).resolve()
        if found.is_dir():
            found /= "index.html"
        servable = found.is_relative_to(root) and found.suffix.lower() in CONTENT_TYPES
        return found if servable and found.is_file() else None

    def _page(self, path: Path) -> Answer:
        answer = whole(path)
        assert isinstance(answer.body, bytes)
        for name, value in self._words().items():
            answer.body = answer.body.replace(name.encode(), value.encode())
        return answer

    def _words(self) -> dict[str, str]:
        """Return what stands in the pages for that which is known only when the site is served."""
        return {
            "{{site}}": self.site.url,
            "{{site_host}}": urlsplit(self.site.url).netloc,
            "{{second}}": self.site.second_url,
            "{{signed}}": escape(signed_path("/signed/session.mp3")),
        }


def _broken(visit: Visit) -> Answer | None:
    if visit.path in visit.options.missing:
        return html(404, "This page was taken down.")
    if visit.path == "/robots.txt" and visit.options.robots_status != HTTPStatus.OK:
        return html(visit.options.robots_status, "The rules are being rewritten.")
    return None


def _second_server(site: Site) -> _Server:
    try:
        return _Server(("127.0.0.2", 0), site, SECOND)
    except OSError:  # only Linux has all of 127.0.0.0/8
        return _Server(("127.0.0.1", 0), site, SECOND)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60
    server: _Server

    def do_GET(self) -> None:
        self._respond(with_body=True)

    def do_HEAD(self) -> None:
        self._respond(with_body=False)

    def _respond(self, *, with_body: bool) -> None:
        answer = self.server.answer(self._visit())
        try:
            self._send_head(answer)
            if with_body and answer.status != HTTPStatus.NOT_MODIFIED:
                self._send_body(answer)
        except ConnectionError:  # the client has had enough
            self.close_connection = True

    def _visit(self) -> Visit:
        parts = urlsplit(self.path)
        turn = self.server.site.record(self.command, self.server.url + self.path, self.headers)
        query = dict(parse_qsl(parts.query))
        site = self.server.site
        return Visit(unquote(parts.path), query, self.headers, turn, site.options, site.closing)

    def _send_head(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        length = answer.content_length()
        if length is None:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _send_body(self, answer: Answer) -> None:
        sent_bytes = 0
        for chunk in _pieces(answer.body) if isinstance(answer.body, bytes) else answer.body:
            self.wfile.write(chunk)
            sent_bytes += len(chunk)
            self.server.site.note_sent(self.server.url + self.path, len(chunk))
        if sent_bytes != answer.content_length():
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing: the site keeps its own record."""


def _pieces(body: bytes) -> list[bytes]:
    return [body[start : start + 65536] for start in range(0, len(body), 65536)]
