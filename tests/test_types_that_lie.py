"""What an answer is shows in its first bytes, whatever type it is given, and what leads on to a file is followed."""

import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.crawling import Run, crawl
from tests.strange_server import Strange, Wire, strange

MP3 = (Path(__file__).parent / "site/audio/surf.mp3").read_bytes()
"""Begins with an ID3 tag."""
UNKNOWN = b"\xd0\xcf\x11\xe0" + bytes(range(1, 255)) * 40
LYING_TYPES = (
    "text/html", "text/html; charset=UTF-8", "application/xhtml+xml", "text/plain", "image/jpeg", "font/woff2",
    "application/pdf", "application/javascript", "text/css", "application/xml", "application/json",
    "multipart/form-data", "application/force-download", "audio/x-mpegurl", "audio/mpegurl", "audio/x-scpls",
    "nonsense",
)  # fmt: skip
Answer = Callable[[Wire], None]
_numbers = iter(range(10_000))


def mp3() -> bytes:
    """Return a file that no other answer has."""
    return MP3 + b"\0" + str(next(_numbers)).encode()


def body(data: bytes | str, *headers: str, kind: str = "audio/mpeg", status: str = "200 OK") -> Answer:
    return lambda wire: wire.body(data, *headers, kind=kind, status=status)


def raw(head: str, *pieces: bytes) -> Answer:
    def send(wire: Wire) -> None:
        length = sum(map(len, pieces))
        wire.send(f"HTTP/1.1 200 OK\r\n{head}Content-Length: {length}\r\nConnection: close\r\n\r\n".encode())
        for piece in pieces:
            wire.send(piece)
            time.sleep(0.05)

    return send


def chunked(text: str) -> Answer:
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    return lambda wire: wire.send(f"{head}{len(text):x}\r\n{text}\r\n0\r\n\r\n".encode())


def refresh(content: str, *, padding: int = 0, quote: str = '"') -> str:
    style = f"<style>{'a' * padding}</style>"
    return f"<html><head>{style}<META content={quote}{content}{quote} HTTP-EQUIV='Refresh'></head>Wait</html>"


AUDIO: dict[str, Answer] = {
    **{f"/type/{n}.mp3": body(mp3(), kind=kind) for n, kind in enumerate(LYING_TYPES)},
    "/no-type.mp3": raw("", mp3()),
    "/attachment.mp3": body(mp3(), 'Content-Disposition: attachment; filename="a.mp3"', kind="text/html"),
    "/203.mp3": body(mp3(), status="203 Non-Authoritative Information"),
    "/first-piece-is-small.mp3": raw("Content-Type: text/html\r\n", b"I", b"D3", MP3[3:] + b"\0piece"),
    "/packed.mp3": body(gzip.compress(mp3()), "Content-Encoding: gzip", kind="text/html"),
    "/line-before.mp3": body(b"\xef\xbb\xbf\r\n" + mp3(), kind="text/html"),
    "/refresh-on-audio.mp3": body(mp3(), "Refresh: 0; url=/wrong.html", kind="text/html"),
}
"""Answers that are audio."""
LEADS: dict[str, Answer] = {
    "/meta.mp3": body(refresh("0;url=/t/1.mp3"), kind="text/html"),
    "/typed-audio.mp3": body(refresh("0;url=/t/2.mp3")),
    "/quoted.mp3": body(refresh("5; URL = '/t/3.mp3' and more"), kind="text/html"),
    "/relative.mp3": body(refresh("1,url=t/4.mp3"), kind="text/html"),
    "/no-url.mp3": body(refresh("0; /t/5.mp3"), kind="text/html"),
    "/space.mp3": body(refresh(".5 /t/6.mp3"), kind="text/html"),
    "/late.mp3": body(refresh("0;url=/t/7.mp3", padding=12_000) + "a" * 100_000, kind="text/html"),
    "/chunked.mp3": chunked(refresh("0;url=/t/8.mp3")),
    "/header.mp3": body("<html>Your download starts in 5 seconds", "Refresh: 5; url=/t/9.mp3", kind="text/html"),
    "/header-alone.mp3": body("", "Refresh: 0;url=/t/10.mp3", kind="text/html"),
    "/text.mp3": body("Wait", "Refresh: 0;url=/t/11.mp3", kind="text/plain"),
    "/packed-page.mp3": body(
        gzip.compress(refresh("0;url=/t/12.mp3").encode()), "Content-Encoding: gzip", kind="text/html"
    ),
}
"""Pages in place of audio that lead to it."""
TARGETS = {f"/t/{number}.mp3": body(mp3()) for number in range(1, 13)}
PAGE_CAME = "got an HTML page instead of audio"
OTHERS: dict[str, tuple[Answer, str, str]] = {
    "/page.mp3": (body("<!doctype html><title>Not found</title>"), "not_audio", PAGE_CAME),
    "/reloads.mp3": (body(refresh("5"), kind="text/html"), "not_audio", PAGE_CAME),
    "/to-another.mp3": (
        body(refresh("0;url=/meta.mp3")),
        "not_audio",
        "got an HTML page instead of audio, even after following its refresh once",
    ),
    "/to-itself.mp3": (
        body(refresh("0;url=/to-itself.mp3")),
        "not_audio",
        "got an HTML page instead of audio, even after following its refresh once",
    ),
    "/to-mail.mp3": (
        body(refresh("0;url=mailto:a@example.org")),
        "not_audio",
        "got an HTML page instead of audio, and its refresh is not to an HTTP URL",
    ),
    "/to-nothing.mp3": (body(refresh("0;url=/missing.mp3")), "failed", "HTTP 404"),
    "/to-forbidden.mp3": (body(refresh("0;url=/forbidden/a.mp3")), "robots", "robots.txt of {host} disallows it"),
    "/unknown-page.mp3": (body(UNKNOWN, kind="text/html"), "not_audio", "got text/html instead of audio"),
    "/unknown-image.mp3": (body(UNKNOWN, kind="image/jpeg"), "not_audio", "got image/jpeg instead of audio"),
    "/unknown.mp3": (body(UNKNOWN), "undecodable", "unknown audio format, or a damaged header"),
    "/playlist.mp3": (body("#EXTM3U\n/x.mp3\n"), "not_audio", "got an M3U playlist instead of audio"),
}
"""Answers that are none: with the status and the reason of their rows."""
LONG = {
    "/long/page": b"<html>" + b"a" * 16_378,
    "/long/image": b"\x89PNG\r\n\x1a\n" + bytes(4088),
    "/long/text": b"Sold out. " * 409 + b"Sorry.",
}
"""The starts of long ones, by which they are known."""


@dataclass(frozen=True, slots=True)
class Crawled:
    """A crawl of a page that names all of the answers."""

    run: Run
    server: Strange
    given_up: set[str]

    def row(self, path: str) -> dict[str, Any]:
        return self.run.sources[self.server.url + path]


def begun(wire: Wire, path: str, given_up: set[str]) -> None:
    """Send the start of a long answer, and wait for the client to have had enough."""
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 10000000\r\n\r\n" + LONG[path])
    wire.sock.settimeout(20)
    with suppress(TimeoutError):
        try:
            is_over = wire.sock.recv(1) == b""
        except ConnectionResetError:
            is_over = True
        given_up |= {path} if is_over else set()


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    given_up: set[str] = set()
    answers = {**AUDIO, **LEADS, **TARGETS, **{path: each[0] for path, each in OTHERS.items()}}
    answers |= {path: partial(begun, path=path, given_up=given_up) for path in LONG}
    named = [*AUDIO, *LEADS, *OTHERS, *LONG]
    answers["/"] = body("".join(f'<audio src="{path}"></audio>' for path in named), kind="text/html")
    answers["/robots.txt"] = body("User-agent: *\nDisallow: /forbidden/", kind="text/plain")

    def answer(wire: Wire, path: str) -> None:
        answers.get(path, body("", status="404 Not Found"))(wire)

    with strange(answer) as server:
        run = crawl(tmp_path_factory.mktemp("lies"), f"url={server.url}/", settings={"AUDIO_MEDIA_PER_HOST": "16"})
        yield Crawled(run, server, given_up)


@pytest.mark.parametrize("path", AUDIO)
def test_audio_is_taken_by_its_bytes(path: str, crawled: Crawled) -> None:
    assert crawled.row(path)["reason"] is None
    assert crawled.row(path)["status"] == "stored"


@pytest.mark.parametrize("path", LEADS)
def test_a_page_that_leads_to_the_file_is_followed(path: str, crawled: Crawled) -> None:
    row = crawled.row(path)
    assert (row["status"], row["reason"]) == ("stored", None)
    assert row["final_url"].startswith(f"{crawled.server.url}/t/")


@pytest.mark.parametrize("path", OTHERS)
def test_what_is_no_audio_has_a_row_with_the_reason(path: str, crawled: Crawled) -> None:
    _, status, reason = OTHERS[path]
    row = crawled.row(path)
    assert (row["status"], row["reason"]) == (status, reason.format(host=f"127.0.0.1:{crawled.server.port}"))


@pytest.mark.parametrize("path", LONG)
def test_what_is_no_audio_costs_a_few_kilobytes(path: str, crawled: Crawled) -> None:
    assert crawled.row(path)["status"] == "not_audio"
    assert path in crawled.given_up


def test_every_url_is_counted_once(crawled: Crawled) -> None:
    in_the_playlist = 1  # that came in place of audio, and is searched
    count = len(AUDIO) + len(LEADS) + len(OTHERS) + len(LONG) + in_the_playlist
    assert f"found       {count} audio URLs" in crawled.run.stdout
    assert "left " not in crawled.run.stdout
    assert len(crawled.server.times_s("/to-itself.mp3")) == 2


def test_pages_are_searched_and_files_taken_whatever_their_type(tmp_path: Path) -> None:
    answers = {
        "/page.html": body('<a href="/deeper">more</a><a href="/a.mp3">a</a>'),
        "/deeper": body('<audio src="/b.mp3"></audio>'),
        "/list": body("#EXTM3U\n/c.mp3\n"),
        "/get.php?id=1": body(MP3 + b"\0get", kind="text/html"),
        "/error.mp3": body("<html>This episode has been removed", kind="audio/mpeg"),
        "/packed.html": body(gzip.compress(b'<a href="/d.mp3">d</a>'), "Content-Encoding: gzip"),
        **{f"/{name}.mp3": body(MP3 + b"\0" + name.encode()) for name in "abcd"},
    }

    def answer(wire: Wire, path: str) -> None:
        answers.get(path, body("", status="404 Not Found"))(wire)

    with strange(answer) as server:
        starts = [
            f"{server.url}{path}" for path in ("/page.html", "/list", "/get.php?id=1", "/error.mp3", "/packed.html")
        ]
        run = crawl(tmp_path, f"url={' '.join(starts)}", "depth=1")
        assert len(server.times_s("/page.html")) == 1
    rows = {url.removeprefix(server.url): (row["status"], row["reason"]) for url, row in run.sources.items()}
    files = ("/a.mp3", "/b.mp3", "/c.mp3", "/d.mp3", "/get.php?id=1")
    assert rows == dict.fromkeys(files, ("stored", None)) | {"/error.mp3": ("not_audio", PAGE_CAME)}
