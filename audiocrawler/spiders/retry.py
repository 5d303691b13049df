"""The retry spider: request again the audio of failed rows in audio_sources."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from scrapy import Request
from scrapy.http import Response

from audiocrawler.config.arguments import Arguments, checked_arguments
from audiocrawler.discovery import Candidate, Document, Kind
from audiocrawler.discovery.kinds import classify
from audiocrawler.fetch.requests import Place
from audiocrawler.model.members import split_member
from audiocrawler.model.rotation import is_key_of_rotating
from audiocrawler.model.rows import AudioItem, AudioSource, Merge
from audiocrawler.model.statuses import Status
from audiocrawler.model.text import is_masked
from audiocrawler.records import PAGE, Outcome, record_attempt, was_in_browser
from audiocrawler.spiders.audio import AudioSpider

_OF_ATTEMPTS = {Merge.ATTEMPT, Merge.OUTCOME, Merge.KNOWN}
DOCUMENTS = {Kind.PLAYLIST, Kind.MANIFEST, Kind.FEED}


_REFUSED = {401, 403, 404, 410}
NOT_NAMED = "no longer on its page"


class Selection(BaseModel):
    """Which rows to retry: those whose last attempt ended with one of ``status``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: tuple[Status, ...] = Field(
        default=(Status.FAILED,), description="only rows whose last attempt ended with this status"
    )
    reason: str | None = Field(default=None, description="only where the reason contains this text")
    host: str | None = Field(default=None, description="only audio of this host")
    crawl: str | None = Field(default=None, description="only rows last written by the crawl with this crawl_id")

    @field_validator("status", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    def takes(self, row: AudioSource) -> bool:
        """Return whether to retry the row."""
        return (
            row.last_status in self.status
            and (self.reason is None or self.reason in (row.last_error or ""))
            and (self.host is None or self.host == row.host)
            and (self.crawl is None or self.crawl == row.crawl_id)
        )


class RetrySpider(AudioSpider):
    """Requests the audio of the selected rows; where secrets in the URL are masked, by way of its page."""

    name = "retry"

    def read_arguments(self, given: dict[str, Any]) -> Arguments:
        """Return a crawl's arguments without a start; the selection is the name of the crawl."""
        self.selection = checked_arguments(Selection, given)
        return Arguments.model_construct(crawl=self.selection.model_dump_json())

    async def start(self) -> AsyncIterator[Any]:
        """Request the audio of the rows, and the pages of those whose URL is masked."""
        by_page: defaultdict[str, list[str]] = defaultdict(list)
        rows = await self.crawl.in_thread(self._selected)
        self.crawler.stats.set_value("audio/selected", len(rows))
        for row in await self._with_archives(rows):
            self.crawler.stats.inc_value("audio/starts")
            if not _needs_page(row):
                yield self._again(row)
            elif row.page_url and not _is_incomplete(row.page_url):
                by_page[row.page_url].append(row.source_url)
            else:
                self.logger.warning("%s: the URL of its page is masked, too: crawl that page again", row.source_url)
        for page_url, wanted in by_page.items():
            yield self.follower.request(page_url, Place(site=None), {"wanted": wanted})

    def _selected(self) -> list[AudioSource]:
        return [row for row in self.crawl.warehouse.source_rows() if self.selection.takes(row)]

    async def _with_archives(self, rows: list[AudioSource]) -> list[AudioSource]:
        """Return the rows with archives in place of their members: those are taken out of them again."""
        archives = dict.fromkeys(split_member(row.source_url)[0] for row in rows if split_member(row.source_url)[1])
        found = [await self.crawl.find_source(url) for url in archives]
        others = [row for row in rows if not split_member(row.source_url)[1] and row.source_url not in archives]
        return [*others, *(row for row in found if row is not None)]

    def _again(self, row: AudioSource) -> Request:
        place = Place(site=row.site)
        if row.kind == PAGE:
            return self.follower.request(row.source_url, place)
        if classify(row.source_url) in DOCUMENTS:
            is_shown = was_in_browser(row)
            is_certain = row.kind == Kind.AUDIO and not is_shown
            place = replace(place, via=row.found_by, is_from_browser=is_shown, is_certain_audio=is_certain)
            return self.follower.request(row.source_url, place, {"wanted": [row.source_url]})
        return self.downloads.request(row.source_url, fresh(row))

    def follow(self, page: Response, candidates: list[Candidate], links: list[str]) -> Iterator[Request]:
        """Follow nothing from a document that is requested for its failed files."""
        return iter(()) if "wanted" in page.meta else super().follow(page, candidates, links)

    def is_wanted(self, page: Response, source: AudioSource) -> bool:
        """Return whether it is one of the failed files; of a page that failed in the browser all are wanted."""
        page.meta.setdefault("named", set()).add(source.source_url)
        return source.source_url in page.meta.get("wanted", [source.source_url])

    async def take(
        self, page: Response, document: Document | None, candidates: list[Candidate]
    ) -> AsyncIterator[Request | AudioItem]:
        """Yield what is wanted of a document, then the files that it no longer contains."""
        async for each in super().take(page, document, candidates):
            yield each
        for source_url in set(page.meta.get("wanted", [])) - page.meta.get("named", set()):
            if request := await self._not_named(source_url):
                yield request

    async def _not_named(self, source_url: str) -> Request | None:
        """Return the request for a row that is no longer in its page; if its URL is masked, mark the row as failed."""
        row = await self.crawl.find_source(source_url)
        if row is None or classify(source_url) in DOCUMENTS or was_in_browser(row):
            return None
        if not _is_incomplete(source_url):
            return self.downloads.request(source_url, fresh(row))
        again = record_attempt(fresh(row), None, Request(str(row.page_url)))
        await self.downloads.finalise(again, Outcome(Status.FAILED, NOT_NAMED))
        return None


def _is_incomplete(url: str) -> bool:
    return is_masked(url) or is_key_of_rotating(url)


def _needs_page(row: AudioSource) -> bool:
    """Return whether the row's URL must be read from its page: it is masked or has expired."""
    if _is_incomplete(row.source_url):
        return True
    is_refused = row.http_status in _REFUSED and bool(row.guid or row.url_pattern)
    return is_refused and bool(row.page_url) and not _is_incomplete(str(row.page_url))


def fresh(row: AudioSource) -> AudioSource:
    """Return the row with its description, without the results of earlier attempts."""
    again = replace(row, status=Status.PENDING)
    for each in fields(row):
        if each.metadata["merge"] in _OF_ATTEMPTS and each.name != "status":
            setattr(again, each.name, None)
    return again
