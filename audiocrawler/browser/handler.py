"""The browser of a crawl: started with the first page that needs it, closed with the crawl.

Only requests of kind ``rendered`` are opened in it; all others stay with the streaming handler.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.settings import BaseSettings

from audiocrawler.config.arguments import arguments_of
from audiocrawler.crawl.lifecycle import CrawlLifecycle, refuse_crawl
from audiocrawler.fetch.back_off import transfers_given_up
from audiocrawler.fetch.component import Component
from audiocrawler.fetch.connect import policy_of, proxies_of
from audiocrawler.fetch.handler import StreamingDownloadHandler
from audiocrawler.fetch.requests import Rendering, is_rendered
from audiocrawler.fetch.robots import RobotsMiddleware
from audiocrawler.fetch.slots import polite
from audiocrawler.model.errors import BrowserMissingError, ConfigurationError, RenderError
from audiocrawler.model.settings import AudioSettings, settings_of
from audiocrawler.rendering.chromium import HOW_TO_INSTALL, NO_DRIVER, Contexts, find_chromium
from audiocrawler.rendering.proxy import FilteringProxy
from audiocrawler.scrapy_private import PLAYWRIGHT, check_private_names

if TYPE_CHECKING:
    from audiocrawler.browser.pages import BrowserPages

logger = logging.getLogger(__name__)

CONTEXT_PAGES = 25
BROWSER_PAGES = 100
"""Pages after which a context, and the browser, are restarted: both leak memory with each page."""


class RenderingDownloadHandler(StreamingDownloadHandler):
    """The streaming handler, except for requests of kind ``rendered``."""

    def __init__(self, crawler: Crawler) -> None:
        lifecycle = crawler.get_extension(CrawlLifecycle)
        super().__init__(crawler, lifecycle.crawl.store_folder if lifecycle and lifecycle.crawl else None)

    async def download_request(self, request: Request) -> Response:
        """Download, or render and return a RenderedResponse; raises RenderError if the page cannot be rendered."""
        if not is_rendered(request):
            response: Response = await super().download_request(request)
            return response
        polite(self.crawler).note_sent(request)
        browser = self.crawler.get_extension(Browser)
        assert browser is not None
        rendered: Response = await browser.render(request)
        return rendered


class Browser(Component):
    """Render at most AUDIO_BROWSER_PAGES pages at a time, each for at most AUDIO_BROWSER_PAGE_S seconds.

    ``missing`` says why no page can be rendered, None until something is found missing.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        settings = settings_of(crawler)
        self._page_s = settings.browser_page_s
        self._turns = asyncio.Semaphore(settings.browser_pages)
        self._contexts = Contexts(
            max_contexts=settings.browser_contexts,
            max_pages=CONTEXT_PAGES,
            max_browser_pages=BROWSER_PAGES,
            close=self._close_context,
            renew=self._renew,
        )
        self._proxy: FilteringProxy | None = None
        self._pages: BrowserPages | None = None
        self._starting = asyncio.Lock()
        self._under_way: set[asyncio.Task[Response]] = set()
        self.missing: str | None = None
        try:
            self._executable = chromium_of(crawler.settings)
        except ConfigurationError as error:
            self._executable, self.missing = "", str(error)
        crawler.signals.connect(self._give_up, signal=transfers_given_up)
        crawler.signals.connect(self.close, signal=signals.spider_closed)

    async def render(self, request: Request) -> Response:
        """Return the page after its scripts have run; raises RenderError with the reason."""
        task = asyncio.ensure_future(self._render(request))
        self._under_way.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            raise RenderError("the crawl was stopped") from None
        finally:
            self._under_way.discard(task)

    async def close(self) -> None:
        """Close the browser and its driver, if they were started."""
        self._give_up()
        if self._pages is not None:
            await self._pages.close()
        if self._proxy is not None:
            await self._proxy.close()

    async def _render(self, request: Request) -> Response:
        site = Rendering.of(request).context
        async with self._turns, self._contexts.lent(site):
            try:
                pages = await self._started()
                response: Response = await pages.open(request, site, self._page_s)
            except BrowserMissingError as error:
                self._note_missing(error)
                raise
            return response

    def _note_missing(self, error: BrowserMissingError) -> None:
        """Continue without a browser, or end a crawl with ``render=always``."""
        if self.missing is None:
            self.missing = str(error)
            logger.error("%s", error)
            if must_render(self._crawler):
                refuse_crawl(self._crawler, ConfigurationError(str(error)))

    async def _started(self) -> "BrowserPages":
        async with self._starting:
            if self._pages is None:
                self._check_private_names()
                from audiocrawler.browser.pages import BrowserPages

                self._proxy = FilteringProxy(policy_of(self._crawler).refusal, proxies_of(self._crawler.settings))
                await self._proxy.start()
                self._pages = BrowserPages(self._crawler, self._executable, self._proxy.settings(), self._may_fetch())
                logger.info("rendering pages in %s", self._executable)
            return self._pages

    def _check_private_names(self) -> None:
        """End the crawl if scrapy-playwright is incompatible; raises RenderError, or BrowserMissingError without it."""
        try:
            check_private_names(PLAYWRIGHT)
        except ConfigurationError as error:
            if find_spec("scrapy_playwright") is None:
                raise BrowserMissingError(str(error)) from None
            refuse_crawl(self._crawler, error)
            raise RenderError(str(error)) from None

    def _may_fetch(self) -> Callable[[str], Awaitable[bool]]:
        robots = self._crawler.get_downloader_middleware(RobotsMiddleware)

        async def may_fetch(url: str) -> bool:
            if robots is None or not url.startswith(("http:", "https:")):
                return True
            try:
                await robots.process_request(Request(url, meta={"allow_offsite": True}))
            except IgnoreRequest:
                self._crawler.stats.inc_value("browser/requests_forbidden_by_robots")
                return False
            return True

        return may_fetch

    async def _close_context(self, site: str) -> None:
        if self._pages is not None:
            await self._pages.close_context(site)

    async def _renew(self) -> None:
        if self._pages is not None:
            await self._pages.end_browser()

    def _give_up(self) -> None:
        for task in list(self._under_way):
            task.cancel()


def chromium_of(settings: BaseSettings) -> str:
    """Return the path of the Chromium to start; raises ConfigurationError saying how to install what is missing."""
    if find_spec("scrapy_playwright") is None:
        raise ConfigurationError(NO_DRIVER)
    found = find_chromium(AudioSettings.of(settings).chromium)
    if found is None:
        raise ConfigurationError(HOW_TO_INSTALL)
    return found


def must_render(crawler: Crawler) -> bool:
    """Return whether every page must be rendered."""
    arguments = arguments_of(crawler.spider)
    return arguments is not None and arguments.render == "always"
