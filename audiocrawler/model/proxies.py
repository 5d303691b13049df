"""The proxies that the environment names, read at the start: one that cannot be used is an error, never no proxy."""

import os
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from audiocrawler.model.errors import ConfigurationError

PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}
"""What a proxy's URL may begin with, and the ports that are meant where it names none."""
_HOW = "write it as http://, https://, socks4://, socks4a://, socks5:// or socks5h://host:port, or unset it"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, its host without brackets; ``user`` is None where it wants none."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str = ""

    @property
    def is_socks(self) -> bool:
        """Return whether it speaks SOCKS, and not HTTP."""
        return self.scheme.startswith("socks")

    @property
    def alone_knows_names(self) -> bool:
        """Return whether names must not be looked up here: who asks for that wants nobody near to see them."""
        return self.scheme in {"socks4a", "socks5h"}

    @property
    def shown(self) -> str:
        """Return its URL without user and password."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Return its whole URL."""
        login = "" if self.user is None else f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@"
        return self.shown.replace("://", f"://{login}", 1)


class Proxies:
    """Which proxy a request goes through, by scheme, with ``no_proxy`` for the hosts that are asked directly."""

    def __init__(self, by_scheme: dict[str, Proxy]) -> None:
        self._by_scheme = by_scheme

    @classmethod
    def of_environment(cls) -> Self:
        """Return what ``http_proxy``, ``https_proxy`` and, where they are not set, ``all_proxy`` say.

        Raises ConfigurationError that names the variable.
        """
        given = getproxies()
        kinds = {scheme: scheme if scheme in given else "all" for scheme in ("http", "https")}
        return cls({scheme: parse_proxy(given[kind], _name(kind)) for scheme, kind in kinds.items() if kind in given})

    def all(self) -> list[Proxy]:
        """Return each proxy that may be used."""
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
    """Return the proxy that ``text``, the value of ``name``, stands for; raises ConfigurationError."""
    try:
        parts = urlsplit(text.strip() if "://" in text else f"http://{text.strip()}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _wrong(text, name, "is not a URL of a proxy") from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise _wrong(text, name, f"a proxy of the kind {scheme} cannot be used")
    if not host or re.search(r"[\s<>\"'{}]", host) or port == 0:
        raise _wrong(text, name, "names no host or no port of a proxy")
    user = None if parts.username is None else unquote(parts.username)
    return Proxy(scheme, host, port or PORTS[scheme], user, unquote(parts.password or ""))


def _wrong(text: str, name: str, why: str) -> ConfigurationError:
    start, at, place = text.rpartition("@")
    scheme = start.partition("://")[0] + "://" if "://" in start else ""
    shown = f"{scheme}{place}" if at else text
    return ConfigurationError(f"{name}={shown}: {why}; {_HOW}")


def _name(kind: str) -> str:
    """Return the name of the variable as it is written in the environment: the lower case stands before the upper."""
    lower = f"{kind}_proxy"
    return lower if lower in os.environ else next((each for each in os.environ if each.lower() == lower), lower)
