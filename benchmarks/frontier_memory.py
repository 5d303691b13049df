"""Memory at a million seen URLs: of the process that crawls with a file, and of a Redis server.

    python -m benchmarks.frontier_memory [URLS=1000000]

Promise: the process does not grow with the number of URLs that it has seen.
"""

import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

from audiocrawler.frontier import Frontier, NewRequest, RequestClass, Start, SyncRequest, open_frontier
from tests.emulators.redis_server import RedisServer

BATCH = 1000
BODY = '{"url": "https://www.example.org/section/article-%d.html", "meta": {"site": "example.org", "level": 3}}'


def main() -> None:
    """Fill both and print."""
    urls = int((sys.argv[1:] or ["1000000"])[0])
    with tempfile.TemporaryDirectory() as folder:
        before = own_mib()
        frontier = open_frontier(f"sqlite:{folder}/frontier.db", Start("a", "a"))
        took_s = fill(frontier, urls, done=True)
        size_mib = (Path(folder) / "frontier.db").stat().st_size / 2**20
        print(f"sqlite, {urls} URLs seen and done: {own_mib() - before:.0f} MiB more in the process,")
        print(f"  {size_mib:.0f} MiB of file, {urls / took_s:.0f} a second")
        frontier.close()
    with RedisServer() as server:
        for done in (True, False):
            server.client.flushall()
            frontier = open_frontier(server.url, Start("a", "a"))
            before_bytes = int(server.client.info("memory")["used_memory"])
            took_s = fill(frontier, urls, done=done)
            bytes_a_url = (int(server.client.info("memory")["used_memory"]) - before_bytes) / urls
            print(f"redis, {urls} URLs {'seen and done' if done else 'waiting'}: {bytes_a_url:.0f} bytes each,", end="")
            print(f" {urls / took_s:.0f} a second")
            frontier.close()


def fill(frontier: Frontier, urls: int, *, done: bool) -> float:
    """Put so many requests, and with ``done`` lease and acknowledge each; return the seconds that it took."""
    began_s = time.monotonic()
    leased: list[int] = []
    for first in range(0, urls, BATCH):
        new = [request(number) for number in range(first, min(first + BATCH, urls))]
        wanted = {RequestClass.PAGE: BATCH} if done else {}
        answer = frontier.exchange(SyncRequest(new=new, done=leased, started=[], wanted=wanted, per_slot=BATCH))
        leased = [each.id for each in answer.leased]
    frontier.exchange(SyncRequest(done=leased))
    return time.monotonic() - began_s


def request(number: int) -> NewRequest:
    """Return a request of one of a hundred hosts."""
    fingerprint = hashlib.sha1(str(number).encode(), usedforsecurity=False).digest()
    return NewRequest(fingerprint, RequestClass.PAGE, f"host-{number % 100}", -3, BODY % number)


def own_mib() -> float:
    """Return the memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


if __name__ == "__main__":
    main()
