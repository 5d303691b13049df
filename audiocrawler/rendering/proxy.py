"""The forward proxy on loopback through which the browser reaches the network, and which decides what it may reach.

It takes HTTP in absolute form and CONNECT (RFC 9112, section 3.2), only with this run's password, resolves names itself
and connects to no address that the crawl's policy refuses.
"""

import asyncio
import logging
import secrets
from base64 import b64encode
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from audiocrawler.proxies import Proxies
from audiocrawler.rendering.proxy_route import Connection, RefusedError, Route

logger = logging.getLogger(__name__)

HEAD_S = 30.0
"""How long a client may take to say what it wants, and a server to be connected to."""
MAX_HEAD_BYTES = 256 * 1024
_CHUNK_BYTES = 64 * 1024
_CHALLENGE = 'Proxy-Authenticate: Basic realm="crawl"\r\n'
_OWN_HEADERS = ("proxy-authorization", "proxy-connection", "connection", "keep-alive")


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a message in its three words, and its headers as they came."""

    words: tuple[str, str, str]
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """Return the value of a header, empty if there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def encoded(self, words: tuple[str, str, str] | None = None, **added: str) -> bytes:
        """Return the head as it is passed on: with ``Connection: close`` in place of the connection's own headers."""
        kept = [(key, value) for key, value in self.headers if key.lower() not in _OWN_HEADERS]
        lines = [" ".join(words or self.words), *(f"{key}: {value}" for key, value in kept)]
        lines += [f"{key.replace('_', '-')}: {value}" for key, value in added.items()]
        return ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode("latin-1")


class FilteringProxy:
    """A proxy of one crawl, before the ``proxies`` that the crawl goes through.

    ``refusal(host, port, address)`` returns why an address is not connected to, or None.
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
        """Return what Playwright's ``launch`` takes as ``proxy``; loopback goes through it, too."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return {
            "server": f"http://127.0.0.1:{port}",
            "bypass": "<-loopback>",
            "username": "crawl",
            "password": self._password,
        }

    async def close(self) -> None:
        """End every connection and stop listening."""
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
        except RefusedError as error:
            logger.info("the browser is not let through: %s", error)
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
    """Return the head of the next message; raises ValueError for what is none, EOFError at the end."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip("\r\n").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2:
        raise ValueError(first)
    pairs = (line.partition(":") for line in lines)
    return Head((words[0], words[1], words[2] if len(words) > 2 else ""), tuple((k, v.strip()) for k, _, v in pairs))


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end."""
    while chunk := await reader.read(_CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()


async def _relay_answer(server: Connection, writer: asyncio.StreamWriter) -> None:
    """Copy an answer; each connection carries one, since the next request may be for another host."""
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
    """Copy in both directions until the server has ended, or the client has gone."""
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
