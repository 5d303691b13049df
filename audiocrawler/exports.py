"""Feed exports: flat and safe CSV, flat Parquet, safe XML, all files of a crawl, and reported failures."""

import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from scrapy import Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.exporters import BaseItemExporter, CsvItemExporter, XmlItemExporter
from scrapy.extensions.feedexport import FeedExporter, FeedSlot
from scrapy.utils.defer import ensure_awaitable
from scrapy.utils.python import is_listlike

from audiocrawler.crawl.exit_codes import DONE, conclusion
from audiocrawler.crawl.lifecycle import CrawlLifecycle, crawl_of, is_ours
from audiocrawler.crawl.unchanged import UnchangedFiles
from audiocrawler.export.columns import json_text
from audiocrawler.fetch.headers import explain
from audiocrawler.model.errors import ConfigurationError, WarehouseError
from audiocrawler.model.flat import FLAT_TYPES, as_text, flat, flat_names
from audiocrawler.model.rows import AudioItem, AudioSource
from audiocrawler.model.spreadsheets import safe_cell
from audiocrawler.model.text import mask_text, one_line, storable

_NOT_IN_XML_NAME = re.compile(r"[^A-Za-z0-9_.-]")


class SpreadsheetSafeCsvExporter(CsvItemExporter):
    """Scrapy's CSV export with one column per value, and an apostrophe before text that a spreadsheet would run.

    Numbers are unchanged, including negative ones (OWASP, "CSV Injection").
    """

    _is_flat = False

    def export_item(self, item: Any) -> None:
        """Write an item as a row; the waveform is left out unless it is asked for."""
        if not isinstance(item, AudioItem):
            super().export_item(item)
            return
        if not self._is_flat:
            self._is_flat = True
            shown = self.fields_to_export or (name for name in FLAT_TYPES if name != "audio_waveform")
            self.fields_to_export = flat_names(shown)
        super().export_item({name: as_text(value) for name, value in flat(item).items()})

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """Return the value of a cell."""
        serialised = super().serialize_field(field, name, value)
        return safe_cell(serialised) if isinstance(serialised, str) else serialised


class ParquetItemExporter(BaseItemExporter):
    """A Parquet file with the columns of the CSV export and the waveform, typed; needs the extra ``export``."""

    def __init__(self, file: IO[bytes], **options: Any) -> None:
        super().__init__(dont_fail=True, **options)
        if file.seekable() and file.tell():
            raise ValueError("a Parquet file cannot be appended to: write -O instead of -o")
        self._file, self._rows = file, list[dict[str, Any]]()

    def start_exporting(self) -> None:
        """Write the head of the file."""
        from pyarrow.parquet import ParquetWriter

        wanted = flat_names(self.fields_to_export or FLAT_TYPES.keys())
        self._names = {name: shown for name, shown in wanted.items() if name in FLAT_TYPES}
        self._writer = ParquetWriter(self._file, _schema_of(self._names), compression="zstd")

    def export_item(self, item: Any) -> None:
        """Write an item as a row, with others."""
        if not isinstance(item, AudioItem):
            raise TypeError(f"Parquet takes items of the audio spider, not a {type(item).__name__}")
        values = flat(item)
        self._rows.append({shown: _parquet_value(values[name]) for name, shown in self._names.items()})
        if len(self._rows) >= _ROW_GROUP:
            self._write_rows()

    def finish_exporting(self) -> None:
        """Write what is left, and the end of the file."""
        if self._rows:
            self._write_rows()
        self._writer.close()

    def _write_rows(self) -> None:
        from pyarrow import Table

        self._writer.write_table(Table.from_pylist(self._rows, self._writer.schema))
        self._rows.clear()


_ROW_GROUP = 1000


def _parquet_value(value: Any) -> Any:
    return json_text(value) if isinstance(value, dict | list) else value


def _schema_of(names: Mapping[str, str]) -> Any:
    from pyarrow import schema

    from audiocrawler.export.parquet import ARROW

    return schema([(shown, ARROW[FLAT_TYPES[name]]) for name, shown in names.items()])


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
        self._refuse_parquet_without_pyarrow(lifecycle)
        lifecycle.crawl.on_items_done(self._finish)
        self._unchanged = UnchangedFiles(lifecycle.crawl, lambda item: self.item_scraped(item, spider))
        lifecycle.crawl.on_unchanged(self._export_unchanged)
        for uri, options in self.feeds.copy().items():
            whole, self.feeds = self.feeds, {uri: options}
            self._run(uri, lambda: super(ReportingFeedExporter, self).open_spider(spider))
            self.feeds = whole
        self._wrap_storages()

    def _refuse_parquet_without_pyarrow(self, lifecycle: CrawlLifecycle) -> None:
        for uri, options in self.feeds.items():
            is_parquet = self.exporters[options["format"]] is ParquetItemExporter
            if is_parquet and find_spec("pyarrow") is None:
                problem = f"export to {mask_text(uri)}: Parquet needs pyarrow: pip install 'audiocrawler[export]'"
                raise lifecycle.refuse(ConfigurationError(problem))

    async def _export_unchanged(self, source: AudioSource) -> None:
        await self._noting_rows(self._unchanged.add(source))

    async def _noting_rows(self, work: Awaitable[None]) -> None:
        try:
            await work
        except WarehouseError as error:
            for slot in self.slots:
                self._record_failure(slot.uri, error)

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
        await self._noting_rows(self._unchanged.finish())
        self._keep_earlier_files()
        await self.close_spider(self.crawler.spider)  # type: ignore[arg-type]
        return "; ".join(f"export to {mask_text(uri)} failed: {why}" for uri, why in self._failures.items()) or None

    def _keep_earlier_files(self) -> None:
        """Leave the file of an earlier crawl alone where this one has failed and has nothing to put in its place."""
        crawl = crawl_of(self.crawler)
        code, _ = conclusion(self.crawler.stats.get_stats(), "finished", crawl.rest)
        if code == DONE and not crawl.is_stopping:
            return
        for slot in self.slots:
            path = getattr(slot.storage, "path", None)
            if not slot.itemcount and path and Path(path).is_file() and Path(path).stat().st_size:
                slot.store_empty = False
                logger.warning("export to %s: nothing to export; the file stays as it was", mask_text(slot.uri))

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
        self.path = getattr(slot.storage, "path", None)
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
