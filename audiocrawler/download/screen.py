"""Refuses a request before anything is asked for it, where its host leads to an address that is not allowed.

The connection itself is checked in any case; this also covers a proxy, which looks names up and connects on its own,
and spares the host the request for its robots.txt. A name that is known to the proxy only is left to the proxy.
"""

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.utils.httpobj import urlparse_cached

from audiocrawler.addresses import literal_address
from audiocrawler.download.connect import RefusedAddressError, look_up, policy_of

_PORTS = {"http": 80, "https": 443}
_NAMES_ARE_THE_PROXYS = ("socks4a:", "socks5h:")
"""Who chooses such a proxy wants no name looked up here."""


class AddressMiddleware:
    """Looks each request's host up, and lets the request pass if every address may be connected to."""

    def __init__(self, crawler: Crawler) -> None:
        self._policy = policy_of(crawler)
        self._unknown_hosts: set[str] = set()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "AddressMiddleware":
        """Return the middleware; raises ConfigurationError for a wrong AUDIO_ALLOW_ADDRESSES."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let the request pass, or raise RefusedAddressError with the reason."""
        parts = urlparse_cached(request)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
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
