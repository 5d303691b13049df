"""Watches a page: which URLs it asks for, what its scripts are answered, and what is kept from it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from audiocrawler.rendering.seen import How, SeenText, SeenUrl

UNWANTED = frozenset(
    ("beacon", "cspreport", "csp_report", "font", "image", "ping", "prefetch", "stylesheet", "texttrack")
)
"""Kinds of requests whose URL is seen and whose body is not fetched; media have a rule of their own."""
BY_SCRIPTS = frozenset(("fetch", "xhr", "eventsource"))
MAX_NAVIGATIONS = 5
"""Documents that a page may load in its main frame, one after the other; then it stays as it is."""
MAX_URLS = 2_000
MAX_TEXTS = 200
MAX_TEXT_BYTES = 4_000_000
MAX_ALL_TEXT_CHARACTERS = 16_000_000
_MEDIA = ("audio/", "video/")
_MANIFEST = ("mpegurl", "dash+xml", "/m3u8")


class Watch:
    """The requests and answers of one Playwright page.

    ``is_media`` tells from a URL that its body is audio or video, ``is_manifest`` that it lists segments; ``may_fetch``
    whether the browser may ask for a URL at all; ``headers_for`` which headers to add to a request for it.
    """

    def __init__(
        self,
        page: Any,
        *,
        is_media: Callable[[str], bool],
        is_manifest: Callable[[str], bool],
        may_fetch: Callable[[str], Awaitable[bool]],
        headers_for: Callable[[str], dict[str, str]],
    ) -> None:
        self._page = page
        self._is_media = is_media
        self._is_manifest = is_manifest
        self._may_fetch = may_fetch
        self._headers_for = headers_for
        self.urls: dict[str, SeenUrl] = {}
        self.texts: list[SeenText] = []
        self.problem: str | None = None
        self.is_frozen = False
        """Whether the page stays where it is: scripts that were clicked awake may not lead it elsewhere."""
        self._navigations = 0
        self._open: set[Any] = set()
        self._reading: set[asyncio.Task[None]] = set()
        self._last_change_s = time.monotonic()
        self._crashed = asyncio.Event()

    async def start(self) -> None:
        """Attach to the page before it goes anywhere."""
        for event, listener in (
            ("request", self._requested),
            ("requestfinished", self._ended),
            ("requestfailed", self._ended),
            ("response", self._answered),
            ("download", self._downloads),
            ("popup", self._popped_up),
            ("crash", self._crash),
        ):
            self._page.on(event, listener)
        await self._page.route("**/*", self._route)

    async def crashed(self) -> None:
        """Return when the page has crashed."""
        await self._crashed.wait()

    async def quiet(self, quiet_s: float, at_most_s: float) -> None:
        """Return when nothing has been asked for or answered for ``quiet_s``, or after ``at_most_s`` seconds."""
        ends_s = time.monotonic() + at_most_s
        while (now_s := time.monotonic()) < ends_s:
            waits_s = self._last_change_s + quiet_s - now_s
            if waits_s <= 0 and not self._open:
                break
            await asyncio.sleep(min(max(waits_s, 0.05), ends_s - now_s))
        if self._reading:
            await asyncio.wait(self._reading, timeout=max(0.5, ends_s - time.monotonic()))

    def note(self, url: str, how: How, mime_type: str | None = None, *, is_by_script: bool = False) -> None:
        """Keep a URL; the first way in which it was seen stays, except that a video says what it is."""
        if url in self.urls and how is not How.VIDEO:
            return
        if url.startswith(("http:", "https:")) and len(self.urls) < MAX_URLS:
            self.urls[url] = SeenUrl(url, how, mime_type, is_by_script)

    async def _route(self, route: Any, request: Any) -> None:
        with suppress(self._closed_error()):
            await self._decide(route, request)

    async def _decide(self, route: Any, request: Any) -> None:
        kind, url = request.resource_type, request.url
        if kind == "media" or kind in UNWANTED:
            await route.abort()
        elif kind in BY_SCRIPTS and self._is_media(url):
            await route.fulfill(status=200, body=b"")  # a player that feeds a MediaSource goes on to the next segment
        elif self._is_media(url) and request.is_navigation_request():
            self.note(url, How.DOWNLOAD)
            await route.fulfill(status=204)
        elif self._leads_away(request):
            await route.fulfill(status=204)  # the page stays as it is (RFC 9110, section 15.3.5)
        elif not await self._may_fetch(url):
            await route.abort("blockedbyclient")
        elif added := self._headers_for(url):
            await route.continue_(headers={**request.headers, **added})
        else:
            await route.continue_()

    def _leads_away(self, request: Any) -> bool:
        if not request.is_navigation_request() or request.frame != self._page.main_frame:
            return False
        self._navigations += request.redirected_from is None
        if self._navigations > MAX_NAVIGATIONS:
            self.problem = f"it loaded itself anew {MAX_NAVIGATIONS} times, and was kept from going on"
            self._navigations = MAX_NAVIGATIONS
            return True
        return self.is_frozen

    def _requested(self, request: Any) -> None:
        self._touch()
        self._open.add(request)
        kind = request.resource_type
        if kind == "media" or (kind in BY_SCRIPTS and self._is_media(request.url)):
            self.note(request.url, How.REQUEST, is_by_script=kind != "media")
        elif kind in BY_SCRIPTS and self._is_manifest(request.url):
            self.note(request.url, How.MANIFEST)

    def _ended(self, request: Any) -> None:
        self._touch()
        self._open.discard(request)

    def _answered(self, response: Any) -> None:
        self._touch()
        kind = response.request.resource_type
        mime_type = (response.headers.get("content-type") or "").partition(";")[0].strip().lower()
        if response.from_service_worker or response.status >= 400 or self._is_media(response.url):
            return
        if mime_type.endswith(_MANIFEST):
            self.note(response.url, How.MANIFEST, mime_type)
        elif mime_type.startswith(_MEDIA):
            self.note(response.url, How.RESPONSE, mime_type, is_by_script=kind in BY_SCRIPTS)
        if kind == "script" or (kind in BY_SCRIPTS and not mime_type.startswith(_MEDIA)):
            self._read_later(response, "script" if kind == "script" else "data", mime_type)

    def _read_later(self, response: Any, kind: str, mime_type: str) -> None:
        length = response.headers.get("content-length", "0")
        if len(self._reading) + len(self.texts) >= MAX_TEXTS or (length.isdigit() and int(length) > MAX_TEXT_BYTES):
            return
        task = asyncio.ensure_future(self._read(response, kind, mime_type))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read(self, response: Any, kind: str, mime_type: str) -> None:
        with suppress(self._closed_error(), UnicodeDecodeError):
            text = await response.text()
            size = sum(len(each.text) for each in self.texts)
            if len(text) <= MAX_TEXT_BYTES and size + len(text) <= MAX_ALL_TEXT_CHARACTERS:
                self.texts.append(SeenText(response.url, text, kind, mime_type))

    async def _downloads(self, download: Any) -> None:
        self.note(download.url, How.DOWNLOAD)
        with suppress(self._closed_error()):
            await download.cancel()

    async def _popped_up(self, popup: Any) -> None:
        with suppress(self._closed_error()):
            await popup.close()

    def _crash(self, _page: Any) -> None:
        self._crashed.set()

    def _touch(self) -> None:
        self._last_change_s = time.monotonic()

    @staticmethod
    def _closed_error() -> type[Exception]:
        """Return what Playwright raises when the page is gone meanwhile; it is loaded, since there is a page."""
        from playwright.async_api import Error

        return Error
