"""Decide which IP addresses the crawler may connect to.

Only public addresses are allowed (IANA IPv4 and IPv6 Special-Purpose Address Registries), so that a page cannot send
the crawler to its own machine, the local network or a cloud's metadata service (SSRF). Exempt are the host and port of
each start URL, and what the setting AUDIO_ALLOW_ADDRESSES lists.
"""

import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from audiocrawler.model.errors import ConfigurationError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_SPECIAL = """
0.0.0.0/8 unspecified
10.0.0.0/8 private
100.100.100.200/32 metadata
100.64.0.0/10 carrier-grade NAT
127.0.0.0/8 loopback
168.63.129.16/32 metadata
169.254.169.254/32 metadata
169.254.170.0/24 metadata
169.254.0.0/16 link-local
172.16.0.0/12 private
192.0.0.0/24 reserved
192.0.2.0/24 documentation
192.31.196.0/24 reserved
192.52.193.0/24 reserved
192.88.99.0/24 6to4
192.168.0.0/16 private
192.175.48.0/24 reserved
198.18.0.0/15 benchmark
198.51.100.0/24 documentation
203.0.113.0/24 documentation
224.0.0.0/4 multicast
240.0.0.0/4 reserved
::/128 unspecified
::1/128 loopback
::/96 IPv4-compatible
64:ff9b:1::/48 local NAT64
fd00:ec2::/32 metadata
fd20:ce::254/128 metadata
fc00::/7 private
fe80::/10 link-local
fec0::/10 private
ff00::/8 multicast
2001::/32 Teredo
2001:2::/48 benchmark
2001::/23 reserved
2001:db8::/32 documentation
2002::/16 6to4
2620:4f:8000::/48 reserved
3fff::/20 documentation
"""
_KINDS = [
    (ip_network(network), kind) for network, _, kind in (line.partition(" ") for line in _SPECIAL.split("\n") if line)
]
"""The first network that contains an address decides; some clouds' metadata services are outside 169.254.0.0/16."""
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # the only assigned part of IPv6 (RFC 4291, section 2.4)
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: how an IPv6-only network reaches IPv4
DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^:\[\]]*)(?::(?P<port>\d{1,5}))?", re.IGNORECASE)
_NAME = re.compile(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")


class AddressPolicy:
    """Allow or refuse the address that a host resolves to.

    ``allowed`` lists networks, addresses, names and ``host:port``, separated by spaces or commas. Raises
    ConfigurationError for an invalid one.
    """

    def __init__(self, start_urls: Iterable[str], allowed: str | Iterable[str] | None = None) -> None:
        self._starts = {origin for url in start_urls if (origin := _origin(url))}
        self._networks: list[Network] = []
        self._hosts: set[tuple[str, int | None]] = set()
        text = allowed if isinstance(allowed, str) else " ".join(allowed or ())
        for word in text.replace(",", " ").split():
            self._allow(word)

    def exempt(self, url: str) -> None:
        """Allow any address for this URL's host and port, as for a start URL."""
        if origin := _origin(url):
            self._starts.add(origin)

    def refusal(self, host: str, port: int, address: str) -> str | None:
        """Return why ``address``, to which ``host`` resolves, may not be connected to; None if it may."""
        numeric = _numeric(plain_host(address))
        if numeric is None:
            return f"{address} is not an IP address"
        kind, origin = kind_of(numeric), (plain_host(host), port)
        if kind is None:
            self._starts.discard(origin)  # DNS rebinding: a name that was public may not become private later
            return None
        if self._is_exempt(origin, numeric):
            return None
        return f"{numeric} is not public ({kind}); allow it with AUDIO_ALLOW_ADDRESSES"

    def _is_exempt(self, origin: tuple[str, int], address: Address) -> bool:
        host, port = origin
        if origin in self._starts or not self._hosts.isdisjoint({origin, (host, None)}):
            return True
        is_named = not self._hosts.isdisjoint({(str(address), port), (str(address), None)})
        return is_named or any(address in network for network in self._networks)

    def _allow(self, word: str) -> None:
        try:
            self._networks.append(ip_network(word))
        except ValueError as error:
            wrong = f"AUDIO_ALLOW_ADDRESSES={word}: not a network, address, host or host:port"
            if "host bits" in str(error):
                raise ConfigurationError(f"{wrong}; clear the host bits of the network") from error
            named = _host_and_port(word)
            if named is None:
                raise ConfigurationError(f"{wrong}; write for example 10.0.0.0/8 or media.lan:8080") from error
            self._hosts.add(named)


def kind_of(address: Address) -> str | None:
    """Return the address's special purpose, such as ``loopback``; None if it is public."""
    if isinstance(address, IPv6Address) and address in _NAT64:
        address = IPv4Address(int(address) & 0xFFFFFFFF)
    for network, kind in _KINDS:
        if address.version == network.version and address in network:
            return kind
    is_public = isinstance(address, IPv4Address) or address in _GLOBAL_UNICAST
    return None if is_public else "reserved"


def plain_host(host: str) -> str:
    """Return a URL's host normalised: lower case, ASCII, without final dot, an address in its usual form.

    Accepts every form that ``inet_aton`` does (decimal, octal, hexadecimal, short), and IPv6 with or without brackets.
    """
    with suppress(UnicodeError):  # an overlong label is kept as written
        host = host.encode("idna").decode("ascii")
    host = host.lower().removeprefix("[").removesuffix("]").removesuffix(".")
    address = _numeric(host)
    if address is None and not re.search(r"\s", host):
        try:
            address = IPv4Address(socket.inet_aton(host))
        except (OSError, UnicodeError):
            return host
    return str(address) if address else host


def literal_address(host: str) -> str | None:
    """Return the IP address if a URL's host is one, in any notation; None for a name."""
    address = _numeric(plain_host(host))
    return str(address) if address else None


def _numeric(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _host_and_port(word: str) -> tuple[str, int | None] | None:
    """Return host and port of ``host`` or ``host:port``; None if invalid."""
    match = _HOST_AND_PORT.fullmatch(word)
    host = plain_host(match["host"]) if match else ""
    port = int(match["port"]) if match and match["port"] else None
    if not (_numeric(host) or _NAME.fullmatch(host)) or not (port is None or 0 < port < 65536):
        return None
    return host, port


def _origin(url: str) -> tuple[str, int] | None:
    """Return host and port of an absolute URL; None if it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme.lower())
    except ValueError:
        return None
    return (plain_host(parts.hostname), port) if parts.hostname and port else None
