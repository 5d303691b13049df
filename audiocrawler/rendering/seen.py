"""What a browser has seen of a page: plain values, to be searched by discovery."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit


class How(StrEnum):
    """How a URL was seen; with ``browser_`` before it, what ``found_by`` says."""

    REQUEST = "request"
    RESPONSE = "response"
    DOWNLOAD = "download"
    PLAYER = "player"
    MANIFEST = "manifest"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class SeenUrl:
    """A URL that the page asked for or that a player of it holds; ``mime_type`` as its answer declared it."""

    url: str
    how: How
    mime_type: str | None = None
    is_by_script: bool = False


@dataclass(frozen=True, slots=True)
class SeenText:
    """The text of a frame, a shadow tree or an answer that a script got; ``kind`` is markup, script or data."""

    url: str
    text: str
    kind: str
    content_type: str = ""


@dataclass(slots=True)
class Seen:
    """All that was seen of one page. ``cookies`` are Playwright's: for requests, never for rows or logs."""

    url: str = ""
    html: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    urls: list[SeenUrl] = field(default_factory=list)
    texts: list[SeenText] = field(default_factory=list)
    cookies: list[dict[str, Any]] = field(default_factory=list)


def cookies_for(url: str, cookies: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return those cookies that a browser would send to the host of ``url`` (RFC 6265, 5.1.3), as Scrapy takes them."""
    parts = urlsplit(url)
    host, is_safe = (parts.hostname or "").lower(), parts.scheme == "https"
    matching = (each for each in cookies if _matches(host, str(each["domain"]).lower()))
    return [_cookie(each) for each in matching if is_safe or not each.get("secure")]


def _matches(host: str, domain: str) -> bool:
    if not domain.startswith("."):
        return host == domain
    return host == domain[1:] or host.endswith(domain)


def _cookie(cookie: dict[str, Any]) -> dict[str, str]:
    taken = {name: str(cookie[name]) for name in ("name", "value", "path")}
    return {**taken, "domain": str(cookie["domain"])} if str(cookie["domain"]).startswith(".") else taken
