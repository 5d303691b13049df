"""What servers do with a file on its way: the bytes of the row are the file's own, whole and of one version."""

import gzip
import hashlib
import time
import zlib
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import brotli
import pytest
from backports import zstd

from tests.crawling import Run, crawl, start
from tests.forking import Forked
from tests.site.tones import tone_wav
from tests.strange_server import Strange, Wire, strange

OLD = "Mon, 01 Jan 2024 00:00:00 GMT"
RETRIES = {"RETRY_TIMES": "2"}


@dataclass
class File:
    """One file of the server; ``asked`` are the Range headers of its requests in order."""

    number: int
    behave: Callable[[Wire, "File"], None]
    asked: list[str] = field(default_factory=list)

    @property
    def wav(self) -> bytes:
        return tone_wav(self.number)

    @property
    def other(self) -> bytes:
        """Return another version of the file, of equal length."""
        return tone_wav(self.number + 500)

    @property
    def first_byte(self) -> int:
        """Return where the current request wants to go on, 0 for the whole file."""
        return int(self.asked[-1].removeprefix("bytes=").partition("-")[0] or 0)


def whole(wire: Wire, data: bytes, *headers: str, length: int | None = None, status: str = "200 OK") -> None:
    declared = len(data) if length is None else length
    lines = [f"HTTP/1.1 {status}", "Content-Type: audio/wav", f"Content-Length: {declared}", "Connection: close"]
    wire.send("\r\n".join([*lines, *headers, "", ""]).encode("latin-1") + data)


def ranged(wire: Wire, data: bytes, first: int, last: int, total: int | str, *headers: str) -> None:
    content = f"Content-Range: bytes {first}-{last}/{total}"
    whole(wire, data[first : last + 1], content, *headers, status="206 Partial Content")


def cut(wire: Wire, file: File, at: int, *headers: str) -> None:
    whole(wire, file.wav[:at], *headers, length=len(file.wav))


def resumed(wire: Wire, file: File) -> None:
    if file.first_byte:
        ranged(wire, file.wav, file.first_byte, len(file.wav) - 1, len(file.wav), 'ETag: "1"')
    else:
        cut(wire, file, 1500, 'ETag: "1"')


def other_version_on_resume(wire: Wire, file: File) -> None:
    if file.first_byte:
        ranged(wire, file.other, file.first_byte, len(file.wav) - 1, len(file.wav), 'ETag: "2"')
    elif len(file.asked) == 1:
        cut(wire, file, 1500, 'ETag: "1"')
    else:
        whole(wire, file.other, 'ETag: "2"')


def other_total_on_resume(wire: Wire, file: File) -> None:
    if file.first_byte:
        ranged(wire, file.other, file.first_byte, len(file.wav) - 1, len(file.wav) + 100, f"Last-Modified: {OLD}")
    elif len(file.asked) == 1:
        cut(wire, file, 1500, f"Last-Modified: {OLD}")
    else:
        whole(wire, file.other)


def other_start_on_resume(wire: Wire, file: File) -> None:
    if file.first_byte:
        ranged(wire, file.wav, file.first_byte - 100, len(file.wav) - 1, len(file.wav), 'ETag: "1"')
    elif len(file.asked) == 1:
        cut(wire, file, 1500, 'ETag: "1"')
    else:
        whole(wire, file.wav, 'ETag: "1"')


def by_time_only(wire: Wire, file: File) -> None:
    headers = ('ETag: W/"1"', f"Last-Modified: {OLD}")
    if file.first_byte:
        ranged(wire, file.wav, file.first_byte, len(file.wav) - 1, len(file.wav), *headers)
    else:
        cut(wire, file, 1500, *headers)


def short_ranges(wire: Wire, file: File) -> None:
    """Give at most 1,000 bytes at a time, and the first of them although nobody has asked for a range."""
    last = min(file.first_byte + 999, len(file.wav) - 1)
    ranged(wire, file.wav, file.first_byte, last, len(file.wav), 'ETag: "1"')


def short_ranges_of_unknown_total(wire: Wire, file: File) -> None:
    if file.first_byte >= len(file.wav):
        whole(wire, b"", f"Content-Range: bytes */{len(file.wav)}", status="416 Range Not Satisfiable")
    else:
        ranged(wire, file.wav, file.first_byte, min(file.first_byte + 2999, len(file.wav) - 1), "*", 'ETag: "1"')


def first_part_for_good(wire: Wire, file: File) -> None:
    """Give the first part, and nothing by which the rest could be told to be of the same file."""
    ranged(wire, file.wav, 0, 999, len(file.wav))


def part_as_whole(wire: Wire, file: File) -> None:
    """Give the first part with the status of a whole file."""
    if file.first_byte:
        ranged(wire, file.wav, file.first_byte, len(file.wav) - 1, len(file.wav), 'ETag: "1"')
    else:
        whole(wire, file.wav[:1500], f"Content-Range: bytes 0-1499/{len(file.wav)}", 'ETag: "1"')


def whole_as_part(wire: Wire, file: File) -> None:
    """Say that the rest comes, and send the whole file."""
    if file.first_byte:
        content = f"Content-Range: bytes {file.first_byte}-{len(file.wav) - 1}/{len(file.wav)}"
        head = f'HTTP/1.1 206 Partial Content\r\nContent-Type: audio/wav\r\nETag: "1"\r\n{content}\r\n'
        chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(file.wav), file.wav)
        wire.send(head.encode() + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunk)
    elif len(file.asked) == 1:
        cut(wire, file, 1500, 'ETag: "1"')
    else:
        whole(wire, file.wav, 'ETag: "1"')


def several_parts(wire: Wire, file: File) -> None:
    """Answer a range in the form that is meant for several of them."""
    if file.first_byte:
        whole(wire, b"--x\r\n\r\nzzz\r\n--x--", 'ETag: "1"', status="206 Partial Content")
    elif len(file.asked) == 1:
        cut(wire, file, 1500, 'ETag: "1"')
    else:
        whole(wire, file.wav, 'ETag: "1"')


def stated(algorithm: str, data: bytes) -> str:
    return b64encode(hashlib.new(algorithm, data).digest()).decode()


def with_digests(wire: Wire, file: File) -> None:
    sha256, md5 = stated("sha256", file.wav), stated("md5", file.wav)
    whole(wire, file.wav, f"Repr-Digest: sha-256=:{sha256}:", f"Content-MD5: {md5}", f"x-goog-hash: md5={md5}")


def damaged_once(wire: Wire, file: File) -> None:
    """Send other bytes than those of the digest, the first time."""
    data = file.other if len(file.asked) == 1 else file.wav
    whole(wire, data, f"Content-MD5: {stated('md5', file.wav)}")


def damaged(wire: Wire, file: File) -> None:
    whole(wire, file.other, f"Digest: SHA-256={stated('sha256', file.wav)}")


def a_part_in_the_middle(wire: Wire, file: File) -> None:
    ranged(wire, file.wav, 100, len(file.wav) - 1, len(file.wav), 'ETag: "1"')


def length_too_large_once(wire: Wire, file: File) -> None:
    if file.first_byte:
        whole(wire, b"gone", f"Content-Range: bytes */{len(file.wav)}", status="416 Range Not Satisfiable")
    else:
        whole(wire, file.wav, 'ETag: "1"', length=len(file.wav) + 10)


def smaller_after_all(wire: Wire, file: File) -> None:
    """Answer 416 with a size that is not that of the part: the file has changed."""
    if file.first_byte:
        whole(wire, b"", f"Content-Range: bytes */{len(file.wav) - 3000}", status="416 Range Not Satisfiable")
    elif len(file.asked) == 1:
        cut(wire, file, 2000, 'ETag: "1"')
    else:
        whole(wire, file.wav)


def length_too_large(wire: Wire, file: File) -> None:
    whole(wire, file.wav, length=len(file.wav) + 100)


def reset_in_the_middle(wire: Wire, file: File) -> None:
    wire.send(b"HTTP/1.0 200 OK\r\nContent-Type: audio/wav\r\n\r\n" + file.wav[: len(file.wav) // 2])
    time.sleep(0.2)
    wire.reset()


def chunked_and_cut(wire: Wire, file: File) -> None:
    half = file.wav[: len(file.wav) // 2]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    wire.send(head + b"%x\r\n%s\r\n" % (len(half), half))


def encoded(encoding: str, encode: Callable[[bytes], bytes], **how: int) -> Callable[[Wire, File], None]:
    def behave(wire: Wire, file: File) -> None:
        data = encode(file.wav)
        whole(wire, data, f"Content-Encoding: {encoding}", length=len(data) + how.get("too_large", 0))

    return behave


def bare_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


def two_members(data: bytes) -> bytes:
    return gzip.compress(data[:1000]) + gzip.compress(data[1000:])


def cut_gzip(data: bytes) -> bytes:
    encoded = gzip.compress(data)
    return encoded[: len(encoded) // 2]


def one_member_of_two(data: bytes) -> bytes:
    return two_members(data)[: -len(gzip.compress(data[1000:])) // 2]


def shoutcast(wire: Wire, file: File) -> None:
    wire.send(b"ICY 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: %d\r\n\r\n" % len(file.wav) + file.wav)


def long_header(wire: Wire, file: File) -> None:
    whole(wire, file.wav, "Content-Security-Policy: " + "x " * 10_000)


def invalid_length(wire: Wire, file: File) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: some\r\n\r\n" + file.wav)


def no_length(wire: Wire, file: File) -> None:
    wire.send(b"HTTP/1.0 200 OK\r\nContent-Type: audio/wav\r\n\r\n" + file.wav)


def early_hints(wire: Wire, file: File) -> None:
    wire.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n")
    whole(wire, file.wav)


def http_2(wire: Wire, _: File) -> None:
    wire.send(bytes.fromhex("000000040000000000"))


def large_error(wire: Wire, _file: File) -> None:
    wire.send(b"HTTP/1.1 404 Not Found\r\nContent-Type: audio/wav\r\nContent-Length: 900000000\r\n\r\n")
    for _ in range(900):
        wire.send(b"\0" * 1_000_000)
        SENT["404"] += 1_000_000


def refusing_range(status: str) -> Callable[[Wire, File], None]:
    """Break off once, and answer the request for the rest with ``status``."""

    def behave(wire: Wire, file: File) -> None:
        if file.first_byte:
            whole(wire, b"no ranges here", status=status)
        elif len(file.asked) == 1:
            cut(wire, file, 1500, 'ETag: "1"')
        else:
            whole(wire, file.wav, 'ETag: "1"')

    return behave


def rest_as_whole(wire: Wire, file: File) -> None:
    """Send the rest with the status of a whole file, and without saying that it is a range."""
    if file.first_byte:
        whole(wire, file.wav[file.first_byte :], 'ETag: "1"')
    elif len(file.asked) == 1:
        cut(wire, file, 1500, 'ETag: "1"')
    else:
        whole(wire, file.wav, 'ETag: "1"')


def spelt(content: str) -> Callable[[Wire, File], None]:
    """Break off always, and describe the rest in an odd spelling of Content-Range."""

    def behave(wire: Wire, file: File) -> None:
        if not file.first_byte:
            cut(wire, file, 1500, 'ETag: "1"')
            return
        last, total = len(file.wav) - 1, len(file.wav)
        told = content.format(first=file.first_byte, last=last, total=total)
        whole(wire, file.wav[file.first_byte :], f"Content-Range: {told}", 'ETag: "1"', status="206 Partial Content")

    return behave


def packed_range(wire: Wire, file: File) -> None:
    """Give all of an encoded file as a range that nobody has asked for."""
    data = gzip.compress(file.wav)
    content = f"Content-Range: bytes 0-{len(data) - 1}/{len(data)}"
    whole(wire, data, content, "Content-Encoding: gzip", status="206 Partial Content")


def chunked_with_length(wire: Wire, file: File) -> None:
    """Send chunks under a Content-Length that is far too large, and break off once."""
    if file.first_byte:
        ranged(wire, file.wav, file.first_byte, len(file.wav) - 1, len(file.wav), 'ETag: "1"')
        return
    lines = ("Content-Type: audio/wav", "Transfer-Encoding: chunked", "Content-Length: 99999999999", 'ETag: "1"')
    wire.send("\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode() + b"%x\r\n%s\r\n" % (1500, file.wav[:1500]))


def length_of_minus_one(wire: Wire, file: File) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: {2**64 - 1}\r\n\r\n"
    wire.send(head.encode() + file.wav)


def not_authoritative(wire: Wire, file: File) -> None:
    whole(wire, file.wav, status="203 Non-Authoritative Information")


SENT: Counter[str] = Counter()
OWN = {
    "resumed": resumed,
    "by-time-only": by_time_only,
    "other-start-on-resume": other_start_on_resume,
    "short-ranges": short_ranges,
    "short-ranges-of-unknown-total": short_ranges_of_unknown_total,
    "part-as-whole": part_as_whole,
    "whole-as-part": whole_as_part,
    "several-parts": several_parts,
    "with-digests": with_digests,
    "damaged-once": damaged_once,
    "length-too-large-once": length_too_large_once,
    "smaller-after-all": smaller_after_all,
    "gzip": encoded("gzip", gzip.compress),
    "gzip-of-wrong-length": encoded("gzip", gzip.compress, too_large=500),
    "gzip-of-two-members": encoded("gzip", two_members),
    "gzip-twice": encoded("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))),
    "gzip-twice-told-once": encoded("gzip", lambda data: gzip.compress(gzip.compress(data))),
    "gzip-on-plain-bytes": encoded("gzip", bytes),
    "brotli": encoded("br", brotli.compress),
    "brotli-on-plain-bytes": encoded("br", bytes),
    "zlib": encoded("deflate", zlib.compress),
    "bare-deflate": encoded("deflate", bare_deflate),
    "aws-chunked": encoded("aws-chunked", bytes),
    "aws-chunked-and-gzip": encoded("aws-chunked,gzip", gzip.compress),
    "binary": encoded("binary", bytes),
    "charset-as-encoding": encoded("UTF-8", bytes),
    "shoutcast": shoutcast,
    "long-header": long_header,
    "early-hints": early_hints,
    "invalid-length": invalid_length,
    "no-length-told": no_length,
    "not-authoritative": not_authoritative,
    "created": lambda wire, file: whole(wire, file.wav, status="201 Created"),
    "range-is-bad": refusing_range("400 Bad Request"),
    "range-is-forbidden": refusing_range("403 Forbidden"),
    "range-is-not-modified": refusing_range("304 Not Modified"),
    "range-is-not-implemented": refusing_range("501 Not Implemented"),
    "rest-as-whole": rest_as_whole,
    "range-with-equals": spelt("bytes={first}-{last}/{total}"),
    "range-with-spaces": spelt("bytes {first} - {last} / {total}"),
    "range-without-unit": spelt("{first}-{last}/{total}"),
    "range-that-excludes-its-end": spelt("bytes {first}-{total}/{total}"),
    "packed-range": packed_range,
    "chunked-with-length": chunked_with_length,
    "length-of-minus-one": length_of_minus_one,
    "zstd-of-two-frames": encoded("zstd", lambda data: zstd.compress(data[:1000]) + zstd.compress(data[1000:])),
    "zstd-with-padding": encoded("zstd", lambda data: zstd.compress(data) + bytes(600)),
}
"""Files that come as they are, in spite of all."""
REPLACED = {"other-version-on-resume": other_version_on_resume, "other-total-on-resume": other_total_on_resume}
"""Files that become another version while they are transferred: that one comes, and nothing of the old one."""
LOST = {
    "first-part-for-good": (first_part_for_good, "no strong validator"),
    "a-part-in-the-middle": (a_part_in_the_middle, "instead of its start"),
    "damaged": (damaged, "sha256 mismatch"),
    "length-too-large": (length_too_large, "aborted"),
    "reset-in-the-middle": (reset_in_the_middle, "aborted"),
    "chunked-and-cut": (chunked_and_cut, "aborted"),
    "gzip-cut": (encoded("gzip", cut_gzip), "aborted"),
    "one-member-of-two": (encoded("gzip", one_member_of_two), "aborted"),
    "xz": (encoded("xz", bytes), "Content-Encoding xz is not supported"),
    "http-2": (http_2, "only HTTP/2"),
    "large-error": (large_error, "HTTP 404"),
}
"""Files that cannot be had whole: no object, and a reason."""


@pytest.fixture(scope="module")
def files() -> dict[str, File]:
    """Return all files by their paths."""
    behaviours = {**OWN, **REPLACED, **{name: behave for name, (behave, _) in LOST.items()}}
    return {f"/{name}.wav": File(number, behave) for number, (name, behave) in enumerate(behaviours.items())}


@pytest.fixture(scope="module")
def run(files: dict[str, File], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Return one crawl of all files."""

    def answer(wire: Wire, path: str) -> None:
        if path in files:
            files[path].asked.append(wire.headers.get("range", ""))
            files[path].behave(wire, files[path])
        elif path == "/":
            wire.body("".join(f'<a href="{path}">{path}</a>' for path in files))
        else:
            wire.body("", status="404 Not Found")

    with strange(answer) as server:
        yield crawl(tmp_path_factory.mktemp("transfers"), f"url={server.url}/", settings={"RETRY_TIMES": "1"})


def row_of(run: Run, name: str) -> dict[str, object]:
    return next(row for url, row in run.sources.items() if url.endswith(f"/{name}.wav"))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name", OWN)
def test_the_file_itself_is_stored(name: str, run: Run, files: dict[str, File]) -> None:
    row = row_of(run, name)
    assert (row["status"], row["reason"]) == ("stored", None)
    assert row["sha256"] == sha256(files[f"/{name}.wav"].wav)


@pytest.mark.parametrize("name", REPLACED)
def test_a_file_that_has_changed_is_no_mixture(name: str, run: Run, files: dict[str, File]) -> None:
    row = row_of(run, name)
    assert (row["status"], row["sha256"]) == ("stored", sha256(files[f"/{name}.wav"].other))


@pytest.mark.parametrize("name", LOST)
def test_what_is_not_whole_is_not_stored(name: str, run: Run) -> None:
    row = row_of(run, name)
    assert (row["status"], row["sha256"]) == ("failed", None)
    assert LOST[name][1] in str(row["reason"])


def test_no_object_has_other_bytes(run: Run, files: dict[str, File]) -> None:
    right = {sha256(file.wav) for file in files.values()} | {sha256(file.other) for file in files.values()}
    assert {sha256(path.read_bytes()) for path in run.objects} <= right


def test_only_the_rest_is_asked_for(run: Run, files: dict[str, File]) -> None:
    assert files["/resumed.wav"].asked == ["", "bytes=1500-"]
    assert files["/by-time-only.wav"].asked == ["", "bytes=1500-"]
    assert files["/short-ranges.wav"].asked == ["", *(f"bytes={first}-" for first in range(1000, 4044, 1000))]


def test_the_body_of_an_error_is_not_read(run: Run) -> None:
    assert SENT["404"] < 20_000_000  # what the sockets of both sides hold


def test_what_came_in_spite_of_its_length_can_be_kept(tmp_path: Path) -> None:
    wav = tone_wav(1)

    def answer(wire: Wire, path: str) -> None:
        if path == "/a.wav":
            whole(wire, wav, length=len(wav) + 100)
        else:
            wire.body('<a href="/a.wav">a</a>' if path == "/" else "", status="200 OK" if path == "/" else "404 No")

    with strange(answer) as server:
        settings = {"RETRY_TIMES": "1", "DOWNLOAD_FAIL_ON_DATALOSS": "False"}
        run = crawl(tmp_path, f"url={server.url}/", settings=settings)
        assert len(server.times_s("/a.wav")) == 2
    assert [row["status"] for row in run.sources.values()] == ["stored"]
    assert [path.read_bytes() for path in run.objects] == [wav]


def test_a_page_that_breaks_off_is_searched_at_the_last_try(tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        if path == "/a.wav":
            wire.body(tone_wav(1), kind="audio/wav")
        elif path == "/":
            page = b'<a href="/a.wav">a</a>'
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 500\r\n\r\n" + page)
        else:
            wire.body("", status="404 Not Found")

    with strange(answer) as server:
        run = crawl(tmp_path, f"url={server.url}/", settings=RETRIES)
        assert len([path for _, path, _ in server.requests if path == "/"]) == 3
    assert [row["status"] for row in run.sources.values()] == ["stored"]


MP3 = (Path(__file__).parent / "site/audio/episode-1.mp3").read_bytes()
HALF = len(MP3) // 2


def test_what_cannot_be_proved_whole_says_so_and_is_never_certified(tmp_path: Path) -> None:
    bodies = {"/whole.mp3": MP3, "/cut.wav": tone_wav(1)[:2000]}
    conditions: list[str] = []

    def answer(wire: Wire, path: str) -> None:
        conditions.extend(name for name in wire.headers if name.startswith("if-"))
        if path in bodies:
            head = f'HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\nETag: "1"\r\nLast-Modified: {OLD}\r\n\r\n'
            wire.send(head.encode() + bodies[path])
        elif path == "/":
            wire.body("".join(f'<a href="{path}">x</a>' for path in bodies))
        else:
            wire.body("", status="404 Not Found")

    def outcomes(run: Run) -> dict[str, tuple[object, object, bool]]:
        how = {row["sha256"]: row["status"] for row in run.audio}
        return {
            url.rpartition("/")[2]: (row["status"], how[row["sha256"]], row["reason"] is None)
            for url, row in run.sources.items()
        }

    with strange(answer) as server:
        first = crawl(tmp_path, f"url={server.url}/", settings=RETRIES)
        assert outcomes(first) == {"whole.mp3": ("stored", "unproved", False), "cut.wav": ("stored", "partial", False)}
        assert len(server.times_s("/cut.wav")) == 3  # it is tried again, in case it broke off
        second = crawl(tmp_path, f"url={server.url}/", settings=RETRIES)
        assert len(server.times_s("/whole.mp3")) == 2
    assert conditions == []
    assert outcomes(second) == {"whole.mp3": ("unchanged", "ok", True), "cut.wav": ("unchanged", "partial", True)}


LARGE = tone_wav(1) + bytes(6_000_000)
"""A WAV file with a long tail; a server that sends it slowly."""


@pytest.fixture
def slow() -> Iterator[Strange]:
    """Return a server that sends LARGE at 2 MB/s, and the rest of it at once."""

    def answer(wire: Wire, path: str) -> None:
        if path != "/a.wav":
            wire.body('<a href="/a.wav">a</a>' if path == "/" else "", status="200 OK" if path == "/" else "404 No")
            return
        first = int(wire.headers.get("range", "").removeprefix("bytes=").partition("-")[0] or 0)
        if first:
            FIRST_BYTES.append(first)
            assert wire.headers["if-range"] == '"large"'
            ranged(wire, LARGE, first, len(LARGE) - 1, len(LARGE), 'ETag: "large"')
            return
        whole(wire, b"", 'ETag: "large"', length=len(LARGE))
        for at in range(0, len(LARGE), 200_000):
            wire.send(LARGE[at : at + 200_000])
            if wire.closing.wait(0.1):
                return

    with strange(answer) as server:
        yield server


FIRST_BYTES: list[int] = []


def wait_for_bytes(folder: Path, process: Forked, size_bytes: int) -> None:
    until = time.monotonic() + 60
    while sum(path.stat().st_size for path in folder.glob("data/incoming/*/*.part")) < size_bytes:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("how", ["interrupt", "kill"])
def test_a_part_outlives_the_process(slow: Strange, tmp_path: Path, how: str) -> None:
    FIRST_BYTES.clear()
    process = start(tmp_path, f"url={slow.url}/", settings={"AUDIO_STOP_GRACE_S": "0.1"})
    wait_for_bytes(tmp_path, process, 2_000_000)
    process.send_signal(2 if how == "interrupt" else 9)
    process.communicate(timeout=60)
    run = crawl(tmp_path, f"url={slow.url}/")
    assert [path.read_bytes() for path in run.objects] == [LARGE]
    assert len(FIRST_BYTES) == 1
    assert FIRST_BYTES[0] >= 2_000_000
    assert not [path for path in (tmp_path / "data/incoming").rglob("*") if path.is_file()]
