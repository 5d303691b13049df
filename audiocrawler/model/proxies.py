"""The proxies that the environment sets, read at the start: an invalid one is an error, never ignored."""

import os
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from audiocrawler.model.errors import ConfigurationError

PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}
"""Schemes of proxy URLs and their default ports."""
_HOW = "write it as http://, https://, socks4://, socks4a://, socks5:// or socks5h://host:port, or unset it"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy; its host has no brackets, ``user`` is None without a login."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str = ""

    @property
    def is_socks(self) -> bool:
        """Return whether it speaks SOCKS rather than HTTP."""
        return self.scheme.startswith("socks")

    @property
    def alone_knows_names(self) -> bool:
        """Return whether only the proxy may resolve host names: such a scheme is chosen to hide them locally."""
        return self.scheme in {"socks4a", "socks5h"}

    @property
    def shown(self) -> str:
        """Return the URL without user and password."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Return the whole URL."""
        login = "" if self.user is None else f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@"
        return self.shown.replace("://", f"://{login}", 1)


class Proxies:
    """The proxy for each URL scheme; hosts in ``no_proxy`` are connected to directly."""

    def __init__(self, by_scheme: dict[str, Proxy]) -> None:
        self._by_scheme = by_scheme

    @classmethod
    def of_environment(cls) -> Self:
        """Return the proxies of ``http_proxy``, ``https_proxy`` and, where these are unset, ``all_proxy``.

        Raises ConfigurationError, which names the variable.
        """
        given = getproxies()
        kinds = {scheme: scheme if scheme in given else "all" for scheme in ("http", "https")}
        return cls({scheme: parse_proxy(given[kind], _name(kind)) for scheme, kind in kinds.items() if kind in given})

    def all(self) -> list[Proxy]:
        """Return every proxy that may be used."""
        return list(self._by_scheme.values())

    def proxy_for(self, url: str) -> Proxy | None:
        """Return the proxy for an absolute URL, None for a direct connection."""
        parts = urlsplit(url)
        proxy = self._by_scheme.get(parts.scheme.lower())
        host = parts.hostname or ""
        if proxy is None or proxy_bypass(host) or (parts.port and proxy_bypass(f"{host}:{parts.port}")):
            return None
        return proxy


def parse_proxy(text: str, name: str) -> Proxy:
    """Return the proxy in ``text``, the value of variable ``name``; raises ConfigurationError."""
    try:
        parts = urlsplit(text.strip() if "://" in text else f"http://{text.strip()}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _wrong(text, name, "not a proxy URL") from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise _wrong(text, name, f"unsupported proxy scheme {scheme}")
    if not host or re.search(r"[\s<>\"'{}]", host) or port == 0:
        raise _wrong(text, name, "host or port is missing")
    user = None if parts.username is None else unquote(parts.username)
    return Proxy(scheme, host, port or PORTS[scheme], user, unquote(parts.password or ""))


def _wrong(text: str, name: str, why: str) -> ConfigurationError:
    start, at, place = text.rpartition("@")
    scheme = start.partition("://")[0] + "://" if "://" in start else ""
    shown = f"{scheme}{place}" if at else text
    return ConfigurationError(f"{name}={shown}: {why}; {_HOW}")


def _name(kind: str) -> str:
    """Return the name of the variable that is set: lower case is preferred to upper case."""
    lower = f"{kind}_proxy"
    return lower if lower in os.environ else next((each for each in os.environ if each.lower() == lower), lower)
