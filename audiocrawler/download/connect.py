"""A download handler that connects to public addresses, and to what the operator has asked for, and to nothing else.

The check sits between name resolution and the connection, on the numeric address: a name that leads elsewhere at its
second look-up, or to several addresses, opens no way past it. A connection that is used again was checked when it was
made, for the same host and port.
"""

from copy import copy
from typing import Any
from weakref import WeakKeyDictionary

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler, _ScrapyAgent
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver, IReactorPluggableNameResolver
from twisted.web.client import URI, Agent, _StandardEndpointFactory
from zope.interface import implementer

from audiocrawler.addresses import AddressPolicy, literal_address

_POLICIES: "WeakKeyDictionary[Crawler, AddressPolicy]" = WeakKeyDictionary()


class RefusedAddressError(IgnoreRequest):
    """Raised in place of a connection to an address that is not allowed; it makes no sense to try it again."""


def policy_of(crawler: Crawler) -> AddressPolicy:
    """Return the one policy of a crawl; raises ConfigurationError for a wrong AUDIO_ALLOW_ADDRESSES."""
    if crawler not in _POLICIES:
        arguments = getattr(crawler.spider, "arguments", None)
        starts = arguments.start_urls() if arguments else getattr(crawler.spider, "start_urls", ())
        _POLICIES[crawler] = AddressPolicy(starts, crawler.settings["AUDIO_ALLOW_ADDRESSES"])
    return _POLICIES[crawler]


@implementer(IHostnameResolver)
class _LiteralResolver:
    """Resolves an address to itself: what a system's resolver makes of its spelling does not matter."""

    def __init__(self, address: str) -> None:
        self._address = address

    def resolveHostName(self, receiver: Any, hostName: str, portNumber: int = 0, *_: Any, **__: Any) -> Any:  # noqa: N802, N803
        kind = IPv6Address if ":" in self._address else IPv4Address
        receiver.resolutionBegan(self)
        receiver.addressResolved(kind("TCP", self._address, portNumber))
        receiver.resolutionComplete()
        return self

    def cancel(self) -> None:
        """Do nothing: there is nothing to wait for."""


@implementer(IReactorPluggableNameResolver)
class _CheckedReactor:
    """The reactor as the endpoint of one host and port sees it."""

    def __init__(self, reactor: Any, policy: AddressPolicy, host: str) -> None:
        self._reactor, self._policy, self._host = reactor, policy, host
        literal = literal_address(host)
        self.nameResolver = _LiteralResolver(literal) if literal else reactor.nameResolver

    def connectTCP(self, host: str, port: int, *args: Any, **kwargs: Any) -> Any:  # noqa: N802
        """Connect, or raise RefusedAddressError."""
        reason = self._policy.refusal(self._host, port, host)
        if reason:
            raise RefusedAddressError(reason)
        return self._reactor.connectTCP(host, port, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)


class _CheckedEndpoints(_StandardEndpointFactory):
    """Twisted's endpoints, each with a reactor that checks the address."""

    def __init__(self, unchecked: Any, policy: AddressPolicy) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            unchecked._reactor,  # noqa: SLF001 - Twisted offers no other way to keep an agent's own settings
            unchecked._policyForHTTPS,  # noqa: SLF001
            unchecked._connectTimeout,  # noqa: SLF001
            unchecked._bindAddress,  # noqa: SLF001
        )
        self._policy = policy

    def endpointForURI(self, uri: URI) -> Any:  # noqa: N802
        """Return the endpoint for the host and port of ``uri``."""
        checked = copy(self)
        host = uri.host.decode("ascii")
        checked._reactor = _CheckedReactor(self._reactor, self._policy, host)  # noqa: SLF001 - our own copy
        return _StandardEndpointFactory.endpointForURI(checked, uri)


class CheckedAgent(_ScrapyAgent):
    """Scrapy's agent that checks each address; a proxy, which the operator has named, is connected to unchecked."""

    def _get_agent(self, request: Request, timeout: float) -> Agent:
        agent = super()._get_agent(request, timeout)
        if not request.meta.get("proxy"):
            agent._endpointFactory = _CheckedEndpoints(agent._endpointFactory, policy_of(self._crawler))  # noqa: SLF001
        return agent


class CheckedDownloadHandler(HTTP11DownloadHandler):
    """Scrapy's HTTP/1.1 handler with agents that check each address."""

    async def download_request(self, request: Request) -> Response:
        """Download as Scrapy's handler does; raises RefusedAddressError, too."""
        agent = CheckedAgent(
            contextFactory=self._contextFactory,
            bindAddress=self._bind_address,
            pool=self._pool,
            maxsize=self._default_maxsize,
            warnsize=self._default_warnsize,
            fail_on_dataloss=self._fail_on_dataloss,
            crawler=self._crawler,
            tls_verbose_logging=self._tls_verbose_logging,
        )
        with wrap_twisted_exceptions():
            return await maybe_deferred_to_future(agent.download_request(request))
