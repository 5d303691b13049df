"""What strangers can make a crawl spend is bounded: an excess ends as a row or a logged page, and the crawl goes on."""

import gzip
import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.crawling import REPOSITORY, Run, crawl
from tests.site.server import Site
from tests.site.tones import tone_wav
from tests.strange_server import Strange, Wire, strange

SOON = {"RETRY_TIMES": "0", "AUDIO_STALL_TIMEOUT_S": "1", "DOWNLOAD_TIMEOUT": "1"}
GOOD = "/0.wav"
Bad = Callable[[Wire, Strange], None]


def header_lines(wire: Wire, _: Strange) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\n")
    for number in itertools.count():
        wire.send(b"X-Header-%d: y\r\n" % number * 100)


def header_line(wire: Wire, _: Strange) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        wire.send(b"y" * 65536)


def dripping_header(wire: Wire, _: Strange) -> None:
    wire.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: y\r\n" * 1000, 0.2)


def dripping_body(wire: Wire, _: Strange) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: 90000\r\n\r\n" + tone_wav(1)[:50])
    wire.drip(b"\0" * 90000, 0.2)


def endless_body(wire: Wire, _: Strange) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n\r\n" + tone_wav(1))
    while True:
        wire.send(b"\0" * 65536)


def redirect_loop(wire: Wire, _: Strange) -> None:
    wire.body("", "Location: ?", status="302 Found")  # to itself


def crawled(tmp_path: Path, bad: dict[str, Bad], **settings: str) -> Run:
    """Crawl a page that leads to a good file and to what is bad."""

    def answer(wire: Wire, path: str) -> None:
        if path == "/":
            wire.body("".join(f'<a href="{path}">x</a>' for path in [GOOD, *bad]))
        elif path == GOOD:
            wire.body(tone_wav(0), kind="audio/wav")
        elif path in bad:
            bad[path](wire, server)
        else:
            wire.body("", status="404 Not Found")

    with strange(answer) as server:
        return crawl(tmp_path, f"url={server.url}/", "depth=1", settings={**SOON, **settings})


FILES: dict[str, tuple[Bad, str, str]] = {
    "/many-headers.wav": (header_lines, "failed", "headers are longer than 262144 bytes or 4000 lines"),
    "/long-header.wav": (header_line, "failed", "response header"),
    "/dripping-header.wav": (dripping_header, "failed", "no response for 1 s"),
    "/dripping.wav": (dripping_body, "failed", "too slow: less than 100 bytes/s over 1 s"),
    "/endless.wav": (endless_body, "too_large", "larger than 9000000 bytes"),
    "/loop.wav": (redirect_loop, "failed", "max redirections reached"),
}


def test_files_that_would_cost_too_much_end_as_rows(tmp_path: Path) -> None:
    run = crawled(tmp_path, {path: bad for path, (bad, _, _) in FILES.items()}, AUDIO_MAX_BYTES="9000000")
    assert run.code == 0
    rows = {"/" + url.rpartition("/")[2]: row for url, row in run.sources.items()}
    assert rows.pop(GOOD)["status"] == "stored"
    assert {path: row["status"] for path, row in rows.items()} == {path: each[1] for path, each in FILES.items()}
    for path, (_, _, words) in FILES.items():
        assert words in rows[path]["reason"]


def dripping_page(wire: Wire, _: Strange) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>")
    wire.drip(b"x" * 90000, 0.2)


def endless_page(wire: Wire, _: Strange) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>")
    while True:
        wire.send(b"x" * 65536)


def bomb_page(wire: Wire, _: Strange) -> None:
    wire.body(gzip.compress(b"\0" * 100_000_000), "Content-Encoding: gzip")


PAGES: dict[str, Bad] = {
    "/dripping": dripping_page,
    "/endless": endless_page,
    "/bomb": bomb_page,
    "/many-headers": header_lines,
    "/loop": redirect_loop,
}


def test_pages_that_would_cost_too_much_are_logged(tmp_path: Path) -> None:
    run = crawled(tmp_path, PAGES, DOWNLOAD_MAXSIZE="3000000")
    assert run.code == 0
    statuses = {url.rpartition("/")[2]: row["status"] for url, row in run.sources.items()}
    assert statuses.pop("endless") == "too_large"
    assert list(statuses.values()) == ["stored"]
    assert [path for path in PAGES if f"{path}: " not in run.log] == []


def test_files_of_a_page_beyond_the_limit_are_named(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/many/", settings={"AUDIO_MAX_FILES_PER_PAGE": "7"})
    assert len(run.objects) == 7
    assert "left out: the last 73 of 80 audio URLs: raise AUDIO_MAX_FILES_PER_PAGE" in run.log
    (row,) = [each for each in run.sources.values() if each["kind"] == "page"]
    assert (row["source_url"], row["status"]) == (f"{site.url}/many/", "failed")
    assert "the last 73 of 80 audio URLs" in row["reason"]
    assert "left out    73" in run.stdout


def test_a_crawl_stops_before_the_reserve_is_touched(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/many/", settings={"AUDIO_MIN_FREE_BYTES": str(1 << 60)})
    assert run.code == 4
    assert "AUDIO_MIN_FREE_BYTES is" in run.stderr
    assert run.objects == []
    assert {row["status"] for row in run.sources.values()} == {"pending"}
    again = crawl(tmp_path, f"url={site.url}/many/")
    assert len(again.objects) == 80


def test_more_hosts_than_open_files(tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        if path == "/":
            wire.body("".join(f'<a href="{server.at(f"127.0.1.{n}")}/{n}.wav">x</a>' for n in range(1, 151)))
            return
        wire.keep_alive = True
        if path.endswith(".wav"):
            data = tone_wav(int(path[1:-4]))
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
        else:
            wire.send(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")

    with strange(answer) as server:
        quick = "-s DOWNLOAD_DELAY=0 -s AUTOTHROTTLE_ENABLED=False -s AUDIO_ALLOW_ADDRESSES=127.0.0.0/8"
        words = f"exec {sys.executable} -m scrapy crawl audio -a url={server.url}/ {quick}"
        done = subprocess.run(
            ["sh", "-c", f"ulimit -n 220; {words}"],
            cwd=tmp_path,
            env={
                "PATH": "/usr/bin:/bin",
                "PYTHONPATH": str(REPOSITORY),
                "SCRAPY_SETTINGS_MODULE": "audiocrawler.settings",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    run = Run(done.returncode, done.stdout, done.stderr, tmp_path)
    assert run.code == 0
    assert len(run.objects) == 150


def test_a_radio_that_does_not_say_so_ends_as_a_stream(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/radio/relay.mp3", settings={"AUDIO_MAX_UNSIZED_S": "1"})
    (row,) = run.sources.values()
    reason = "no Content-Length and still sending after 1 s (AUDIO_MAX_UNSIZED_S)"
    assert (row["status"], row["reason"]) == ("stream", reason)
    asked = [each.path for each in site.requests].count("/radio/relay.mp3")
    assert asked == 2  # first as a start URL, until its headers came, and no second time as audio
    assert run.objects == []


def test_a_transfer_with_a_length_may_take_its_time(tmp_path: Path) -> None:
    def answer(wire: Wire, _: str) -> None:
        body = tone_wav(1)
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: %d\r\n\r\n" % len(body))
        for start in range(0, len(body), len(body) // 4):
            wire.send(body[start : start + len(body) // 4])
            wire.closing.wait(0.3)

    with strange(answer) as server:
        run = crawl(tmp_path, f"url={server.url}/a.wav", settings={"AUDIO_MAX_UNSIZED_S": "0.5"})
    assert [row["status"] for row in run.sources.values()] == ["stored"]


def test_the_reserve_is_kept_on_the_disk_of_the_store_too(site: Site, tmp_path: Path, small_disk: Path) -> None:
    settings = {"AUDIO_STORE": str(small_disk / "objects"), "AUDIO_MIN_FREE_BYTES": "300000"}
    run = crawl(tmp_path, f"url={site.url}/shore.html", settings=settings)
    assert run.code == 4
    assert f"{small_disk}/objects has " in run.stderr
    assert list((small_disk / "objects").rglob("*.*")) == []
