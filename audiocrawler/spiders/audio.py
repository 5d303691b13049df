"""The audio spider: its services do the work, its methods are the callbacks of their requests."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from protego import Protego
from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import CloseSpider
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from twisted.python.failure import Failure

from audiocrawler.browser.handler import Browser
from audiocrawler.config.arguments import Arguments, parse_arguments
from audiocrawler.config.scrapy_settings import missing_settings
from audiocrawler.crawl.crawl import Crawl
from audiocrawler.crawl.items import FetchAgainError, RefusedError
from audiocrawler.crawl.lifecycle import crawl_of, is_command_of_scrapy, leave_unfinished, stop_crawl
from audiocrawler.discovery import DEFAULT_FINDERS, Candidate, Document, Kind, find_in, read
from audiocrawler.discovery.hubs import start_of
from audiocrawler.discovery.paging import next_pages_in_headers
from audiocrawler.discovery.urls import absolute
from audiocrawler.fetch.headers import is_audio_type
from audiocrawler.fetch.requests import (
    CAME,
    KIND,
    LANDING,
    MOVED_TO,
    Place,
    Rendering,
    RequestKind,
    audio_row,
    is_rendered,
)
from audiocrawler.middlewares.optouts import OptOuts
from audiocrawler.model.rows import AudioItem, AudioSource
from audiocrawler.model.settings import settings_of
from audiocrawler.model.statuses import Status
from audiocrawler.model.urls import LOGIN, login_meta, origin_of, site_of, without_credentials
from audiocrawler.records import audio_candidate, direct_candidate, outcome_of_failure, request_of_file
from audiocrawler.rendering.when import RenderHint
from audiocrawler.spiders.expanding import Expander
from audiocrawler.spiders.hls import HlsJoiner
from audiocrawler.spiders.landing import Landings
from audiocrawler.spiders.links import COLLECTION, FOLLOWED, Follower, as_page, page_links, refer
from audiocrawler.spiders.listing import Lister
from audiocrawler.spiders.media import Downloads
from audiocrawler.spiders.page_notes import PageNotes
from audiocrawler.spiders.partly import tell_left_out
from audiocrawler.spiders.rendering import Renderer, as_from_browser, seen_candidates
from audiocrawler.spiders.renewing import Renewal, may_have_expired
from audiocrawler.spiders.taking import Taker
from audiocrawler.spiders.texts import Texts
from audiocrawler.warehouse.rows import clean_url

_NOT_ASKED_FOR = "https://start.invalid/"
"""The start URL of a spider borrowed by a command that makes its own requests."""
LARGE_DOCUMENT_BYTES = 200_000
"""Larger documents are parsed in a thread, so that transfers continue meanwhile."""
PAGE = "instead_of"
"""In the meta of a start's request for a hub's listing: the page that it is requested instead of."""


class AudioSpider(Spider):
    """Finds the audio of its start pages, and of ``depth`` levels of pages below them."""

    name = "audio"
    finders: Mapping[str, int | None] = DEFAULT_FINDERS
    callbacks = frozenset(
        {
            *("parse", "parse_robots", "page_failed", "parse_rendered", "render_failed"),
            *("parse_audio", "audio_failed", "parse_part", "part_failed", "parse_listing", "listing_failed"),
            *("parse_text", "text_failed"),
        }
    )
    """Methods that requests in a frontier may name as callbacks; frontiers of older versions do, too."""

    def __init__(self, *args: Any, _is_borrowed: bool = False, **kwargs: Any) -> None:
        self.job = kwargs.get("_job")
        self.is_borrowed = _is_borrowed
        """Whether a command of Scrapy's, such as fetch or parse, only looks at a page with this spider."""
        self.arguments = self.read_arguments(kwargs)
        self.limit = self.arguments.limit
        super().__init__(*args)

    def read_arguments(self, given: dict[str, Any]) -> Arguments:
        """Return the validated arguments. Raises ConfigurationError."""
        has_start = not self.is_borrowed or given.keys() & {"url", "urls"}
        return parse_arguments(given if has_start else {"url": _NOT_ASKED_FOR, **given})

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> "AudioSpider":
        """Return the spider. Raises ConfigurationError for invalid arguments."""
        if missing := missing_settings(crawler.settings):
            return cls._refusing(crawler, missing)
        if crawler.settings.frozen or is_command_of_scrapy(cls):  # the shell creates its spider last
            kwargs["_is_borrowed"] = True
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.finders = {**DEFAULT_FINDERS, **settings_of(crawler).finders}
        crawler.signals.connect(spider.item_dropped, signal=signals.item_dropped)
        crawler.signals.connect(spider.item_scraped, signal=signals.item_scraped)
        crawler.signals.connect(spider.request_dropped, signal=signals.request_dropped)
        return spider

    @classmethod
    def _refusing(cls, crawler: Crawler, missing: list[str]) -> "AudioSpider":
        """Return a spider that closes at once with one line that says why."""
        kwargs: dict[str, Any] = {"_is_borrowed": True}
        spider = super().from_crawler(crawler, **kwargs)

        def refuse() -> None:
            spider.logger.error(
                "%s needs audiocrawler's settings, but these are not set: %s; call "
                'settings.setmodule("audiocrawler.settings") or set SCRAPY_SETTINGS_MODULE=audiocrawler.settings',
                cls.__name__,
                ", ".join(missing),
            )
            raise CloseSpider("configuration")

        crawler.signals.connect(refuse, signal=signals.spider_opened, weak=False)
        return spider

    @cached_property
    def crawl(self) -> Crawl:
        """Return the crawl; available once the spider is open."""
        return crawl_of(self.crawler)

    @cached_property
    def opt_outs(self) -> OptOuts:
        """Return the service that reads opt-outs."""
        return OptOuts(self.settings)

    @cached_property
    def follower(self) -> Follower:
        """Return the service that requests documents."""
        return Follower(self.arguments, parse=self.parse, failed=self.page_failed)

    @cached_property
    def downloads(self) -> Downloads:
        """Return the service that requests files and finalises their rows."""
        return Downloads(
            self.crawl,
            parse=self.parse_audio,
            failed=self.audio_failed,
            expand=self._expand,
            refer=partial(refer, self.crawler),
            landings=self.landings,
            stop=partial(stop_crawl, self.crawler),
        )

    @cached_property
    def notes(self) -> PageNotes:
        """Return the service that notes pages that could not be searched."""
        return PageNotes(self.crawl, self.logger)

    @cached_property
    def landings(self) -> Landings:
        """Return the service that searches documents that come where audio was expected."""
        return Landings(self.follower.request, deepest=self.arguments.depth)

    @cached_property
    def joiner(self) -> HlsJoiner:
        """Return the service that requests the parts of HLS renditions and joins them."""
        return HlsJoiner(self.crawl, self.downloads, parse=self.parse_part, failed=self.part_failed)

    @cached_property
    def texts(self) -> Texts:
        """Return the service that fetches the transcripts and chapters of stored files."""
        return Texts(
            self.crawl,
            self.arguments,
            parse=self.parse_text,
            failed=self.text_failed,
            refer=partial(refer, self.crawler),
            stop=partial(stop_crawl, self.crawler),
        )

    @cached_property
    def taker(self) -> Taker:
        """Return the service that decides which audio of a document is downloaded."""
        return Taker(
            self.crawl,
            self.arguments,
            self.downloads,
            self.joiner,
            self.lister,
            opt_outs=self.opt_outs,
            is_wanted=self.is_wanted,
        )

    @cached_property
    def lister(self) -> Lister:
        """Return the service that lists what is in archives."""
        return Lister(self.crawler, self.crawl, self.downloads, parse=self.parse_listing, failed=self.listing_failed)

    @cached_property
    def expander(self) -> Expander:
        """Return the service that takes what is in archives."""
        stop = partial(stop_crawl, self.crawler)
        return Expander(self.crawler, self.crawl, self.downloads, limit=self.limit, stop=stop)

    @cached_property
    def renderer(self) -> Renderer:
        """Return the service that renders pages in the browser."""
        return Renderer(
            self.crawl,
            self.arguments,
            parse=self.parse_rendered,
            failed=self.render_failed,
            missing=self._missing_browser,
        )

    @cached_property
    def renewal(self) -> Renewal:
        """Return the service that gets fresh URLs for expired ones."""
        return Renewal(self.crawler.stats, ask=self._ask_again, urls_in=self._urls_in)

    async def start(self) -> AsyncIterator[Any]:
        """Request each start page."""
        starts = self.arguments.start_urls()
        self.crawler.stats.set_value("audio/starts", len(starts))
        self.pending_starts = len(starts)
        for start in starts:
            request = self._start_request(start)
            yield request
            self.pending_starts -= 1
            if self.arguments.depth and (page := request.meta.get(PAGE)):
                yield self.follower.request(page, Place.of(request.meta))
            if self.arguments.depth:
                login = {LOGIN: request.meta[LOGIN]} if LOGIN in request.meta else {}
                yield self._robots_request(request.meta.get(PAGE, request.url), Place.of(request.meta), login)

    def _start_request(self, start: str) -> Request:
        """Return the request for a start, or for the listing of the hub whose page it is."""
        url, asked = without_credentials(start), start_of(start)
        place, meta = Place(site=site_of(url)), {"start": url, **login_meta(asked.url if asked else start)}
        if asked is None:
            return self.follower.request(url, place, meta)
        return self.follower.ask(asked, place, meta | ({PAGE: url} if url.startswith("http") else {}))

    async def parse(self, response: Response) -> AsyncIterator[Any]:
        """Search a document: follow it, and turn its audio into rows and requests."""
        if "level" not in response.meta:  # `scrapy parse` makes its own requests
            response.meta.update(Place(site=site_of(response.url)).meta)
        for request in self._move(response):
            yield request
        document, candidates, links = await self._found_in(response)
        if not candidates and (CAME in response.meta or (document is not None and not document.text.strip())):
            await self.notes.note_no_page(response)
            await tell_left_out(self.crawl, response, document)
            return
        self._read_opt_outs(response, document)
        self._note_page(response, candidates)
        for request in self.follow(response, candidates, links):
            yield request
        async for each in self.take(response, document, candidates):
            yield each
        if document is not None:
            async for each in self.taker.take_renditions(response, document):
                yield each
        await tell_left_out(self.crawl, response, document)
        rendered = await self.renderer.requests_to_render(response, document, candidates)
        for request in rendered:
            yield request
        if document is not None and not (candidates or rendered):
            await self.notes.note_wall(response, document)

    async def parse_rendered(self, response: Any) -> AsyncIterator[Any]:
        """Search a rendered page for what its plain document did not contain."""
        document, shown, links = await self._search(response)
        self._read_opt_outs(response, document)
        about = Rendering.of(response.request)
        candidates = seen_candidates(shown, response.seen, document, self.finders, about.known)
        has_audio = any(candidate.kind in {Kind.AUDIO, Kind.STREAM, *FOLLOWED} for candidate in candidates)
        if has_audio:
            self.follower.note_page(response.url, has_audio=True)
        for request in self.follow(response, candidates, links):
            yield as_from_browser(request, response)
        async for request in self.renderer.requests_for_routes(response, document):
            yield request
        async for each in self.take(response, document, candidates):
            yield as_from_browser(each, response)
        gained = has_audio or (RenderHint.SHELL in about.why and bool(links))
        for request in await self.renderer.note_rendered(response, gained=gained):
            yield request
        await tell_left_out(self.crawl, response, document)

    def parse_robots(self, response: Response) -> Iterator[Request]:
        """Follow the sitemaps that robots.txt lists (sitemaps.org, "Informing search engine crawlers")."""
        place = Place.of(response.meta).alone
        for url in Protego.parse(response.body.decode("utf-8", "replace")).sitemaps:
            if sitemap := absolute(response.url, url):
                yield self.follower.request(sitemap, place)

    async def page_failed(self, failure: Failure) -> AsyncIterator[Request]:
        """Log why a page failed, and try the alternate of a manifest; a failed start is listed in the summary, too.

        If a hub refuses its listing, the page that was given is searched instead.
        """
        outcome = outcome_of_failure(failure)
        request: Request = failure.request  # type: ignore[attr-defined]
        if self.crawl.is_stopping:
            leave_unfinished(request)
        if self.crawl.is_stopping or outcome.status == Status.LIMIT:
            return
        self.logger.info("%s: %s", clean_url(request.url), outcome.reason)
        self.crawler.stats.inc_value("audio/pages_failed")
        if (page := request.meta.get(PAGE)) is not None:
            meta = {name: request.meta[name] for name in ("start", LOGIN) if name in request.meta}
            yield self.follower.request(page, Place.of(request.meta), meta).replace(dont_filter=True)
            return
        for each in self.follower.instead_of(request):
            yield each
        await self.notes.note_failure(request, outcome)

    async def render_failed(self, failure: Failure) -> AsyncIterator[Request]:
        """Write the row of a page that could not be rendered; continue with pages that waited for its result."""
        for request in await self.renderer.failed(failure, failure.request):  # type: ignore[attr-defined]
            yield request

    async def parse_audio(self, response: Response) -> AsyncIterator[AudioItem | Request]:
        """Turn a downloaded file into an item, or finalise its row."""
        assert response.request is not None
        self.renewal.note_success(response.request)
        async for each in self.downloads.ended(response):
            yield each
        for text in await self.texts.after_unchanged(response.request):
            yield text

    async def audio_failed(self, failure: Failure) -> AsyncIterator[Request]:
        """Retry with a fresh URL if the file's own has expired, else finalise its row and try an alternate."""
        request: Request = failure.request  # type: ignore[attr-defined]
        if may_have_expired(failure) and not self.crawl.is_stopping and (fresh := await self.renewal.renewed(request)):
            yield fresh
            return
        for alternate in await self.downloads.failed(failure, request):
            yield alternate
        for text in await self.texts.after_failure(failure, request):
            yield text

    async def parse_part(self, response: Response) -> AsyncIterator[AudioItem | Request]:
        """Continue with the next part of a rendition, or with the whole file."""
        async for each in self.joiner.joined(response):
            yield each

    async def part_failed(self, failure: Failure) -> None:
        """Finalise the row of a rendition with a missing part."""
        await self.joiner.failed(failure, failure.request)  # type: ignore[attr-defined]

    async def parse_listing(self, response: Response) -> None:
        """Finalise the row of an archive with what is in it."""
        await self.lister.finalise(response)

    async def listing_failed(self, failure: Failure) -> None:
        """Finalise the row of an archive whose start or directory cannot be read."""
        await self.lister.failed(failure, failure.request)  # type: ignore[attr-defined]

    async def parse_text(self, response: Response) -> AsyncIterator[Request]:
        """Store a transcript or chapters, and continue with the next text of the file."""
        for each in await self.texts.ended(response):
            yield each

    async def text_failed(self, failure: Failure) -> AsyncIterator[Request]:
        """Note why a text is missing, and continue with the next one of the file."""
        for each in await self.texts.failed(failure, failure.request):  # type: ignore[attr-defined]
            yield each

    async def item_scraped(self, item: Any, response: Response | None) -> None:
        """Request the texts of a file that is stored: in the frontier before the file's request is acknowledged."""
        if (request := request_of_file(item, response)) is not None:
            for each in await self.texts.after_item(item, request):
                self.crawler.engine.crawl(each)

    async def item_dropped(self, item: Any, response: Response, exception: BaseException) -> None:
        """Request the replacement of a file that the pipelines have dropped.

        It is in the frontier before the request of the dropped file is acknowledged, as if its callback had yielded it.
        """
        request = request_of_file(item, response)
        if request is None or audio_row(request) is None:
            return
        following: list[Request] = []
        if isinstance(exception, FetchAgainError):
            again = get_retry_request(request, spider=self, reason=str(exception))
            following = await self.downloads.fetched_again(item.source, again, str(exception))
        elif isinstance(exception, RefusedError):
            following = await self.downloads.refused(item.source, request)
        for each in following:
            self.crawler.engine.crawl(each)

    def request_dropped(self, request: Request) -> None:
        """Stop waiting for a page that was to be rendered and is dropped as a duplicate."""
        if is_rendered(request):
            self.renderer.note_dropped(request)

    def follow(self, page: Response, candidates: list[Candidate], links: list[str]) -> Iterator[Request]:
        """Yield the requests for the documents that a document links to."""
        return self.follower.follow(page, candidates, links)

    def take(
        self, page: Response, document: Document | None, candidates: list[Candidate]
    ) -> AsyncIterator[Request | AudioItem]:
        """Yield the requests and items for the audio of a document."""
        return self.taker.take(page, document, candidates)

    def is_wanted(self, page: Response, source: AudioSource) -> bool:
        """Return whether a file of a document is to be downloaded."""
        return True

    async def _found_in(self, response: Response) -> tuple[Document | None, list[Candidate], list[str]]:
        """Return the document, its candidates and its links; no document for a response that is itself a file."""
        if (direct := direct_candidate(response)) is not None:
            return None, [] if LANDING in response.meta else [direct], []  # that file has been requested
        if CAME in response.meta:
            return None, [], []
        document, candidates, links = await self._search(response)
        if is_audio_type(response.headers) and not (candidates or links):
            return None, [audio_candidate(response)], []
        return document, candidates, links

    def _note_page(self, response: Response, candidates: list[Candidate]) -> None:
        self.crawler.stats.inc_value("audio/pages")
        has_audio = any(candidate.kind is Kind.AUDIO for candidate in candidates)
        self.follower.note_page(response.url, has_audio=has_audio)
        if has_audio and LANDING in response.meta:
            self.landings.note_audio(response.url)

    async def _search(self, response: Response) -> tuple[Document, list[Candidate], list[str]]:
        place = Place.of(response.meta)
        follows_links = place.level < self.arguments.depth and not place.nesting

        def search() -> tuple[Document, list[Candidate], list[str]]:
            document = read(response)
            document.collection = response.meta.get(COLLECTION) or {}
            candidates = [*find_in(document, self.finders), *next_pages_in_headers(response)]
            links = page_links(as_page(response, document), place.home or "", self.arguments) if follows_links else []
            return document, candidates, links

        return await self.crawl.in_thread(search) if len(response.body) > LARGE_DOCUMENT_BYTES else search()

    def _read_opt_outs(self, response: Response, document: Document | None) -> None:
        """Record the opt-out for the files of the page, including its playlists and players."""
        metas = ((e.get("name") or "", e.get("content") or "") for e in document.elements("meta")) if document else ()
        response.meta["page_opt_out"] = self.opt_outs.of_page(response, metas)

    def _robots_request(self, url: str, place: Place, login: dict[str, Any]) -> Request:
        own = {KIND: RequestKind.HOST_FILE.value, "dont_obey_robotstxt": True, "download_maxsize": 0}
        meta = place.meta | login | own
        return Request(f"{origin_of(url)}/robots.txt", self.parse_robots, errback=self.page_failed, meta=meta)

    def _expand(self, response: Response, body_file: str) -> AsyncIterator[AudioItem]:
        return self.expander.expand(response, body_file)

    def _missing_browser(self) -> str | None:
        browser = self.crawler.get_extension(Browser)
        return browser.missing if browser is not None else "the browser extension is disabled"

    async def _ask_again(self, page: dict[str, Any]) -> Response:
        """Download again a document that was searched before."""
        place = replace(Place.of(page["where"]), nesting=1)
        if page["is_rendered"]:
            request = self.renderer.request(page["url"], place, "asked again", [])
        else:
            request = self.follower.request(page["url"], place)
        return await self.crawler.engine.download_async(
            request.replace(dont_filter=True, callback=NO_CALLBACK, errback=None)
        )

    async def _urls_in(self, page: Response) -> dict[str, list[str]]:
        """Return the URLs that such a document now contains, by the keys of their rows."""
        document, candidates, _ = await self._search(page)
        if (seen := getattr(page, "seen", None)) is not None:
            candidates = seen_candidates(candidates, seen, document, self.finders, [])
        urls: dict[str, list[str]] = {}
        for each in await self.taker.found_in(page, None, candidates):
            urls.setdefault(each.source.source_url, []).append(each.candidate.url)
        return urls

    def _move(self, response: Response) -> Iterator[Request]:
        """Follow the pages of the site to which a start page redirects, and its sitemaps."""
        place, home = Place.of(response.meta), site_of(response.url)
        is_moved = "start" in response.meta and "redirect_urls" in response.meta and home != place.home
        if not is_moved or not self.arguments.depth:
            return
        self.logger.info("%s redirects to %s: the pages of %s are followed", place.site, clean_url(response.url), home)
        response.meta[MOVED_TO] = home
        yield self._robots_request(response.url, Place.of(response.meta), {})
