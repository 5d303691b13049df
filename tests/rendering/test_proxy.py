"""The proxy passes on what the crawl may reach, for its own browser only."""

import asyncio
import socket
from base64 import b64encode
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

import pytest

from audiocrawler.addresses import AddressPolicy
from audiocrawler.rendering.proxy import FilteringProxy
from tests.site.server import Site

Refusal = Callable[[str, int, str], str | None]


def allow(_host: str, _port: int, _address: str) -> None:
    return None


def run(talk: Callable[[FilteringProxy], Coroutine[Any, Any, bytes]], refusal: Refusal = allow) -> bytes:
    async def with_proxy() -> bytes:
        proxy = FilteringProxy(refusal)
        await proxy.start()
        try:
            return await asyncio.wait_for(talk(proxy), 20)
        finally:
            await proxy.close()

    return asyncio.run(with_proxy())


async def ask(proxy: FilteringProxy, head: str, *, password: str | None = None, then: bytes = b"") -> bytes:
    settings = proxy.settings()
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(settings["server"]).port)
    user = f"{settings['username']}:{settings['password'] if password is None else password}"
    credentials = f"Proxy-Authorization: Basic {b64encode(user.encode()).decode()}\r\n"
    writer.write(f"{head}\r\n{credentials}\r\n".encode())
    first = await reader.read(65536)
    if then:
        writer.write(then)
    rest = await reader.read(-1)
    writer.close()
    return first + rest


def get(site: Site, path: str) -> str:
    return f"GET {site.url}{path} HTTP/1.1\r\nHost: {urlsplit(site.url).netloc}"


def test_a_request_is_passed_on_without_the_proxys_own_headers(site: Site) -> None:
    answer = run(lambda proxy: ask(proxy, get(site, "/about.html?x=1")))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"</html>" in answer
    (request,) = site.requests
    assert (request.path, request.headers["Proxy-Authorization"]) == ("/about.html?x=1", None)


def test_a_second_request_on_one_connection_goes_nowhere(site: Site) -> None:
    second = f"GET {site.url}/index.html HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    answer = run(lambda proxy: ask(proxy, get(site, "/about.html"), then=second))
    assert b"Connection: close" in answer
    assert [request.path for request in site.requests] == ["/about.html"]


def test_a_tunnel_is_opened(site: Site) -> None:
    place = urlsplit(site.url).netloc
    inner = f"GET /about.html HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n".encode()
    answer = run(lambda proxy: ask(proxy, f"CONNECT {place} HTTP/1.1\r\nHost: {place}", then=inner))
    assert answer.startswith(b"HTTP/1.1 200 Connection established")
    assert b"</html>" in answer


@pytest.mark.parametrize("method", ["GET", "CONNECT"])
def test_who_does_not_know_the_password_gets_nothing(site: Site, method: str) -> None:
    target = f"{site.url}/" if method == "GET" else urlsplit(site.url).netloc
    answer = run(lambda proxy: ask(proxy, f"{method} {target} HTTP/1.1\r\nHost: x", password="guess"))
    assert answer.startswith(b"HTTP/1.1 407")
    assert site.requests == []


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]"])
@pytest.mark.parametrize("method", ["GET", "CONNECT"])
def test_an_address_that_the_policy_refuses_is_not_connected_to(site: Site, method: str, name: str) -> None:
    port = urlsplit(site.url).port
    target = f"http://{name}:{port}/" if method == "GET" else f"{name}:{port}"
    answer = run(
        lambda proxy: ask(proxy, f"{method} {target} HTTP/1.1\r\nHost: x"),
        AddressPolicy(["https://example.org/"]).refusal,
    )
    assert answer.startswith(b"HTTP/1.1 403")
    assert site.requests == []


def test_the_proxy_of_the_environment_opens_no_way_to_a_refused_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("http_proxy", "http://127.0.0.1:1"), ("no_proxy", "")):
        monkeypatch.setenv(name, value)
    refusal = AddressPolicy(["https://example.org/"]).refusal
    answer = run(lambda proxy: ask(proxy, "GET http://localhost:8080/ HTTP/1.1\r\nHost: x"), refusal)
    assert answer.startswith(b"HTTP/1.1 403")


def test_a_server_that_is_not_there_is_a_bad_gateway() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        answer = run(lambda proxy: ask(proxy, f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: x"))
    assert answer.startswith(b"HTTP/1.1 502")


@pytest.mark.parametrize("method", ["GET", "CONNECT"])
def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        if method == "CONNECT":
            writer.write((await reader.read(100)).upper())
        await writer.drain()
        writer.close()

    async def through_another(proxy: FilteringProxy) -> bytes:
        outer = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://user:secret@127.0.0.1:{outer.sockets[0].getsockname()[1]}"
        for name, value in (("http_proxy", url), ("https_proxy", url), ("no_proxy", "")):
            monkeypatch.setenv(name, value)
        target = "http://far.example/x" if method == "GET" else "far.example:443"
        answer = await ask(proxy, f"{method} {target} HTTP/1.1\r\nHost: far.example", then=b"hello")
        outer.close()
        return answer

    answer = run(through_another)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"HELLO") == (method == "CONNECT")
    (head,) = heads
    expected = "GET http://far.example/x HTTP/1.1" if method == "GET" else "CONNECT far.example:443 HTTP/1.1"
    assert head.splitlines()[0] == expected
    assert f"Proxy-Authorization: Basic {b64encode(b'user:secret').decode()}" in head
