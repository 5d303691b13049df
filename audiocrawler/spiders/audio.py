"""The spider: arguments to requests, and each document through discovery to further requests and items."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from protego import Protego
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import HtmlResponse, Response, TextResponse
from scrapy.http.request import NO_CALLBACK
from twisted.python.failure import Failure

from audiocrawler.config.arguments import Arguments, parse_arguments
from audiocrawler.crawl.lifecycle import leave_unfinished
from audiocrawler.discovery import DEFAULT_FINDERS, Candidate, Document, Kind, find_in, read
from audiocrawler.discovery.document import DocumentType
from audiocrawler.discovery.hls import audio_rendition
from audiocrawler.discovery.urls import absolute
from audiocrawler.fetch.first_bytes import judge
from audiocrawler.fetch.headers import is_audio_type, media_type
from audiocrawler.model.rows import Status
from audiocrawler.model.settings import settings_of
from audiocrawler.model.text import mask_url, one_line
from audiocrawler.model.urls import login_meta, origin_of, site_of, without_credentials
from audiocrawler.records import MAX_REASON_LENGTH, direct_candidate, outcome_of_failure, rendition_candidate
from audiocrawler.rendering.when import Signal
from audiocrawler.report.summary import FAILED_START
from audiocrawler.spiders.links import Traps, is_allowed, page_links
from audiocrawler.spiders.rendering import NESTED_PRIORITY, seen_candidates
from audiocrawler.spiders.renewing import RenewingSpider
from audiocrawler.warehouse.rows import clean_url

FOLLOWED = {Kind.PLAYLIST, Kind.MANIFEST, Kind.EMBED}
"""Kinds that belong to the page itself: they are fetched and searched at every depth."""
MAX_NESTING = 4
"""Playlists in playlists and players in players, at most."""
MAX_FEED_PAGES = 1000
LARGE_DOCUMENT_BYTES = 200_000
"""Larger documents are parsed in a thread, so that transfers go on meanwhile."""


class AudioSpider(RenewingSpider):
    """Finds the audio of its start pages, and of ``depth`` levels of pages below them."""

    name = "audio"
    finders: Mapping[str, int | None] = DEFAULT_FINDERS
    callbacks = frozenset(
        {
            *("parse", "parse_robots", "page_failed", "parse_rendered", "render_failed"),
            *("parse_audio", "audio_failed", "parse_part", "part_failed"),
        }
    )
    """The methods that a request may come back to from the frontier."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.job = kwargs.get("_job")
        self.arguments = self.read_arguments(kwargs)
        self.limit = self.arguments.limit
        self._traps = Traps()
        super().__init__(*args)

    def read_arguments(self, given: dict[str, Any]) -> Arguments:
        """Return the checked arguments; raises ConfigurationError."""
        return parse_arguments(given)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "AudioSpider":
        """Return the spider; raises ConfigurationError for wrong arguments."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.finders = {**DEFAULT_FINDERS, **settings_of(crawler).finders}
        return spider

    async def start(self) -> AsyncIterator[Any]:
        """Request each start page."""
        starts = self.arguments.start_urls()
        self.crawler.stats.set_value("audio/starts", len(starts))
        self.starts_waiting = len(starts)
        for start in starts:
            url = without_credentials(start)
            where = {"site": site_of(url), "level": 0, "nesting": 0, **login_meta(start)}
            yield self._page_request(url, {"start": url, **where})
            self.starts_waiting -= 1
            if self.arguments.depth:
                yield self._robots_request(url, where)

    async def parse(self, response: Response) -> AsyncIterator[Any]:
        """Search a document: what it leads to is requested, and its audio becomes rows and requests."""
        if "level" not in response.meta:  # `scrapy parse` makes its own requests
            response.meta.update({"site": site_of(response.url), "level": 0, "nesting": 0})
        links: list[str] = []
        if is_audio(response):
            document, candidates = None, [direct_candidate(response)]
        else:
            document, candidates, links = await self._search(response)
            if is_audio_type(response.headers) and not (candidates or links):
                document, candidates = None, [direct_candidate(response)]
        if not candidates and document is not None and not document.text.strip():
            self._note_failed_start(response.meta, f"nothing to search in {media_type(response.headers) or 'it'}")
            return
        self._read_opt_outs(response, document)
        self.crawler.stats.inc_value("audio/pages")
        self._traps.note_page(response.url, has_audio=any(candidate.kind is Kind.AUDIO for candidate in candidates))
        for request in self._follow(response, candidates, links):
            yield request
        async for each in self._take(response, document, candidates):
            yield each
        if document is not None and (rendition := audio_rendition(document)):
            (found,) = await self.found_in(response, None, [rendition_candidate(response, rendition)])
            source = found.source
            source.opt_out = response.meta["page_opt_out"]
            await self.crawl.write([source])
            async for each in self._take_rendition(source, rendition, response.meta.get("via")):
                yield each
        for request in await self.requests_to_render(response, document, candidates):
            yield request

    async def parse_rendered(self, response: Any) -> AsyncIterator[Any]:
        """Search a page as the browser shows it, for what its plain document did not tell."""
        document, shown, links = await self._search(response)
        self._read_opt_outs(response, document)
        about = response.meta["render"]
        candidates = seen_candidates(shown, response.seen, document, self.finders, about["known"])
        has_audio = any(candidate.kind in {Kind.AUDIO, Kind.STREAM, *FOLLOWED} for candidate in candidates)
        if has_audio:
            self._traps.note_page(response.url, has_audio=True)
        for request in self._follow(response, candidates, links):
            yield self.as_from_browser(request, response)
        async for request in self.requests_for_routes(response, document):
            yield request
        async for each in self._take(response, document, candidates):
            yield self.as_from_browser(each, response)
        gained = has_audio or (Signal.SHELL in about["why"] and bool(links))
        for request in await self.note_rendered(response, gained=gained):
            yield request

    def request_again(self, page: dict[str, Any]) -> Request:
        """Return the request for a page, feed or playlist that was searched before."""
        where = {**page["where"], "nesting": 1}
        if page["is_rendered"]:
            request = self.render_request(page["url"], where, "asked again", [])
        else:
            request = self._page_request(page["url"], where)
        return request.replace(dont_filter=True, callback=NO_CALLBACK, errback=None)

    async def candidates_again(self, page: Response) -> list[Candidate]:
        """Return what such a document names now."""
        document, candidates, _ = await self._search(page)
        seen = getattr(page, "seen", None)
        return candidates if seen is None else seen_candidates(candidates, seen, document, self.finders, [])

    def parse_robots(self, response: Response) -> Iterator[Request]:
        """Follow the sitemaps that robots.txt announces (sitemaps.org, "Informing search engine crawlers")."""
        where = {name: response.meta[name] for name in ("site", "level", "nesting")}
        for url in Protego.parse(response.body.decode("utf-8", "replace")).sitemaps:
            if sitemap := absolute(response.url, url):
                yield self._page_request(sitemap, where)

    async def page_failed(self, failure: Failure) -> None:
        """Log why a page cannot be had; a start page is named at the end of the crawl."""
        outcome = outcome_of_failure(failure)
        request: Request = failure.request  # type: ignore[attr-defined]
        if self.crawl.stopped:
            leave_unfinished(request)
        if self.crawl.stopped or outcome.status == Status.LIMIT:
            return
        self.logger.info("%s: %s", clean_url(request.url), outcome.reason)
        self.crawler.stats.inc_value("audio/pages_failed")
        self._note_failed_start(request.meta, outcome.reason)

    async def _search(self, response: Response) -> tuple[Document, list[Candidate], list[str]]:
        where = response.meta
        follows_links = where["level"] < self.arguments.depth and not where["nesting"]

        def search() -> tuple[Document, list[Candidate], list[str]]:
            document = read(response)
            candidates = list(find_in(document, self.finders))
            links = page_links(as_page(response, document), where["site"], self.arguments) if follows_links else []
            return document, candidates, links

        return await self.crawl.in_thread(search) if len(response.body) > LARGE_DOCUMENT_BYTES else search()

    def _read_opt_outs(self, response: Response, document: Document | None) -> None:
        """Note what opts out the files that the page offers, its playlists and players included."""
        metas = ((e.get("name") or "", e.get("content") or "") for e in document.elements("meta")) if document else ()
        response.meta["page_opt_out"] = self.opt_outs.of_page(response, metas)

    def _follow(self, page: Response, candidates: list[Candidate], links: list[str]) -> Iterator[Request]:
        where = {name: page.meta[name] for name in ("site", "level", "nesting")}
        deeper = where | {"level": where["level"] + 1, "nesting": 0}
        may_go_deeper = where["level"] < self.arguments.depth
        for candidate in candidates:
            if candidate.found_by == "sitemap" and not self.arguments.depth:
                continue  # its pages would not be followed
            if candidate.kind in FOLLOWED and where["nesting"] < MAX_NESTING:
                nested = where | {"nesting": where["nesting"] + 1, "via": candidate.found_by}
                nested["page_opt_out"] = page.meta["page_opt_out"]
                yield self._page_request(candidate.url, nested)
            elif candidate.found_by == "feed_next" and (number := page.meta.get("feed_page", 1)) < MAX_FEED_PAGES:
                yield self._page_request(candidate.url, where | {"feed_page": number + 1})
            elif may_go_deeper and self._is_deeper(candidate, where["site"]):
                yield self._page_request(candidate.url, deeper)
        for url in links:
            if not self._traps.is_trap(url):
                yield self._page_request(url, deeper)

    def _is_deeper(self, candidate: Candidate, site: str) -> bool:
        if candidate.kind is Kind.FEED:
            return True
        return (
            candidate.kind is Kind.PAGE and site_of(candidate.url) == site and is_allowed(candidate.url, self.arguments)
        )

    def _page_request(self, url: str, meta: dict[str, Any]) -> Request:
        # Level by level: a page that is first met on a long way would not be followed further on the short one.
        priority = NESTED_PRIORITY if meta["nesting"] else -meta["level"]
        return Request(
            url,
            self.parse,
            errback=self.page_failed,
            meta={**meta, "allow_offsite": True},
            priority=priority,
        )

    def _robots_request(self, url: str, where: dict[str, Any]) -> Request:
        meta = {**where, "dont_obey_robotstxt": True, "robots": 0, "download_maxsize": 0}
        return Request(f"{origin_of(url)}/robots.txt", self.parse_robots, errback=self.page_failed, meta=meta)

    def _note_failed_start(self, meta: dict[str, Any], reason: str) -> None:
        if "start" in meta:
            self.crawler.stats.inc_value("audio/starts_failed")
            start = f"{clean_url(mask_url(meta['start']))}: {one_line(reason, MAX_REASON_LENGTH)}"
            self.crawler.stats.inc_value(FAILED_START + start)


def is_audio(answer: Response) -> bool:
    """Return whether the answer to a request for a page is audio: its transfer was stopped, or its bytes say so."""
    return "download_stopped" in answer.flags or judge(answer.body, answer.headers).is_audio_in_place_of_page


def as_page(answer: Response, document: Document) -> Response:
    """Return the answer with links that can be read, also where its type hides that it is a page."""
    is_hidden = document.type is DocumentType.HTML and not isinstance(answer, TextResponse)
    return answer.replace(cls=HtmlResponse) if is_hidden else answer
