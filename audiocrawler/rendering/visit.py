"""A visit to a page: watched for media, scrolled and played within a deadline; what was seen comes out."""

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
    """How a URL was seen; with ``browser_`` before it, what ``found_by`` says."""

    REQUEST = "request"
    RESPONSE = "response"
    DOWNLOAD = "download"
    PLAYER = "player"
    MANIFEST = "manifest"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class SeenUrl:
    """A URL that the page asked for or that a player of it holds; ``mime_type`` as its answer declared it."""

    url: str
    how: How
    mime_type: str | None = None
    is_by_script: bool = False


@dataclass(frozen=True, slots=True)
class SeenText:
    """The text of a frame, a shadow tree or an answer that a script got; ``kind`` is markup, script or data."""

    url: str
    text: str
    kind: str
    content_type: str = ""


@dataclass(slots=True)
class Seen:
    """All that was seen of one page. ``cookies`` are Playwright's: for requests, never for rows or logs."""

    url: str = ""
    html: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    urls: list[SeenUrl] = field(default_factory=list)
    texts: list[SeenText] = field(default_factory=list)
    cookies: list[dict[str, Any]] = field(default_factory=list)


def cookies_for(url: str, cookies: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return those cookies that a browser would send to the host of ``url`` (RFC 6265, 5.1.3), as Scrapy takes them."""
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


QUIET_S = 0.5
SETTLE_S = 8.0
"""How long a page may go on asking for more before it is taken as it is."""
STEP_S = 10.0
"""How long a script of ours may take in a frame."""
STEP_SHARE = 0.4
"""Of the time that is left, what a step may take at most: on a slow machine, too, the page is taken before its end."""
MAX_FRAMES = 30
_LISTS = {How.PLAYER: "players", How.DOWNLOAD: "downloads", How.VIDEO: "videos"}


class PageCrashedError(Exception):
    """Raised when the renderer of a page has died."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One page, its watch, and the ``time.monotonic()`` at which it is given up."""

    page: Any
    watch: Watch
    ends_s: float

    async def see(self, url: str) -> Seen:
        """Return what the page shows and asks for; raises PageCrashedError, TimeoutError and Playwright's errors."""
        seeing = asyncio.ensure_future(self._see(url))
        crash = asyncio.ensure_future(self.watch.crashed())
        try:
            await asyncio.wait({seeing, crash}, return_when=asyncio.FIRST_COMPLETED)
            if crash.done():
                raise PageCrashedError("the page crashed its browser tab")
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
            raise TimeoutError  # it is busy with itself for ever
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
    """Return the script's result; None for a frame that is gone, or does not answer in time."""
    from playwright.async_api import Error

    with suppress(Error, asyncio.TimeoutError):
        return await asyncio.wait_for(frame.evaluate(script), at_most_s)
    return None
