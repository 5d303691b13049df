"""What is opted out of AI training: not asked for, not transferred, or only recorded, as the server sees it."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.crawling import Run, crawl
from tests.site.tones import tone_wav

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


@contextmanager
def serving(host: str = "127.0.0.1") -> Iterator[Served]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requests.append(self.path)
            body = site.bodies.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", TYPES.get(Path(self.path).suffix, "text/html"))
            self.send_header("Content-Length", str(len(body or b"")))
            for name, value in site.headers.get(self.path, {}).items():
                self.send_header(name, value)
            self.end_headers()
            self._send(body or b"")

        def _send(self, body: bytes) -> None:
            step = 2000 if self.path in site.slow else len(body) or 1
            try:
                for start in range(0, len(body), step):
                    if self.path in site.slow:
                        time.sleep(0.05)
                    self.wfile.write(body[start : start + step])
                    site.sent_bytes[self.path] = start + step
            except ConnectionError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    site = Served(f"http://{host}:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture
def served() -> Iterator[Served]:
    """Return a site with a page, a tape on it, and a second page with another tape."""
    with serving() as site:
        site.bodies = {
            "/": PAGE.format(meta="", audio="/tape.wav").encode(),
            "/tape.wav": tone_wav(1),
            "/next.html": NEXT.encode(),
            "/next.wav": tone_wav(2),
        }
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


@pytest.mark.parametrize(("path", "text", "signal"), HOST_SIGNALS)
def test_a_file_that_its_host_opts_out_is_not_asked_for(
    path: str, text: str, signal: str, served: Served, tmp_path: Path
) -> None:
    served.bodies[path] = text.encode()
    run = crawl(tmp_path, f"url={served.url}/", "depth=1")
    assert run.code == 0
    assert "/tape.wav" not in served.requests
    assert_opted_out(run, f"{served.url}/tape.wav", signal)
    assert row(run, f"{served.url}/next.wav")["status"] == "stored"
    assert served.requests.count("/robots.txt") <= 2  # one of them looks for sitemaps
    assert served.requests.count(TDM) == 1


PAGE_SIGNALS = [
    ({"X-Robots-Tag": "noai"}, "", "X-Robots-Tag: noai"),
    ({}, '<meta name="robots" content="index, noai">', "meta robots: noai"),
    ({}, '<meta name="tdm-reservation" content="1">', "meta tdm-reservation=1"),
]


@pytest.mark.parametrize(("headers", "meta", "signal"), PAGE_SIGNALS)
def test_a_page_that_opts_out_covers_its_files_and_its_links_are_followed(
    headers: dict[str, str], meta: str, signal: str, served: Served, tmp_path: Path
) -> None:
    served.headers["/"] = headers
    served.bodies["/"] = PAGE.format(meta=meta, audio="/tape.wav").encode()
    run = crawl(tmp_path, f"url={served.url}/", "depth=1")
    assert "/tape.wav" not in served.requests
    assert_opted_out(run, f"{served.url}/tape.wav", signal)
    assert row(run, f"{served.url}/next.wav")["status"] == "stored"


@pytest.mark.parametrize(
    ("headers", "signal"),
    [
        ({"X-Robots-Tag": "noindex, noai"}, "X-Robots-Tag: noai"),
        ({"tdm-reservation": "1"}, "header tdm-reservation=1"),
    ],
)
def test_a_file_whose_own_headers_opt_out_is_not_transferred(
    headers: dict[str, str], signal: str, served: Served, tmp_path: Path
) -> None:
    served.headers["/tape.wav"] = headers
    served.bodies["/tape.wav"] = bytes(200_000)
    served.slow = {"/tape.wav"}
    run = crawl(tmp_path, f"url={served.url}/")
    assert served.requests.count("/tape.wav") == 1
    assert served.sent_bytes.get("/tape.wav", 0) < 20_000
    assert_opted_out(run, f"{served.url}/tape.wav", signal)
    assert (run.objects, run.audio) == ([], [])


def test_headers_that_speak_of_pictures_or_to_others_change_nothing(served: Served, tmp_path: Path) -> None:
    served.headers["/tape.wav"] = {"X-Robots-Tag": "noimageai, googlebot: noai", "Content-Usage": "search=n"}
    run = crawl(tmp_path, f"url={served.url}/")
    source = row(run, f"{served.url}/tape.wav")
    assert (source["status"], source["opt_out"]) == ("stored", None)


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
    with serving() as page, serving("127.0.0.2") as files:
        links = f'<a href="{files.url}/tape.wav">A</a><a href="{files.url}/free.wav">B</a>'
        page.bodies = {"/": links.encode(), "/robots.txt": b"User-agent: CCBot\nDisallow: /"}
        files.bodies = {"/tape.wav": tone_wav(1), "/free.wav": tone_wav(2), "/robots.txt": AI.encode()}
        run = crawl(tmp_path, f"url={page.url}/")
        assert_opted_out(run, f"{files.url}/tape.wav", "robots.txt: GPTBot may not")
        assert row(run, f"{files.url}/free.wav")["status"] == "stored"


def test_an_audio_url_as_start_is_opted_out_at_its_headers(served: Served, tmp_path: Path) -> None:
    served.headers["/tape.wav"] = {"X-Robots-Tag": "noai"}
    run = crawl(tmp_path, f"url={served.url}/tape.wav")
    assert_opted_out(run, f"{served.url}/tape.wav", "X-Robots-Tag: noai")
    assert run.objects == []


FEED = (
    '<rss version="2.0"><channel><title>F</title>'
    '<item><title>1</title><enclosure url="{url}" type="audio/wav"/></item></channel></rss>'
)


def test_a_feeds_headers_cover_its_enclosures(served: Served, tmp_path: Path) -> None:
    served.bodies["/feed.xml"] = FEED.format(url=f"{served.url}/tape.wav").encode()
    served.headers["/feed.xml"] = {"Content-Usage": "train-ai=n"}
    run = crawl(tmp_path, f"url={served.url}/feed.xml")
    assert "/tape.wav" not in served.requests
    assert_opted_out(run, f"{served.url}/tape.wav", "Content-Usage: train-ai=n")


HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\n/part-0.wav\n#EXTINF:1,\n/part-1.wav\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize("where", ["page", "playlist", "part"])
def test_an_hls_rendition_is_opted_out_by_its_page_itself_or_any_part(
    where: str, served: Served, tmp_path: Path
) -> None:
    noai = {"X-Robots-Tag": "noai"}
    served.bodies |= {"/": b'<audio src="/hls.m3u8"></audio>', "/hls.m3u8": HLS.encode()}
    served.bodies |= {"/part-0.wav": tone_wav(3), "/part-1.wav": tone_wav(4)}
    served.headers = {{"page": "/", "playlist": "/hls.m3u8", "part": "/part-1.wav"}[where]: noai}
    run = crawl(tmp_path, f"url={served.url}/")
    source = row(run, f"{served.url}/hls.m3u8")
    assert (source["status"], source["opt_out"]) == ("opted_out", "X-Robots-Tag: noai")
    assert ("/part-0.wav" in served.requests) == (where == "part")
    assert run.objects == []


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
