"""What is to be done again: a request whose item was given back, or whose rows could not be written."""

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from audiocrawler.crawl.lease_meta import leave_unfinished
from audiocrawler.crawl.lifecycle import stop_crawl
from audiocrawler.errors import WarehouseError
from audiocrawler.pipelines import GivenBackError


class Failures:
    """Leaves such requests unfinished; a warehouse that takes no rows ends the crawl."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        crawler.signals.connect(self._item_dropped, signal=signals.item_dropped)
        crawler.signals.connect(self._callback_failed, signal=signals.spider_error)

    def _item_dropped(self, response: Response | Failure | None, exception: BaseException) -> None:
        if isinstance(exception, GivenBackError):
            leave_unfinished(getattr(response, "request", None))

    def _callback_failed(self, failure: Failure, response: Response | Failure) -> None:
        if isinstance(failure.value, WarehouseError):
            leave_unfinished(getattr(response, "request", None))
            stop_crawl(self._crawler, str(failure.value))
