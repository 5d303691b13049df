"""The proxy between Chromium and the network: checks every connection like the crawler's own."""

import asyncio
import logging
import secrets
import socket
import ssl
import struct
from base64 import b64encode
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from audiocrawler.model.addresses import literal_address
from audiocrawler.model.proxies import Proxies, Proxy

_LIMIT = 256 * 1024
_NO_LOGIN, _WITH_LOGIN = 0, 2
"""SOCKS5 authentication methods (RFC 1928, section 3)."""
_IPV4, _NAME, _IPV6 = 1, 3, 4
"""SOCKS5 address types (RFC 1928, section 5)."""
_GRANTED = 90
"""SOCKS4's reply code for success."""


class BlockedAddressError(Exception):
    """Raised when a connection to a host is not allowed; the message says why."""


@dataclass(frozen=True, slots=True)
class Connection:
    """An open connection; with ``is_proxy`` it ends at an HTTP proxy that requires ``credentials``."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_proxy: bool = False
    credentials: str = ""


class Route:
    """Connect to hosts under the crawl's address policy, through its proxies."""

    def __init__(self, refusal: Callable[[str, int, str], str | None], proxies: Proxies) -> None:
        self._refusal = refusal
        self._proxies = proxies

    async def connect(self, scheme: str, host: str, port: int) -> Connection:
        """Connect to the host; raises BlockedAddressError, OSError."""
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
        """Return the allowed addresses of a host; raises BlockedAddressError if none is, or with ``every`` not all are.

        With ``may_be_unknown`` an unresolved name returns none, and is left to the proxy.
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
            raise BlockedAddressError(refused)
        return allowed


async def _addresses(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


async def _open(proxy: Proxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    tls = ssl.create_default_context() if proxy.scheme == "https" else None
    try:
        return await asyncio.open_connection(proxy.host, proxy.port, limit=_LIMIT, ssl=tls)
    except OSError as error:
        raise OSError(f"could not connect to the proxy {proxy.shown}: {error}") from error


async def _by_http(proxy: Proxy, host: str, port: int, *, tunnel: bool) -> Connection:
    """Connect through an HTTP proxy, with CONNECT for a ``tunnel`` (RFC 9110, section 9.3.6)."""
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
    """Connect through a SOCKS proxy; a name is passed on unresolved."""
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
    """Return whether the SOCKS5 proxy connected (RFC 1928, and 1929 for the login)."""
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
    """Return whether the SOCKS4 proxy connected; names are sent by SOCKS4a."""
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
        raise OSError("host name or login longer than the 255 bytes that SOCKS allows")
    return bytes([len(raw)]) + raw


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


logger = logging.getLogger(__name__)

HEAD_S = 30.0
"""Timeout for the client's request head, and for connecting to a server."""
MAX_HEAD_BYTES = 256 * 1024
_CHUNK_BYTES = 64 * 1024
_OWN_HEADERS = ("proxy-authorization", "proxy-connection", "connection", "keep-alive")


@dataclass(frozen=True, slots=True)
class Head:
    """The three words of a message's first line, and its headers in order."""

    words: tuple[str, str, str]
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """Return the value of a header, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def encoded(self, words: tuple[str, str, str] | None = None, **added: str) -> bytes:
        """Return the head to forward, with ``Connection: close`` instead of the hop-by-hop headers."""
        kept = [(key, value) for key, value in self.headers if key.lower() not in _OWN_HEADERS]
        lines = [" ".join(words or self.words), *(f"{key}: {value}" for key, value in kept)]
        lines += [f"{key.replace('_', '-')}: {value}" for key, value in added.items()]
        return ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode("latin-1")


class FilteringProxy:
    """A crawl's local proxy for its browser; connects through the crawl's own ``proxies``.

    ``refusal(host, port, address)`` returns why an address is not allowed, or None.
    """

    def __init__(self, refusal: Callable[[str, int, str], str | None], proxies: Proxies) -> None:
        self._route = Route(refusal, proxies)
        self._password = secrets.token_urlsafe(24)
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=MAX_HEAD_BYTES)

    def settings(self) -> dict[str, str]:
        """Return the ``proxy`` argument of Playwright's ``launch``; loopback is proxied, too."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return {
            "server": f"http://127.0.0.1:{port}",
            "bypass": "<-loopback>",
            "username": "crawl",
            "password": self._password,
        }

    async def close(self) -> None:
        """Close every connection and stop listening."""
        if self._server is None:
            return
        self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        self._server = None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(read_head(reader), HEAD_S)
            if not self._is_ours(head):
                await _answer(
                    writer, "407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="crawl"\r\n'
                )
                return
            await self._pass_on(head, reader, writer)
        except BlockedAddressError as error:
            logger.info("browser request blocked: %s", error)
            await _answer(writer, "403 Forbidden")
        except (TimeoutError, OSError, ValueError, EOFError, asyncio.LimitOverrunError):
            await _answer(writer, "502 Bad Gateway")
        finally:
            writer.close()

    def _is_ours(self, head: Head) -> bool:
        expected = "Basic " + b64encode(f"crawl:{self._password}".encode()).decode()
        return secrets.compare_digest(head.get("proxy-authorization").encode(), expected.encode())

    async def _pass_on(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, version = head.words
        is_tunnel = method == "CONNECT"
        parts = urlsplit(f"//{target}" if is_tunnel else target)
        if not parts.hostname or (not is_tunnel and parts.scheme != "http"):
            raise ValueError(target)
        port = parts.port or 80
        server = await asyncio.wait_for(
            self._route.connect("https" if is_tunnel else "http", parts.hostname, port), HEAD_S
        )
        try:
            if is_tunnel:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await _join(reader, writer, server, pump(server.reader, writer))
                return
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            added = {"Proxy_Authorization": server.credentials} if server.credentials else {}
            server.writer.write(head.encoded((method, target if server.is_proxy else path, version), **added))
            await _join(reader, writer, server, _relay_answer(server, writer))
        finally:
            server.writer.close()


async def read_head(reader: asyncio.StreamReader) -> Head:
    """Read the head of the next message; raises ValueError if it is invalid, EOFError at the end."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip("\r\n").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2:
        raise ValueError(first)
    pairs = (line.partition(":") for line in lines)
    return Head((words[0], words[1], words[2] if len(words) > 2 else ""), tuple((k, v.strip()) for k, _, v in pairs))


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy ``reader`` to ``writer`` until the end."""
    while chunk := await reader.read(_CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()


async def _relay_answer(server: Connection, writer: asyncio.StreamWriter) -> None:
    """Copy one response; the connection is closed after it, since the next request may be for another host."""
    head = await read_head(server.reader)
    while head.words[1].startswith("1"):
        writer.write(head.encoded())
        head = await read_head(server.reader)
    writer.write(head.encoded())
    await pump(server.reader, writer)


async def _join(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    server: Connection,
    answer: Coroutine[None, None, None],
) -> None:
    """Copy in both directions until either side closes."""
    tasks = [asyncio.ensure_future(pump(reader, server.writer)), asyncio.ensure_future(answer)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(OSError):
            await writer.drain()


async def _answer(writer: asyncio.StreamWriter, status: str, header: str = "") -> None:
    with suppress(OSError):
        writer.write(f"HTTP/1.1 {status}\r\n{header}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
