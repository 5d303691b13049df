"""Read the operator's credentials: cookies from a cookies.txt and extra headers by host."""

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

from audiocrawler.model.addresses import DEFAULT_PORTS, plain_host
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.settings import settings_of
from audiocrawler.scrapy_private import use_bundled_suffixes

_HTTP_ONLY = "#HttpOnly_"
_FIELDS = 7
_TRUTH = {"TRUE": True, "FALSE": False}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "if-match", "if-modified-since", "if-none-match"}
    | {"if-range", "if-unmodified-since", "proxy-authorization", "range", "te", "transfer-encoding", "upgrade"}
)
"""Headers that control the transfer itself: other values would corrupt files."""


@dataclass(frozen=True, slots=True)
class CookieFile:
    """The valid cookies of a cookies.txt, and how many have expired."""

    cookies: tuple[Cookie, ...] = ()
    expired: int = 0


def read_cookies(path: str | None) -> CookieFile:
    """Return the cookies in a file, none for None; raises ConfigurationError naming the invalid line."""
    if not path:
        return CookieFile()
    lines = _text_of("AUDIO_COOKIES", path).split("\n")
    numbered = [(number, line.rstrip("\r")) for number, line in enumerate(lines, 1) if _is_cookie(line)]
    cookies = [_cookie(line, f"AUDIO_COOKIES={path}: line {number}") for number, line in numbered]
    if not cookies:
        raise ConfigurationError(
            f"AUDIO_COOKIES={path}: contains no cookies; export them in Netscape cookies.txt format"
        )
    valid = tuple(cookie for cookie in cookies if not cookie.is_expired(int(time.time())))
    return CookieFile(valid, len(cookies) - len(valid))


def _is_cookie(line: str) -> bool:
    return bool(line.strip()) and (not line.startswith("#") or line.startswith(_HTTP_ONLY))


def _cookie(line: str, where: str) -> Cookie:
    is_http_only = line.startswith(_HTTP_ONLY)
    fields = line.removeprefix(_HTTP_ONLY).split("\t")
    fields += [""] * (len(fields) == _FIELDS - 1)  # editors strip the tab before an empty last value
    if len(fields) != _FIELDS:
        raise ConfigurationError(f"{where}: {len(fields)} tab-separated fields; Netscape's cookies.txt has {_FIELDS}")
    domain, subdomains, path, secure, expires, name, value = fields
    if subdomains.upper() not in _TRUTH or secure.upper() not in _TRUTH:
        raise ConfigurationError(f"{where}: the second and fourth fields must be TRUE or FALSE")
    if not domain.strip(".") or not path.startswith("/"):
        raise ConfigurationError(f"{where}: the first field must be a domain and the third a path")
    if _CONTROLS.search(name + value) or ";" in name + value:
        raise ConfigurationError(f"{where}: invalid character in the cookie's name or value")
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
    """Return the domain as http.cookiejar expects it: with a dot before a wide one, ``.local`` after a dotless one."""
    bare = domain.lower().strip(".")
    bare += ".local" if "." not in bare and ":" not in bare else ""
    return f".{bare}" if is_wide else bare


def _expiry(text: str, where: str) -> int | None:
    try:
        seconds = int(float(text))
    except (ValueError, OverflowError):
        raise ConfigurationError(f"{where}: the fifth field must be the expiry time in Unix seconds, or 0") from None
    return seconds if seconds > 0 else None


@dataclass(frozen=True, slots=True)
class _HostPattern:
    """Where headers are sent; None matches any scheme or port, ``is_wide`` matches the subdomains of ``host``."""

    host: str
    is_wide: bool
    scheme: str | None = None
    port: int | None = None

    @property
    def precision(self) -> tuple[bool, int, bool, bool]:
        """Return a sort key: larger for a more specific pattern."""
        return not self.is_wide, len(self.host), self.port is not None, self.scheme is not None

    def matches(self, scheme: str, host: str, port: int) -> bool:
        is_host = host.endswith(f".{self.host}") if self.is_wide else host == self.host
        return is_host and self.scheme in {None, scheme} and self.port in {None, port}


@dataclass(frozen=True, slots=True)
class HostHeaders:
    """The headers of AUDIO_HEADERS; more specific patterns override ``*.`` wildcards."""

    patterns: list[tuple[_HostPattern, dict[str, str]]] = field(default_factory=list)

    def headers_for(self, url: str) -> dict[str, str]:
        """Return the headers to send with a request for ``url``."""
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        asked = scheme, plain_host(parts.hostname or ""), parts.port or DEFAULT_PORTS.get(scheme, 0)
        found: dict[str, str] = {}
        for pattern, headers in self.patterns:
            if pattern.matches(*asked):
                found |= headers
        return found


def read_host_headers(path: str | None) -> HostHeaders:
    """Return the headers in a file, none for None; raises ConfigurationError naming the invalid entry."""
    if not path:
        return HostHeaders()
    where = f"AUDIO_HEADERS={path}"
    try:
        given = json.loads(_text_of("AUDIO_HEADERS", path))
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{where}: invalid JSON on line {error.lineno}: {error.msg}") from None
    if not isinstance(given, dict) or not all(isinstance(headers, dict) for headers in given.values()):
        raise ConfigurationError(f'{where}: must look like {{"media.example.org": {{"Authorization": "..."}}}}')
    patterns = [(_pattern(key, where), _checked(key, headers, where)) for key, headers in given.items()]
    return HostHeaders(sorted(patterns, key=lambda each: each[0].precision))


def _pattern(key: str, where: str) -> _HostPattern:
    """Parse ``[scheme://][*.]host[:port]``."""
    try:
        parts = urlsplit(key if "://" in key else f"//{key}")
        host, port = (parts.hostname or "").removeprefix("*."), parts.port
    except ValueError:
        host, port = "", None
    is_plain = (
        host and not re.search(r"[\s*@/?#]", host) and parts.scheme in {"", *DEFAULT_PORTS} and "@" not in parts.netloc
    )
    if not is_plain or parts.path.strip("/") or parts.query:
        raise ConfigurationError(
            f"{where}: {_shown(key)} is not a host; write example.org, *.example.org or https://host:port"
        )
    return _HostPattern(plain_host(host), (parts.hostname or "").startswith("*."), parts.scheme or None, port)


def _checked(key: str, headers: dict[str, Any], where: str) -> dict[str, str]:
    for name, value in headers.items():
        what = f"{where}: {_shown(key)}: {_shown(name)}"
        if not _NAME.fullmatch(name):
            raise ConfigurationError(f"{what} is not a valid header name")
        if name.lower() == "cookie":
            raise ConfigurationError(f"{what} cannot be set here; use AUDIO_COOKIES")
        if name.lower() in _OURS:
            raise ConfigurationError(f"{what} is set by the crawler itself; remove it")
        if not isinstance(value, str) or _CONTROLS.search(value) or not value.isascii():
            raise ConfigurationError(f"{what}: the value must be one line of ASCII text")
    return {name.title(): value for name, value in headers.items()}


def _shown(text: str) -> str:
    """Return a key of the file for a message, without a login somebody may have put into it."""
    return repr(text.rpartition("@")[2][:80])


def _text_of(setting: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{setting}={path}: not UTF-8 text; save the file as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{setting}={path}: could not be read ({error.strerror})") from error


logger = logging.getLogger(__name__)

use_bundled_suffixes()


class LocalListCookiesMiddleware(CookiesMiddleware):
    """Scrapy's CookiesMiddleware, with the public suffix list bundled with tldextract.

    Every jar starts with the cookies of AUDIO_COOKIES; cookies without a domain stay with their own host.
    """

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self.file = CookieFile()
        self.jars = defaultdict(self._filled_jar)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "LocalListCookiesMiddleware":
        """Return the middleware; raises NotConfigured, or ConfigurationError for an invalid AUDIO_COOKIES."""
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
    """Return a warning about expired cookies, or None."""
    if not file.expired:
        return None
    return f"AUDIO_COOKIES: {file.expired} of {file.expired + len(file.cookies)} cookies have expired and are not sent"
