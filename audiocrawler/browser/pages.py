"""Open pages through scrapy-playwright's handler, with our Chromium, deadline and watch.

Imported with the first page, because it loads playwright.
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
logging.getLogger("scrapy-playwright").setLevel(logging.ERROR)  # failures have a row; its warnings are tracebacks

DYING_S = 0.5
"""How long a dying browser may still appear connected."""
CLOSE_S = 10.0
"""Timeout for closing a page, a context or the browser."""
SEGMENT_EXTENSIONS = frozenset(("cmfa", "cmfv", "m4s"))
MEDIA_EXTENSIONS = AUDIO_EXTENSIONS | VIDEO_EXTENSIONS | SEGMENT_EXTENSIONS
MANIFEST_EXTENSIONS = frozenset(("m3u8", "mpd"))


class ChromiumProvider(PlaywrightBrowserProvider):  # type: ignore[misc] # scrapy-playwright is not typed
    """Start the driver with the first browser, and each browser with our options.

    To scrapy-playwright this is a browser that lasts as long as the crawl; its contexts belong to the current Chromium,
    and have our scripts and cookies.
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

    async def launch_browser(self) -> "ChromiumProvider":
        """Return the object that creates contexts; see BrowserProvider."""
        return self

    def on(self, event: str, listener: Callable[..., Any]) -> None:
        """Ignore event listeners: ``is_gone`` detects a dead Chromium."""

    async def new_context(self, **options: Any) -> BrowserContext:
        """Return a new context of the running Chromium."""
        context: BrowserContext = await (await self.running()).new_context(**options)
        await self._prepare(context)
        return context

    @property
    def is_gone(self) -> bool:
        """Return whether the last Chromium died without being closed."""
        return self._browser is not None and not self._browser.is_connected()

    async def running(self) -> PlaywrightBrowser:
        """Return the running Chromium, starting it if needed; raises BrowserMissingError."""
        async with self._starting:
            if self._browser is None:
                try:
                    self._browser = await self._start()
                except Error as error:
                    why = error.message.strip().splitlines()[0]
                    raise BrowserMissingError(f"{self._executable} could not be started: {why}") from None
            return self._browser

    async def end(self) -> None:
        """Close the running Chromium."""
        browser, self._browser = self._browser, None
        if browser is not None:
            with suppress(Error, asyncio.TimeoutError):
                await asyncio.wait_for(browser.close(), CLOSE_S)

    async def close(self) -> None:
        """Close Chromium and its driver."""
        await self.end()
        with suppress(Error, asyncio.TimeoutError):
            await asyncio.wait_for(super().close(), CLOSE_S)

    async def _start(self) -> PlaywrightBrowser:
        """Start Chromium, without its sandbox if it does not start with it."""
        if self.playwright is None:
            await self.start()
        try:
            return await self._launch()
        except Error:
            if not self._sandbox:
                raise
            logger.info("Chromium could not be started with its sandbox, as in many containers: starting it without")
            self._sandbox = False
            return await self._launch()

    async def _launch(self) -> PlaywrightBrowser:
        assert self.playwright is not None
        options = launch_options(self._executable, self._proxy, sandbox=self._sandbox)
        browser: PlaywrightBrowser = await self.playwright.chromium.launch(**options)
        return browser


class BrowserPages(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]
    """Open pages; created after the engine has started, so that the driver starts only when needed."""

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
        """Those of AUDIO_COOKIES, which pages and requests both have already."""
        self.browser_provider = ChromiumProvider(self.config, executable, proxy, self._prepare)
        self.config.target_closed_max_retries = 0
        self._context_options = {
            "user_agent": crawler.settings["USER_AGENT"],
            "service_workers": "block",
            "accept_downloads": False,
            "ignore_https_errors": not crawler.settings.getbool("DOWNLOAD_VERIFY_CERTIFICATES"),
            "viewport": {"width": 1280, "height": 900},
        }

    async def open(self, request: Request, site: str, page_s: float) -> Response:
        """Return the page as a RenderedResponse within ``page_s`` seconds; raises RenderError."""
        meta = {"playwright_context": site, "playwright_context_kwargs": self._context_options, "playwright": True}
        asked = request.replace(meta={**request.meta, **meta})
        try:
            return await self._open_with_retry(asked, page_s)
        except TimeoutError:
            raise RenderError(f"browser timeout: the page did not finish within {page_s:g} s") from None
        except PageCrashedError as error:
            raise RenderError(f"browser: {error}") from None
        except Error as error:
            raise RenderError(f"browser: {error.message.strip().splitlines()[0]}") from None

    async def close_context(self, site: str) -> None:
        """Close the context of a site, if it is open."""
        wrapper = self.context_wrappers.pop(site, None)
        if wrapper is not None:
            await self._close_or_end_browser(wrapper.context.close())

    async def end_browser(self) -> None:
        """Close the browser; the next page starts a new one."""
        self.context_wrappers.clear()
        await self.browser_provider.end()

    async def close(self) -> None:
        """Close the browser and its driver; nothing else of the base class is used."""
        self.context_wrappers.clear()
        await self.browser_provider.close()

    async def _running_browser(self) -> PlaywrightBrowser:
        """Return the running browser; starting it does not count as the page's time."""
        if self.browser_provider.is_gone:
            await self.end_browser()
        browser: PlaywrightBrowser = await self.browser_provider.running()
        return browser

    async def _open_with_retry(self, request: Request, page_s: float) -> Response:
        """Open the page, and retry once if the whole browser died: another page may have caused it."""
        browser = await self._running_browser()
        try:
            return await self._open(request, page_s)
        except (Error, PageCrashedError, TimeoutError):
            await asyncio.sleep(DYING_S)
            if browser.is_connected():
                raise
        await self._running_browser()
        return await self._open(request, page_s)

    async def _open(self, request: Request, page_s: float) -> Response:
        request.meta["ends_s"] = time.monotonic() + page_s
        response: Response = await asyncio.wait_for(self.download_request(request), page_s)
        return response

    async def _prepare(self, context: BrowserContext) -> None:
        await context.add_init_script(PREPARE)
        for cookie in self._cookies:
            with suppress(Error):  # a cookie that the browser rejects, such as __Host- with a domain, would not be sent
                await context.add_cookies([_playwright_cookie(cookie)])

    async def _download_request_with_page(self, request: Request, page: Page, spider: Spider) -> Response:
        try:
            return await self._visit(request, page)
        finally:
            await asyncio.shield(self._close_or_end_browser(page.close()))

    async def _visit(self, request: Request, page: Page) -> Response:
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
        """Return the credentials' headers for ``url``, with lower-case names as in Playwright."""
        headers = self._credentials.headers_for(url, request.meta.get(LOGIN))
        return {name.lower(): value for name, value in headers.items()}

    def _collected_cookies(self, request: Request) -> list[Any]:
        """Return the cookies that plain requests have collected for this page."""
        header = (request.headers.get("Cookie") or b"").decode("latin-1")
        pairs = [pair.strip().partition("=")[::2] for pair in header.split(";") if "=" in pair]
        new = (pair for pair in pairs if pair not in self._given_cookies)
        return [{"name": name, "value": value, "url": request.url} for name, value in new]

    async def _close_or_end_browser(self, closing: Awaitable[Any]) -> None:
        """Wait until something is closed; on timeout close the whole browser."""
        try:
            await asyncio.wait_for(closing, CLOSE_S)
        except TimeoutError:
            await self.end_browser()
        except Error:
            pass  # it is gone already


def _playwright_cookie(cookie: Cookie) -> Any:
    return {
        "name": cookie.name,
        "value": cookie.value or "",
        "domain": cookie.get_nonstandard_attr("Domain"),
        "path": cookie.path,
        "expires": cookie.expires or -1,
        "secure": cookie.secure,
        "httpOnly": cookie.has_nonstandard_attr("HttpOnly"),
    }
