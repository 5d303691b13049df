"""A name service for a crawl: ``-s DNS_RESOLVER=tests.names.ListedNames``, its answers in the variable TEST_NAMES."""

import json
import os
from typing import Any

from scrapy.crawler import Crawler
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IHostnameResolver
from zope.interface import implementer

from audiocrawler.model.addresses import literal_address

VARIABLE = "TEST_NAMES"


def listed(**names: list[list[str]]) -> dict[str, str]:
    """Return the environment in which ``name.test`` has these answers, one after the other; the last one stays."""
    return {VARIABLE: json.dumps({f"{name}.test": answers for name, answers in names.items()})}


@implementer(IHostnameResolver)
class ListedNames:
    """Answers from the list and remembers nothing, as a name with a lifetime of 0 s; other names are unknown."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._answers: dict[str, list[list[str]]] = json.loads(os.environ[VARIABLE])

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: Any) -> "ListedNames":
        return cls(reactor)

    def install_on_reactor(self) -> None:
        self._reactor.installNameResolver(self)

    def resolveHostName(self, receiver: Any, hostName: str, portNumber: int = 0, *_: Any, **__: Any) -> Any:  # noqa: N802, N803
        answers = self._answers.get(hostName, [[hostName] if literal_address(hostName) else []])
        receiver.resolutionBegan(self)
        for address in answers.pop(0) if len(answers) > 1 else answers[0]:
            kind = IPv6Address if ":" in address else IPv4Address
            receiver.addressResolved(kind("TCP", address, portNumber))
        receiver.resolutionComplete()
        return self

    def cancel(self) -> None:
        pass
