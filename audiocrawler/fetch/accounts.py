"""What an operator gives for sites where he has an account: a cookies.txt, and a file of headers by host."""

import json
import logging
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.cookiejar import Cookie, DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.cookies import CookiesMiddleware
from scrapy.http.cookies import CookieJar

from audiocrawler.model.addresses import plain_host
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.settings import settings_of
from audiocrawler.scrapy_private import use_bundled_suffixes

_HTTP_ONLY = "#HttpOnly_"
_FIELDS = 7
_TRUTH = {"TRUE": True, "FALSE": False}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PORTS = {"http": 80, "https": 443}
_OURS = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "if-match", "if-modified-since", "if-none-match"}
    | {"if-range", "if-unmodified-since", "proxy-authorization", "range", "te", "transfer-encoding", "upgrade"}
)
"""Headers by which a transfer is steered: another value would make wrong files of right ones."""


@dataclass(frozen=True, slots=True)
class CookieFile:
    """The cookies of a cookies.txt that can be sent, and how many of its cookies have expired."""

    cookies: tuple[Cookie, ...] = ()
    expired: int = 0


def read_cookies(path: str | None) -> CookieFile:
    """Return what AUDIO_COOKIES names, nothing for None; raises ConfigurationError with the line that is wrong."""
    if not path:
        return CookieFile()
    lines = _text_of("AUDIO_COOKIES", path).split("\n")
    numbered = [(number, line.rstrip("\r")) for number, line in enumerate(lines, 1) if _is_cookie(line)]
    cookies = [_cookie(line, f"AUDIO_COOKIES={path}: line {number}") for number, line in numbered]
    if not cookies:
        raise ConfigurationError(f"AUDIO_COOKIES={path}: holds no cookie; export one as Netscape cookies.txt")
    valid = tuple(cookie for cookie in cookies if not cookie.is_expired(int(time.time())))
    return CookieFile(valid, len(cookies) - len(valid))


def _is_cookie(line: str) -> bool:
    return bool(line.strip()) and (not line.startswith("#") or line.startswith(_HTTP_ONLY))


def _cookie(line: str, where: str) -> Cookie:
    is_http_only = line.startswith(_HTTP_ONLY)
    fields = line.removeprefix(_HTTP_ONLY).split("\t")
    fields += [""] * (len(fields) == _FIELDS - 1)  # an empty value at the end is easily lost
    if len(fields) != _FIELDS:
        raise ConfigurationError(f"{where} has {len(fields)} fields between tabs; a Netscape cookies.txt has {_FIELDS}")
    domain, subdomains, path, secure, expires, name, value = fields
    if subdomains.upper() not in _TRUTH or secure.upper() not in _TRUTH:
        raise ConfigurationError(f"{where}: its second and fourth fields must be TRUE or FALSE")
    if not domain.strip(".") or not path.startswith("/"):
        raise ConfigurationError(f"{where}: its first field must be a domain and its third a path")
    if _CONTROLS.search(name + value) or ";" in name + value:
        raise ConfigurationError(f"{where}: the cookie's name or value has a character that no cookie can have")
    is_wide = domain.startswith(".") or _TRUTH[subdomains.upper()]  # exporters do not agree on the dot
    return Cookie(
        version=0,
        name=name,
        value=value,
        port=None,
        port_specified=False,
        domain=_domain(domain, is_wide=is_wide),
        domain_specified=is_wide,
        domain_initial_dot=is_wide,
        path=path,
        path_specified=True,
        secure=_TRUTH[secure.upper()],
        expires=_expiry(expires, where),
        discard=False,
        comment=None,
        comment_url=None,
        rest={"Domain": "." * is_wide + domain.lower().strip(".")} | ({"HttpOnly": ""} if is_http_only else {}),
    )


def _domain(domain: str, *, is_wide: bool) -> str:
    """Return the domain as http.cookiejar compares it: a dot before one that is wide, .local after one without dots."""
    bare = domain.lower().strip(".")
    bare += ".local" if "." not in bare and ":" not in bare else ""
    return f".{bare}" if is_wide else bare


def _expiry(text: str, where: str) -> int | None:
    try:
        seconds = int(float(text))
    except (ValueError, OverflowError):
        raise ConfigurationError(f"{where}: its fifth field must be the second at which it expires, or 0") from None
    return seconds if seconds > 0 else None


@dataclass(frozen=True, slots=True)
class _Place:
    """Whom headers are meant for; None is any scheme and any port, ``is_wide`` the hosts below ``host``."""

    host: str
    is_wide: bool
    scheme: str | None = None
    port: int | None = None

    @property
    def precision(self) -> tuple[bool, int, bool, bool]:
        """Return what is larger the more exactly the place is named."""
        return not self.is_wide, len(self.host), self.port is not None, self.scheme is not None

    def holds(self, scheme: str, host: str, port: int) -> bool:
        is_host = host.endswith(f".{self.host}") if self.is_wide else host == self.host
        return is_host and self.scheme in {None, scheme} and self.port in {None, port}


@dataclass(frozen=True, slots=True)
class HostHeaders:
    """The headers of AUDIO_HEADERS; those of a host by its own name stand before those of ``*.`` its domain."""

    places: list[tuple[_Place, dict[str, str]]] = field(default_factory=list)

    def headers_for(self, url: str) -> dict[str, str]:
        """Return the headers to send with a request for ``url``."""
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        asked = scheme, plain_host(parts.hostname or ""), parts.port or _PORTS.get(scheme, 0)
        found: dict[str, str] = {}
        for place, headers in self.places:
            if place.holds(*asked):
                found |= headers
        return found


def read_host_headers(path: str | None) -> HostHeaders:
    """Return what AUDIO_HEADERS names, nothing for None; raises ConfigurationError that names what is wrong."""
    if not path:
        return HostHeaders()
    where = f"AUDIO_HEADERS={path}"
    try:
        given = json.loads(_text_of("AUDIO_HEADERS", path))
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{where}: line {error.lineno} is no JSON: {error.msg}") from None
    if not isinstance(given, dict) or not all(isinstance(headers, dict) for headers in given.values()):
        raise ConfigurationError(f'{where}: must be of the form {{"media.example.org": {{"Authorization": "..."}}}}')
    places = [(_place(key, where), _checked(key, headers, where)) for key, headers in given.items()]
    return HostHeaders(sorted(places, key=lambda each: each[0].precision))


def _place(key: str, where: str) -> _Place:
    """Return what ``[scheme://][*.]host[:port]`` means."""
    try:
        parts = urlsplit(key if "://" in key else f"//{key}")
        host, port = (parts.hostname or "").removeprefix("*."), parts.port
    except ValueError:
        host, port = "", None
    is_plain = host and not re.search(r"[\s*@/?#]", host) and parts.scheme in {"", *_PORTS} and "@" not in parts.netloc
    if not is_plain or parts.path.strip("/") or parts.query:
        raise ConfigurationError(
            f"{where}: {_shown(key)} is no host; write example.org, *.example.org or https://host:port"
        )
    return _Place(plain_host(host), (parts.hostname or "").startswith("*."), parts.scheme or None, port)


def _checked(key: str, headers: dict[str, Any], where: str) -> dict[str, str]:
    for name, value in headers.items():
        what = f"{where}: {_shown(key)}: {_shown(name)}"
        if not _NAME.fullmatch(name):
            raise ConfigurationError(f"{what} is no name of a header")
        if name.lower() == "cookie":
            raise ConfigurationError(f"{what} is not sent this way; give cookies by AUDIO_COOKIES")
        if name.lower() in _OURS:
            raise ConfigurationError(f"{what} is set by the crawler itself; leave it out")
        if not isinstance(value, str) or _CONTROLS.search(value) or not value.isascii():
            raise ConfigurationError(f"{what} must have one line of ASCII text as its value")
    return {name.title(): value for name, value in headers.items()}


def _shown(text: str) -> str:
    """Return what a file gives as a name, without what somebody may have written into it by mistake."""
    return repr(text.rpartition("@")[2][:80])


def _text_of(setting: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{setting}={path}: is no text in UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{setting}={path}: cannot be read ({error.strerror})") from error


logger = logging.getLogger(__name__)

use_bundled_suffixes()


class LocalListCookiesMiddleware(CookiesMiddleware):
    """Scrapy's CookiesMiddleware with the list of public suffixes that comes with tldextract.

    Every jar begins with the cookies of AUDIO_COOKIES, and keeps cookies without a domain to their own host.
    """

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self.file = CookieFile()
        self.jars = defaultdict(self._filled_jar)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "LocalListCookiesMiddleware":
        """Return the middleware, or NotConfigured; raises ConfigurationError for a wrong AUDIO_COOKIES."""
        middleware = super().from_crawler(crawler)
        middleware.file = read_cookies(settings_of(crawler).cookies)
        if note := expired_note(middleware.file):
            logger.warning("%s", note)
        return middleware

    def _filled_jar(self) -> CookieJar:
        jar = CookieJar(DefaultCookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain))
        for cookie in self.file.cookies:
            jar.set_cookie(cookie)
        return jar


def expired_note(file: CookieFile) -> str | None:
    """Return what a user should know of cookies that are no longer sent."""
    if not file.expired:
        return None
    return f"AUDIO_COOKIES: {file.expired} of {file.expired + len(file.cookies)} cookies have expired and are not sent"
