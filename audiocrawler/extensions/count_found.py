"""How many different audio URLs were found."""

from scrapy import Request, signals
from scrapy.crawler import Crawler

REPEATED = ("retry_times", "redirect_times", "part", "seen_validators", "sent_back", "interstitial")
"""In the meta of a request whose audio URL has been counted before."""


class CountFound:
    """Counts the audio URLs that were found, each once however many pages name it."""

    def __init__(self, crawler: Crawler) -> None:
        self._stats = crawler.stats
        crawler.signals.connect(self._scheduled, signal=signals.request_scheduled)
        crawler.signals.connect(self._dropped, signal=signals.request_dropped)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "CountFound":
        """Return the extension."""
        return cls(crawler)

    def _scheduled(self, request: Request) -> None:
        self._count(request, 1)

    def _dropped(self, request: Request) -> None:
        self._count(request, -1)

    def _count(self, request: Request, change: int) -> None:
        repeated = any(request.meta.get(name) for name in REPEATED)
        if "audio" in request.meta and not repeated:
            self._stats.inc_value("audio/found", change)
