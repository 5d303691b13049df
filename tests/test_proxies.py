"""The proxies of the environment: each request goes through the one that is meant for it, and none past it."""

import asyncio
from base64 import b64encode
from pathlib import Path

import pytest
from scrapy import Request
from scrapy.settings import Settings
from scrapy.utils.test import get_crawler

from audiocrawler.fetch.connect import AddressMiddleware, ProxyMiddleware, proxies_of
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.proxies import Proxies
from tests.chromium import require_chromium
from tests.crawling import Run, crawl
from tests.emulators.http_proxy import HttpProxy
from tests.emulators.socks_proxy import SocksProxy
from tests.origins import Origin

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
FAR = {"far.test": "127.0.0.1"}
"""A name that only a proxy knows: what comes from there has come through it."""


def set_proxies(monkeypatch: pytest.MonkeyPatch, **given: str) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("given", "of_http", "of_https"),
    [
        ({}, None, None),
        ({"http_proxy": "http://a:1"}, "http://a:1", None),
        ({"HTTPS_PROXY": "https://a"}, None, "https://a:443"),
        ({"ALL_PROXY": "socks5h://a"}, "socks5h://a:1080", "socks5h://a:1080"),
        ({"all_proxy": "a:8080"}, "http://a:8080", "http://a:8080"),
        ({"all_proxy": "SOCKS4://u@a:5", "http_proxy": "http://[::1]:2/"}, "http://[::1]:2", "socks4://u:@a:5"),
        ({"http_proxy": "", "all_proxy": "socks5://u:p%40@a"}, *["socks5://u:p%40@a:1080"] * 2),
        (
            {"all_proxy": "socks://unused", "http_proxy": "http://a", "https_proxy": "socks4a://b"},
            "http://a:80",
            "socks4a://b:1080",
        ),
    ],
)
def test_a_scheme_has_its_own_proxy_or_that_of_all(
    given: dict[str, str], of_http: str | None, of_https: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_proxies(monkeypatch, **given)
    proxies = Proxies.of_environment()
    chosen = [proxies.proxy_for(f"{scheme}://e.test/") for scheme in ("http", "https")]
    assert [each and each.url for each in chosen] == [of_http, of_https]


def test_hosts_of_no_proxy_are_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    set_proxies(monkeypatch, ALL_PROXY="socks5h://a", NO_PROXY="lan.test, .corp.test,10.0.0.7,e.test:81,::1")
    proxies = Proxies.of_environment()
    direct = ("http://lan.test/", "https://a.lan.test:8443/", "http://x.corp.test/", "http://10.0.0.7:80/")
    for url in (*direct, "http://e.test:81/", "http://[::1]:80/"):
        assert proxies.proxy_for(url) is None, url
    for url in ("http://wlan.test/", "http://e.test/", "http://10.0.0.70/", "http://[::2]/"):
        assert proxies.proxy_for(url) is not None, url


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("ALL_PROXY", "socks://127.0.0.1:9", "unsupported proxy scheme socks"),
        ("http_proxy", "ftp://me:SeCrEt@h:1", "unsupported proxy scheme ftp"),
        ("HTTPS_PROXY", "http://me:SeCrEt@h:99999", "not a proxy URL"),
        ("http_proxy", "http://me:SeC/rEt@h:80", "not a proxy URL"),
        ("https_proxy", "me:SeCrEt@h:port", "not a proxy URL"),
        ("http_proxy", "http://[::1", "not a proxy URL"),
        ("http_proxy", "http://:80", "host or port is missing"),
        ("all_proxy", "socks5://h:0", "host or port is missing"),
        ("all_proxy", "/var/run/proxy.sock", "host or port is missing"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable(
    name: str, value: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_proxies(monkeypatch, **{name: value})
    with pytest.raises(ConfigurationError, match=f"^{name}=.*{problem}") as error:
        proxies_of(Settings())
    assert "SeC" not in str(error.value)
    assert proxies_of(Settings({"HTTPPROXY_ENABLED": False})).all() == []


def sent(middleware: ProxyMiddleware, request: Request) -> tuple[str | None, bytes | None]:
    middleware.process_request(request)
    return request.meta.get("proxy"), request.headers.get("Proxy-Authorization")


def test_a_requests_own_proxy_goes_before_and_a_redirect_chooses_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    set_proxies(monkeypatch, http_proxy="http://u:p@a:1", https_proxy="socks5h://u:p@b:2", no_proxy="lan.test")
    middleware = ProxyMiddleware.from_crawler(get_crawler())
    login = b"Basic " + b64encode(b"u:p")
    request = Request("http://e.test/")
    assert sent(middleware, request) == ("http://a:1", login)
    assert sent(middleware, request.replace(url="https://e.test/")) == ("socks5h://u:p@b:2", None)
    assert sent(middleware, request.replace(url="http://lan.test/")) == (None, None)
    assert sent(middleware, request.copy()) == ("http://a:1", login)
    assert sent(middleware, Request("http://e.test/", meta={"proxy": None})) == (None, None)
    own = Request("http://e.test/", meta={"proxy": "http://x:y@c:3"})
    assert sent(middleware, own) == ("http://c:3", b"Basic " + b64encode(b"x:y"))
    assert sent(middleware, own.replace(url="https://lan.test/")) == ("http://c:3", b"Basic " + b64encode(b"x:y"))
    given = Request("http://e.test/", meta={"proxy": "http://c:3"}, headers={"Proxy-Authorization": "Basic eA=="})
    assert sent(middleware, given) == ("http://c:3", b"Basic eA==")


@pytest.mark.parametrize("scheme", ["socks5h", "socks4a"])
def test_a_name_is_not_looked_up_here_where_the_proxy_is_to_do_it(scheme: str) -> None:
    middleware = AddressMiddleware.from_crawler(get_crawler())
    request = Request("http://far.test/", meta={"proxy": f"{scheme}://127.0.0.1:9"})
    asyncio.run(middleware.process_request(request))
    assert middleware._unknown_hosts == set()
    with pytest.raises(Exception, match="is not public"):
        asyncio.run(middleware.process_request(request.replace(url="http://10.0.0.1/")))


def through(proxy: HttpProxy | SocksProxy, folder: Path) -> tuple[Run, Origin]:
    """Crawl a page of audio at a host that only the proxy knows."""
    origin = Origin("127.0.0.1")
    port = origin.netloc.rpartition(":")[2]
    origin.html("/", "<audio src='/files/2024/a.mp3'></audio>")
    origin.audio("/files/2024/a.mp3")
    settings = {"LOG_LEVEL": "DEBUG", "AUDIO_ALLOW_ADDRESSES": f"127.0.0.0/8 far.test:{port}"}
    with proxy:
        run = crawl(folder, f"url=http://far.test:{port}/", settings=settings)
    origin.close()
    return run, origin


def assert_went_through(run: Run, origin: Origin) -> None:
    assert [row["status"] for row in run.sources.values()] == ["stored"]
    assert {path for path, _ in origin.asked} >= {"/", "/files/2024/a.mp3", "/robots.txt"}
    kept = [path for path in run.folder.rglob("*") if path.is_file() and b"SeCrEt" in path.read_bytes()]
    assert kept == []
    assert "SeCrEt" not in run.stdout + run.stderr


def test_all_proxy_is_gone_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = HttpProxy(FAR, ("me", "pSeCrEt"))
    set_proxies(monkeypatch, ALL_PROXY=proxy.url)
    run, origin = through(proxy, tmp_path)
    assert_went_through(run, origin)
    assert proxy.refused == 0


@pytest.mark.parametrize(("scheme", "login"), [("socks5h", ("me", "pSeCrEt")), ("socks4a", None)])
def test_a_socks_proxy_is_gone_through(
    scheme: str, login: tuple[str, str] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = SocksProxy(FAR, login)
    set_proxies(monkeypatch, all_proxy=proxy.url(scheme))
    run, origin = through(proxy, tmp_path)
    assert_went_through(run, origin)
    assert {host for host, _ in proxy.asked} == {"far.test"}
    assert proxy.refused == 0


@pytest.mark.parametrize("url", ["socks5://me:pSeCrEt@127.0.0.1:9", "http://me:pSeCrEt@127.0.0.1:9"])
def test_nothing_goes_past_a_dead_proxy_which_is_named(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_proxies(monkeypatch, all_proxy=url)
    origin = Origin("127.0.0.1")
    origin.html("/", "<audio src='/files/2024/a.mp3'></audio>")
    run = crawl(tmp_path, f"url=http://{origin.netloc}/", settings={"RETRY_TIMES": "0"})
    origin.close()
    assert run.code == 3
    assert origin.asked == []
    assert "127.0.0.1:9" in run.stdout + run.stderr
    assert "SeCrEt" not in run.stdout + run.stderr + run.log


def test_a_proxy_that_cannot_be_used_stops_the_crawl_before_its_first_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_proxies(monkeypatch, ALL_PROXY="socks://me:SeCrEt@127.0.0.1:9")
    origin = Origin("127.0.0.1")
    run = crawl(tmp_path, f"url=http://{origin.netloc}/")
    origin.close()
    assert (run.code, origin.asked, run.stderr.count("\n")) == (2, [], 1)
    assert run.stderr.startswith("scrapy: error: ALL_PROXY=socks://127.0.0.1:9: unsupported proxy scheme socks")


@pytest.mark.parametrize("kind", ["http", "socks5h"])
def test_the_browser_goes_through_the_proxy_with_what_opens_the_site(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_chromium()
    home, other = Origin("127.0.0.1"), Origin("127.0.0.2")
    home_port, other_port = (origin.netloc.rpartition(":")[2] for origin in (home, other))
    home.html(
        "/",
        f"""<div id=player></div><script>fetch('/api').then(a => a.text()).then(name => {{
        document.body.append(Object.assign(document.createElement('audio'), {{src: name}}))}});
        fetch('http://other.test:{other_port}/api', {{credentials: 'include'}}).catch(() => 0)</script>""",
    )
    home.html("/api", "/files/2024/a.mp3")
    home.audio("/files/2024/a.mp3")
    other.html("/api", "nothing")
    lines = ["home.test\tFALSE\t/\tFALSE\t0\tsid\tcSeCrEt", "#HttpOnly_.test\tTRUE\t/x\tFALSE\t0\tfar\tcSeCrEt2"]
    (tmp_path / "cookies.txt").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "headers.json").write_text('{"home.test": {"X-Key": "hSeCrEt"}}', encoding="utf-8")
    names = {"home.test": "127.0.0.1", "other.test": "127.0.0.2"}
    proxy = HttpProxy(names) if kind == "http" else SocksProxy(names)
    set_proxies(monkeypatch, ALL_PROXY=proxy.url if isinstance(proxy, HttpProxy) else proxy.url(kind))
    settings = {"AUDIO_COOKIES": "cookies.txt", "AUDIO_HEADERS": "headers.json"}
    settings["AUDIO_ALLOW_ADDRESSES"] = f"127.0.0.0/8 home.test:{home_port} other.test:{other_port}"
    with proxy:
        run = crawl(tmp_path, f"url=http://me:pSeCrEt@home.test:{home_port}/", "render=always", settings=settings)
    for origin in (home, other):
        origin.close()
    assert [row["status"] for row in run.sources.values() if row["kind"] == "audio"] == ["stored"]
    login = f"Basic {b64encode(b'me:pSeCrEt').decode()}"
    for path in ("/", "/api", "/files/2024/a.mp3"):
        assert set(home.sent(path, "Authorization")) == {login}
        assert set(home.sent(path, "X-Key")) == {"hSeCrEt"}
        assert set(home.sent(path, "Cookie")) == {"sid=cSeCrEt"}
    assert len(home.sent("/", "Cookie")) == 2
    assert other.sent("/api", "Authorization") == other.sent("/api", "X-Key") == other.sent("/api", "Cookie") == [None]
    assert "SeCrEt" not in run.stdout + run.stderr + run.log
