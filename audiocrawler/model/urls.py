"""The site, normalised form and login of a URL."""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit, urlunsplit

from audiocrawler.model.addresses import DEFAULT_PORTS, plain_host


def site_of(url: str) -> str:
    """Return the URL's host without www. and port, which do not make another site."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


_IGNORED = re.compile(r"[\t\r\n]")
_START = re.compile(r"(https?):[/\\]*", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^:]*)(?::(\d*))?")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_KEPT = "%:/?@!$&'()*+,;="
_KEPT_IN_QUERY = _KEPT.replace("'", "")
_LAST_CONTROLS = "".join(map(chr, range(33)))


def one_spelling(url: str) -> str:
    """Return an http or https URL normalised; anything else is returned unchanged."""
    plain = _IGNORED.sub("", url).strip(_LAST_CONTROLS).partition("#")[0]
    start = _START.match(plain)
    if start is None:
        return url
    before, _, query = plain[start.end() :].partition("?")
    authority, _, path = before.replace("\\", "/").partition("/")
    place = _AUTHORITY.fullmatch(authority.rpartition("@")[2])
    if place is None or not place[1]:
        return url
    scheme = start[1].lower()
    port = int(place[2]) if place[2] else DEFAULT_PORTS[scheme]
    host = plain_host(unquote(place[1]))
    shown_host = f"[{host}]" if ":" in host else host
    shown_port = "" if port == DEFAULT_PORTS[scheme] else f":{port}"
    return f"{scheme}://{shown_host}{shown_port}/{_path(path)}" + (
        f"?{_escaped(query, kept=_KEPT_IN_QUERY)}" if query else ""
    )


def _path(path: str) -> str:
    kept: list[str] = []
    *folders, last = (_escaped(segment) for segment in path.split("/"))
    for segment in folders:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if last == "..":
        del kept[-1:]
    return "/".join([*kept, "" if last in {".", ".."} else last])


def _escaped(text: str, kept: str = _KEPT) -> str:
    """Return the text with only the escapes that are needed, their digits in upper case."""
    return quote(_ESCAPE.sub(_plain, text), safe=kept, errors="replace")


def _plain(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return "%25"
    character = chr(int(escape[1], 16))
    return character if _UNRESERVED.fullmatch(character) else escape[0].upper()


LOGIN = "login"
"""Key in a request's meta: ``login_of`` its own URL, or of the document that links to it."""

Login = Mapping[str, str]
"""An ``origin`` and its ``authorization`` header, as stored in the frontier."""


class Credentials:
    """The logins in start URLs, used for every URL of the same origin; the first of an origin counts."""

    def __init__(self, start_urls: Iterable[str]) -> None:
        self._logins: dict[str, Login] = {}
        for url in start_urls:
            if login := login_of(url):
                self._logins.setdefault(login["origin"], login)

    def headers_for(self, url: str, login: Login | None = None) -> dict[str, str]:
        """Return the Authorization header for ``url``: from ``login`` if it is for that origin, else a start URL's."""
        for each in (login, *self._logins.values()):
            if each and is_meant_for(each, url):
                return {"Authorization": each["authorization"]}
        return {}


def login_of(url: str) -> Login | None:
    """Return the login in the URL's ``user:password@``, None if missing or empty."""
    user, _, password = urlsplit(url).netloc.rpartition("@")[0].partition(":")
    if not user and not password:
        return None
    pair = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
    return {"origin": _origin(url), "authorization": f"Basic {b64encode(pair).decode()}"}


def without_credentials(url: str) -> str:
    """Return the URL without ``user:password@``."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else url


def login_meta(url: str) -> dict[str, Any]:
    """Return the meta for a request to ``without_credentials(url)``."""
    login = login_of(url)
    return {LOGIN: login} if login else {}


def is_meant_for(login: Login, url: str) -> bool:
    """Return whether the login's origin is that of ``url``, or that of its host before a switch to https."""
    origin = _origin(url)
    if origin == login["origin"]:
        return True
    scheme, _, rest = origin.partition(":")
    return scheme == "https" and rest.endswith(":443") and login["origin"] == f"http:{rest.removesuffix('443')}80"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return f"{scheme}://{plain_host(parts.hostname or '')}:{parts.port or DEFAULT_PORTS.get(scheme, 0)}"
