"""The spider: arguments to requests, and each response through discovery to further requests and items."""

from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from typing import Any

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from audiocrawler.crawl import Crawl, count_outcome
from audiocrawler.discovery import DEFAULT_FINDERS, Candidate, Document, Kind, find_in, read
from audiocrawler.download.headers import is_audio_type, media_type
from audiocrawler.extensions import crawl_of, stop_crawl
from audiocrawler.items import AudioItem, AudioSource, Status
from audiocrawler.masking import mask_url
from audiocrawler.spiders.arguments import parse_arguments
from audiocrawler.spiders.credentials import Credentials, without_credentials
from audiocrawler.spiders.links import is_allowed, page_links, site_of
from audiocrawler.spiders.outcomes import Outcome, outcome_of_failure, outcome_without_body
from audiocrawler.spiders.sources import attempted, direct_candidate, item_of, media_meta, source_of
from audiocrawler.spiders.traps import Traps

FOLLOWED = {Kind.PLAYLIST, Kind.MANIFEST, Kind.EMBED}
"""Kinds that belong to the page itself: they are fetched and searched at every depth."""
MAX_NESTING = 4
"""Playlists in playlists and players in players, at most."""
NESTED_PRIORITY, AUDIO_PRIORITY = 20, 10
LARGE_DOCUMENT_BYTES = 200_000
"""Larger documents are parsed in a thread, so that transfers go on meanwhile."""


class AudioSpider(Spider):
    """Finds the audio of its start pages, and of ``depth`` levels of pages below them."""

    name = "audio"
    finders = DEFAULT_FINDERS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.job = kwargs.get("_job")
        self.arguments = parse_arguments(kwargs)
        self.limit = self.arguments.limit
        self._credentials = Credentials(self.arguments.start_urls())
        self._not_requested: set[int] = set()
        self._traps = Traps()
        super().__init__(*args)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "AudioSpider":
        """Return the spider; raises ConfigurationError for wrong arguments."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.finders = {**DEFAULT_FINDERS, **crawler.settings.getdict("AUDIO_FINDERS")}
        return spider

    @property
    def crawl(self) -> Crawl:
        """Return what the parts of this crawl share."""
        return crawl_of(self.crawler)

    async def start(self) -> AsyncIterator[Any]:
        """Request each start page."""
        for url in map(without_credentials, self.arguments.start_urls()):
            self.crawler.stats.inc_value("audio/starts")
            yield self._page_request(url, {"start": url, "site": site_of(url), "level": 0, "nesting": 0})

    async def parse(self, response: Response) -> AsyncIterator[Any]:
        """Search a document: what it leads to is requested, and its audio becomes rows and requests."""
        if is_audio_type(response.headers):
            document, candidates = None, [direct_candidate(response)]
        else:
            document, candidates = await self._search(response)
        if not candidates and document is not None and not document.text.strip():
            self._note_failed_start(response.meta, f"nothing to search in {media_type(response.headers) or 'it'}")
            return
        self.crawler.stats.inc_value("audio/pages")
        self._traps.note_page(response.url, has_audio=any(candidate.kind is Kind.AUDIO for candidate in candidates))
        for request in self._follow(response, candidates):
            yield request
        async for each in self._take(response, document, candidates):
            yield each

    async def parse_audio(self, response: Response) -> AsyncIterator[AudioItem]:
        """Turn a downloaded body into an item, and an answer without one into a settled row."""
        request = response.request
        assert request is not None
        source: AudioSource = attempted(request.meta["audio"], response, request)
        body_file = getattr(response, "body_file", None)
        if body_file is None:
            await self._settle(source, outcome_without_body(response))
            return
        yield item_of(source, response, body_file)

    async def page_failed(self, failure: Failure) -> None:
        """Log why a page cannot be had; a start page is named at the end of the crawl."""
        outcome = outcome_of_failure(failure)
        request: Request = failure.request  # type: ignore[attr-defined]
        if self.crawl.stopped or outcome.status == Status.LIMIT:
            return
        self.logger.info("%s: %s", request.url, outcome.reason)
        self.crawler.stats.inc_value("audio/pages_failed")
        self._note_failed_start(request.meta, outcome.reason)

    async def audio_failed(self, failure: Failure) -> None:
        """Settle the row of an audio URL that could not be downloaded, unless the crawl was only stopped."""
        outcome = outcome_of_failure(failure)
        if outcome.disk_full:
            stop_crawl(self.crawler, f"the disk is full or read-only: {outcome.reason}")
        if self.crawl.stopped or outcome.disk_full:
            return
        request: Request = failure.request  # type: ignore[attr-defined]
        answer: Response | None = getattr(failure.value, "response", None)
        source = attempted(request.meta["audio"], None, request)
        source.http_status = answer.status if answer is not None else None
        await self._settle(source, await self._unless_gone(source, outcome))

    async def _search(self, response: Response) -> tuple[Document, list[Candidate]]:
        def search() -> tuple[Document, list[Candidate]]:
            document = read(response)
            return document, list(find_in(document, self.finders))

        return await self.crawl.in_thread(search) if len(response.body) > LARGE_DOCUMENT_BYTES else search()

    def _follow(self, page: Response, candidates: list[Candidate]) -> Iterator[Request]:
        where = {name: page.meta[name] for name in ("site", "level", "nesting")}
        deeper = where | {"level": where["level"] + 1}
        may_go_deeper = where["level"] < self.arguments.depth
        for candidate in candidates:
            if candidate.kind in FOLLOWED and where["nesting"] < MAX_NESTING:
                yield self._page_request(candidate.url, where | {"nesting": where["nesting"] + 1}, NESTED_PRIORITY)
            elif may_go_deeper and self._is_deeper(candidate, where["site"]):
                yield self._page_request(candidate.url, deeper)
        if may_go_deeper and not where["nesting"]:
            for url in page_links(page, where["site"], self.arguments):
                if not self._traps.is_trap(url):
                    yield self._page_request(url, deeper)

    def _is_deeper(self, candidate: Candidate, site: str) -> bool:
        if candidate.kind is Kind.FEED:
            return True
        return (
            candidate.kind is Kind.PAGE and site_of(candidate.url) == site and is_allowed(candidate.url, self.arguments)
        )

    async def _take(
        self, page: Response, document: Document | None, candidates: list[Candidate]
    ) -> AsyncIterator[Request | AudioItem]:
        title = document.title if document is not None else None
        taken = [
            (candidate, source_of(candidate, page, page_title=title, site=page.meta["site"]))
            for candidate in candidates
            if candidate.kind in {Kind.AUDIO, Kind.STREAM}
        ]
        await self.crawl.write([source for _, source in taken])
        for candidate, source in taken:
            self.crawler.stats.inc_value(f"audio/found/{source.found_by}")
            if candidate.kind is Kind.AUDIO and self.arguments.download == "yes":
                yield self._audio_request(candidate.url, source)
            elif not self._is_new(source):
                continue
            elif candidate.kind is Kind.STREAM:
                await self._settle(source, Outcome(Status.STREAM, "an endless stream"))
            else:
                self.crawler.stats.inc_value("audio/listed")
                yield AudioItem(file_urls=[source.source_url], source=source)

    def _is_new(self, source: AudioSource) -> bool:
        """Count a URL that is not requested, and so not known to the scheduler, the first time that it is found."""
        mark = hash(source.source_url)
        if mark in self._not_requested:
            return False
        self._not_requested.add(mark)
        self.crawler.stats.inc_value("audio/found")
        return True

    def _page_request(self, url: str, meta: dict[str, Any], priority: int = 0) -> Request:
        return Request(
            url,
            self.parse,
            errback=self.page_failed,
            headers=self._credentials.headers_for(url),
            meta={**meta, "allow_offsite": True},
            priority=priority,
        )

    def _audio_request(self, url: str, source: AudioSource) -> Request:
        return Request(
            url,
            self.parse_audio,
            errback=self.audio_failed,
            headers={"Accept-Encoding": "identity", **self._credentials.headers_for(url)},
            meta=media_meta(url, self.settings) | {"audio": source},
            priority=AUDIO_PRIORITY,
        )

    async def _settle(self, source: AudioSource, outcome: Outcome) -> None:
        source.status = source.last_status = outcome.status
        source.reason = source.last_error = outcome.reason
        self.logger.info("%s: %s: %s", source.source_url, outcome.status, outcome.reason)
        count_outcome(self.crawler.stats, outcome.status, outcome.reason)
        await self.crawl.write([source])

    async def _unless_gone(self, source: AudioSource, outcome: Outcome) -> Outcome:
        if source.http_status not in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return outcome
        before = await self.crawl.find_source(source.source_url)
        return outcome if before is None or before.sha256 is None else Outcome(Status.GONE, outcome.reason)

    def _note_failed_start(self, meta: dict[str, Any], reason: str) -> None:
        if "start" in meta:
            self.crawler.stats.inc_value("audio/starts_failed")
            failed = self.crawler.stats.get_value("audio/failed_starts", [])
            self.crawler.stats.set_value("audio/failed_starts", [*failed, f"{mask_url(meta['start'])}: {reason}"])
