"""A crawl that is killed again and again, beside one that is not.

    python -m benchmarks.frontier_trial [PAGES=500] [FILES=800] [KILLS=20] [FRONTIER=sqlite:data/frontier.db]

``redis`` as the frontier is a server that is started for the trial.

Promise: both end with the same objects, rows and statuses, and the killed one asks for no file twice that was stored
before a kill. After each kill of the main process alone no worker of it survives.
"""

import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from benchmarks.crawl_site import Handler
from tests.crawling import Run, crawl, processes_in, start
from tests.emulators.redis_server import RedisServer

KEYS = "sha256, size_bytes, duration_ms, loudness, classification, lufs, pcm_hash, file_name"
SOURCES = "source_url, status, last_status, sha256, http_status, attempts, found_by, page_url"


class CountingHandler(Handler):
    """The site of benchmarks.crawl_site with two files on some pages; it remembers what was asked for."""

    asked: ClassVar[Counter[str]] = Counter()
    lock = threading.Lock()

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        """Answer, slowly where it is a file."""
        with self.lock:
            self.asked[self.path] += 1
        if self.path.endswith(".wav"):
            time.sleep(0.05)
        super().do_GET()

    def _page(self, number: int) -> str:
        second = number + self.pages
        audio = f'<audio src="/{second}.wav"></audio>' if second < self.files else ""
        return super()._page(number) + audio


class QuietServer(ThreadingHTTPServer):
    """A server that says nothing of the connections that a killed crawl leaves."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


def main() -> None:
    """Crawl undisturbed, then with kills, and print what differs."""
    given = sys.argv[1:] + ["500", "800", "20", "sqlite:data/frontier.db"][len(sys.argv) - 1 :]
    CountingHandler.pages, CountingHandler.files, kills = map(int, given[:3])
    server = QuietServer(("127.0.0.1", 0), CountingHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    arguments = f"url=http://127.0.0.1:{server.server_address[1]}/", "depth=99"
    with frontier(given[3]) as uri, tempfile.TemporaryDirectory() as calm, tempfile.TemporaryDirectory() as rough:
        settings = {"AUDIO_FRONTIER": uri, "AUDIO_LEASE_S": "3"}
        undisturbed = crawl(Path(calm), *arguments, settings=settings, timeout_s=3600)
        CountingHandler.asked = Counter()
        stages, repeated, survivors = killed(Path(rough), arguments, settings, kills)
        stored, before = stored_in(Path(rough)), CountingHandler.asked.copy()
        run = crawl(Path(rough), *arguments, settings=settings, timeout_s=3600)
        repeated += asked_again(stored, before)
        report(undisturbed, run)
    files = sum(count for path, count in CountingHandler.asked.items() if path.endswith(".wav"))
    pages = sum(count for path, count in CountingHandler.asked.items() if path.strip("/").isdigit() or path == "/")
    print(f"{kills} kills at {dict(stages)}: {files} requests for {CountingHandler.files} files")
    print(f"{pages} requests for {CountingHandler.pages} pages")
    print(f"{repeated} requests for files that were stored before a kill; {survivors} workers survived")


@contextmanager
def frontier(uri: str) -> Iterator[str]:
    """Give the URI, for ``redis`` that of a server that is there meanwhile."""
    if uri != "redis":
        yield uri
        return
    with RedisServer() as server:
        yield server.url


def killed(
    folder: Path, arguments: tuple[str, ...], settings: dict[str, str], kills: int
) -> tuple[Counter[str], int, int]:
    """Kill the crawl so many times; return what it had under way, requests for stored files, and survivors."""
    chance = random.Random(20)
    stages: Counter[str] = Counter()
    repeated = survivors = 0
    for _ in range(kills):
        stored, before = stored_in(folder), CountingHandler.asked.copy()
        process = start(folder, *arguments, settings=settings)
        progress = before.total() + chance.randrange(5, 60)
        while CountingHandler.asked.total() < progress and process.poll() is None:
            time.sleep(0.005)
        stages["pages and files under way" if len(stored_in(folder)) > len(stored) else "before the first row"] += 1
        process.kill()
        process.communicate()
        survivors += not gone(folder)
        repeated += asked_again(stored, before)
    return stages, repeated, survivors


def gone(folder: Path) -> bool:
    """Return whether all processes of the crawl end by themselves."""
    deadline = time.monotonic() + 30
    while processes_in(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not processes_in(folder)


def stored_in(folder: Path) -> set[str]:
    """Return the paths of the files whose rows say that they are stored."""
    if not (folder / "data/audio.db").exists():
        return set()
    with sqlite3.connect(folder / "data/audio.db", timeout=60) as database:
        if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'audio_sources'").fetchone():
            return set()
        rows = database.execute("SELECT source_url FROM audio_sources WHERE status IN ('stored', 'duplicate')")
        return {"/" + url.rpartition("/")[2] for (url,) in rows}


def asked_again(stored: set[str], before: Counter[str]) -> int:
    """Return how many requests since then were for files that had been stored."""
    return sum(CountingHandler.asked[path] - before[path] for path in stored)


def report(undisturbed: Run, run: Run) -> None:
    """Print how the two collections differ."""
    print(f"exit codes {undisturbed.code} and {run.code}")
    names = ({path.name for path in each.objects} for each in (undisturbed, run))
    print(f"objects: {len(undisturbed.objects)} and {len(run.objects)}, {len(set.symmetric_difference(*names))} differ")
    for columns, table in ((KEYS, "audio_metadata"), (SOURCES, "audio_sources")):
        rows = (
            {tuple(row.values()) for row in each.query(f"SELECT {columns} FROM {table}")} for each in (undisturbed, run)
        )
        one, other = rows
        print(f"{table}: {len(one)} and {len(other)} rows, {len(one ^ other)} differ in {columns}")
        for row in list(one ^ other)[:4]:
            print("   ", row)


if __name__ == "__main__":
    main()
