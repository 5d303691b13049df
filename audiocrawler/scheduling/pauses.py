"""A host's pause, kept by all: what this worker is told goes to the frontier, and from there to the others."""

from scrapy.crawler import Crawler

from audiocrawler.download.back_off import TURNED_AWAY, BackOffMiddleware
from audiocrawler.download.signals import host_paused
from audiocrawler.frontier import Answer, Leases, OpenCrawl


class SharedPauses:
    """Tells the frontier of the pauses that hosts ask this worker for, and keeps those that others were asked for.

    What another worker has left is left here, too. What an earlier run of the crawl had left is asked again.
    """

    def __init__(self, crawler: Crawler, leases: Leases, opened: OpenCrawl) -> None:
        self._here = crawler.get_downloader_middleware(BackOffMiddleware)
        self._counted_before = {} if opened.others else dict(opened.counted)
        crawler.signals.connect(leases.pause, signal=host_paused)

    def keep(self, answer: Answer) -> None:
        """Leave the hosts alone that others have been refused by."""
        if self._here is None:
            return
        for host, pause_s in answer.pauses_s.items():
            self._here.pause(host, pause_s)
        for name, requests in answer.counted.items():
            if name.startswith(TURNED_AWAY) and requests > self._counted_before.get(name, 0):
                slot, _, reason = name.removeprefix(TURNED_AWAY).partition(" ")
                self._here.leave(slot, reason)
