"""The words that a case is written in: python source that describes a server's behaviour in, a Case out."""

import atexit
import base64
import functools
import gzip
import io
import re
import secrets
import shutil
import tempfile
import time
import urllib.parse
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.sax.saxutils import quoteattr

import av
import numpy as np

from benchmarks.case_server import PAGE, Case, Conn, Handle, Request, page

SIZE_BYTES = 12_452
"""Of each numbered file."""
BIG_BYTES = 2_000_000
USER, PASSWORD = "alice", "s3cretpass"
"""What ``authed`` asks for."""


@functools.cache
def mp3(number: int) -> bytes:
    """Return an MP3 file of SIZE_BYTES with a tone of its own for each number."""
    return _tone(number, SIZE_BYTES)


@functools.cache
def big_mp3() -> bytes:
    """Return an MP3 file of BIG_BYTES."""
    return _tone(0, BIG_BYTES)


def _tone(number: int, size_bytes: int) -> bytes:
    rate_hz, seconds = 44_100, (size_bytes - 450) / 8_000
    times = np.arange(int(rate_hz * seconds)) / rate_hz
    pcm = np.round(9_000 * np.sin(2 * np.pi * (200 + 7 * number) * times)).astype(np.int16)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp3", options={"write_xing": "0", "id3v2_version": "0"}) as output:
        stream = output.add_stream("libmp3lame", rate=rate_hz, layout="mono", options={"flags": "+bitexact"})
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = 64_000
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate_hz
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    audio = buffer.getvalue()
    return _id3(f"Tone {number}", size_bytes - len(audio)) + audio


def _id3(title: str, size_bytes: int) -> bytes:
    text = b"\0" + title.encode()
    frames = b"TIT2" + len(text).to_bytes(4, "big") + b"\0\0" + text
    assert len(frames) + 10 <= size_bytes < 2_000, size_bytes
    length = size_bytes - 10
    return b"ID3\x03\0\0" + bytes([0, 0, length >> 7, length & 127]) + frames.ljust(length, b"\0")


def load_case(source: str) -> Case:
    """Return the one case that the source registers; raises SyntaxError or ValueError if it is no such source."""
    cases: list[Case] = []
    exec(compile(source, "<case>", "exec"), _vocabulary(cases))
    if len(cases) != 1:
        raise ValueError(f"{len(cases)} cases")
    return cases[0]


def _vocabulary(cases: list[Case]) -> dict[str, Any]:
    def case(name: str, start: str = PAGE, link: str | Iterable[str] | None = "/a.mp3") -> Callable[[Handle], Handle]:
        links = () if link is None else (link,) if isinstance(link, str) else tuple(link)

        def register(handle: Handle) -> Handle:
            cases.append(Case(name, start, links, handle))
            return handle

        return register

    def registering(make: Callable[..., Case]) -> Callable[..., None]:
        return lambda *values: cases.append(make(*values))

    modules = {"gzip": gzip, "re": re, "secrets": secrets, "time": time, "urllib": urllib, "zlib": zlib}
    names = {"case": case, "cut": _cut, "mp3": mp3, "rng": _range, "page": page, "authed": _authed}
    makers = {name: registering(make) for name, make in _MAKERS.items()}
    return {**modules, **names, **makers, "GOOD": {}, "AUDIO": _folder(), "base": SimpleNamespace(COUNT={})}


@functools.cache
def _folder() -> Path:
    """Return a folder with the big file."""
    folder = Path(tempfile.mkdtemp(prefix="transport-cases-"))
    atexit.register(shutil.rmtree, folder)
    (folder / "big.mp3").write_bytes(big_mp3())
    return folder


def _cut(
    conn: Conn, body: bytes, _number: int, *headers: str, declared: int | None = None, at: int | None = None
) -> None:
    """Declare a length, send less and close."""
    length = f"Content-Length: {len(body) if declared is None else declared}"
    conn.head("200 OK", "Content-Type: audio/mpeg", length, "Connection: close", *headers)
    conn.send(body[: len(body) // 2 if at is None else at])


def _range(request: Request) -> tuple[int, int | None] | None:
    found = re.match(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    return (int(found[1]), int(found[2]) if found[2] else None) if found else None


def _authed(request: Request) -> bool:
    wanted = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    return request.headers.get("authorization") == f"Basic {wanted}"


def _feed(name: str, query: Callable[[], str], first: int) -> Case:
    """Return a feed of five episodes whose guids stay while their URLs get a new query at each visit."""

    def handle(conn: Conn, request: Request, _number: int) -> bool:
        path = request.path.partition("?")[0]
        if path == "/feed.xml":
            at = f"http://{request.headers['host']}"
            items = "".join(_item(n, f"{at}/e{n}.mp3?{query()}") for n in range(first, first + 5))
            head = "<?xml version='1.0'?><rss version='2.0'><channel><title>Show</title>"
            return conn.full(f"{head}{items}</channel></rss>", "application/rss+xml")
        found = re.fullmatch(r"/e(\d+)\.mp3", path)
        return found is not None and revalidated(conn, request, int(found[1]))

    return Case(name, "/feed.xml", (), handle)


def _item(number: int, url: str) -> str:
    said = f"<title>Episode {number}</title><guid isPermaLink='false'>episode-{number}</guid>"
    return f"<item>{said}<enclosure url={quoteattr(url)} type='audio/mpeg' length='{SIZE_BYTES}'/></item>"


def revalidated(conn: Conn, request: Request, number: int) -> bool:
    """Answer with a numbered file, or with 304 where the client has it."""
    etag = f'"e{number}"'
    if request.headers.get("if-none-match") == etag:
        return conn.head("304 Not Modified", f"ETag: {etag}", "Connection: close")
    return conn.audio(mp3(number), f"ETag: {etag}")


def _one_file(name: str, number: int, *headers: str | bytes, kind: str = "audio/mpeg", at: str = "/a.mp3") -> Case:
    def handle(conn: Conn, request: Request, _number: int) -> bool:
        return request.path == at and conn.audio(mp3(number), *headers, kind=kind)

    return Case(name, PAGE, (at,), handle)


def _typed(name: str, kind: str, number: int) -> Case:
    return _one_file(name, number, kind=kind)


def _named(name: str, disposition: bytes, number: int) -> Case:
    return _one_file(f"cd-{name}", number, b"Content-Disposition: " + disposition)


def _url_case(name: str, href: str, path: str, number: int) -> Case:
    return replace(_one_file(f"url-{name}", number, at=path), links=(href,))


def _robots(name: str, text: bytes, number: int) -> Case:
    file = _one_file(f"robots-{name}", number)

    def handle(conn: Conn, request: Request, asked: int) -> bool:
        is_robots = request.path == "/robots.txt"
        return conn.full(text, "text/plain") if is_robots else bool(file.handle(conn, request, asked))

    return replace(file, handle=handle)


_MAKERS: dict[str, Callable[..., Case]] = {
    "mk": _feed,
    "typed": _typed,
    "named": _named,
    "url_case": _url_case,
    "robots": _robots,
}
