"""From a host to a connection: to one of its addresses that may be reached, or through the proxy of the crawl."""

import asyncio
import socket
import ssl
import struct
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from audiocrawler.addresses import literal_address
from audiocrawler.proxies import Proxies, Proxy

_LIMIT = 256 * 1024
_NO_LOGIN, _WITH_LOGIN = 0, 2
"""SOCKS5's methods of authentication (RFC 1928, section 3)."""
_IPV4, _NAME, _IPV6 = 1, 3, 4
"""SOCKS5's kinds of addresses (RFC 1928, section 5)."""
_GRANTED = 90
"""What SOCKS4 answers to a request that it fulfils."""


class RefusedError(Exception):
    """Raised when a host may not be connected to; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Connection:
    """An open connection; ``is_proxy`` says that an HTTP proxy is at its end, which wants ``credentials``."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_proxy: bool = False
    credentials: str = ""


class Route:
    """Connects to hosts by the crawl's rules, through the proxies that are given for them."""

    def __init__(self, refusal: Callable[[str, int, str], str | None], proxies: Proxies) -> None:
        self._refusal = refusal
        self._proxies = proxies

    async def connect(self, scheme: str, host: str, port: int) -> Connection:
        """Return a connection to the host; raises RefusedError, OSError."""
        proxy = self._proxies.proxy_for(f"{scheme}://{_bracketed(host)}:{port}")
        if proxy is None:
            return await self._direct(host, port)
        if not proxy.is_socks:
            await self._allowed(host, port, may_be_unknown=True)
            return await _by_http(proxy, host, port, tunnel=scheme == "https")
        if proxy.alone_knows_names and literal_address(host) is None:
            return await _by_socks(proxy, host, port)
        return await _by_socks(proxy, (await self._allowed(host, port))[0], port)

    async def _direct(self, host: str, port: int) -> Connection:
        problem: OSError = OSError(f"{host} has no address")
        for address in await self._allowed(host, port, every=False):
            try:
                return Connection(*await asyncio.open_connection(address, port, limit=_LIMIT))
            except OSError as error:
                problem = error
        raise problem

    async def _allowed(self, host: str, port: int, *, every: bool = True, may_be_unknown: bool = False) -> list[str]:
        """Return the addresses of a host that may be connected to; raises RefusedError, also if not ``every`` one may.

        A name that is known to another proxy only is left to it, where it ``may_be_unknown``.
        """
        try:
            addresses = await _addresses(host, port)
        except OSError:
            if may_be_unknown:
                return []
            raise
        reasons = {address: self._refusal(host, port, address) for address in addresses}
        refused = next((reason for reason in reasons.values() if reason), None)
        allowed = [address for address, reason in reasons.items() if not reason]
        if refused and (every or not allowed):
            raise RefusedError(refused)
        return allowed


async def _addresses(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


async def _open(proxy: Proxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    tls = ssl.create_default_context() if proxy.scheme == "https" else None
    try:
        return await asyncio.open_connection(proxy.host, proxy.port, limit=_LIMIT, ssl=tls)
    except OSError as error:
        raise OSError(f"the proxy {proxy.shown} cannot be reached: {error}") from error


async def _by_http(proxy: Proxy, host: str, port: int, *, tunnel: bool) -> Connection:
    """Connect through a proxy that speaks HTTP, by CONNECT for a ``tunnel`` (RFC 9110, section 9.3.6)."""
    reader, writer = await _open(proxy)
    login = b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
    credentials = "" if proxy.user is None else f"Basic {login}"
    if not tunnel:
        return Connection(reader, writer, is_proxy=True, credentials=credentials)
    place = f"{_bracketed(host)}:{port}"
    asking = f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n"
    writer.write((asking + (f"Proxy-Authorization: {credentials}\r\n" if credentials else "") + "\r\n").encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    if answer.split(b" ", 2)[1:2] != [b"200"]:
        writer.close()
        raise OSError(f"the proxy {proxy.shown} did not connect to {host}")
    return Connection(reader, writer)


async def _by_socks(proxy: Proxy, host: str, port: int) -> Connection:
    """Connect through a SOCKS proxy, to which a name is passed as it is."""
    reader, writer = await _open(proxy)
    try:
        ask = _ask_socks_4 if proxy.scheme.startswith("socks4") else _ask_socks_5
        is_connected = await ask(proxy, reader, writer, host, port)
    except BaseException:
        writer.close()
        raise
    if not is_connected:
        writer.close()
        raise OSError(f"the proxy {proxy.shown} did not connect to {host}")
    return Connection(reader, writer)


async def _ask_socks_5(
    proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
) -> bool:
    """Return whether a SOCKS5 proxy has connected (RFC 1928, and 1929 for the login)."""
    method = _NO_LOGIN if proxy.user is None else _WITH_LOGIN
    writer.write(bytes([5, 1, method]))
    if (await reader.readexactly(2))[1] != method:
        return False
    if proxy.user is not None:
        writer.write(b"\x01" + _counted(proxy.user) + _counted(proxy.password))
        if (await reader.readexactly(2))[1]:
            return False
    writer.write(b"\x05\x01\x00" + _socks_address(host) + struct.pack("!H", port))
    _, reply, _, kind = await reader.readexactly(4)
    sizes = {_IPV4: 4, _IPV6: 16}
    await reader.readexactly((sizes.get(kind) or (await reader.readexactly(1))[0]) + 2)
    return reply == 0


async def _ask_socks_4(
    proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
) -> bool:
    """Return whether a SOCKS4 proxy has connected; a name goes to it by way of SOCKS4a."""
    literal = literal_address(host)
    address = socket.inet_aton(literal) if literal else b"\0\0\0\1"
    name = b"" if literal else host.encode() + b"\0"
    writer.write(struct.pack("!BBH", 4, 1, port) + address + (proxy.user or "").encode() + b"\0" + name)
    return (await reader.readexactly(8))[1] == _GRANTED


def _socks_address(host: str) -> bytes:
    literal = literal_address(host)
    if literal is None:
        return bytes([_NAME]) + _counted(host)
    address = ip_address(literal)
    return bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed


def _counted(text: str) -> bytes:
    raw = text.encode()
    if len(raw) > 255:
        raise OSError("too long for SOCKS")
    return bytes([len(raw)]) + raw


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
