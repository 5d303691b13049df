"""The second crawl of a site that has not changed, against the first: bytes of audio and time.

    python -m benchmarks.repeat_crawl [FILES=1000]

Crawls tests/site, and then a page of so many files with ETags, twice each into the same database.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.measured import run_measured
from tests.shelf import Shelf
from tests.site.server import Site
from tests.site.tones import tone_wav

REPOSITORY = Path(__file__).parents[1]


def main() -> None:
    """Crawl and print."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with Site() as site:
        _compare("tests/site", f"{site.url}/", lambda: _audio_bytes(site))
    answers = {f"/{n}.wav": (_numbered(n), {"Content-Type": "audio/wav", "ETag": f'"{n}"'}) for n in range(files)}
    with Shelf(dict(answers)) as shelf:
        _compare(f"{files} files", f"{shelf.url}/", lambda: shelf.sent_bytes.total() - shelf.sent_bytes["/"])


def _compare(name: str, url: str, sent_bytes: Callable[[], int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first_s = _crawl(url, Path(folder))
        first_bytes = sent_bytes()
        second_s = _crawl(url, Path(folder))
    second_bytes = sent_bytes() - first_bytes
    print(f"{name}: {second_bytes:,} bytes of audio against {first_bytes:,}, {second_bytes / first_bytes:.3f}")
    print(f"{name}: {second_s:.1f} s against {first_s:.1f} s, {second_s / first_s:.2f}")


def _crawl(url: str, folder: Path) -> float:
    command = [sys.executable, "-m", "scrapy", "crawl", "audio", "-a", f"url={url}", "-a", "depth=2"]
    command += ["-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=False", "-s", "AUDIO_ALLOW_ADDRESSES=127.0.0.0/8"]
    env = os.environ | {"SCRAPY_SETTINGS_MODULE": "audiocrawler.settings", "PYTHONPATH": str(REPOSITORY)}
    return run_measured(command, folder, env).wall_s


def _audio_bytes(site: Site) -> int:
    urls = {request.url for request in site.requests if request.path.startswith(("/audio/", "/many/tone"))}
    return sum(map(site.sent_bytes, urls))


def _numbered(number: int) -> bytes:
    return tone_wav(number % 80) + b"LIST\x04\x00\x00\x00" + number.to_bytes(4, "little")


if __name__ == "__main__":
    main()
