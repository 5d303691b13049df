"""What the log says of items."""

import logging
from typing import Any

from scrapy import Spider
from scrapy.http import Response
from scrapy.logformatter import LogFormatter, LogFormatterResult
from twisted.python.failure import Failure


class OneLineLogFormatter(LogFormatter):
    """Says in one line what became of an item; its row has the rest."""

    def dropped(
        self, item: Any, exception: BaseException, response: Response | Failure | None, spider: Spider
    ) -> LogFormatterResult:
        """Return the reason only: the item is in the warehouse."""
        return {"level": logging.INFO, "msg": "%(reason)s", "args": {"reason": str(exception)}}

    def scraped(self, item: Any, response: Response | Failure | None, spider: Spider) -> LogFormatterResult:
        """Return the audio URL and where its bytes are."""
        source = getattr(item, "source", None)
        if source is None:
            return super().scraped(item, response, spider)
        args = {"url": source.source_url, "status": source.status, "object": source.gcp_url}
        return {"level": logging.INFO, "msg": "%(url)s: %(status)s as %(object)s", "args": args}
