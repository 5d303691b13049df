"""How Scrapy makes a part of ours: a middleware, an extension, a pipeline or the scheduler."""

from typing import Self

from scrapy.crawler import Crawler


class Component:
    """A part that works with its crawler's settings, stats and signals.

    Where a setting switches it off its constructor raises NotConfigured, for a wrong setting ConfigurationError.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Return the part; raises what its constructor raises."""
        return cls(crawler)
