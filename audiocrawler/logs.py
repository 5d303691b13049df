"""Format the log: secrets masked, one line per entry, optionally as JSON."""

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response
from scrapy.logformatter import LogFormatter, LogFormatterResult
from scrapy.settings import BaseSettings
from scrapy.utils.log import get_scrapy_root_handler
from twisted.python.failure import Failure

from audiocrawler.crawl.lifecycle import CrawlComponent
from audiocrawler.model.settings import AudioSettings, settings_of
from audiocrawler.model.text import mask_text, printable


class MaskSecrets(logging.Filter):
    """Mask secrets in every log entry, and escape control characters and line breaks."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "MaskSecrets":
        """Attach now, before the settings are logged, and again on spider_opened, when the handler is final."""
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
    """Return the text masked and printable, with continuation lines indented."""
    return printable(mask_text(text)).replace("\n", "\n    ")


class OneLineLogFormatter(LogFormatter):
    """Log an item's outcome in one line; its row has the rest."""

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


class JsonFormatter(logging.Formatter):
    """Format a record as one line of JSON: time (RFC 3339), level, logger, message, crawl_id; secrets masked."""

    crawl_id: str | None = None

    def format(self, record: logging.LogRecord) -> str:
        """Return the JSON line, with any traceback in ``exception``."""
        values = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": mask_text(record.getMessage()),
            "crawl_id": self.crawl_id,
            "exception": mask_text(self.formatException(record.exc_info)) if record.exc_info else None,
        }
        return json.dumps({name: value for name, value in values.items() if value is not None}, ensure_ascii=False)


class JsonLog(CrawlComponent):
    """Add the crawl_id to each line of a JSON log (AUDIO_LOG_FORMAT=json)."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        if settings_of(crawler).log_format != "json":
            raise NotConfigured
        crawler.signals.connect(self._opened, signal=signals.spider_opened)

    def _opened(self) -> None:
        formatter = JsonFormatter()
        crawl = self.opened_crawl
        formatter.crawl_id = crawl.crawl_id if crawl is not None else None
        scrapys = get_scrapy_root_handler()
        for handler in logging.root.handlers:
            if handler is scrapys or isinstance(handler.formatter, JsonFormatter):
                handler.setFormatter(formatter)


def log_as_json(settings: BaseSettings) -> None:
    """Log JSON to LOG_FILE or stderr from the first line on, if AUDIO_LOG_FORMAT=json."""
    if AudioSettings.of(settings).log_format != "json" or not settings.getbool("LOG_ENABLED"):
        return
    handler = _file_handler(settings) if settings["LOG_FILE"] else logging.StreamHandler(sys.stderr)
    handler.setLevel(settings["LOG_LEVEL"])
    handler.setFormatter(JsonFormatter())
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.NOTSET)
    settings.set("LOG_INSTALL_ROOT_HANDLER", value=False, priority="cmdline")


def _file_handler(settings: BaseSettings) -> logging.Handler:
    path = Path(settings["LOG_FILE"])
    if not settings.getbool("LOG_FILE_APPEND"):
        path.write_bytes(b"")
    # Scrapy's logging setup closes all handlers; in append mode this one reopens its file.
    return logging.FileHandler(path, "a", settings["LOG_ENCODING"], delay=True)
