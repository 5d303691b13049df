"""Run HTTP exchanges over libcurl on checked connections, and build Scrapy responses from them."""

from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import Any

import pycurl
from scrapy import Request
from scrapy.exceptions import CannotResolveHostError, StopDownload
from scrapy.http import Response
from scrapy.responsetypes import responsetypes
from scrapy.settings import BaseSettings

from audiocrawler.fetch.back_off import BROKEN_OFF_RETRIES
from audiocrawler.fetch.connect import Connecting
from audiocrawler.fetch.curl import (
    ALWAYS,
    MISSING_INTERMEDIATE,
    Exchange,
    Head,
    Receiver,
    TlsError,
    UntrustedIssuerError,
)
from audiocrawler.fetch.encodings import HEAD_BYTES, is_encoded
from audiocrawler.model.addresses import AddressPolicy
from audiocrawler.model.errors import EncodingError


def response_of(
    request: Request, exchange: Exchange, body: bytes, stop: StopDownload | None, flags: list[str]
) -> Response:
    """Return the response with its body in memory; raises StopDownload if a signal handler asked for it."""
    head = exchange.head
    assert head is not None
    _drop_wrong_encoding(head, body)
    kind = responsetypes.from_args(headers=head.headers, url=request.url, body=body)
    response = kind(
        request.url,
        status=head.status,
        headers=head.headers,
        body=body,
        flags=[*flags, *(["download_stopped"] if stop else [])],
        ip_address=ip_address(exchange.ip_address) if exchange.ip_address else None,
        protocol=head.protocol,
    )
    if stop is not None and stop.fail:
        stop.response = response
        raise stop
    return response


def _drop_wrong_encoding(head: Head, body: bytes) -> None:
    """Remove a false Content-Encoding before Scrapy's middleware fails on it."""
    if not body or "Content-Encoding" not in head.headers:
        return
    with suppress(EncodingError):
        if not is_encoded(head.all_text("Content-Encoding"), body[:HEAD_BYTES]):
            head.headers.pop("Content-Encoding")


def accepts_dataloss(request: Request, settings: BaseSettings, *, is_page: bool = False) -> bool:
    """Return whether a body that broke off is taken as it is.

    A file is, where DOWNLOAD_FAIL_ON_DATALOSS is off; a page is, as browsers take it; both at the last try only.
    """
    fails = request.meta.get("download_fail_on_dataloss", settings.getbool("DOWNLOAD_FAIL_ON_DATALOSS"))
    if fails and not is_page:
        return False
    if request.meta.get("dont_retry") or not settings.getbool("RETRY_ENABLED"):
        return True
    most = int(request.meta.get("max_retry_times", settings.getint("RETRY_TIMES")))
    return int(request.meta.get("retry_times", 0)) >= min(most, BROKEN_OFF_RETRIES)


MAX_IDLE_CONNECTIONS = 64
"""Idle connections kept open for reuse, over all hosts."""
_OF_PROBE: dict[int, Any] = {pycurl.CONNECT_ONLY: 1, pycurl.OPT_CERTINFO: 1, pycurl.TIMEOUT: 10}


class Client:
    """Run a crawl's exchanges on its event loop, and pool their connections."""

    def __init__(self, policy: Callable[[], AddressPolicy], *, verifies_certificates: bool) -> None:
        self._policy = policy
        self._verifies_certificates = verifies_certificates
        self._under_way: set[Exchange] = set()
        self._multi = pycurl.AsyncCurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, MAX_IDLE_CONNECTIONS)

    def exchange(self, request: Request, receiver: Receiver) -> Exchange:
        """Return a new exchange for a request, not started."""
        connecting = Connecting(request, self._policy(), verifies_certificates=self._verifies_certificates)
        return Exchange(request, receiver, connecting)

    async def run(self, exchange: Exchange) -> None:
        """Run the exchange; raises what ``Exchange.run`` raises."""
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
        """Return how many certificates the server sends, 0 if unknown."""
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
        """Abort all running exchanges; each raises the error."""
        for exchange in list(self._under_way):
            exchange.abort(error)

    async def close(self) -> None:
        """Close all connections."""
        await self._multi.aclose()
