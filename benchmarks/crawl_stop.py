"""A page with 80 slow files beside a second host, and one Ctrl-C in the middle of it.

    python -m benchmarks.crawl_stop

Goals: the second host's pages are fetched while the 80 are under way; after the Ctrl-C no download starts and the
crawl ends within 10 seconds.
"""

import os
import signal
import tempfile
import time
from pathlib import Path

from tests.crawling import crawl, finish, start
from tests.site.answers import Options
from tests.site.server import Request, Site

DELAY_S = 0.5


def main() -> None:
    """Run both and print what the servers saw."""
    with tempfile.TemporaryDirectory() as folder, Site(Options(many_delay_s=DELAY_S)) as site:
        crawl(Path(folder), f"url={site.url}/many/ {site.second_url}/", "depth=1")
        of_second = [n for n, r in enumerate(site.requests) if r.url.startswith(site.second_url) and _is_page(r)]
        tones = [n for n, r in enumerate(site.requests) if "tone" in r.path]
        after = sum(n > max(of_second) for n in tones)
        print(
            f"second host: last of its {len(of_second)} pages was asked for with {after} of {len(tones)} files to come"
        )
    with tempfile.TemporaryDirectory() as folder, Site(Options(many_delay_s=DELAY_S)) as site:
        process = start(Path(folder), f"url={site.url}/many/")
        while _started(site) < 20:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        stopped_at_s, before = time.monotonic(), _started(site)
        run = finish(process, Path(folder))
        ended_after_s = time.monotonic() - stopped_at_s
        print(
            f"one Ctrl-C: exit {run.code} after {ended_after_s:.1f} s, {_started(site) - before} downloads begun since"
        )
        print(f"            {len(run.audio)} rows for {len(run.objects)} objects")


def _is_page(request: Request) -> bool:
    return not request.path.startswith(("/audio/", "/robots.txt"))


def _started(site: Site) -> int:
    return sum("tone" in request.path for request in site.requests)


if __name__ == "__main__":
    main()
