"""Feed exports: safe CSV and XML, and reported failures."""

import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.exporters import CsvItemExporter, XmlItemExporter
from scrapy.extensions.feedexport import FeedExporter, FeedSlot
from scrapy.utils.defer import ensure_awaitable
from scrapy.utils.python import is_listlike

from audiocrawler.crawl.lifecycle import CrawlLifecycle, is_ours
from audiocrawler.fetch.headers import explain
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.text import mask_text, one_line, storable

_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_NOT_IN_XML_NAME = re.compile(r"[^A-Za-z0-9_.-]")


class SpreadsheetSafeCsvExporter(CsvItemExporter):
    """Scrapy's CSV export with an apostrophe before text that a spreadsheet would run as a formula.

    Numbers are unchanged, including negative ones (OWASP, "CSV Injection").
    """

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """Return the value of a cell."""
        serialised = super().serialize_field(field, name, value)
        return f"'{serialised}" if isinstance(serialised, str) and is_formula(serialised) else serialised


class WellFormedXmlExporter(XmlItemExporter):
    """Scrapy's XML export with valid element names and characters (XML 1.0, sections 2.2 and 2.3)."""

    def get_serialized_fields(
        self, item: Any, default_value: Any = None, include_empty: bool | None = None
    ) -> Iterator[tuple[str, Any]]:
        """Yield the fields with valid XML names and values."""
        for name, value in super().get_serialized_fields(item, default_value, include_empty):
            yield _xml_name(name), _in_xml(value)


def _in_xml(value: Any) -> Any:
    """Return a value, including nested ones, without characters that XML forbids."""
    if isinstance(value, str):
        return storable(value)
    if hasattr(value, "items"):
        return {_xml_name(name): _in_xml(each) for name, each in value.items()}
    return [_in_xml(each) for each in value] if is_listlike(value) else value


def _xml_name(name: str) -> str:
    readable = _NOT_IN_XML_NAME.sub("_", name)
    return readable if readable[:1].isalpha() else f"_{readable}"


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet may run the text of a cell as a formula."""
    return bool(_FORMULA.match(text)) and not _is_number(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()


logger = logging.getLogger(__name__)

MAX_REASON_LENGTH = 300


class ReportingFeedExporter(FeedExporter):
    """Export each feed independently, and report failures, which make the crawl end as incomplete.

    The crawl closes the feeds itself, so that its record includes their failures.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._failures: dict[str, str] = {}
        self._unusable = ""
        try:
            super().__init__(crawler)
        except NotConfigured:
            self._unusable = ", ".join(map(str, crawler.settings.getdict("FEEDS")))
            if not self._unusable:
                raise

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> FeedExporter:  # type: ignore[override]
        """Return the extension, or Scrapy's own for other spiders; raises NotConfigured without feeds."""
        if not is_ours(crawler.spider):
            return FeedExporter.from_crawler(crawler)
        exporter = cls(crawler)
        crawler.signals.connect(exporter.open_spider, signals.spider_opened)
        crawler.signals.connect(exporter.item_scraped, signals.item_scraped)
        return exporter

    def open_spider(self, spider: Spider) -> None:
        """Open the feeds, unless the crawl was refused: then no file is touched."""
        lifecycle = self.crawler.get_extension(CrawlLifecycle)
        if lifecycle is None or lifecycle.crawl is None:
            return
        if self._unusable:
            problem = f"export to {self._unusable}: invalid scheme, format or batch settings; see the log"
            raise lifecycle.refuse(ConfigurationError(problem))
        lifecycle.crawl.on_items_done(self._finish)
        for uri, options in self.feeds.copy().items():
            whole, self.feeds = self.feeds, {uri: options}
            self._run(uri, lambda: super(ReportingFeedExporter, self).open_spider(spider))
            self.feeds = whole
        self._wrap_storages()

    def item_scraped(self, item: Any, spider: Spider) -> None:
        """Export an item to each feed that has not failed."""
        slots, kept = self.slots, []
        for slot in slots:
            self.slots = [slot]
            can_go_on = self._run(slot.uri, lambda: super(ReportingFeedExporter, self).item_scraped(item, spider))
            kept += self.slots if can_go_on else []
        self.slots = kept
        self._wrap_storages()

    async def _finish(self) -> str | None:
        """Close the feeds; return which of them failed and why, or None."""
        await self.close_spider(self.crawler.spider)  # type: ignore[arg-type]
        return "; ".join(f"export to {mask_text(uri)} failed: {why}" for uri, why in self._failures.items()) or None

    def _run(self, uri: str, work: Callable[[], Any]) -> bool:
        """Do the work, record an error, and return whether the feed can go on."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a failing export must not end the crawl
            self._record_failure(uri, error)
            return not isinstance(error, OSError)  # a missing folder or full disk fails for the next item, too
        return True

    def _record_failure(self, uri: str, error: BaseException) -> None:
        if uri not in self._failures:
            self._failures[uri] = one_line(mask_text(explain(error)), MAX_REASON_LENGTH)
            logger.error("export to %s failed: %s", uri, self._failures[uri], exc_info=error)

    def _wrap_storages(self) -> None:
        for slot in self.slots:
            if not isinstance(slot.storage, _ReportingStorage):
                slot.storage = _ReportingStorage(slot, self._record_failure)  # type: ignore[assignment]


class _ReportingStorage:
    """A feed's storage that reports errors when the feed is opened, finished and stored."""

    def __init__(self, slot: FeedSlot, record_failure: Callable[[str, BaseException], None]) -> None:
        self._storage, self._uri, self._record_failure = slot.storage, slot.uri, record_failure
        finish = slot.finish_exporting

        def finish_reporting() -> None:
            try:
                finish()
            except Exception as error:
                self._record_failure(slot.uri, error)
                raise

        slot.finish_exporting = finish_reporting  # type: ignore[method-assign]

    def open(self, spider: Spider) -> Any:
        try:
            return self._storage.open(spider)
        except Exception as error:
            self._record_failure(self._uri, error)
            raise

    async def store(self, file: Any) -> None:
        try:
            if not file.closed:
                file.flush()
            await ensure_awaitable(self._storage.store(file))
        except Exception as error:
            self._record_failure(self._uri, error)
            raise
