"""What workers gain, and what a host sees of them.

    python -m benchmarks.frontier_workers [PAGES=1500] [ROUNDS=3]

Goals: over many hosts that take their time two workers are at least 1.9 times as fast as one; and the requests that
one host gets are as far apart with 1, 2 and 4 workers.
"""

import itertools
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.link_crawls import LinkedSite, linked_site, start_links
from tests.emulators.redis_server import RedisServer

HOSTS, LATENCY_S = 40, 0.4
DELAY_S, DELAYED_PAGES = 0.25, 60
CONCURRENCY = {"CONCURRENT_REQUESTS": "8", "CONCURRENT_REQUESTS_PER_DOMAIN": "4"}


def main() -> None:
    """Run both and print."""
    pages, rounds = (int(a) for a in (sys.argv[1:] + ["1500", "3"][len(sys.argv) - 1 :])[:2])
    with RedisServer() as server:
        ratios = [gain(server, pages) for _ in range(rounds)]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(f"{HOSTS} hosts, {LATENCY_S} s each: 2 workers {statistics.median(ratios):.2f} times as fast ({spread})")
        for workers in (1, 2, 4):
            server.client.flushall()
            gaps = delayed(server, workers)
            print(
                f"{workers} workers, a delay of {DELAY_S} s: one every {statistics.mean(gaps):.3f} s on average,"
                f" median {statistics.median(gaps):.3f} s, shortest {min(gaps):.3f} s"
            )


def gain(server: RedisServer, pages: int) -> float:
    """Return how many times faster two workers are than one, from the first request to the last."""
    took_s = []
    for workers in (1, 2):
        server.client.flushall()
        with linked_site(pages, HOSTS, LATENCY_S) as site:
            run(server, site, workers, CONCURRENCY)
            at_s = page_times(site)
        assert len(at_s) == pages, len(at_s)
        # Until all are at work and after the last have run dry there is nothing to compare.
        took_s.append(at_s[len(at_s) * 9 // 10] - at_s[len(at_s) * 3 // 10])
    return took_s[0] / took_s[1]


def delayed(server: RedisServer, workers: int) -> list[float]:
    """Return the seconds between the requests that a single host sees."""
    with linked_site(DELAYED_PAGES) as site:
        run(server, site, workers, CONCURRENCY | {"DOWNLOAD_DELAY": str(DELAY_S)})
        return [later - earlier for earlier, later in itertools.pairwise(page_times(site))]


def run(server: RedisServer, site: LinkedSite, workers: int, settings: dict[str, str]) -> None:
    """Crawl the site with so many workers on one frontier."""
    with tempfile.TemporaryDirectory() as folder:
        everywhere = settings | {"AUDIO_FRONTIER": server.url}
        for process in [start_links(Path(folder), site, everywhere) for _ in range(workers)]:
            process.wait()


def page_times(site: LinkedSite) -> list[float]:
    """Return when pages were asked for."""
    return [at_s for at_s, path in site.times() if path.strip("/").isdigit()]


if __name__ == "__main__":
    main()
