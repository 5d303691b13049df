"""The base class of our Scrapy components."""

from typing import Self

from scrapy.crawler import Crawler


class Component:
    """A middleware, extension, pipeline or scheduler of a crawler.

    The constructor raises NotConfigured if a setting disables it, ConfigurationError for an invalid setting.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Return the component; raises what its constructor raises."""
        return cls(crawler)
