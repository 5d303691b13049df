"""Size of a report, what it takes to write it, and how fast it is in a real Chromium.

    python -m benchmarks.report_page [ROWS=1000,20000]

Promise: 1,000 rows below 0.4 MB; 20,000 rows below 4 MB, written within 3 s and 150 MB by a process of its own, opened
within 1 s, and filtered within 100 ms.
"""

import math
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from audiocrawler.model.rows import AUDIO_CRAWLS, AUDIO_METADATA, AUDIO_SOURCES, AudioCrawl, AudioMetadata, AudioSource
from audiocrawler.rendering.chromium import find_chromium
from audiocrawler.warehouse import open_warehouse
from audiocrawler.warehouse.sqlite_schema import UPSERT, to_record
from benchmarks.file_server import REPOSITORY
from benchmarks.measured import Measured, run_measured

WORDS = ("harbour", "bell", "keeper", "evening", "tide", "lantern", "interview", "river", "song", "market", "winter")
HOSTS = ("cdn0.example-radio.org", "cdn1.example-archive.org", "media.birds.example", "speech.example.net")
LICENSES = (None, "CC-BY-4.0", "CC0-1.0", "CC-BY-SA-3.0")
REASONS = (
    ("failed", "HTTP 404"),
    ("failed", "HTTP 503, 4 times"),
    ("not_audio", "an HTML page came"),
    ("gone", "HTTP 410"),
)
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
TIMED = """([selector, number]) => {
    const button = document.querySelectorAll(selector)[number];
    const begin = performance.now();
    button.click();
    document.getElementById("table").getBoundingClientRect();
    return performance.now() - begin;
}"""


def main() -> None:
    """Print the figures for each number of rows."""
    for number in map(int, (sys.argv[1:] or ["1000,20000"])[0].split(",")):
        with tempfile.TemporaryDirectory() as folder:
            grow(Path(folder), number)
            figures = written(Path(folder))
            page = Path(folder, "data/report.html")
            print(
                f"{number:6,} rows: {page.stat().st_size / 1e6:.2f} MB, written in {figures.wall_s:.1f} s of "
                f"{figures.cpu_s:.1f} s CPU, peak {figures.own_peak_mib * 1.048576:.0f} MB, exit {figures.code}"
            )
            print(f"             {in_chromium(page)}")


def written(folder: Path) -> Measured:
    """Return what the command took."""
    env = os.environ | {"SCRAPY_SETTINGS_MODULE": "audiocrawler.settings", "PYTHONPATH": str(REPOSITORY)}
    return run_measured([sys.executable, "-m", "scrapy", "report"], folder, env)


def in_chromium(path: Path) -> str:
    """Return how long the page takes to open, to filter and to sort."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(None), args=["--no-sandbox"])
        page = browser.new_page()
        opened_s = min(_opened_s(page, path) for _ in range(3))
        filtered_ms = [page.evaluate(TIMED, [".values.license li button", place]) for place in (0, 1, 2, 0, 1, 2)]
        sorted_ms = [page.evaluate(TIMED, ["#head button", place]) for place in (0, 1, 2, 0)]
        browser.close()
    return f"opened in {opened_s:.2f} s, filtered in {max(filtered_ms):.0f} ms, sorted in {max(sorted_ms):.0f} ms"


def _opened_s(page: Any, path: Path) -> float:
    begin = time.monotonic()
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    return time.monotonic() - begin


def grow(folder: Path, number: int) -> None:
    """Make a collection of so many files whose values are invented."""
    open_warehouse(f"sqlite:{folder}/data/audio.db").close()
    with closing(sqlite3.connect(folder / "data/audio.db")) as database, database:
        for table, rows in (
            (AUDIO_CRAWLS, [AudioCrawl(crawl_id="1", started_at=NOON, arguments={"url": "https://example.org/"})]),
            (AUDIO_METADATA, (audio for audio, _ in _files(number))),
            (AUDIO_SOURCES, (source for _, source in _files(number))),
            (AUDIO_SOURCES, _failures(number // 11)),
        ):
            database.executemany(UPSERT[table.name], (to_record(row, table) for row in rows))


def _files(number: int) -> Iterator[tuple[AudioMetadata, AudioSource]]:
    chance = random.Random(7)
    for each in range(number):
        digest = sha256(str(each).encode()).hexdigest()
        words = [chance.choice(WORDS) for _ in range(3)]
        host = chance.choice(HOSTS)
        url = f"https://{host}/audio/{2010 + each % 15}/{'-'.join(words)}-{each}.mp3"
        level = chance.random()
        both: dict[str, Any] = {
            "gcp_url": f"file:///data/objects/sha256/{digest[:2]}/{digest[2:4]}/{digest}.mp3",
            "sha256": digest,
            "size_bytes": int(math.exp(chance.gauss(15, 1))),
            "source_url": url,
            "page_url": f"https://www.{host}/{words[0]}/{each // 20}.html",
            "title": f"{' '.join(words).capitalize()} {each}",
            "artist": chance.choice((None, "J. Okafor", "The Breakwaters")),
            "license": chance.choice(LICENSES),
            "found_by": chance.choice(("a_href", "audio_src", "feed_enclosure")),
        }
        audio = AudioMetadata(
            **both,
            file_name=url.rpartition("/")[2],
            duration_ms=int(math.exp(chance.gauss(11.3, 1.2))),
            loudness=-20,
            classification=chance.choice(("High Energy", "Low Energy")),
            lufs=chance.gauss(-21, 5),
            peak_dbfs=-abs(chance.gauss(2, 3)),
            bandwidth_hz_est=chance.uniform(3000, 20_000),
            snr_db_est=abs(chance.gauss(38, 12)),
            silence_ratio=min(1.0, abs(chance.gauss(0, 0.15))),
            codec=chance.choice(("mp3", "aac", "opus")),
            sample_rate_hz=chance.choice((44_100, 48_000, 16_000)),
            channels=2,
            pcm_hash=digest[:32],
            tags={"title": words[0], "encoder": "LAME"},
            waveform=bytes(
                min(255, int(255 * level * abs(math.sin(k / 7 + each)) * chance.random())) for k in range(200)
            ),
        )
        yield audio, AudioSource(**both, host=host, status="stored", first_seen_at=NOON)


def _failures(number: int) -> Iterator[AudioSource]:
    for each in range(number):
        status, reason = REASONS[each % len(REASONS)]
        url = f"https://{HOSTS[each % 4]}/lost/{each}.mp3"
        yield AudioSource(source_url=url, page_url=f"https://www.{HOSTS[0]}/{each}.html", status=status, reason=reason)


if __name__ == "__main__":
    main()
