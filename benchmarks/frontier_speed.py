"""Pages a second of a bare spider over a site without latency, by what keeps its requests.

    python -m benchmarks.frontier_speed [PAGES=3000] [ROUNDS=3]

Goals, in pairs of runs: sqlite at least 0.7 of Scrapy's own scheduler in memory, redis at least 0.6 of it.
scrapy-redis runs beside them where it is installed. The processor time of a page is told as well, as it depends less
on what else the machine does; start-up is in it.
"""

import os
import statistics
import sys
import tempfile
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

from benchmarks.link_crawls import LinkedSite, linked_site, start_links
from tests.emulators.redis_server import RedisServer

CONCURRENCY = {"CONCURRENT_REQUESTS": "16", "CONCURRENT_REQUESTS_PER_DOMAIN": "16"}


def main() -> None:
    """Run all of them in turn and print the ratios of each round."""
    pages, rounds = (int(a) for a in (sys.argv[1:] + ["3000", "3"][len(sys.argv) - 1 :])[:2])
    rates: defaultdict[str, list[float]] = defaultdict(list)
    cpu_s: defaultdict[str, list[float]] = defaultdict(list)
    with RedisServer() as server:
        kinds = kinds_of(server.url)
        for _ in range(rounds):
            for name, settings in kinds.items():
                server.client.flushall()
                pages_per_s, took_s = rate(pages, settings)
                rates[name].append(pages_per_s)
                cpu_s[name].append(took_s)
    for name, measured in rates.items():
        ratios = [ours / scrapys for ours, scrapys in zip(measured, rates["scrapy"], strict=True)]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        cpu_ms = statistics.median(cpu_s[name]) / pages * 1000
        wall = f"{statistics.median(measured):5.0f} pages/s, {statistics.median(ratios):.2f} ({spread})"
        print(f"{name:13} {wall}, {cpu_ms:.1f} ms of a processor a page")


def kinds_of(redis_url: str) -> dict[str, dict[str, str]]:
    """Return the settings of each contestant."""
    kinds = {
        "scrapy": {"SCHEDULER": "scrapy.core.scheduler.Scheduler", "AUDIO_FRONTIER": "memory"},
        "memory": {"AUDIO_FRONTIER": "memory"},
        "sqlite": {"AUDIO_FRONTIER": "sqlite:data/frontier.db"},
        "redis": {"AUDIO_FRONTIER": redis_url},
    }
    if find_spec("scrapy_redis"):
        kinds["scrapy-redis"] = {
            "SCHEDULER": "scrapy_redis.scheduler.Scheduler",
            "DUPEFILTER_CLASS": "scrapy_redis.dupefilter.RFPDupeFilter",
            "REDIS_URL": redis_url,
            "AUDIO_FRONTIER": "memory",
        }
    return kinds


def rate(pages: int, settings: dict[str, str]) -> tuple[float, float]:
    """Return the pages a second between the first and the last request, and the processor time in seconds."""
    with linked_site(pages) as site, tempfile.TemporaryDirectory() as folder:
        process = start_links(Path(folder), site, CONCURRENCY | settings)
        usage = os.wait4(process.pid, 0)[2]
        return seen(site, pages), usage.ru_utime + usage.ru_stime


def seen(site: LinkedSite, pages: int) -> float:
    """Return the rate, having checked that every page came once."""
    times = [(at_s, path) for at_s, path in site.times() if path.strip("/").isdigit()]
    assert len({path for _, path in times}) == len(times) == pages, (len(times), pages)
    return (pages - 1) / (times[-1][0] - times[0][0])


if __name__ == "__main__":
    main()
