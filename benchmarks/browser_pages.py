"""What the browser costs and brings: pages in it against plain ones, `auto` against `always`, and its memory.

    python -m benchmarks.browser_pages [cost|mixed|memory ...]

Goals: `auto` misses no file that `always` finds, in at most a quarter of its time; after 300 pages the browser's
memory is within 20 % of what it was after 50. CPU is that of all processes of the crawl; memory is the proportional
set size (PSS) of the browser's processes, the mean over the samples of a stretch of pages.
"""

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.scripted_server import NEEDED, PAGES, Handler, Server

REPOSITORY = Path(__file__).parents[1]
PLAIN_PAGES = 600
OPENED_PAGES = 60
ROUNDS = 3
POLL_S = 0.1


@dataclass
class Figures:
    """What a crawl took; ``memory`` holds pairs of pages opened so far and the browser's MiB."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    own_peak_mib: float = 0.0
    sounds: set[str] = field(default_factory=set)
    memory: list[tuple[int, float]] = field(default_factory=list)


def main() -> None:
    """Serve, crawl and print."""
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    for name in sys.argv[1:] or ("cost", "mixed", "memory"):
        {"cost": cost, "mixed": mixed, "memory": memory}[name](url)


def cost(url: str) -> None:
    """Print what a page costs, plain and in the browser, in pairs; starting both is measured apart and taken off."""
    urls = [f"{url}/notes/note-{number}" for number in range(PLAIN_PAGES)]
    walls, cpus = [], []
    for _ in range(ROUNDS):
        plain_ms = _per_page_ms(urls, "never")
        both_ms = _per_page_ms(urls[:OPENED_PAGES], "always")
        browser_ms = [both - own for both, own in zip(both_ms, plain_ms, strict=True)]
        walls.append(browser_ms[0] / plain_ms[0])
        cpus.append(browser_ms[1] / plain_ms[1])
        print(f"a page: plain {plain_ms[0]:.1f} ms wall, {plain_ms[1]:.1f} ms CPU", end="; ")
        print(f"in the browser {browser_ms[0]:.0f} ms wall, {browser_ms[1]:.0f} ms CPU")
    print(f"median ratio: {statistics.median(walls):.0f} wall, {statistics.median(cpus):.0f} CPU")


def _per_page_ms(urls: list[str], render: str) -> list[float]:
    """Return wall and CPU of a page; what a crawl of one page takes is taken off."""
    many, one = crawl(urls, render), crawl(urls[:1], render)
    return [1000 * took / (len(urls) - 1) for took in (many.wall_s - one.wall_s, many.cpu_s - one.cpu_s)]


def mixed(url: str) -> None:
    """Print what `auto` misses of what `always` finds on a site of 200 pages, and how long both take."""
    print(f"{len(PAGES) + 5} pages, of which {len(NEEDED)} need the browser")
    ratios = []
    for _ in range(ROUNDS):
        runs = {}
        for render in ("auto", "always", "never"):
            Handler.opened.clear()
            runs[render] = crawl([url + "/"], render, depth=1)
            print(
                f"{render}: {len(runs[render].sounds)} files, {sum(Handler.opened.values())} pages opened, "
                f"{runs[render].wall_s:.1f} s, {runs[render].cpu_s:.1f} s CPU"
            )
        ratios.append(runs["auto"].wall_s / runs["always"].wall_s)
        print(f"missed by auto: {sorted(runs['always'].sounds - runs['auto'].sounds)}; time {ratios[-1]:.2f}")
    print(f"median time of auto: {statistics.median(ratios):.2f} of always")


def memory(url: str) -> None:
    """Print the browser's memory around its 50th and its 300th page."""
    urls = [f"{url}/stories/a-story-with-sound-{number % 20}?{number}" for number in range(310)]
    figures = crawl(urls, "always")
    around = {
        pages: statistics.mean(mib for opened, mib in figures.memory if pages - 25 <= opened <= pages and mib)
        for pages in (50, 100, 200, 300)
    }
    print("browser, mean MiB over the 25 pages before: " + ", ".join(f"{p}: {mib:.0f}" for p, mib in around.items()))
    print(f"the crawl's own process: {figures.own_peak_mib:.0f} MiB at most")
    print(f"after 300 pages {around[300] / around[50] - 1:+.0%} of that after 50")


def crawl(urls: list[str], render: str, depth: int = 0) -> Figures:
    """Run a crawl and return its figures."""
    Handler.opened.clear()
    figures = Figures()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "urls.txt").write_text("\n".join(urls), encoding="utf-8")
        command = [sys.executable, "-m", "scrapy", "crawl", "audio", "-a", "urls=urls.txt", "-a", f"depth={depth}"]
        command += ["-a", f"render={render}", "-s", "DOWNLOAD_DELAY=0", "-s", "AUTOTHROTTLE_ENABLED=False"]
        env = os.environ | {"SCRAPY_SETTINGS_MODULE": "audiocrawler.settings", "PYTHONPATH": str(REPOSITORY)}
        began = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        figures.cpu_s = watch(process, figures)
        figures.wall_s = time.monotonic() - began
        with sqlite3.connect(folder / "data/audio.db") as database:
            rows = database.execute("SELECT source_url FROM audio_sources WHERE status IN ('stored', 'duplicate')")
            figures.sounds = {url.rpartition("/")[2] for (url,) in rows}
    return figures


def watch(process: "subprocess.Popen[bytes]", figures: Figures) -> float:
    """Return the CPU seconds of the process and all below it; note the browser's memory."""
    crawler = psutil.Process(process.pid)
    cpu_s: dict[tuple[int, float], float] = {}
    while process.poll() is None:
        browser_bytes = 0
        for each in _family(crawler):
            try:
                times = each.cpu_times()
                cpu_s[each.pid, each.create_time()] = times.user + times.system
                if each == crawler:
                    figures.own_peak_mib = max(figures.own_peak_mib, each.memory_info().rss / 2**20)
                elif "chrom" in each.name():
                    browser_bytes += each.memory_full_info().pss
            except psutil.Error:
                continue
        figures.memory.append((sum(Handler.opened.values()), browser_bytes / 2**20))
        time.sleep(POLL_S)
    return sum(cpu_s.values())


def _family(crawler: psutil.Process) -> list[psutil.Process]:
    try:
        return [crawler, *crawler.children(recursive=True)]
    except psutil.Error:
        return []


if __name__ == "__main__":
    main()
