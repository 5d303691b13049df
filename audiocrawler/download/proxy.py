"""Sends requests through the proxies of the environment, and none past them."""

from base64 import b64encode

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.settings import BaseSettings

from audiocrawler.errors import ConfigurationError
from audiocrawler.proxies import Proxies, Proxy, parse_proxy

_OURS = "_scheme_proxy"
"""In the meta of a request whose proxy is the environment's; Scrapy's redirects know this name and the next one."""
_WITH_LOGIN = "_auth_proxy"
_LOGIN = "Proxy-Authorization"


class ProxyMiddleware:
    """Stands for Scrapy's HttpProxyMiddleware, and knows ``all_proxy`` and SOCKS, too.

    A request's own meta key ``proxy`` goes before the environment; None there is a direct connection. The key holds a
    URL: of an HTTP proxy without its login, which is a header as with Scrapy, of a SOCKS proxy with it.
    """

    def __init__(self, settings: BaseSettings) -> None:
        self._proxies = proxies_of(settings)
        self._encoding: str = settings["HTTPPROXY_AUTH_ENCODING"] or "latin-1"

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "ProxyMiddleware":
        """Return the middleware, or NotConfigured; raises ConfigurationError for a proxy that cannot be used."""
        if not crawler.settings.getbool("HTTPPROXY_ENABLED"):
            raise NotConfigured
        return cls(crawler.settings)

    def process_request(self, request: Request) -> None:
        """Choose the proxy anew: a redirect or another run may have led to another one."""
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
    """Return the proxies that this crawl uses; raises ConfigurationError for one that cannot be used."""
    if not settings.getbool("HTTPPROXY_ENABLED"):
        return Proxies({})
    proxies, encoding = Proxies.of_environment(), settings["HTTPPROXY_AUTH_ENCODING"] or "latin-1"
    for proxy in proxies.all():
        try:
            f"{proxy.user}{proxy.password}".encode(encoding)
        except UnicodeEncodeError as error:
            problem = f"the login of the proxy {proxy.shown} cannot be written in {encoding}"
            raise ConfigurationError(f"HTTPPROXY_AUTH_ENCODING={encoding}: {problem}") from error
    return proxies
