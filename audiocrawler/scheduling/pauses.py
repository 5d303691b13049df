"""A host's pause, kept by all: what this worker is told goes to the frontier, and from there to the others."""

from collections.abc import Mapping

from scrapy.crawler import Crawler

from audiocrawler.download.retry_after import RetryAfterMiddleware
from audiocrawler.download.signals import host_paused
from audiocrawler.frontier import Leases


class SharedPauses:
    """Tells the frontier of the pauses that hosts ask this worker for, and keeps those that others were asked for."""

    def __init__(self, crawler: Crawler, leases: Leases) -> None:
        self._here = crawler.get_downloader_middleware(RetryAfterMiddleware)
        crawler.signals.connect(leases.pause, signal=host_paused)

    def keep(self, pauses_s: Mapping[str, float]) -> None:
        """Leave the hosts alone for so many seconds."""
        if self._here is None:
            return
        for host, pause_s in pauses_s.items():
            self._here.pause(host, pause_s)
