"""The log, with secrets masked and no control characters."""

import logging

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.utils.log import get_scrapy_root_handler

from audiocrawler.masking import mask_text
from audiocrawler.texts import printable


class MaskSecrets(logging.Filter):
    """Masks signatures and passwords in every line of the log, and lets no text steer a terminal or feign a line."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "MaskSecrets":
        """Return the extension; the settings are logged next; the log's handler is final at the opening."""
        extension = cls()
        extension._attach()
        crawler.signals.connect(extension._attach, signal=signals.spider_opened)
        return extension

    def _attach(self) -> None:
        handler = get_scrapy_root_handler()
        if handler is not None:
            handler.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record's message and traceback, and let it pass."""
        record.msg, record.args = _line_of(record.getMessage()), None
        if record.exc_info:
            record.exc_text = _line_of("\n" + logging.Formatter().formatException(record.exc_info)).lstrip("\n")
        return True


def _line_of(text: str) -> str:
    """Return the text masked and printable; only its first line begins at the margin."""
    return printable(mask_text(text)).replace("\n", "\n    ")
