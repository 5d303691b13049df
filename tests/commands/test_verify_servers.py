"""``scrapy verify --hash`` against servers: what they state of a file is believed where it speaks of the whole file."""

import shutil
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import md5, sha256, sha512
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import google_crc32c
import pytest

from tests.crawling import Run, crawl
from tests.site.tones import tone_wav

LARGE = b"LIST" + (30_000_000).to_bytes(4, "little") + bytes(30_000_000)


def b64(digest: bytes) -> str:
    return b64encode(digest).decode()


@dataclass
class File:
    """What the server has at a path, and how it answers."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    head: int = 200
    head_length: int | None = None
    ranges: bool = False


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, File] = {}
        self.requests: list[tuple[str, str, bool]] = []
        self.sent: Counter[str] = Counter()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        is_head = self.command == "HEAD"
        validators = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
        is_conditional = any(name in self.headers for name in validators)
        self.server.requests.append((self.command, self.path, is_conditional))
        links = "".join(f"<a href='{path}'>x</a>" for path in self.server.files)
        page = File(links.encode(), {"Content-Type": "text/html"})
        file = page if self.path == "/" else self.server.files.get(self.path, File(b"", {}, 404))
        headers = {"Content-Type": "audio/wav", **file.headers}
        status, body = (file.head if is_head else file.status), file.body
        if any(self.headers.get(name) == headers.get(of, "none") for name, of in validators.items()):
            status, body = 304, b""
        elif file.ranges and self.headers.get("Range") == "bytes=0-0":
            status, body = 206, file.body[:1]
            headers |= {"Content-Range": f"bytes 0-0/{len(file.body)}", "Content-MD5": b64(md5(body).digest())}
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        length = file.head_length if is_head and file.head_length is not None else len(body)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if is_head or status == 304:
            return
        try:
            for at in range(0, len(body), 65536):
                self.wfile.write(body[at : at + 65536])
                self.server.sent[self.path] += len(body[at : at + 65536])
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def wav(number: int) -> bytes:
    return tone_wav(1) + b"LIST" + (4).to_bytes(4, "little") + number.to_bytes(4)


def stored_and_real() -> dict[str, tuple[File, File]]:
    """Return, by path, what an older version has stored as whole, and what the server has and states now."""
    v1, number = {"ETag": '"v1"'}, iter(range(1000))

    def mixed(**stated: str) -> tuple[File, File]:
        """Return a file whose stored bytes are of the right length and not the server's."""
        real = wav(next(number))
        headers = {name.replace("_", "-"): value.format(**digests(real)) for name, value in stated.items()}
        return File(wav(next(number)), v1), File(real, {**v1, **headers})

    def right(now: dict[str, str] | None = None, **how: object) -> tuple[File, File]:
        body = wav(next(number))
        headers = {name: value.format(**digests(body)) for name, value in (now or {}).items()}
        return File(body, v1), File(body, {**v1, **headers}, **how)  # type: ignore[arg-type]

    cut = wav(next(number))
    return {
        "/differ/cut.wav": (File(cut[:-4] + b"?", v1), File(cut + b"12345", v1)),
        "/differ/cut-head-refused.wav": (File(cut[:-5], v1), File(cut, v1, head=405, ranges=True)),
        "/differ/cut-deaf-to-ranges.wav": (File(tone_wav(2), v1), File(tone_wav(2) + LARGE, v1, head=501)),
        "/differ/repr-digest.wav": mixed(Repr_Digest="sha-512=:{sha512}:, sha-256=:{sha256}:;x=1"),
        "/differ/sha512.wav": mixed(Repr_Digest="sha-512=:{sha512}:"),
        "/differ/digest.wav": mixed(Digest="UNIXsum=30637,SHA-256={sha256}"),
        "/differ/digest-md5.wav": mixed(Digest="md5={md5}"),
        "/differ/content-md5.wav": mixed(Content_MD5="{md5}"),
        "/differ/content-digest.wav": mixed(Content_Digest="sha-256=:{sha256}:"),
        "/differ/goog-md5.wav": mixed(x_goog_hash="crc32c={crc32c},md5={md5}"),
        "/differ/goog-crc32c.wav": mixed(x_goog_hash="crc32c={crc32c}"),
        "/differ/amz.wav": mixed(x_amz_checksum_sha256="{sha256}"),
        "/same/length.wav": right(),
        "/same/digests.wav": right({"Repr-Digest": "sha-256=:{sha256}:", "Content-MD5": "{md5}"}),
        "/same/hex.wav": right({"Digest": "SHA-256={hex}"}),
        "/same/part.wav": right({"Digest": "MD5={md5}"}, head=403, ranges=True),
        "/same/head-lies.wav": right(head_length=5),
        "/same/etag-is-md5-of-parts.wav": right({"ETag": '"d41d8cd98f00b204e9800998ecf8427e-2"'}),
        "/same/composite.wav": right({"x-amz-checksum-sha256": "{sha256}-3"}),
        "/changed/etag.wav": (File(wav(next(number)), v1), File(wav(next(number)) + b"1", {"ETag": '"v2"'})),
        "/changed/time.wav": (
            File(wav(next(number)), {"Last-Modified": "Tue, 03 Nov 2026 10:00:00 GMT"}),
            File(wav(next(number)) + b"1", {"Last-Modified": "Fri, 06 Nov 2026 10:00:00 GMT"}),
        ),
        "/nothing/gzip.wav": (File(wav(next(number)), v1), File(b"short", {**v1, "Content-Encoding": "gzip"})),
        "/nothing/page.wav": (File(wav(next(number)), v1), File(b"log in", {"Content-Type": "text/html"})),
        "/nothing/gone.wav": (File(wav(next(number)), v1), File(b"gone", {}, 404, 404)),
    }


def digests(body: bytes) -> dict[str, str]:
    crc32c = google_crc32c.value(body).to_bytes(4)
    return {
        "sha256": b64(sha256(body).digest()),
        "sha512": b64(sha512(body).digest()),
        "md5": b64(md5(body).digest()),
        "crc32c": b64(crc32c),
        "hex": sha256(body).hexdigest(),
    }


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    served = Server()
    threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield served
    served.shutdown()
    served.server_close()


@pytest.fixture(scope="module")
def verified(server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, dict[str, dict[str, object]]]:
    """Return a verify of what an older version has stored, and the rows that it left; the requests are its own."""
    folder = tmp_path_factory.mktemp("verified")
    server.files = {path: stored for path, (stored, _) in stored_and_real().items()}
    first = crawl(folder, f"url={server.url}/")
    assert len(first.objects) == len(server.files), first.stdout
    server.files = {path: real for path, (_, real) in stored_and_real().items()}
    server.requests.clear()
    server.sent.clear()
    run = crawl(folder, command=("verify", "--hash"))
    return run, {url.removeprefix(server.url): row for url, row in run.sources.items()}


def of(kind: str) -> set[str]:
    return {path for path in stored_and_real() if path.startswith(f"/{kind}/")}


def test_what_differs_is_found_and_nothing_else(verified: tuple[Run, dict[str, dict[str, object]]]) -> None:
    run, rows = verified
    assert run.code == 4, run.stdout + run.stderr
    marked = {path for path, row in rows.items() if str(row["last_error"] or "").startswith("verify: ")}
    assert marked == of("differ")
    for path in marked:
        row = rows[path]
        assert (row["status"], row["last_status"], row["etag"], row["last_modified"]) == ("stored", "failed", "", "")
    assert f"source to be fetched again: {len(marked)}\n" in run.stdout
    assert f"{len(of('same'))} are the same, 2 have changed there since, {len(marked)} differ, 3 unknown" in run.stdout
    assert "to repair: `scrapy retry --reason verify:`;" in run.stdout
    statuses = run.query(
        "SELECT s.source_url, a.status FROM audio_sources s JOIN audio_metadata a ON a.sha256 = s.sha256"
    )
    assert {row["status"] for row in statuses if "/differ/" in row["source_url"]} == {"partial"}
    assert {row["status"] for row in statuses if "/differ/" not in row["source_url"]} == {"ok"}


def test_no_file_is_transferred_to_learn_that(
    server: Server, verified: tuple[Run, dict[str, dict[str, object]]]
) -> None:
    assert verified[0].code == 4
    assert server.sent["/differ/cut-deaf-to-ranges.wav"] < 8_000_000
    asked = Counter(path for method, path, _ in server.requests if method == "GET")
    assert max(asked.values()) <= 2  # once more where the connection that was cut off is met again


@pytest.mark.parametrize("way", ["retry", "crawl"])
def test_what_differs_is_fetched_anew(
    way: str, server: Server, verified: tuple[Run, dict[str, dict[str, object]]], tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(verified[0].folder, folder)
    server.requests.clear()
    how = {"command": ("retry", "--reason", "verify:")} if way == "retry" else {}
    run = crawl(folder, *([] if way == "retry" else [f"url={server.url}/"]), **how)  # type: ignore[arg-type]
    assert run.code == 0, run.stdout + run.stderr
    for path in of("differ"):
        row = run.sources[server.url + path]
        assert row["sha256"] == sha256(server.files[path].body).hexdigest(), path
        assert (row["last_error"], row["reason"], row["etag"]) == (None, None, '"v1"')
        assert ("GET", path, False) in server.requests
    if way == "retry":
        assert {path for _, path, _ in server.requests if path.endswith(".wav")} == of("differ")
    after = crawl(folder, command=("verify", "--hash"))
    assert (after.code, "0 differ" in after.stdout) == (0, True), after.stdout
