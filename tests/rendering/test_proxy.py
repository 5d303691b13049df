"""The proxy passes on what the crawl may reach, for its own browser only."""

import asyncio
import socket
from base64 import b64encode
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

import pytest

from audiocrawler.model.addresses import AddressPolicy
from audiocrawler.model.proxies import Proxies, parse_proxy
from audiocrawler.rendering.proxy import FilteringProxy
from tests.emulators.http_proxy import HttpProxy
from tests.emulators.socks_proxy import SocksProxy
from tests.site.server import Site

Refusal = Callable[[str, int, str], str | None]


def allow(_host: str, _port: int, _address: str) -> None:
    return None


def run(
    talk: Callable[[FilteringProxy], Coroutine[Any, Any, bytes]],
    refusal: Refusal = allow,
    proxies: Proxies | None = None,
) -> bytes:
    async def with_proxy() -> bytes:
        proxy = FilteringProxy(refusal, proxies or Proxies({}))
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


def test_another_proxy_opens_no_way_to_a_refused_address() -> None:
    proxies = Proxies({"http": parse_proxy("http://127.0.0.1:1", "http_proxy")})
    refusal = AddressPolicy(["https://example.org/"]).refusal
    answer = run(lambda proxy: ask(proxy, "GET http://localhost:8080/ HTTP/1.1\r\nHost: x"), refusal, proxies)
    assert answer.startswith(b"HTTP/1.1 403")


def test_a_server_that_is_not_there_is_a_bad_gateway() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        answer = run(lambda proxy: ask(proxy, f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: x"))
    assert answer.startswith(b"HTTP/1.1 502")


LOGIN = ("user", "se:cr@et")


def through(*, tunnel: bool, url: str, site: Site, refusal: Refusal = allow, name: str = "far.test") -> bytes:
    """Return what comes of a page that the browser asks for by a name, of which only the proxy at ``url`` knows."""
    proxy = parse_proxy(url, "proxy")
    place = f"{name}:{urlsplit(site.url).port}"
    asking = f"GET /about.html HTTP/1.1\r\nHost: {place}\r\nConnection: close\r\n\r\n".encode()
    head = f"CONNECT {place} HTTP/1.1\r\nHost: {place}" if tunnel else f"GET http://{place}/about.html HTTP/1.1"
    return run(
        lambda own: ask(own, head, then=asking if tunnel else b""), refusal, Proxies({"http": proxy, "https": proxy})
    )


@pytest.mark.parametrize("tunnel", [False, True])
@pytest.mark.parametrize("login", [None, LOGIN])
def test_an_http_proxy_is_gone_through(site: Site, login: tuple[str, str] | None, *, tunnel: bool) -> None:
    with HttpProxy({"far.test": "127.0.0.1"}, login) as outer:
        assert b"</html>" in through(tunnel=tunnel, url=outer.url, site=site)
        assert [method for method, _ in outer.asked] == ["CONNECT" if tunnel else "GET"]
        assert (
            b"</html>" not in through(tunnel=tunnel, url=f"http://me:x@127.0.0.1:{outer.port}", site=site) or not login
        )
    assert outer.refused == bool(login)


@pytest.mark.parametrize("tunnel", [False, True])
@pytest.mark.parametrize(("scheme", "login"), [("socks5h", None), ("socks5h", LOGIN), ("socks4a", None)])
def test_a_socks_proxy_is_gone_through_and_alone_looks_names_up(
    site: Site, scheme: str, login: tuple[str, str] | None, monkeypatch: pytest.MonkeyPatch, *, tunnel: bool
) -> None:
    monkeypatch.setattr("audiocrawler.rendering.proxy._addresses", None)
    with SocksProxy({"far.test": "127.0.0.1"}, login) as outer:
        assert b"</html>" in through(tunnel=tunnel, url=outer.url(scheme), site=site)
    assert outer.asked == [("far.test", urlsplit(site.url).port)]


@pytest.mark.parametrize("scheme", ["socks5", "socks4"])
def test_a_socks_proxy_without_names_gets_an_address_that_was_checked(site: Site, scheme: str) -> None:
    with SocksProxy() as outer:
        assert b"</html>" in through(tunnel=True, url=outer.url(scheme), site=site, name="127.0.0.1")
        policy = AddressPolicy(["https://example.org/"])
        for other in (scheme, "socks5h"):
            answer = through(tunnel=True, url=outer.url(other), site=site, name="127.0.0.1", refusal=policy.refusal)
            assert answer.startswith(b"HTTP/1.1 403")
    assert outer.asked == [("127.0.0.1", urlsplit(site.url).port)]


@pytest.mark.parametrize("scheme", ["http", "https", "socks5h", "socks4a", "socks5"])
def test_nothing_goes_past_a_proxy_that_is_dead_or_refuses(site: Site, scheme: str) -> None:
    for tunnel in (False, True):
        answer = through(tunnel=tunnel, url=f"{scheme}://127.0.0.1:9", site=site, name="127.0.0.1")
        assert answer.startswith(b"HTTP/1.1 502")
    with SocksProxy(login=LOGIN) as outer:
        answer = through(tunnel=True, url=f"socks5h://me:x@127.0.0.1:{outer.port}", site=site, name="127.0.0.1")
        assert answer.startswith(b"HTTP/1.1 502")
    assert site.requests == []
