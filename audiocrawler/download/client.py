"""The exchanges of a crawl over libcurl: run on its event loop, with connections that are kept for the next ones."""

from collections.abc import Callable
from typing import Any

import pycurl
from scrapy import Request
from scrapy.exceptions import CannotResolveHostError

from audiocrawler.addresses import AddressPolicy
from audiocrawler.download.connect import Connecting
from audiocrawler.download.curl import ALWAYS, Exchange, Receiver
from audiocrawler.download.curl_errors import MISSING_INTERMEDIATE, TlsError, UntrustedIssuerError

MAX_IDLE_CONNECTIONS = 64
"""Kept open for another request, over all hosts."""
_OF_PROBE: dict[int, Any] = {pycurl.CONNECT_ONLY: 1, pycurl.OPT_CERTINFO: 1, pycurl.TIMEOUT: 10}


class Client:
    """Runs the exchanges of a crawl on its event loop, and keeps their connections."""

    def __init__(self, policy: Callable[[], AddressPolicy], *, verifies_certificates: bool) -> None:
        self._policy = policy
        self._verifies_certificates = verifies_certificates
        self._under_way: set[Exchange] = set()
        self._multi = pycurl.AsyncCurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, MAX_IDLE_CONNECTIONS)

    def exchange(self, request: Request, receiver: Receiver) -> Exchange:
        """Return the exchange for a request; it is not begun."""
        connecting = Connecting(request, self._policy(), verifies_certificates=self._verifies_certificates)
        return Exchange(request, receiver, connecting)

    async def run(self, exchange: Exchange) -> None:
        """Return when the exchange has ended; raises as ``Exchange.run`` does."""
        self._under_way.add(exchange)
        try:
            await exchange.run(self._multi)
        except UntrustedIssuerError as error:
            if await self._certificates_sent(exchange.request) == 1:
                raise TlsError(f"TLS: {MISSING_INTERMEDIATE}") from error
            raise
        finally:
            self._under_way.discard(exchange)

    async def _certificates_sent(self, request: Request) -> int:
        """Return how many certificates the server of a request sends, 0 if that cannot be found out."""
        connecting = Connecting(request, self._policy(), verifies_certificates=False)
        curl = pycurl.Curl()
        try:
            await connecting.resolve()
            for option, value in {**ALWAYS, **_OF_PROBE, pycurl.URL: request.url}.items():
                curl.setopt(option, value)
            connecting.set_options(curl)
            await self._multi.perform(curl)
            return len(curl.getinfo(pycurl.INFO_CERTINFO))
        except (pycurl.error, CannotResolveHostError):
            return 0
        finally:
            curl.close()

    def abort_all(self, error: BaseException) -> None:
        """End what is under way; each exchange raises the error."""
        for exchange in list(self._under_way):
            exchange.abort(error)

    async def close(self) -> None:
        """Close all connections."""
        await self._multi.aclose()
