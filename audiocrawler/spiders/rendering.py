"""Which pages go to the browser, the requests for them, and the rows of those that were not opened, or not well."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urldefrag, urljoin, urlsplit

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.python.failure import Failure

from audiocrawler.arguments.arguments import Arguments
from audiocrawler.arguments.credentials import LOGIN
from audiocrawler.arguments.sites import site_of
from audiocrawler.browser.handler import Browser
from audiocrawler.browser.response import RenderedResponse
from audiocrawler.discovery import Candidate, Document, Kind
from audiocrawler.discovery.sniff import DocumentType
from audiocrawler.items import AudioSource, Status
from audiocrawler.masking import mask_url
from audiocrawler.rendering.learning import Learning, pattern_of
from audiocrawler.rendering.seen import cookies_for
from audiocrawler.rendering.signals import signals_of
from audiocrawler.spiders.links import is_allowed
from audiocrawler.spiders.outcomes import outcome_of_failure
from audiocrawler.spiders.renditions import RenditionSpider
from audiocrawler.spiders.seen import MAX_KNOWN, digest

_TOLD = (Kind.AUDIO, Kind.STREAM, Kind.PLAYLIST, Kind.MANIFEST, Kind.EMBED)
"""Kinds that mean that a player's audio is found, or will be."""
PAGE = "page"
"""The ``kind`` of a page's own row; pages have one only where their audio may have been missed."""
NESTED_PRIORITY = 20
MAX_ROUTES = 1_000
"""Routes in fragments of one page that are followed."""


class RenderingSpider(RenditionSpider):
    """A spider that opens pages in a browser where that pays."""

    arguments: Arguments

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._learning: Learning[Request] = Learning()

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Return the spider, which hears of requests that are dropped as known."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.note_dropped, signal=signals.request_dropped)
        return spider

    @property
    def browser(self) -> Browser:
        """Return the crawl's browser, which need not be running."""
        browser = self.crawler.get_extension(Browser)
        assert browser is not None
        return browser

    async def requests_to_render(
        self, page: Response, document: Document | None, candidates: list[Candidate]
    ) -> list[Request]:
        """Return the request that opens a plain page in the browser, none if it needs no browser or is left out."""
        told = [candidate for candidate in candidates if candidate.kind in _TOLD]
        why = self._why(page, document, told)
        if why is None:
            return []
        known = [digest(candidate.url) for candidate in told][:MAX_KNOWN]
        return await self._unless_left_out(self.render_request(page.url, page.meta, why, known))

    async def requests_for_routes(self, page: RenderedResponse, document: Document) -> AsyncIterator[Request]:
        """Yield the requests for the routes that a rendered page keeps in the fragments of its links."""
        deeper = {**page.meta, "level": page.meta["level"] + 1}
        if deeper["level"] > self.arguments.depth or page.meta["nesting"]:
            return
        about = page.meta["render"]
        for url in _routes(page, document):
            if is_allowed(url, self.arguments):
                for request in await self._unless_left_out(
                    self.render_request(url, deeper, about["why"], about["known"])
                ):
                    yield request

    async def note_rendered(self, page: RenderedResponse, *, gained: bool) -> list[Request]:
        """Remember what the browser has brought, and return the requests for pages that waited for such news."""
        self.crawler.stats.inc_value("browser/pages")
        self.crawler.stats.inc_value("browser/pages_with_gain", int(gained))
        assert page.request is not None
        before = await self.crawl.find_source(mask_url(page.request.url))
        if before is not None and before.kind == PAGE:
            self.crawler.stats.inc_value("browser/taken_up", int(before.status == Status.PENDING))
            await self._note_page(page.request, Status.NOT_AUDIO, "a page; it was opened in a browser since")
        return list(self._learning.note(page.meta["render"]["pattern"], gained=gained))

    async def render_failed(self, failure: Failure) -> AsyncIterator[Request]:
        """Give the page a row that says why it could not be opened in the browser."""
        outcome = outcome_of_failure(failure)
        request: Request = failure.request  # type: ignore[attr-defined]
        if self.crawl.stopped or outcome.status == Status.LIMIT:
            return
        self.crawler.stats.inc_value("browser/pages_failed")
        await self._note_page(request, outcome.status, outcome.reason)
        for waiting in self._learning.note(request.meta["render"]["pattern"], gained=False):
            yield waiting

    def as_from_browser(self, request: Any, page: RenderedResponse) -> Any:
        """Give a request that a rendered page led to the cookies that the browser would send with it."""
        if isinstance(request, Request) and "render" not in request.meta:
            request.cookies = cookies_for(request.url, page.seen.cookies)  # type: ignore[assignment]
        return request

    def note_dropped(self, request: Request) -> None:
        """Expect no news of a page whose request was dropped as known."""
        if "render" in request.meta:
            self._learning.withdraw(request.meta["render"]["pattern"])

    def _why(self, page: Response, document: Document | None, told: list[Candidate]) -> str | None:
        is_page = document is not None and document.type is DocumentType.HTML and document.root is not None
        if not is_page or self.arguments.render == "never":
            return None
        assert document is not None
        assert document.root is not None
        signals = signals_of(document.root, page.url, {candidate.found_by for candidate in told})
        return " and ".join(signals) or ("no sign of a player" if self.arguments.render == "always" else None)

    async def _unless_left_out(self, request: Request) -> list[Request]:
        about = request.meta["render"]
        if self.browser.missing:
            self.crawler.stats.inc_value("browser/missing")
            if self.crawler.stats.get_value("browser/missing") == 1:
                self.logger.warning("pages need a browser: %s", self.browser.missing)
            reason = "there is no browser"
            due = []
        elif self.arguments.render == "always":
            return [request]
        else:
            due = list(self._learning.offer(about["pattern"], request))
            if request in due:
                return due
            self.crawler.stats.inc_value("browser/left_out")
            reason = "pages like it have brought nothing there"
        await self._note_page(request, Status.PENDING, f"not opened in a browser: it has {about['why']}, but {reason}")
        return due

    def render_request(self, url: str, where: dict[str, Any], why: str, known: list[str]) -> Request:
        """Return the request that opens a page in the browser."""
        place: dict[str, Any] = {
            name: where[name] for name in ("site", "level", "nesting", "via", "page_opt_out", LOGIN) if name in where
        }
        about = {"why": why, "known": known, "pattern": f"{why} {pattern_of(url)}", "context": site_of(url)}
        return Request(
            url,
            self.parse_rendered,
            errback=self.render_failed,
            meta={**place, "render": about, "allow_offsite": True},
            priority=NESTED_PRIORITY if where["nesting"] else -where["level"],
        )

    async def _note_page(self, request: Request, status: Status, reason: str) -> None:
        now = datetime.now(UTC)
        url = mask_url(request.url)
        self.logger.info("%s: %s", url, reason)
        row = AudioSource(
            source_url=url,
            site=request.meta["site"],
            host=urlsplit(request.url).hostname,
            page_url=url,
            found_by="browser",
            kind=PAGE,
            status=status,
            reason=reason,
            last_status=status,
            last_error=None if status in {Status.PENDING, Status.NOT_AUDIO} else reason,
            last_attempt_at=None if status == Status.PENDING else now,
            first_seen_at=now,
            last_seen_at=now,
        )
        await self.crawl.write([row])

    @abstractmethod
    def parse_rendered(self, response: Any) -> AsyncIterator[Any]:
        """Search a page as the browser shows it."""


def _routes(page: Response, document: Document) -> Iterator[str]:
    own = urldefrag(page.url).url
    seen: dict[str, None] = {}
    for element in document.elements("a"):
        url, fragment = urldefrag(urljoin(document.base_url, element.get("href") or ""))
        if url == own and fragment.startswith(("/", "!")) and len(seen) < MAX_ROUTES:
            seen.setdefault(f"{url}#{fragment}")
    yield from seen
