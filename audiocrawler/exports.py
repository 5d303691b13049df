"""Feed exports: safe CSV and XML, and a feed that cannot be written is heard of."""

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
from audiocrawler.model.spreadsheets import is_formula
from audiocrawler.model.text import mask_text, one_line, storable

_NOT_IN_XML_NAME = re.compile(r"[^A-Za-z0-9_.-]")


class SpreadsheetSafeCsvExporter(CsvItemExporter):
    """Scrapy's CSV export in which no text is a formula to a spreadsheet: such a one gets an apostrophe in front.

    Numbers stay as they are, those below zero included (OWASP, "CSV Injection").
    """

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """Return the value of a cell."""
        serialised = super().serialize_field(field, name, value)
        return f"'{serialised}" if isinstance(serialised, str) and is_formula(serialised) else serialised


class WellFormedXmlExporter(XmlItemExporter):
    """Scrapy's XML export with element names and text that XML allows (XML 1.0, sections 2.2 and 2.3)."""

    def get_serialized_fields(
        self, item: Any, default_value: Any = None, include_empty: bool | None = None
    ) -> Iterator[tuple[str, Any]]:
        """Yield the fields by the names and with the values that they have in XML."""
        for name, value in super().get_serialized_fields(item, default_value, include_empty):
            yield _xml_name(name), _in_xml(value)


def _in_xml(value: Any) -> Any:
    """Return a value as ``XmlItemExporter`` writes it out, with what is within it."""
    if isinstance(value, str):
        return storable(value)
    if hasattr(value, "items"):
        return {_xml_name(name): _in_xml(each) for name, each in value.items()}
    return [_in_xml(each) for each in value] if is_listlike(value) else value


def _xml_name(name: str) -> str:
    readable = _NOT_IN_XML_NAME.sub("_", name)
    return readable if readable[:1].isalpha() else f"_{readable}"


logger = logging.getLogger(__name__)

MAX_REASON_LENGTH = 300


class HeardFeedExporter(FeedExporter):
    """Exports each feed on its own and notes what goes wrong with it, which is then why the crawl left work behind.

    The feeds are closed by the crawl itself, so that its record knows how they ended.
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
        """Return the extension, Scrapy's own for a spider that is not ours; NotConfigured where nothing is exported."""
        if not is_ours(crawler.spider):
            return FeedExporter.from_crawler(crawler)
        exporter = cls(crawler)
        crawler.signals.connect(exporter.open_spider, signals.spider_opened)
        crawler.signals.connect(exporter.item_scraped, signals.item_scraped)
        return exporter

    def open_spider(self, spider: Spider) -> None:
        """Begin the feeds of a crawl that can run; another's files are not touched."""
        lifecycle = self.crawler.get_extension(CrawlLifecycle)
        if lifecycle is None or lifecycle.crawl is None:
            return
        if self._unusable:
            problem = f"export to {self._unusable}: its scheme, format or batches cannot be used; the log tells why"
            raise lifecycle.refuse(ConfigurationError(problem))
        lifecycle.crawl.on_items_done(self._finish)
        for uri, options in self.feeds.copy().items():
            whole, self.feeds = self.feeds, {uri: options}
            self._noting(uri, lambda: super(HeardFeedExporter, self).open_spider(spider))
            self.feeds = whole
        self._watch_slots()

    def item_scraped(self, item: Any, spider: Spider) -> None:
        """Export an item to each feed that still works."""
        slots, kept = self.slots, []
        for slot in slots:
            self.slots = [slot]
            can_go_on = self._noting(slot.uri, lambda: super(HeardFeedExporter, self).item_scraped(item, spider))
            kept += self.slots if can_go_on else []
        self.slots = kept
        self._watch_slots()

    async def _finish(self) -> str | None:
        """Close the feeds, and return which of them failed and why."""
        await self.close_spider(self.crawler.spider)  # type: ignore[arg-type]
        return "; ".join(f"the export to {mask_text(uri)} failed: {why}" for uri, why in self._failures.items()) or None

    def _noting(self, uri: str, work: Callable[[], Any]) -> bool:
        """Do the work, and return whether another attempt may succeed."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - an export ends no crawl
            self._note(uri, error)
            return not isinstance(error, OSError)  # a folder or a disk fails for the next item, too
        return True

    def _note(self, uri: str, error: BaseException) -> None:
        if uri not in self._failures:
            self._failures[uri] = one_line(mask_text(explain(error)), MAX_REASON_LENGTH)
            logger.error("the export to %s fails: %s", uri, self._failures[uri], exc_info=error)

    def _watch_slots(self) -> None:
        for slot in self.slots:
            if not isinstance(slot.storage, _Watched):
                slot.storage = _Watched(slot, self._note)  # type: ignore[assignment]


class _Watched:
    """A feed's storage, which tells of what goes wrong when the feed is begun, ended and stored."""

    def __init__(self, slot: FeedSlot, note: Callable[[str, BaseException], None]) -> None:
        self._storage, self._uri, self._note = slot.storage, slot.uri, note
        finish = slot.finish_exporting

        def finish_noting() -> None:
            try:
                finish()
            except Exception as error:
                self._note(slot.uri, error)
                raise

        slot.finish_exporting = finish_noting  # type: ignore[method-assign]

    def open(self, spider: Spider) -> Any:
        try:
            return self._storage.open(spider)
        except Exception as error:
            self._note(self._uri, error)
            raise

    async def store(self, file: Any) -> None:
        try:
            if not file.closed:
                file.flush()
            await ensure_awaitable(self._storage.store(file))
        except Exception as error:
            self._note(self._uri, error)
            raise
