"""From a host to a connection: to one of its addresses that may be reached, or to the proxy of the environment."""

import asyncio
import socket
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass


class RefusedError(Exception):
    """Raised when a host may not be connected to; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Connection:
    """An open connection; ``is_proxy`` says that another proxy is at its end, which wants ``credentials``."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_proxy: bool = False
    credentials: str = ""


class Route:
    """Connects to hosts by the crawl's rules, through ``http_proxy`` and ``https_proxy`` where they are set."""

    def __init__(self, refusal: Callable[[str, int, str], str | None]) -> None:
        self._refusal = refusal

    async def connect(self, scheme: str, host: str, port: int) -> Connection:
        """Return a connection to the host; raises RefusedError, OSError."""
        proxy_url = getproxies().get(scheme)
        if not proxy_url or proxy_bypass(f"{host}:{port}"):
            return await self._direct(host, port)
        await self._check(host, port)
        return await _through(proxy_url, host, port, tunnel=scheme == "https")

    async def _direct(self, host: str, port: int) -> Connection:
        refused = None
        problem: OSError = OSError(f"{host} has no address")
        for address in await _addresses(host, port):
            if reason := self._refusal(host, port, address):
                refused = reason
                continue
            try:
                return Connection(*await asyncio.open_connection(address, port, limit=256 * 1024))
            except OSError as error:
                problem = error
        if refused:
            raise RefusedError(refused)
        raise problem

    async def _check(self, host: str, port: int) -> None:
        """Raise RefusedError where a host leads to what is refused, although another proxy would connect to it."""
        try:
            addresses = await _addresses(host, port)
        except OSError:
            return  # a name that is known to the other proxy only is left to it
        for address in addresses:
            if reason := self._refusal(host, port, address):
                raise RefusedError(reason)


async def _addresses(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


async def _through(proxy_url: str, host: str, port: int, *, tunnel: bool) -> Connection:
    parts = urlsplit(proxy_url if "://" in proxy_url else f"http://{proxy_url}")
    if parts.scheme != "http" or not parts.hostname:
        raise OSError(f"the browser cannot use a proxy of the kind {parts.scheme}")
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, limit=256 * 1024)
    user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    credentials = f"Basic {b64encode(user.encode()).decode()}" if parts.username else ""
    if not tunnel:
        return Connection(reader, writer, is_proxy=True, credentials=credentials)
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    asking = f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n"
    writer.write((asking + (f"Proxy-Authorization: {credentials}\r\n" if credentials else "") + "\r\n").encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    if answer.split(b" ", 2)[1:2] != [b"200"]:
        writer.close()
        raise OSError(f"the proxy {parts.hostname} did not connect to {host}")
    return Connection(reader, writer)
