"""scrapy-playwright's handler, with our Chromium, our deadline and our way of looking at a page.

Imported when the first page is opened: it loads playwright.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http.cookiejar import Cookie
from typing import Any

from playwright.async_api import Browser as PlaywrightBrowser
from playwright.async_api import BrowserContext, Error, Page
from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy_playwright.handler import Config, ScrapyPlaywrightDownloadHandler
from scrapy_playwright.provider import PlaywrightBrowserProvider

from audiocrawler.browser.response import RenderedResponse
from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, VIDEO_EXTENSIONS, extension_of
from audiocrawler.fetch.accounts import read_cookies
from audiocrawler.middlewares.credentials import CredentialsMiddleware
from audiocrawler.model.errors import BrowserMissingError, RenderError
from audiocrawler.model.settings import settings_of
from audiocrawler.model.urls import LOGIN
from audiocrawler.rendering.chromium import can_sandbox, launch_options
from audiocrawler.rendering.visit import PREPARE, PageCrashedError, Visit, Watch

logger = logging.getLogger(__name__)
logging.getLogger("scrapy-playwright").setLevel(logging.ERROR)  # what fails has a row; its warnings are tracebacks

DYING_S = 0.5
"""How long a browser that dies may still seem to be connected."""
CLOSE_S = 10.0
"""How long a page, a context or the browser may take to close before it is ended."""
SEGMENT_EXTENSIONS = frozenset(("cmfa", "cmfv", "m4s"))
MEDIA_EXTENSIONS = AUDIO_EXTENSIONS | VIDEO_EXTENSIONS | SEGMENT_EXTENSIONS
MANIFEST_EXTENSIONS = frozenset(("m3u8", "mpd"))


class OwnChromium(PlaywrightBrowserProvider):  # type: ignore[misc] # scrapy-playwright is not typed
    """Starts the driver with the first browser, and each browser with our options.

    To scrapy-playwright it is itself a browser that lasts as long as the crawl: its contexts are those of the Chromium
    that runs at the moment, with our scripts and cookies in them.
    """

    def __init__(
        self,
        config: Config,
        executable: str,
        proxy: Mapping[str, str],
        prepare: Callable[[BrowserContext], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._executable = executable
        self._proxy = proxy
        self._prepare = prepare
        self._sandbox = can_sandbox()
        self._starting = asyncio.Lock()
        self._browser: PlaywrightBrowser | None = None

    async def launch_browser(self) -> "OwnChromium":
        """Return what makes contexts; see BrowserProvider."""
        return self

    def on(self, event: str, listener: Callable[..., Any]) -> None:
        """Tell of no event: it is seen here when a Chromium is gone."""

    async def new_context(self, **options: Any) -> BrowserContext:
        """Return a new context of the Chromium that runs."""
        context: BrowserContext = await (await self.running()).new_context(**options)
        await self._prepare(context)
        return context

    @property
    def is_gone(self) -> bool:
        """Return whether the Chromium that was started last has died, and nobody has ended it."""
        return self._browser is not None and not self._browser.is_connected()

    async def running(self) -> PlaywrightBrowser:
        """Return the Chromium that runs, started if there is none; raises BrowserMissingError."""
        async with self._starting:
            if self._browser is None:
                try:
                    self._browser = await self._started()
                except Error as error:
                    why = error.message.strip().splitlines()[0]
                    raise BrowserMissingError(f"{self._executable} does not start: {why}") from None
            return self._browser

    async def end(self) -> None:
        """End the Chromium that runs."""
        browser, self._browser = self._browser, None
        if browser is not None:
            with suppress(Error, asyncio.TimeoutError):
                await asyncio.wait_for(browser.close(), CLOSE_S)

    async def close(self) -> None:
        """End the Chromium and its driver."""
        await self.end()
        with suppress(Error, asyncio.TimeoutError):
            await asyncio.wait_for(super().close(), CLOSE_S)

    async def _started(self) -> PlaywrightBrowser:
        """Return a started Chromium; without its own sandbox where the system does not let it have one."""
        if self.playwright is None:
            await self.start()
        try:
            return await self._launched()
        except Error:
            if not self._sandbox:
                raise
            logger.info("Chromium does not start with its sandbox, as in many containers: it is started without")
            self._sandbox = False
            return await self._launched()

    async def _launched(self) -> PlaywrightBrowser:
        assert self.playwright is not None
        options = launch_options(self._executable, self._proxy, sandbox=self._sandbox)
        browser: PlaywrightBrowser = await self.playwright.chromium.launch(**options)
        return browser


class BrowserPages(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]
    """Opens one page after the other; made after the engine's start, so that the driver starts only when asked to."""

    def __init__(
        self,
        crawler: Crawler,
        executable: str,
        proxy: Mapping[str, str],
        may_fetch: Callable[[str], Awaitable[bool]],
    ) -> None:
        super().__init__(crawler)
        self._may_fetch = may_fetch
        self._credentials = crawler.get_downloader_middleware(CredentialsMiddleware) or CredentialsMiddleware(crawler)
        self._cookies = read_cookies(settings_of(crawler).cookies).cookies
        self._given_cookies = {(cookie.name, cookie.value) for cookie in self._cookies}
        """Those of AUDIO_COOKIES, which need not be passed on from page to request and back: both have them."""
        self.browser_provider = OwnChromium(self.config, executable, proxy, self._prepare)
        self.config.target_closed_max_retries = 0
        self._context_options = {
            "user_agent": crawler.settings["USER_AGENT"],
            "service_workers": "block",
            "accept_downloads": False,
            "ignore_https_errors": not crawler.settings.getbool("DOWNLOAD_VERIFY_CERTIFICATES"),
            "viewport": {"width": 1280, "height": 900},
        }

    async def open(self, request: Request, site: str, page_s: float) -> Response:
        """Return the page as a RenderedResponse; raises RenderError, after at most ``page_s`` seconds."""
        meta = {"playwright_context": site, "playwright_context_kwargs": self._context_options, "playwright": True}
        asked = request.replace(meta={**request.meta, **meta})
        try:
            return await self._twice(asked, page_s)
        except TimeoutError:
            raise RenderError(f"in the browser the page did not come to rest within {page_s:g} s") from None
        except PageCrashedError as error:
            raise RenderError(f"in the browser {error}") from None
        except Error as error:
            raise RenderError(f"in the browser: {error.message.strip().splitlines()[0]}") from None

    async def close_context(self, site: str) -> None:
        """Close the context of a site, if it is open."""
        wrapper = self.context_wrappers.pop(site, None)
        if wrapper is not None:
            await self._ended(wrapper.context.close())

    async def end_browser(self) -> None:
        """End the browser; the next page starts another one."""
        self.context_wrappers.clear()
        await self.browser_provider.end()

    async def close(self) -> None:
        """End the browser and its driver; nothing else of the base class is in use."""
        self.context_wrappers.clear()
        await self.browser_provider.close()

    async def _running_browser(self) -> PlaywrightBrowser:
        """Return the browser, started before the page's time runs."""
        if self.browser_provider.is_gone:
            await self.end_browser()
        browser: PlaywrightBrowser = await self.browser_provider.running()
        return browser

    async def _twice(self, request: Request, page_s: float) -> Response:
        """Open the page, and once more where the whole browser went away: that may be another page's fault."""
        browser = await self._running_browser()
        try:
            return await self._opened(request, page_s)
        except (Error, PageCrashedError, TimeoutError):
            await asyncio.sleep(DYING_S)
            if browser.is_connected():
                raise
        await self._running_browser()
        return await self._opened(request, page_s)

    async def _opened(self, request: Request, page_s: float) -> Response:
        request.meta["ends_s"] = time.monotonic() + page_s
        response: Response = await asyncio.wait_for(self.download_request(request), page_s)
        return response

    async def _prepare(self, context: BrowserContext) -> None:
        await context.add_init_script(PREPARE)
        for cookie in self._cookies:
            with suppress(Error):  # what this browser refuses, such as a __Host- cookie for a domain, it would not send
                await context.add_cookies([_as_playwright_takes_it(cookie)])

    async def _download_request_with_page(self, request: Request, page: Page, spider: Spider) -> Response:
        try:
            return await self._seen(request, page)
        finally:
            await asyncio.shield(self._ended(page.close()))

    async def _seen(self, request: Request, page: Page) -> Response:
        watch = Watch(
            page,
            is_media=lambda url: extension_of(url) in MEDIA_EXTENSIONS,
            is_manifest=lambda url: extension_of(url) in MANIFEST_EXTENSIONS,
            may_fetch=self._may_fetch,
            headers_for=lambda url: self._headers_for(url, request),
        )
        await watch.start()
        await page.context.add_cookies(self._collected_cookies(request))
        seen = await Visit(page, watch, request.meta["ends_s"]).see(request.url)
        seen.cookies = [each for each in seen.cookies if (each["name"], each["value"]) not in self._given_cookies]
        if watch.problem:
            logger.info("%s: %s", request.url, watch.problem)
        return RenderedResponse(
            seen.url if seen.url.startswith("http") else request.url,
            status=seen.status,
            headers={"Content-Type": "text/html; charset=utf-8"},
            body=seen.html.encode("utf-8", "replace"),
            encoding="utf-8",
            request=request,
            seen=seen,
        )

    def _headers_for(self, url: str, request: Request) -> dict[str, str]:
        """Return what opens ``url``, by names as Playwright writes them."""
        headers = self._credentials.headers_for(url, request.meta.get(LOGIN))
        return {name.lower(): value for name, value in headers.items()}

    def _collected_cookies(self, request: Request) -> list[Any]:
        """Return the cookies that the plain requests of the crawl have collected for this page."""
        header = (request.headers.get("Cookie") or b"").decode("latin-1")
        pairs = [pair.strip().partition("=")[::2] for pair in header.split(";") if "=" in pair]
        new = (pair for pair in pairs if pair not in self._given_cookies)
        return [{"name": name, "value": value, "url": request.url} for name, value in new]

    async def _ended(self, closing: Awaitable[Any]) -> None:
        """Wait until something is closed; if it does not close, end the whole browser."""
        try:
            await asyncio.wait_for(closing, CLOSE_S)
        except TimeoutError:
            await self.end_browser()
        except Error:
            pass  # it is gone already


def _as_playwright_takes_it(cookie: Cookie) -> Any:
    return {
        "name": cookie.name,
        "value": cookie.value or "",
        "domain": cookie.get_nonstandard_attr("Domain"),
        "path": cookie.path,
        "expires": cookie.expires or -1,
        "secure": cookie.secure,
        "httpOnly": cookie.has_nonstandard_attr("HttpOnly"),
    }
