"""Note the pages that could not be searched: rows, failed starts for the summary, and lines in the log."""

from collections.abc import Mapping
from logging import Logger, LoggerAdapter
from typing import Any

from scrapy import Request
from scrapy.http import Response

from audiocrawler.crawl.crawl import Crawl
from audiocrawler.discovery import Document
from audiocrawler.fetch.requests import LANDING
from audiocrawler.model.statuses import Status
from audiocrawler.model.text import mask_url, one_line
from audiocrawler.records import MAX_REASON_LENGTH, Outcome, page_row, what_came
from audiocrawler.report.summary import FAILED_START
from audiocrawler.spiders.walls import wall_in
from audiocrawler.warehouse.rows import clean_url


class PageNotes:
    """Writes the rows of pages that gave nothing to search, and counts failed starts."""

    def __init__(self, crawl: Crawl, logger: Logger | LoggerAdapter[Logger]) -> None:
        self._crawl, self._stats, self._logger = crawl, crawl.stats, logger

    async def note_failure(self, request: Request, outcome: Outcome) -> None:
        """Note a page that could not be fetched; one that is too large has a row."""
        self._note_failed_start(request.meta, outcome.reason)
        if outcome.status == Status.TOO_LARGE and LANDING not in request.meta:
            await self._crawl.write([page_row(request, outcome.status, outcome.reason, found_by="link")])

    async def note_wall(self, response: Response, document: Document) -> None:
        """Write the row of a page that shows nothing but a form, if it does."""
        if (wall := wall_in(document)) is None:
            return
        reason = f"{wall} stands before the page: export your browser's cookies and name the file by AUDIO_COOKIES"
        self._note_failed_start(response.meta, reason)
        await self._write(response, Status.FAILED, reason)

    async def note_no_page(self, response: Response) -> None:
        """Write the row of a response that cannot be searched."""
        came = what_came(response)
        self._note_failed_start(response.meta, f"empty or unsearchable document ({came})")
        if response.body and LANDING not in response.meta:
            await self._write(response, Status.NOT_AUDIO, f"got {came} instead of a page")

    def _note_failed_start(self, meta: Mapping[str, Any], reason: str) -> None:
        """Count a page that is a start, with its reason, for the summary."""
        if "start" in meta:
            self._stats.inc_value("audio/starts_failed")
            start = f"{clean_url(mask_url(meta['start']))}: {one_line(reason, MAX_REASON_LENGTH)}"
            self._stats.inc_value(FAILED_START + start)

    async def _write(self, response: Response, status: Status, reason: str) -> None:
        if response.request is not None:
            self._logger.info("%s: %s", clean_url(response.url), reason)
            await self._crawl.write([page_row(response.request, status, reason, found_by="link")])
