# ruff: noqa: SLF001 - here, and nowhere else
"""The private names of Scrapy, scrapy-playwright and Scrapyd that audiocrawler depends on.

Each is declared with the reason, and checked when the process starts: with an incompatible version the process stops
with a clear message instead of misbehaving. Private values are only read here.
"""

import dis
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from inspect import signature
from types import FunctionType
from typing import TYPE_CHECKING, Any

from audiocrawler.model.errors import ConfigurationError

if TYPE_CHECKING:  # so that a missing name is reported by the check below
    from scrapy import Request
    from scrapy.core.downloader import Slot
    from scrapy.crawler import Crawler
    from twisted.internet.defer import Deferred

USAGE = 2
"""The exit code for wrong usage, here an incompatible version."""


@dataclass(frozen=True, slots=True)
class Library:
    """A library whose private names are used, and its compatible versions."""

    name: str
    distribution: str
    requirement: str


SCRAPY = Library("Scrapy 2.19", "scrapy", "scrapy>=2.19,<2.20")
PLAYWRIGHT = Library("scrapy-playwright 0.0.48", "scrapy-playwright", "scrapy-playwright>=0.0.48,<0.0.49")
SCRAPYD = Library("Scrapyd 1.6", "scrapyd", "scrapyd>=1.6,<1.7")


@dataclass(frozen=True, slots=True)
class PrivateName:
    """A private name, as ``module:Class.attribute``; ``takes`` are the arguments it is called or overridden with."""

    library: Library
    path: str
    why: str
    takes: tuple[str, ...] | None = None
    annotated: str | None = None
    """The attribute's declared type, if it matters."""

    def problem(self) -> str | None:
        """Return what has changed in the installed library, None if nothing."""
        module_name, _, qualified = self.path.partition(":")
        try:
            found: Any = import_module(module_name)
        except ImportError:
            return f"{module_name} not found"
        at = module_name
        for name in qualified.split("."):
            owner, found = found, _attribute(found, name)
            if found is _MISSING:
                return f"{at} has no {name}"
            at = f"{at}.{name}"
        if self.takes is not None and not _takes(found, self.takes):
            return f"{at} does not take ({', '.join(self.takes)})"
        if self.annotated is not None and owner.__annotations__.get(name) != self.annotated:
            return f"{at} is not a {self.annotated}"
        return None


_MISSING = object()


def _attribute(owner: Any, name: str) -> Any:
    """Return an attribute, None for one that exists only on instances."""
    found = getattr(owner, name, _MISSING)
    if found is not _MISSING or not isinstance(owner, type):
        return found
    if owner.__dictoffset__ == 0:
        return _MISSING  # its instances have no other attributes
    if name in owner.__annotations__:
        return None
    makers = (vars(each).get("__init__") for each in owner.__mro__)
    return None if any(name in _stored_by(each) for each in makers if isinstance(each, FunctionType)) else _MISSING


@lru_cache(maxsize=32)
def _stored_by(function: FunctionType) -> frozenset[str]:
    return frozenset(each.argval for each in dis.get_instructions(function) if each.opname == "STORE_ATTR")


def _takes(function: Any, arguments: tuple[str, ...]) -> bool:
    parameters = signature(function).parameters
    try:
        signature(function).bind(*arguments)
    except TypeError:
        return False
    return tuple(parameters)[: len(arguments)] == arguments


_ENGINE, _DOWNLOADER = "scrapy.core.engine", "scrapy.core.downloader"
_FEEDS, _MEDIA = "scrapy.extensions.feedexport", "scrapy.pipelines.media"
_DONE = "a request is acknowledged once the engine has finished it"
_FORGET = "download results would pile up in memory"
_PACE = "slots respect their own delay, the host's delay and its pauses"
_FEED = "a feed that fails is reported, and the others continue"
_BROWSER = "scrapy_playwright.handler"
_CHROMIUM = "the browser starts with the first page, and with our options"
_PAGE = "a page is watched from before its first request until we close it"

NAMES = (
    PrivateName(SCRAPY, f"{_ENGINE}:ExecutionEngine._slot", _DONE),
    PrivateName(SCRAPY, f"{_ENGINE}:_Slot.inprogress", _DONE),
    PrivateName(SCRAPY, f"{_ENGINE}:_Slot.closing", "no signal announces that a crawl begins to close"),
    PrivateName(SCRAPY, f"{_ENGINE}:_Slot.nextcall", "the engine is woken as soon as there are requests"),
    PrivateName(SCRAPY, "scrapy.utils.reactor:CallLaterOnce.schedule", "wakes the engine", ("self",)),
    PrivateName(SCRAPY, f"{_ENGINE}:ExecutionEngine.downloader", _PACE),
    PrivateName(SCRAPY, f"{_ENGINE}:ExecutionEngine.scraper", "files of other spiders' items go through the pipelines"),
    PrivateName(SCRAPY, "scrapy.core.scraper:Scraper.itemproc", "the pipelines of a crawl"),
    PrivateName(
        SCRAPY,
        "scrapy.pipelines:ItemPipelineManager.process_item_async",
        "files of other spiders' items go through the pipelines",
        ("self", "item"),
    ),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Downloader.active", "running requests by host, robots.txt included"),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Downloader.slots", _PACE),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Downloader.per_slot_settings", "DOWNLOAD_SLOTS cannot name hosts not yet met"),
    PrivateName(
        SCRAPY, f"{_DOWNLOADER}:Downloader.get_slot_key", "slots by the request's current host", ("self", "request")
    ),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Downloader._get_slot", _PACE, ("self", "request")),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Slot.__init__", _PACE, ("self", "concurrency", "delay", "jitter")),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Slot.download_delay", _PACE, ("self",)),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Slot.delay", _PACE),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Slot.lastseen", _PACE),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Slot.transferring", _PACE),
    PrivateName(
        SCRAPY,
        f"{_DOWNLOADER}:Slot.queue",
        "requests waiting for a delay are released when the crawl stops",
        annotated="deque[tuple[Request, Deferred[Response]]]",
    ),
    PrivateName(
        SCRAPY,
        "scrapy.downloadermiddlewares.cookies:_split_domain",
        "Scrapy's own fetches the public suffix list, bypassing the address check",
        ("url",),
    ),
    PrivateName(
        SCRAPY, "scrapy.downloadermiddlewares.cookies:CookiesMiddleware.jars", "a jar starts with AUDIO_COOKIES"
    ),
    PrivateName(SCRAPY, f"{_MEDIA}:MediaPipeline.SpiderInfo.__init__", _FORGET, ("self", "spider")),
    PrivateName(SCRAPY, f"{_MEDIA}:MediaPipeline.SpiderInfo.downloaded", _FORGET),
    PrivateName(SCRAPY, f"{_FEEDS}:FeedExporter.slots", _FEED),
    PrivateName(SCRAPY, f"{_FEEDS}:FeedExporter.feeds", _FEED),
    PrivateName(SCRAPY, f"{_FEEDS}:FeedExporter.open_spider", _FEED, ("self", "spider")),
    PrivateName(SCRAPY, f"{_FEEDS}:FeedExporter.item_scraped", _FEED, ("self", "item", "spider")),
    PrivateName(SCRAPY, f"{_FEEDS}:FeedExporter.close_spider", _FEED, ("self", "spider")),
    PrivateName(SCRAPY, f"{_FEEDS}:FeedSlot.storage", _FEED),
    PrivateName(SCRAPY, f"{_FEEDS}:FeedSlot.uri", _FEED),
    PrivateName(SCRAPY, f"{_FEEDS}:FeedSlot.finish_exporting", _FEED, ("self",)),
    PrivateName(SCRAPY, "scrapy.utils.log:get_scrapy_root_handler", "secrets are masked in the log", ()),
    PrivateName(
        SCRAPY, "scrapy.crawler:CrawlerRunnerBase.bootstrap_failed", "a crawl that did not start has an exit code"
    ),
    PrivateName(
        PLAYWRIGHT,
        f"{_BROWSER}:ScrapyPlaywrightDownloadHandler._download_request_with_page",
        _PAGE,
        ("self", "request", "page", "spider"),
    ),
    PrivateName(PLAYWRIGHT, f"{_BROWSER}:ScrapyPlaywrightDownloadHandler.browser_provider", _CHROMIUM),
    PrivateName(PLAYWRIGHT, "scrapy_playwright.provider:PlaywrightBrowserProvider.playwright", _CHROMIUM),
    PrivateName(PLAYWRIGHT, f"{_BROWSER}:ScrapyPlaywrightDownloadHandler.config", _PAGE),
    PrivateName(PLAYWRIGHT, f"{_BROWSER}:Config.target_closed_max_retries", "only we retry pages"),
    PrivateName(PLAYWRIGHT, f"{_BROWSER}:ScrapyPlaywrightDownloadHandler.context_wrappers", "contexts are renewed"),
    PrivateName(SCRAPYD, "scrapyd.launcher:Launcher.processes", "crawls are stopped gracefully with Scrapyd"),
    PrivateName(
        SCRAPYD, "scrapyd.launcher:Launcher._get_message", "a stopping Scrapyd starts no crawl", ("self", "slot")
    ),
)
"""All private names; undocumented names without an underscore are included."""


def check_private_names(*libraries: Library) -> None:
    """Raise ConfigurationError, naming the compatible version, if a private name is missing or changed."""
    for each in NAMES:
        if each.library in libraries and (problem := each.problem()):
            needed = each.library
            raise ConfigurationError(
                f"audiocrawler needs {needed.name}{_installed(needed)}: {problem}; pip install '{needed.requirement}'"
            )


def _installed(library: Library) -> str:
    try:
        return f" (installed: {version(library.distribution)})"
    except PackageNotFoundError:
        return " (not installed)"


def exit_unless_known(*libraries: Library) -> None:
    """Exit with one line on stderr and code 2 if a private name is missing or changed."""
    try:
        check_private_names(*libraries)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(USAGE) from None


def in_progress(crawler: "Crawler") -> "set[Request]":
    """Return the requests that were handed to the engine and are not finished."""
    slot = crawler.engine._slot
    return slot.inprogress if slot is not None else set()


def is_closing(crawler: "Crawler") -> bool:
    """Return whether the crawl has begun to close."""
    slot = crawler.engine._slot
    return slot is not None and slot.closing is not None


def wake_engine(crawler: "Crawler") -> None:
    """Wake the engine, so that it asks for requests soon."""
    slot = crawler.engine._slot
    if slot is not None and slot.closing is None:
        slot.nextcall.schedule()


def withdrawn(slot: "Slot") -> "Iterator[tuple[Request, Deferred[Any]]]":
    """Remove and yield the requests in a downloader slot's queue that have not been sent."""
    while slot.queue:
        yield slot.queue.popleft()


def use_bundled_suffixes() -> None:
    """Make Scrapy use the public suffix list bundled with tldextract.

    Otherwise it would fetch the latest one at the first cookie, blocking the crawl and bypassing our checks.
    """
    from scrapy.downloadermiddlewares import cookies
    from tldextract import TLDExtract

    cookies._split_domain = TLDExtract(include_psl_private_domains=True, suffix_list_urls=(), cache_dir=None)
