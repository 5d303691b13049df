"""Where a crawl can be led: by pages, redirects, playlists and names, as a machine that nobody may reach sees it."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.crawling import Run, crawl
from tests.names import listed

TONE = (Path(__file__).parent / "site/audio/surf.mp3").read_bytes()
CLOSED = {"AUDIO_ALLOW_ADDRESSES": "", "RETRY_TIMES": "2"}
PUBLIC = "8.8.8.8"  # never connected to: it stands in answers of names only


class Inside:
    """Accepts every connection on a port of loopback, in both families, and counts them."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Outside:
    """A web server on loopback that answers with what it was given: a body with its type, or where to go."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.pages: dict[str, tuple[str, bytes] | str] = {}
        self.asked: list[tuple[str, str]] = []
        outside = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outside.asked.append((self.headers["Host"], self.path))
                page = outside.pages.get(self.path, ("text/plain", b""))
                kind, body = page if isinstance(page, tuple) else ("text/html", b"moved")
                self.send_response(302 if isinstance(page, str) else 200)
                if isinstance(page, str):
                    self.send_header("Location", page)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_CONNECT(self) -> None:
                outside.asked.append(("CONNECT", self.path))
                self.send_error(502)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((address, 0), Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://{address}:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def page(self, path: str, *parts: str) -> None:
        self.pages[path] = ("text/html", b"<!doctype html><title>t</title>" + "\n".join(parts).encode())

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def inside() -> Iterator[Inside]:
    machine = Inside()
    yield machine
    machine.close()


@pytest.fixture
def outside() -> Iterator[Outside]:
    server = Outside()
    yield server
    server.close()


def audio(*urls: str) -> str:
    return "\n".join(f'<audio src="{url}"></audio>' for url in urls)


def statuses(run: Run) -> set[str]:
    return {row["status"] for row in run.sources.values()}


SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "127.0.0.1.",
    "localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "１２７.0.0.1",  # noqa: RUF001 - full-width digits
    "0.0.0.0",
]


def test_no_spelling_of_an_address_in_a_page_leads_inside(inside: Inside, outside: Outside, tmp_path: Path) -> None:
    outside.page("/", audio(*(f"http://{host}:{inside.port}/files/old/{n}.mp3" for n, host in enumerate(SPELLINGS))))
    run = crawl(tmp_path, f"url={outside.url}/", settings=CLOSED)
    assert inside.connections == 0
    assert len(run.sources) == len(SPELLINGS)
    for row in run.sources.values():
        assert row["status"] == "denied", row
        assert "is not public (" in row["reason"]
        assert row["attempts"] == 1
    assert run.stdout.count("denied") == 1
    assert "is not public (loopback)" in run.stdout


def test_a_machine_that_is_allowed_is_reached_in_every_spelling(outside: Outside, tmp_path: Path) -> None:
    hosts = [host for host in SPELLINGS if "::1" not in host and host != "0.0.0.0"]
    outside.pages |= {f"/files/old/{n}.mp3": ("audio/mpeg", TONE) for n in range(len(hosts))}
    outside.page("/", audio(*(f"http://{host}:{outside.port}/files/old/{n}.mp3" for n, host in enumerate(hosts))))
    run = crawl(tmp_path, f"url={outside.url}/", settings={"AUDIO_ALLOW_ADDRESSES": "127.0.0.0/8"})
    assert statuses(run) <= {"stored", "duplicate"}
    assert len(run.sources) == len(hosts)


def test_no_redirect_leads_inside(inside: Inside, outside: Outside, tmp_path: Path) -> None:
    targets = [
        f"http://127.0.0.1:{inside.port}/",
        f"//2130706433:{inside.port}/",
        f"http://[::ffff:127.0.0.1]:{inside.port}/",
        f"http://0x7f.1:{inside.port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "https://metadata.google.internal/",
    ]
    outside.pages |= {f"/files/old/{n}.mp3": target for n, target in enumerate(targets)}
    outside.pages |= {f"/{n}.html": target for n, target in enumerate(targets)}
    links = [f'<a href="/{n}.html">{n}</a>' for n in range(len(targets))]
    outside.page("/", audio(*(f"/files/old/{n}.mp3" for n in range(len(targets)))), *links)
    settings = {**CLOSED, "DNS_RESOLVER": "tests.names.ListedNames"}
    names = listed() | {"TEST_NAMES": json.dumps({"metadata.google.internal": [["169.254.169.254"]]})}
    run = crawl(tmp_path, f"url={outside.url}/", "depth=1", settings=settings, env=names)
    assert inside.connections == 0
    assert len(run.sources) == len(targets)
    assert statuses(run) == {"denied"}
    assert {row["reason"].split(" is ")[0] for row in run.sources.values()} == {
        "127.0.0.1",
        "169.254.169.254",
        "fd00:ec2::254",
    }
    refused_pages = re.findall(r"\[audio\] INFO: (?!\S*\.mp3)\S+: \S+ is not public", run.log)
    assert len(refused_pages) == len(targets)


def test_no_redirect_leaves_http(inside: Inside, outside: Outside, tmp_path: Path) -> None:
    targets = ["file:///etc/passwd", "data:audio/mpeg,hello", f"ftp://127.0.0.1:{inside.port}/a.mp3", "s3://b/k.mp3"]
    outside.pages |= {f"/{n}.mp3": target for n, target in enumerate(targets)}
    outside.pages |= {f"/{n}": target for n, target in enumerate(targets)}
    links = "".join(f'<a href="/{n}">{n}</a>' for n in range(len(targets)))
    outside.page("/", audio(*targets, *(f"/{n}.mp3" for n in range(len(targets)))), links)
    run = crawl(tmp_path, f"url={outside.url}/", "depth=1", settings=CLOSED)
    assert inside.connections == 0
    statuses = {url: row["status"] for url, row in run.sources.items()}
    assert statuses.pop(targets[2]) == "failed"
    assert [statuses.pop(url) for url in list(statuses) if url.startswith("data:")] == [
        "not_audio"
    ]  # read, not sent for
    assert statuses == {f"{outside.url}/{n}.mp3": "failed" for n in range(len(targets))}
    assert "root:" not in run.log
    assert run.objects == []


def test_no_playlist_segment_sitemap_or_feed_leads_inside(inside: Inside, outside: Outside, tmp_path: Path) -> None:
    there = f"http://127.0.0.1:{inside.port}"
    hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2.0,\n{there}/segment.mp3\n#EXT-X-ENDLIST\n"
    enclosure = f'<item><enclosure url="{there}/e.mp3" type="audio/mpeg"/></item>'
    feed = f'<rss version="2.0"><channel><title>t</title>{enclosure}</channel></rss>'
    key = hls.replace("#EXTINF", f'#EXT-X-MAP:URI="{there}/map.mp4"\n#EXTINF').replace(f"{there}/segment", "/own")
    outside.pages |= {
        "/robots.txt": ("text/plain", f"Sitemap: {there}/sitemap.xml\n".encode()),
        "/list.m3u": ("audio/x-mpegurl", f"#EXTM3U\n{there}/entry.mp3\n{there}/nested.m3u\n".encode()),
        "/vod.m3u8": ("application/vnd.apple.mpegurl", hls.encode()),
        "/map.m3u8": ("application/vnd.apple.mpegurl", key.encode()),
        "/master.m3u8": (
            "application/vnd.apple.mpegurl",
            f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=90000\n{there}/variant.m3u8\n".encode(),
        ),
        "/feed.rss": ("application/rss+xml", feed.encode()),
    }
    links = "".join(f'<a href="/{name}">x</a>' for name in ("list.m3u", "vod.m3u8", "map.m3u8", "master.m3u8"))
    outside.page(
        "/",
        links,
        '<link rel="alternate" type="application/rss+xml" href="/feed.rss">',
        f'<link rel="alternate" type="application/rss+xml" href="{there}/feed.rss">',
        f'<iframe src="{there}/player.html"></iframe>',
    )
    run = crawl(tmp_path, f"url={outside.url}/", "depth=2", settings=CLOSED)
    assert inside.connections == 0
    assert run.sources[f"{there}/entry.mp3"]["status"] == "denied"
    assert run.sources[f"{there}/e.mp3"]["status"] == "denied"
    assert run.sources[f"{outside.url}/vod.m3u8"]["status"] == "denied"
    assert run.sources[f"{outside.url}/vod.m3u8"]["reason"].startswith("part 1 of 1: 127.0.0.1 is not public")
    assert f"{there}/sitemap.xml: 127.0.0.1 is not public" in run.log


def test_a_robots_txt_that_redirects_inside_counts_as_no(inside: Inside, outside: Outside, tmp_path: Path) -> None:
    other = Outside("127.0.0.2")
    other.pages["/robots.txt"] = f"http://127.0.0.1:{inside.port}/robots.txt"
    outside.page("/", audio(f"{other.url}/a.mp3"))
    run = crawl(tmp_path, f"url={outside.url}/", settings={**CLOSED, "AUDIO_ALLOW_ADDRESSES": "127.0.0.2"})
    other.close()
    assert inside.connections == 0
    (row,) = run.sources.values()
    assert row["status"] == "robots"
    assert "127.0.0.1 is not public (loopback)" in row["reason"]


def test_no_name_leads_inside(inside: Inside, outside: Outside, tmp_path: Path) -> None:
    names = {
        "plain": [["127.0.0.1"]],
        "ipv6": [["::1"]],
        "both": [[PUBLIC, "127.0.0.1"]],
        "rebound": [[PUBLIC], ["127.0.0.1"]],
        "several": [[PUBLIC], ["127.0.0.1", "::1", "::ffff:127.0.0.1"]],
    }
    outside.page("/", audio(*(f"http://{name}.test:{inside.port}/files/old/a.mp3" for name in names)))
    settings = {**CLOSED, "DNS_RESOLVER": "tests.names.ListedNames", "ROBOTSTXT_OBEY": "False"}
    run = crawl(tmp_path, f"url={outside.url}/", settings=settings, env=listed(**names))
    assert inside.connections == 0
    assert len(run.sources) == len(names)
    for row in run.sources.values():
        assert row["status"] == "denied", row
        assert "(loopback)" in row["reason"]


def test_the_exemption_of_a_start_is_for_its_host_and_port_only(inside: Inside, tmp_path: Path) -> None:
    start = Outside()
    start.page(
        "/",
        audio(
            *(
                f"{url}.mp3"
                for url in (
                    f"http://start.test:{inside.port}/files/old/a",
                    f"http://other.test:{start.port}/files/old/b",
                    "/files/old/c",
                )
            )
        ),
    )
    start.pages["/files/old/c.mp3"] = ("audio/mpeg", TONE)
    settings = {**CLOSED, "DNS_RESOLVER": "tests.names.ListedNames"}
    names = listed(start=[["127.0.0.1"]], other=[["127.0.0.1"]])
    run = crawl(tmp_path, f"url=http://start.test:{start.port}/", settings=settings, env=names)
    start.close()
    assert inside.connections == 0
    assert {url.rpartition("/")[2]: row["status"] for url, row in run.sources.items()} == {
        "a.mp3": "denied",
        "b.mp3": "denied",
        "c.mp3": "stored",
    }
    assert {host for host, _ in start.asked} == {f"start.test:{start.port}"}


def test_the_setting_opens_what_it_names(outside: Outside, tmp_path: Path) -> None:
    opened, closed = Outside("127.0.0.3"), Outside("127.0.0.4")
    opened.pages["/a.mp3"] = ("audio/mpeg", TONE)
    outside.page("/", audio(f"{opened.url}/a.mp3", f"{closed.url}/b.mp3"))
    settings = {"AUDIO_ALLOW_ADDRESSES": f"10.0.0.0/8, 127.0.0.3:{opened.port}"}
    run = crawl(tmp_path, f"url={outside.url}/", settings=settings)
    opened.close()
    closed.close()
    assert {url: row["status"] for url, row in run.sources.items()} == {
        f"{opened.url}/a.mp3": "stored",
        f"{closed.url}/b.mp3": "denied",
    }
    assert closed.asked == []


def test_a_wrong_setting_ends_with_2(tmp_path: Path) -> None:
    run = crawl(tmp_path, "url=https://example.org/", settings={"AUDIO_ALLOW_ADDRESSES": "10.0.0.1/8"})
    assert run.code == 2
    assert len(run.stderr.splitlines()) == 1
    assert "AUDIO_ALLOW_ADDRESSES=10.0.0.1/8: not a network" in run.stderr


def test_a_proxy_is_not_asked_for_what_is_known_to_be_inside(outside: Outside, tmp_path: Path) -> None:
    proxy = Outside()
    proxy.page(
        "http://start.test/",
        audio("http://inside.test/a.mp3", "https://inside.test/b.mp3", "http://169.254.169.254/c.mp3"),
        audio("http://known-to-the-proxy.test/d.mp3"),
    )
    proxy.pages["http://known-to-the-proxy.test/d.mp3"] = ("audio/mpeg", TONE)
    settings = {**CLOSED, "DNS_RESOLVER": "tests.names.ListedNames"}
    env = listed(inside=[["10.0.0.1"]]) | {"http_proxy": proxy.url, "https_proxy": proxy.url, "no_proxy": ""}
    run = crawl(tmp_path, "url=http://start.test/", settings=settings, env=env)
    proxy.close()
    assert {url: row["status"] for url, row in run.sources.items()} == {
        "http://inside.test/a.mp3": "denied",
        "https://inside.test/b.mp3": "denied",
        "http://169.254.169.254/c.mp3": "denied",
        "http://known-to-the-proxy.test/d.mp3": "stored",
    }
    assert {host for host, _ in proxy.asked} == {"start.test", "known-to-the-proxy.test"}


def test_items_of_another_spider_lead_nowhere_inside(inside: Inside, outside: Outside, tmp_path: Path) -> None:
    outside.pages |= {"/a.mp3": f"http://127.0.0.1:{inside.port}/", "/b.mp3": ("audio/mpeg", TONE)}
    urls = [f"http://127.0.0.1:{inside.port}/x.mp3?token=SeCrEt123", f"{outside.url}/a.mp3", f"{outside.url}/b.mp3"]
    (tmp_path / "mine.py").write_text(
        "import scrapy\n"
        "class Mine(scrapy.Spider):\n"
        "    name = 'mine'\n"
        f"    start_urls = ['{outside.url}/']\n"
        "    def parse(self, response):\n"
        f"        yield {{'file_urls': {urls!r}, 'files': []}}\n",
        encoding="utf-8",
    )
    run = crawl(tmp_path, command=("runspider", "mine.py"), settings=CLOSED)
    assert inside.connections == 0
    assert sorted((row["status"], row["source_url"].rpartition("/")[2][:5]) for row in run.sources.values()) == [
        ("denied", "a.mp3"),
        ("denied", "x.mp3"),
        ("stored", "b.mp3"),
    ]
