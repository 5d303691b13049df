"""Resolve hosts, check their addresses and choose the proxy before a connection is made."""

import resource
import socket
import ssl
import sys
from base64 import b64encode
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import certifi
import pycurl
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import CannotResolveHostError, IgnoreRequest, NotConfigured
from scrapy.settings import BaseSettings
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IResolutionReceiver
from zope.interface import implementer

from audiocrawler.fetch.component import Component
from audiocrawler.model.addresses import DEFAULT_PORTS, AddressPolicy, literal_address
from audiocrawler.model.errors import ConfigurationError, OutcomeError
from audiocrawler.model.proxies import Proxies, Proxy, parse_proxy
from audiocrawler.model.settings import settings_of
from audiocrawler.model.statuses import Status
from audiocrawler.model.text import mask_url

_POLICIES: "WeakKeyDictionary[Crawler, AddressPolicy]" = WeakKeyDictionary()


class RefusedAddressError(OutcomeError, IgnoreRequest):
    """Raised instead of connecting to an address that is not allowed; never retried."""

    status = Status.DENIED


def policy_of(crawler: Crawler) -> AddressPolicy:
    """Return the crawl's address policy; raises ConfigurationError for an invalid AUDIO_ALLOW_ADDRESSES."""
    if crawler not in _POLICIES:
        arguments = getattr(crawler.spider, "arguments", None)
        is_ours = hasattr(arguments, "start_urls")  # in other spiders it may be anything
        starts = arguments.start_urls() if is_ours else getattr(crawler.spider, "start_urls", ())  # type: ignore[union-attr]
        if crawler.spider is None:  # `scrapy shell URL` makes its spider last
            starts = sys.argv[1:]
        _POLICIES[crawler] = AddressPolicy(starts, settings_of(crawler).allow_addresses)
    return _POLICIES[crawler]


class Connecting:
    """The connection of one request; ``refusal`` is why an address was refused, or None.

    The operator's proxy itself is not checked; ``proxy_shown`` is its URL with secrets masked.
    """

    def __init__(self, request: Request, policy: AddressPolicy, *, verifies_certificates: bool) -> None:
        self.refusal: str | None = None
        parts = urlsplit(request.url)
        self._host, self._port = parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        self._policy = policy
        self._verifies_certificates = verifies_certificates
        self._proxy = _with_scheme(request.meta.get("proxy") or "")
        self._proxy_authorization: bytes | None = request.headers.get("Proxy-Authorization")
        self.proxy_shown = mask_url(self._proxy)
        self._addresses: list[str] = []

    async def resolve(self) -> None:
        """Resolve the host, unless a proxy does; raises CannotResolveHostError."""
        if self._proxy or literal_address(self._host) is not None:
            return
        self._addresses = await look_up(self._host) or await look_up(self._host.rstrip("."))
        if not self._addresses:
            raise CannotResolveHostError(f"unknown host {self._host}")

    def set_options(self, curl: pycurl.Curl) -> None:
        """Set libcurl's connection options; proxies from the environment are handled by ProxyMiddleware."""
        curl.setopt(pycurl.PROXY, self._proxy)
        curl.setopt(pycurl.NOPROXY, "")
        if self._proxy and self._proxy_authorization:
            curl.setopt(pycurl.PROXYHEADER, [b"Proxy-Authorization: " + self._proxy_authorization])
        if not self._proxy:
            curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        if self._addresses:
            listed = ",".join(f"[{each}]" if ":" in each else each for each in self._addresses)
            curl.setopt(pycurl.RESOLVE, [f"+{self._host}:{self._port}:{listed}"])
        file, folder = _trusted_authorities()
        curl.setopt(pycurl.CAINFO, file)
        if folder:
            curl.setopt(pycurl.CAPATH, folder)
        curl.setopt(pycurl.SSL_VERIFYPEER, int(self._verifies_certificates))
        curl.setopt(pycurl.SSL_VERIFYHOST, 2 if self._verifies_certificates else 0)

    def _open_socket(self, _purpose: int, address: Any) -> socket.socket | int:
        family, kind, protocol, target = address
        reason = self._policy.refusal(self._host, self._port, target[0])
        if reason:
            self.refusal = reason
            return pycurl.SOCKET_BAD
        return socket.socket(family, kind, protocol)


@implementer(IResolutionReceiver)
class _Answers:
    """Collects the addresses of a name; ``complete`` fires with them."""

    def __init__(self) -> None:
        self._addresses: list[str] = []
        self.complete: Deferred[list[str]] = Deferred()

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802
        """Do nothing: the lookup is never cancelled."""

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        """Add an address."""
        self._addresses.append(address.host)

    def resolutionComplete(self) -> None:  # noqa: N802
        """Fire ``complete`` with the addresses."""
        self.complete.callback(self._addresses)


async def look_up(host: str) -> list[str]:
    """Resolve a name with Scrapy's DNS settings; return its numeric addresses, none if it is unknown."""
    from twisted.internet import reactor

    answers = _Answers()
    reactor.nameResolver.resolveHostName(answers, host)
    return await maybe_deferred_to_future(answers.complete)


def raise_open_file_limit() -> None:
    """Raise the soft limit of open files to the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, 65_536)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


@cache
def _trusted_authorities() -> tuple[str, str | None]:
    """Return file and folder of the trusted CA certificates; SSL_CERT_FILE and SSL_CERT_DIR override the system's."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile or certifi.where(), paths.capath


def _with_scheme(proxy: str) -> str:
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


_NAMES_ARE_THE_PROXYS = ("socks4a:", "socks5h:")
"""With these schemes the proxy resolves names."""


class AddressMiddleware(Component):
    """Resolve each request's host, and refuse the request unless every address is allowed."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._policy = policy_of(crawler)
        self._unknown_hosts: set[str] = set()

    async def process_request(self, request: Request) -> None:
        """Let the request pass, or raise RefusedAddressError with the reason."""
        parts = urlparse_cached(request)
        host, port = parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        for address in await self._addresses_of(host, request.meta.get("proxy") or ""):
            reason = self._policy.refusal(host, port, address)
            if reason:
                raise RefusedAddressError(reason)

    async def _addresses_of(self, host: str, proxy: str) -> list[str]:
        literal = literal_address(host)
        if literal is not None:
            return [literal]
        if not host or host in self._unknown_hosts or proxy.startswith(_NAMES_ARE_THE_PROXYS):
            return []
        addresses = await look_up(host)
        if not addresses:
            self._unknown_hosts.add(host)
        return addresses


_OURS = "_scheme_proxy"
"""Meta key: the proxy came from the environment. Scrapy's redirect code uses this name and the next one."""
_WITH_LOGIN = "_auth_proxy"
_LOGIN = "Proxy-Authorization"


class ProxyMiddleware:
    """Replace Scrapy's HttpProxyMiddleware, with support for ``all_proxy`` and SOCKS.

    A request's meta key ``proxy`` overrides the environment; None means a direct connection. Its URL contains the login
    of a SOCKS proxy; the login of an HTTP proxy is sent as a header, as in Scrapy.
    """

    def __init__(self, settings: BaseSettings) -> None:
        self._proxies = proxies_of(settings)
        self._encoding: str = settings["HTTPPROXY_AUTH_ENCODING"] or "latin-1"

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "ProxyMiddleware":
        """Return the middleware; raises NotConfigured, or ConfigurationError for an invalid proxy."""
        if not crawler.settings.getbool("HTTPPROXY_ENABLED"):
            raise NotConfigured
        return cls(crawler.settings)

    def process_request(self, request: Request) -> None:
        """Choose the proxy for the current URL: a redirect or a resumed crawl may need another one."""
        if request.meta.pop(_OURS, False):
            request.meta.pop("proxy", None)
        if "proxy" in request.meta:
            own = request.meta["proxy"]
            self._set(request, parse_proxy(own, "proxy") if own else None)
            return
        proxy = self._proxies.proxy_for(request.url)
        self._set(request, proxy)
        if proxy is not None:
            request.meta[_OURS] = True

    def _set(self, request: Request, proxy: Proxy | None) -> None:
        url = (proxy.url if proxy.is_socks else proxy.shown) if proxy else None
        if url or request.meta.get("proxy"):
            request.meta["proxy"] = url
        if proxy and proxy.user is not None and not proxy.is_socks:
            request.headers[_LOGIN] = self._header(proxy)
            request.meta[_WITH_LOGIN] = url
        elif request.meta.get(_WITH_LOGIN, url) != url or not url:
            request.headers.pop(_LOGIN, None)
            request.meta.pop(_WITH_LOGIN, None)
        elif _LOGIN in request.headers:
            request.meta[_WITH_LOGIN] = url

    def _header(self, proxy: Proxy) -> bytes:
        return b"Basic " + b64encode(f"{proxy.user}:{proxy.password}".encode(self._encoding))


def proxies_of(settings: BaseSettings) -> Proxies:
    """Return the proxies of this crawl; raises ConfigurationError for an invalid one."""
    if not settings.getbool("HTTPPROXY_ENABLED"):
        return Proxies({})
    proxies, encoding = Proxies.of_environment(), settings["HTTPPROXY_AUTH_ENCODING"] or "latin-1"
    for proxy in proxies.all():
        try:
            f"{proxy.user}{proxy.password}".encode(encoding)
        except UnicodeEncodeError as error:
            problem = f"cannot encode the login of the proxy {proxy.shown} in {encoding}"
            raise ConfigurationError(f"HTTPPROXY_AUTH_ENCODING={encoding}: {problem}") from error
    return proxies
