"""One plain GET, with what a test wants to see of it: the status, the headers, and whether the body came whole."""

import hashlib
import http.client
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urljoin, urlsplit


@dataclass(frozen=True)
class Fetched:
    status: int
    headers: Message
    body: bytes
    is_complete: bool


def fetch(url: str, *, limit_bytes: int | None = None, **headers: str) -> Fetched:
    """Fetch without following redirects; ``If_Range`` and the like are header names."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    target = url.removeprefix(f"http://{parts.netloc}") or "/"
    connection.request("GET", target, headers={k.replace("_", "-"): v for k, v in headers.items()})
    response = connection.getresponse()
    try:
        body, is_complete = response.read(limit_bytes), True
    except http.client.IncompleteRead as cut:
        body, is_complete = cut.partial, False
    connection.close()
    return Fetched(response.status, response.headers, body, is_complete)


def follow(url: str) -> Fetched:
    fetched = fetch(url)
    while fetched.status in {301, 302}:
        fetched = fetch(urljoin(url, fetched.headers["Location"]))
    return fetched


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
