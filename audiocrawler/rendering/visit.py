"""Visit a page in the browser: scroll and play it within a deadline, and record the media it loads."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit


def _script(name: str) -> str:
    return (files(__package__) / "js" / f"{name}.js").read_text("utf-8")


def _on_all_elements(name: str) -> str:
    return f"async () => {{\n{_script('all_elements')}\nreturn await (\n{_script(name)})();\n}}"


PREPARE = _script("prepare")
SCROLL = _script("scroll")
PLAY = _on_all_elements("play")
COLLECT = _on_all_elements("collect")


class How(StrEnum):
    """How a URL was seen; prefixed with ``browser_`` in ``found_by``."""

    REQUEST = "request"
    RESPONSE = "response"
    DOWNLOAD = "download"
    PLAYER = "player"
    MANIFEST = "manifest"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class SeenUrl:
    """A URL that the page requested or gave to a player; ``mime_type`` is the one its response declared."""

    url: str
    how: How
    mime_type: str | None = None
    is_by_script: bool = False


@dataclass(frozen=True, slots=True)
class SeenText:
    """The text of a frame, a shadow tree or a response to a script; ``kind`` is markup, script or data."""

    url: str
    text: str
    kind: str
    content_type: str = ""


@dataclass(slots=True)
class Seen:
    """What was recorded on one page. ``cookies`` are Playwright's: for requests, never for rows or logs."""

    url: str = ""
    html: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    urls: list[SeenUrl] = field(default_factory=list)
    texts: list[SeenText] = field(default_factory=list)
    cookies: list[dict[str, Any]] = field(default_factory=list)


def cookies_for(url: str, cookies: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the cookies that match the host of ``url`` (RFC 6265, section 5.1.3), in Scrapy's format."""
    parts = urlsplit(url)
    host, is_safe = (parts.hostname or "").lower(), parts.scheme == "https"
    matching = (each for each in cookies if _matches(host, str(each["domain"]).lower()))
    return [_cookie(each) for each in matching if is_safe or not each.get("secure")]


def _matches(host: str, domain: str) -> bool:
    if not domain.startswith("."):
        return host == domain
    return host == domain[1:] or host.endswith(domain)


def _cookie(cookie: dict[str, Any]) -> dict[str, str]:
    taken = {name: str(cookie[name]) for name in ("name", "value", "path")}
    return {**taken, "domain": str(cookie["domain"])} if str(cookie["domain"]).startswith(".") else taken


UNWANTED = frozenset(
    ("beacon", "cspreport", "csp_report", "font", "image", "ping", "prefetch", "stylesheet", "texttrack")
)
"""Resource types that are never loaded; media have a rule of their own."""
BY_SCRIPTS = frozenset(("fetch", "xhr", "eventsource"))
MAX_NAVIGATIONS = 5
"""Navigations allowed in the main frame; further ones are blocked."""
MAX_URLS = 2_000
MAX_TEXTS = 200
MAX_TEXT_BYTES = 4_000_000
MAX_ALL_TEXT_CHARACTERS = 16_000_000
_MEDIA = ("audio/", "video/")
_MANIFEST = ("mpegurl", "dash+xml", "/m3u8")


class Watch:
    """Record and filter the requests and responses of one Playwright page.

    By URL: ``is_media`` returns whether it is audio or video, ``is_manifest`` whether it lists segments, ``may_fetch``
    whether the browser may request it, ``headers_for`` the headers to add to the request.
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
        """Whether navigation is blocked, so that clicked scripts cannot leave the page."""
        self._navigations = 0
        self._open: set[Any] = set()
        self._reading: set[asyncio.Task[None]] = set()
        self._last_change_s = time.monotonic()
        self._crashed = asyncio.Event()

    async def start(self) -> None:
        """Attach to the page before it navigates."""
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
        """Wait until the page crashes."""
        await self._crashed.wait()

    async def quiet(self, quiet_s: float, at_most_s: float) -> None:
        """Wait until the network was idle for ``quiet_s`` seconds, or for ``at_most_s`` seconds."""
        ends_s = time.monotonic() + at_most_s
        while (now_s := time.monotonic()) < ends_s:
            waits_s = self._last_change_s + quiet_s - now_s
            if waits_s <= 0 and not self._open:
                break
            await asyncio.sleep(min(max(waits_s, 0.05), ends_s - now_s))
        if self._reading:
            await asyncio.wait(self._reading, timeout=max(0.5, ends_s - time.monotonic()))

    def note(self, url: str, how: How, mime_type: str | None = None, *, is_by_script: bool = False) -> None:
        """Record a URL; the first ``how`` is kept, except that VIDEO replaces any other."""
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
            await route.fulfill(status=200, body=b"")  # so that a MediaSource player requests the next segment
        elif self._is_media(url) and request.is_navigation_request():
            self.note(url, How.DOWNLOAD)
            await route.fulfill(status=204)
        elif self._leads_away(request):
            await route.fulfill(status=204)  # 204 keeps the current page (RFC 9110, section 15.3.5)
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
            self.problem = f"stopped after {MAX_NAVIGATIONS} navigations of the page"
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
        """Return Playwright's error for a closed page; playwright is loaded, since there is a page."""
        from playwright.async_api import Error

        return Error


QUIET_S = 0.5
SETTLE_S = 8.0
"""How long to wait for the network to become idle."""
STEP_S = 10.0
"""Timeout of one of our scripts in a frame."""
STEP_SHARE = 0.4
"""Maximum share of the remaining time for one step, so that the page is collected before the deadline."""
MAX_FRAMES = 30
_LISTS = {How.PLAYER: "players", How.DOWNLOAD: "downloads", How.VIDEO: "videos"}


class PageCrashedError(Exception):
    """Raised when a page's renderer process died."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One page, its watch, and its deadline in ``time.monotonic()`` seconds."""

    page: Any
    watch: Watch
    ends_s: float

    async def see(self, url: str) -> Seen:
        """Return what the page shows and loads; raises PageCrashedError, TimeoutError and Playwright's errors."""
        seeing = asyncio.ensure_future(self._see(url))
        crash = asyncio.ensure_future(self.watch.crashed())
        try:
            await asyncio.wait({seeing, crash}, return_when=asyncio.FIRST_COMPLETED)
            if crash.done():
                raise PageCrashedError("the page crashed")
            return await seeing
        finally:
            for task in (seeing, crash):
                task.cancel()
            await asyncio.gather(seeing, crash, return_exceptions=True)

    async def _see(self, url: str) -> Seen:
        answer = await self.page.goto(url, wait_until="domcontentloaded")
        seen = Seen(status=answer.status if answer else 200, headers=await answer.all_headers() if answer else {})
        await self.watch.quiet(QUIET_S, self._at_most(SETTLE_S))
        self.watch.is_frozen = True
        for script in (SCROLL, PLAY):
            await self._in_all_frames(script)
        await self.watch.quiet(QUIET_S, self._at_most(SETTLE_S))
        await self._collect(seen)
        seen.cookies = await self.page.context.cookies()
        return seen

    async def _collect(self, seen: Seen) -> None:
        for frame, shown in await self._in_all_frames(COLLECT):
            if frame == self.page.main_frame:
                seen.url, seen.html = frame.url, shown["html"]
            else:
                seen.texts.append(SeenText(frame.url, shown["html"], "markup"))
            seen.texts += [SeenText(frame.url, html, "markup") for html in shown["shadows"]]
            for how, urls in _LISTS.items():
                for url in shown[urls]:
                    self.watch.note(url, how)
        if not seen.html:
            raise TimeoutError  # its scripts never yield
        seen.urls = list(self.watch.urls.values())
        seen.texts += self.watch.texts

    def _at_most(self, seconds: float) -> float:
        return min(seconds, STEP_SHARE * (self.ends_s - time.monotonic()))

    async def _in_all_frames(self, script: str) -> list[tuple[Any, Any]]:
        frames = self.page.frames[:MAX_FRAMES]
        at_most_s = self._at_most(STEP_S)
        results = await asyncio.gather(*(_evaluate(frame, script, at_most_s) for frame in frames))
        return [(frame, result) for frame, result in zip(frames, results, strict=True) if result is not None]


async def _evaluate(frame: Any, script: str, at_most_s: float) -> Any:
    """Return the script's result; None if the frame is gone or does not answer in time."""
    from playwright.async_api import Error

    with suppress(Error, asyncio.TimeoutError):
        return await asyncio.wait_for(frame.evaluate(script), at_most_s)
    return None
