"""A whole site on loopback: pages a second, files a second, peak memory.

    python -m benchmarks.crawl_site [PAGES=10000] [FILES=5000]

Promise: the crawl's own process stays below 150 MiB whatever the number of pages and files.
"""

import math
import os
import struct
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.measured import run_measured

REPOSITORY = Path(__file__).parents[1]
TEXT = "<p>" + "The tide comes in and the tide goes out. " * 50 + "</p>"


class Handler(BaseHTTPRequestHandler):
    """A tree of pages at /N, two below each, with audio of its own on the first ones."""

    protocol_version = "HTTP/1.1"
    pages = files = 0

    def do_GET(self) -> None:
        """Answer."""
        name = self.path.strip("/") or "0"
        if name.endswith(".wav"):
            self._send("audio/wav", _wav(int(name.removesuffix(".wav"))))
        elif name.isdigit():
            self._send("text/html", self._page(int(name)).encode())
        else:
            self._send("text/plain", b"", 404)

    def _page(self, number: int) -> str:
        below = [child for child in (2 * number + 1, 2 * number + 2, number // 2) if child < self.pages]
        links = "".join(f'<a href="/{child}">page {child}</a> ' for child in below)
        audio = f'<audio src="/{number}.wav"></audio>' if number < self.files else ""
        return f"<!doctype html><title>Page {number}</title>{links}{audio}{TEXT}"

    def _send(self, content_type: str, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve, crawl and print."""
    Handler.pages, Handler.files = (int(a) for a in (sys.argv[1:] + ["10000", "5000"][len(sys.argv) - 1 :])[:2])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    command = [sys.executable, "-m", "scrapy", "crawl", "audio", "-a", f"url={url}", "-a", "depth=99"]
    command += ["-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=False"]
    env = os.environ | {"SCRAPY_SETTINGS_MODULE": "audiocrawler.settings", "PYTHONPATH": str(REPOSITORY)}
    with tempfile.TemporaryDirectory() as folder:
        figures = run_measured(command, Path(folder), env)
        stored = sum(1 for path in (Path(folder) / "data/objects").rglob("*.wav"))
    print(f"{Handler.pages} pages, {stored} of {Handler.files} files in {figures.wall_s:.0f} s, exit {figures.code}")
    print(f"own process {figures.own_peak_mib:.0f} MiB, largest worker {figures.child_peak_mib:.0f} MiB")


def _wav(number: int) -> bytes:
    """Return a tenth of a second, different for each number."""
    samples = b"".join(struct.pack("<h", round(9000 * math.sin(n * (200 + number) / 8000))) for n in range(800))
    form = struct.pack("<HHIIHHI", 1, 1, 8000, 16000, 2, 16, number)[:16]
    tail = b"LIST" + struct.pack("<I", 4) + struct.pack("<I", number)
    data = b"data" + struct.pack("<I", len(samples)) + samples
    return (
        b"RIFF"
        + struct.pack("<I", 4 + 24 + len(data) + len(tail))
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + data
        + tail
    )


if __name__ == "__main__":
    main()
