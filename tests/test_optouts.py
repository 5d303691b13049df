"""What is opted out of AI training: not asked for, not transferred, or only recorded, as the server sees it."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.crawling import Run, crawl
from tests.site.tones import tone_wav
from tests.strange_server import Wire, strange

PAGE = '<!doctype html><title>Tapes</title>{meta}<a href="{audio}">A tape</a> <a href="/next.html">Next</a>'
NEXT = '<!doctype html><title>Next</title><a href="/next.wav">Another tape</a>'
TDM = "/.well-known/tdmrep.json"
AI = "User-agent: GPTBot\nDisallow: /tape\n"


@dataclass
class Served:
    """A server whose answers a test sets by path: the headers and the body."""

    url: str
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    slow: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    sent_bytes: dict[str, int] = field(default_factory=dict)


TYPES = {".wav": "audio/wav", ".html": "text/html", ".txt": "text/plain", ".json": "application/json"} | {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".xml": "application/rss+xml",
}


def send(site: Served, wire: Wire, path: str) -> None:
    site.requests.append(path)
    body = site.bodies.get(path)
    headers = {"Content-Type": TYPES.get(Path(path).suffix, "text/html"), "Content-Length": f"{len(body or b'')}"}
    lines = [f"HTTP/1.1 {'404 Not Found' if body is None else '200 OK'}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers | site.headers.get(path, {})).items()]
    wire.send("\r\n".join([*lines, "", ""]).encode())
    step = 2000 if path in site.slow else len(body or b"") or 1
    for start in range(0, len(body or b""), step):
        if path in site.slow:
            time.sleep(0.05)
        wire.send((body or b"")[start : start + step])
        site.sent_bytes[path] = start + step


@contextmanager
def serving(*hosts: str) -> Iterator[list[Served]]:
    """Serve an empty site at each of these addresses."""
    with strange(lambda wire, path: send(sites[wire.sock.getsockname()[0]], wire, path)) as server:
        sites = {host: Served(server.at(host)) for host in hosts}
        yield list(sites.values())


def furnish(site: Served, first: int = 1) -> None:
    """Give it a page, a tape on it, and a second page with another tape."""
    site.bodies = {
        "/": PAGE.format(meta="", audio="/tape.wav").encode(),
        "/tape.wav": tone_wav(first),
        "/next.html": NEXT.encode(),
        "/next.wav": tone_wav(first + 1),
    }


@pytest.fixture
def served() -> Iterator[Served]:
    """Return a site with a page, a tape on it, and a second page with another tape."""
    with serving("127.0.0.1") as (site,):
        furnish(site)
        yield site


def row(run: Run, url: str) -> dict[str, object]:
    return run.sources[url]


def assert_opted_out(run: Run, url: str, signal: str) -> None:
    source = row(run, url)
    assert (source["status"], source["last_status"], source["opt_out"]) == ("opted_out", "opted_out", signal)
    assert source["reason"] == f"opted out of AI training: {signal}"


HOST_SIGNALS = [
    ("/robots.txt", AI, "robots.txt: GPTBot may not"),
    ("/robots.txt", "User-agent: *\nContent-Usage: /tape train-ai=n", "robots.txt: Content-Usage train-ai=n"),
    ("/robots.txt", "User-agent: *\nContent-Signal: /tape ai-train=no", "robots.txt: Content-Signal ai-train=no"),
    (TDM, '[{"location": "/tape.wav", "tdm-reservation": 1}]', "tdmrep.json: tdm-reservation=1"),
]


PAGE_SIGNALS = [
    ({"X-Robots-Tag": "noai"}, "", "X-Robots-Tag: noai"),
    ({}, '<meta name="robots" content="index, noai">', "meta robots: noai"),
    ({}, '<meta name="tdm-reservation" content="1">', "meta tdm-reservation=1"),
]
FILE_SIGNALS = [
    ({"X-Robots-Tag": "noindex, noai"}, "X-Robots-Tag: noai"),
    ({"tdm-reservation": "1"}, "header tdm-reservation=1"),
]
NOAI = {"X-Robots-Tag": "noai"}
HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\n/part-0.wav\n#EXTINF:1,\n/part-1.wav\n#EXT-X-ENDLIST\n"
HLS_SIGNALS = {"page": "/", "playlist": "/hls.m3u8", "part": "/part-1.wav"}
FEED = (
    '<rss version="2.0"><channel><title>F</title>'
    '<item><title>1</title><enclosure url="{url}" type="audio/wav"/></item></channel></rss>'
)


def opt_out_by_host(site: Served, path: str, text: str) -> None:
    site.bodies[path] = text.encode()


def opt_out_by_page(site: Served, headers: dict[str, str], meta: str) -> None:
    site.headers["/"] = headers
    site.bodies["/"] = PAGE.format(meta=meta, audio="/tape.wav").encode()


def opt_out_by_file(site: Served, headers: dict[str, str]) -> None:
    site.headers["/tape.wav"] = headers
    site.bodies["/tape.wav"] = bytes(200_000)
    site.slow = {"/tape.wav"}


def opt_out_hls(site: Served, path: str) -> None:
    site.bodies |= {"/": b'<audio src="/hls.m3u8"></audio>', "/hls.m3u8": HLS.encode()}
    site.bodies |= {"/part-0.wav": tone_wav(3), "/part-1.wav": tone_wav(4)}
    site.headers = {path: NOAI}


def opt_out_feed(site: Served) -> None:
    site.bodies["/feed.xml"] = FEED.format(url=f"{site.url}/tape.wav").encode()
    site.headers["/feed.xml"] = {"Content-Usage": "train-ai=n"}


def speak_of_pictures(site: Served) -> None:
    site.headers["/tape.wav"] = {"X-Robots-Tag": "noimageai, googlebot: noai", "Content-Usage": "search=n"}


def opt_out_start(site: Served) -> None:
    site.headers["/tape.wav"] = NOAI


SITES: dict[str, tuple[Callable[[Served], None], str]] = {
    **{signal: (partial(opt_out_by_host, path=path, text=text), "/") for path, text, signal in HOST_SIGNALS},
    **{
        f"page {signal}": (partial(opt_out_by_page, headers=headers, meta=meta), "/")
        for headers, meta, signal in PAGE_SIGNALS
    },
    **{f"file {signal}": (partial(opt_out_by_file, headers=headers), "/") for headers, signal in FILE_SIGNALS},
    **{f"hls {where}": (partial(opt_out_hls, path=path), "/") for where, path in HLS_SIGNALS.items()},
    "feed": (opt_out_feed, "/feed.xml"),
    "pictures": (speak_of_pictures, "/"),
    "start": (opt_out_start, "/tape.wav"),
}
"""What each of the sites of ``crawled`` opts out of, and where the crawl of it starts."""


@dataclass(frozen=True)
class Crawled:
    """One crawl of all of SITES."""

    run: Run
    sites: dict[str, Served]

    def files_of(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of the contents that came from a site."""
        return [row for row in self.run.audio if row["source_url"].startswith(self.sites[name].url)]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    with serving(*(f"127.0.1.{number}" for number in range(1, len(SITES) + 1))) as served:
        sites = dict(zip(SITES, served, strict=True))
        for number, (name, site) in enumerate(sites.items()):
            furnish(site, 10 + 2 * number)
            SITES[name][0](site)
        urls = " ".join(site.url + SITES[name][1] for name, site in sites.items())
        run = crawl(tmp_path_factory.mktemp("opted-out"), f"url={urls}", "depth=1")
        assert run.code == 0, run.stderr
        assert len(run.objects) == len(run.audio)
        yield Crawled(run, sites)


@pytest.mark.parametrize("signal", [signal for _, _, signal in HOST_SIGNALS])
def test_a_file_that_its_host_opts_out_is_not_asked_for(signal: str, crawled: Crawled) -> None:
    site = crawled.sites[signal]
    assert "/tape.wav" not in site.requests
    assert_opted_out(crawled.run, f"{site.url}/tape.wav", signal)
    assert row(crawled.run, f"{site.url}/next.wav")["status"] == "stored"
    assert site.requests.count("/robots.txt") <= 2  # one of them looks for sitemaps
    assert site.requests.count(TDM) == 1


@pytest.mark.parametrize("signal", [signal for _, _, signal in PAGE_SIGNALS])
def test_a_page_that_opts_out_covers_its_files_and_its_links_are_followed(signal: str, crawled: Crawled) -> None:
    site = crawled.sites[f"page {signal}"]
    assert "/tape.wav" not in site.requests
    assert_opted_out(crawled.run, f"{site.url}/tape.wav", signal)
    assert row(crawled.run, f"{site.url}/next.wav")["status"] == "stored"


@pytest.mark.parametrize("signal", [signal for _, signal in FILE_SIGNALS])
def test_a_file_whose_own_headers_opt_out_is_not_transferred(signal: str, crawled: Crawled) -> None:
    name = f"file {signal}"
    site = crawled.sites[name]
    assert site.requests.count("/tape.wav") == 1
    assert site.sent_bytes.get("/tape.wav", 0) < 20_000
    assert_opted_out(crawled.run, f"{site.url}/tape.wav", signal)
    assert [row["source_url"] for row in crawled.files_of(name)] == [f"{site.url}/next.wav"]


def test_headers_that_speak_of_pictures_or_to_others_change_nothing(crawled: Crawled) -> None:
    source = row(crawled.run, f"{crawled.sites['pictures'].url}/tape.wav")
    assert (source["status"], source["opt_out"]) == ("stored", None)


def test_an_audio_url_as_start_is_opted_out_at_its_headers(crawled: Crawled) -> None:
    assert_opted_out(crawled.run, f"{crawled.sites['start'].url}/tape.wav", "X-Robots-Tag: noai")
    assert crawled.files_of("start") == []


def test_a_feeds_headers_cover_its_enclosures(crawled: Crawled) -> None:
    site = crawled.sites["feed"]
    assert "/tape.wav" not in site.requests
    assert_opted_out(crawled.run, f"{site.url}/tape.wav", "Content-Usage: train-ai=n")


@pytest.mark.parametrize("where", HLS_SIGNALS)
def test_an_hls_rendition_is_opted_out_by_its_page_itself_or_any_part(where: str, crawled: Crawled) -> None:
    site = crawled.sites[f"hls {where}"]
    source = row(crawled.run, f"{site.url}/hls.m3u8")
    assert (source["status"], source["opt_out"]) == ("opted_out", "X-Robots-Tag: noai")
    assert ("/part-0.wav" in site.requests) == (where == "part")
    assert crawled.files_of(f"hls {where}") == []


def everything(served: Served) -> None:
    served.bodies["/robots.txt"] = AI.encode()
    served.bodies[TDM] = json.dumps([{"location": "/", "tdm-reservation": 1}]).encode()
    served.bodies["/"] = PAGE.format(meta='<meta name="robots" content="noai">', audio="/tape.wav").encode()
    served.headers["/tape.wav"] = {"X-Robots-Tag": "noml"}


def test_record_downloads_and_tells_every_signal(served: Served, tmp_path: Path) -> None:
    everything(served)
    run = crawl(tmp_path, f"url={served.url}/", settings={"AUDIO_OPT_OUT": "record"})
    source = row(run, f"{served.url}/tape.wav")
    assert (source["status"], source["reason"], len(run.objects)) == ("stored", None, 1)
    assert source["opt_out"] == (
        "meta robots: noai; robots.txt: GPTBot may not; tdmrep.json: tdm-reservation=1; X-Robots-Tag: noml"
    )


def test_ignore_downloads_and_asks_for_nothing_more(served: Served, tmp_path: Path) -> None:
    everything(served)
    run = crawl(tmp_path, f"url={served.url}/", settings={"AUDIO_OPT_OUT": "ignore", "ROBOTSTXT_OBEY": "False"})
    assert row(run, f"{served.url}/tape.wav")["opt_out"] is None
    assert len(run.objects) == 1
    assert not {TDM, "/robots.txt"} & set(served.requests)


def test_opt_outs_in_robots_txt_count_where_its_rules_are_not_obeyed(served: Served, tmp_path: Path) -> None:
    served.bodies["/robots.txt"] = (AI + "User-agent: *\nDisallow: /").encode()
    run = crawl(tmp_path, f"url={served.url}/", "depth=1", settings={"ROBOTSTXT_OBEY": "False"})
    assert_opted_out(run, f"{served.url}/tape.wav", "robots.txt: GPTBot may not")
    assert row(run, f"{served.url}/next.wav")["status"] == "stored"


def test_an_unknown_mode_is_one_line_and_exit_2(served: Served, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={served.url}/", settings={"AUDIO_OPT_OUT": "honor"})
    assert (run.code, served.requests) == (2, [])
    assert run.stderr == "scrapy: error: AUDIO_OPT_OUT=honor: must be honour, record or ignore\n"


def test_the_host_of_the_file_decides_on_it_and_the_page_on_another_host_does_too(tmp_path: Path) -> None:
    with serving("127.0.0.1", "127.0.0.2") as (page, files):
        links = f'<a href="{files.url}/tape.wav">A</a><a href="{files.url}/free.wav">B</a>'
        page.bodies = {"/": links.encode(), "/robots.txt": b"User-agent: CCBot\nDisallow: /"}
        files.bodies = {"/tape.wav": tone_wav(1), "/free.wav": tone_wav(2), "/robots.txt": AI.encode()}
        run = crawl(tmp_path, f"url={page.url}/")
        assert_opted_out(run, f"{files.url}/tape.wav", "robots.txt: GPTBot may not")
        assert row(run, f"{files.url}/free.wav")["status"] == "stored"


def test_what_was_stored_before_stays_and_the_row_tells_of_the_opt_out(served: Served, tmp_path: Path) -> None:
    crawl(tmp_path, f"url={served.url}/")
    served.headers["/tape.wav"] = {"X-Robots-Tag": "noai"}
    run = crawl(tmp_path, f"url={served.url}/")
    source = row(run, f"{served.url}/tape.wav")
    assert (source["status"], source["last_status"], source["opt_out"]) == ("stored", "opted_out", "X-Robots-Tag: noai")
    assert len(run.objects) == len(run.audio) == 1


FOREIGN = """
import scrapy

class Foreign(scrapy.Spider):
    name = "foreign"

    async def start(self):
        yield scrapy.Request("{url}/")

    def parse(self, response):
        for name in ("tape", "next", "free"):
            yield {{"file_urls": ["{url}/%s.wav" % name], "files": []}}
"""


def test_items_of_another_spider_count_too(served: Served, tmp_path: Path) -> None:
    served.bodies |= {"/robots.txt": AI.encode(), "/free.wav": tone_wav(5)}
    served.headers["/next.wav"] = {"X-Robots-Tag": "noai"}
    (tmp_path / "foreign.py").write_text(FOREIGN.format(url=served.url), encoding="utf-8")
    run = crawl(tmp_path, command=("runspider", "foreign.py", "-O", "out.json"))
    assert run.code == 0, run.stderr
    items = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert {item["file_urls"][0]: len(item["files"]) for item in items} == {
        f"{served.url}/tape.wav": 0,
        f"{served.url}/next.wav": 0,
        f"{served.url}/free.wav": 1,
    }
    assert "/tape.wav" not in served.requests
    assert len(run.objects) == 1
