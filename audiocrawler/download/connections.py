"""Connections within bounds: how many are kept open, how many files the process may open, how long a header may be."""

import resource
from typing import Any

from scrapy.core.downloader.handlers.http11 import (
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
    _LenientHTTPClientParser,
)
from scrapy.exceptions import DownloadFailedError
from twisted.internet.defer import Deferred
from twisted.web.client import HTTPConnectionPool
from twisted.web.iweb import IResponse

MAX_HEADER_BYTES = 256 * 1024
"""Of all header lines of an answer; Twisted bounds one line (16 KiB), and not how many there are."""
MAX_IDLE_CONNECTIONS = 64
"""Kept open for another request, over all hosts."""
IDLE_S = 30


class HeadersTooLongError(DownloadFailedError):
    """Raised when the headers of an answer go on and on."""


class BoundedParser(_LenientHTTPClientParser):
    """Scrapy's parser of answers, which gives up when their headers are too long."""

    header_bytes = 0

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 - Twisted's name
        """Take the next header line."""
        self.header_bytes += len(line) + 2
        if self.header_bytes > MAX_HEADER_BYTES:
            raise HeadersTooLongError(f"its headers are longer than {MAX_HEADER_BYTES} bytes")
        super().lineReceived(line)


class BoundedProtocol(_LenientHTTP11ClientProtocol):
    """Scrapy's connection with the parser above."""

    def request(self, request: Any) -> "Deferred[IResponse]":
        """Send a request."""
        answer = super().request(request)
        assert self._parser is not None
        self._parser.__class__ = BoundedParser
        return answer


class BoundedFactory(_LenientHTTP11ClientFactory):
    """Makes such connections."""

    def buildProtocol(self, addr: Any) -> BoundedProtocol:  # noqa: N802 - Twisted's name
        """Return a new connection."""
        return BoundedProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]


class BoundedPool(HTTPConnectionPool):
    """A pool that closes the connection that has been idle the longest when too many are."""

    _factory = BoundedFactory
    cachedConnectionTimeout = IDLE_S  # noqa: N815 - Twisted's name

    def _putConnection(self, key: Any, connection: Any) -> None:  # noqa: N802 - Twisted's name
        super()._putConnection(key, connection)  # type: ignore[no-untyped-call]
        while len(self._timeouts) > MAX_IDLE_CONNECTIONS:
            self._drop(next(iter(self._timeouts)))

    def _drop(self, connection: Any) -> None:
        self._timeouts[connection].cancel()
        key = next(key for key, kept in self._connections.items() if connection in kept)
        self._removeConnection(key, connection)  # type: ignore[no-untyped-call]
        if not self._connections[key]:
            del self._connections[key]


def bounded(pool: HTTPConnectionPool) -> BoundedPool:
    """Return a pool like Scrapy's, within bounds."""
    reactor = pool._reactor  # noqa: SLF001 - it is asked for nowhere else
    own = BoundedPool(reactor, persistent=True)  # type: ignore[no-untyped-call]
    own.maxPersistentPerHost = pool.maxPersistentPerHost
    return own


def raise_open_files() -> None:
    """Let the process open as many files as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, 65_536)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
