# ruff: noqa: SLF001 - here, and nowhere else
"""The names of Scrapy, scrapy-playwright and Scrapyd that are not promised to stay, and yet are relied on.

Each is declared here with the reason why, and each is looked for when the process starts: with another version, the
process stops with one line instead of behaving differently. Code that needs the value of such a name asks here.
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

if TYPE_CHECKING:  # a name that has gone is told of below, not by an import
    from scrapy import Request
    from scrapy.core.downloader import Slot
    from scrapy.crawler import Crawler
    from twisted.internet.defer import Deferred

USAGE = 2
"""The exit code of a process that cannot start as it is installed."""


@dataclass(frozen=True, slots=True)
class Library:
    """A library whose private names are used, and the versions of it that are known to have them."""

    name: str
    distribution: str
    requirement: str


SCRAPY = Library("Scrapy 2.19", "scrapy", "scrapy>=2.19,<2.20")
PLAYWRIGHT = Library("scrapy-playwright 0.0.48", "scrapy-playwright", "scrapy-playwright>=0.0.48,<0.0.49")
SCRAPYD = Library("Scrapyd 1.6", "scrapyd", "scrapyd>=1.6,<1.7")


@dataclass(frozen=True, slots=True)
class PrivateName:
    """Something private, as ``module:Class.attribute``; ``takes`` are the arguments it is called or overridden with."""

    library: Library
    path: str
    why: str
    takes: tuple[str, ...] | None = None
    annotated: str | None = None
    """The type that the attribute is declared to have, where that matters."""

    def problem(self) -> str | None:
        """Return what is wrong with the name in the installed library, None if it is as it was."""
        module_name, _, qualified = self.path.partition(":")
        try:
            found: Any = import_module(module_name)
        except ImportError:
            return f"{module_name} is not there"
        at = module_name
        for name in qualified.split("."):
            owner, found = found, _attribute(found, name)
            if found is _MISSING:
                return f"{at} has no {name}"
            at = f"{at}.{name}"
        if self.takes is not None and not _takes(found, self.takes):
            return f"{at} does not take ({', '.join(self.takes)})"
        if self.annotated is not None and owner.__annotations__.get(name) != self.annotated:
            return f"{at} is no {self.annotated}"
        return None


_MISSING = object()


def _attribute(owner: Any, name: str) -> Any:
    """Return an attribute, None for one that only instances of a class have."""
    found = getattr(owner, name, _MISSING)
    if found is not _MISSING or not isinstance(owner, type):
        return found
    if owner.__dictoffset__ == 0:
        return _MISSING  # its instances have what the class has
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
_DONE = "the frontier acknowledges a request once the engine has it no longer"
_FORGET = "what was downloaded would be remembered for ever"
_PACE = "a slot waits for its own delay, for that of its host, and while the host wants a pause"
_FEED = "a feed that cannot be written is heard of, and the others go on"
_BROWSER = "scrapy_playwright.handler"
_CHROMIUM = "the browser starts with the first page that needs it, and with our options"
_PAGE = "a page is watched from before its first request, and its end is ours to decide"

NAMES = (
    PrivateName(SCRAPY, f"{_ENGINE}:ExecutionEngine._slot", _DONE),
    PrivateName(SCRAPY, f"{_ENGINE}:_Slot.inprogress", _DONE),
    PrivateName(SCRAPY, f"{_ENGINE}:_Slot.closing", "no signal says that a crawl begins to close"),
    PrivateName(SCRAPY, f"{_ENGINE}:_Slot.nextcall", "the engine asks for requests as soon as there are some"),
    PrivateName(SCRAPY, "scrapy.utils.reactor:CallLaterOnce.schedule", "what asks the engine to go on", ("self",)),
    PrivateName(SCRAPY, f"{_ENGINE}:ExecutionEngine.downloader", _PACE),
    PrivateName(SCRAPY, f"{_ENGINE}:ExecutionEngine.scraper", "files of other people's items go through the pipelines"),
    PrivateName(SCRAPY, "scrapy.core.scraper:Scraper.itemproc", "the pipelines of a crawl"),
    PrivateName(
        SCRAPY,
        "scrapy.pipelines:ItemPipelineManager.process_item_async",
        "files of other people's items go through the pipelines",
        ("self", "item"),
    ),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Downloader.active", "what is under way at a host, robots.txt included"),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Downloader.slots", _PACE),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Downloader.per_slot_settings", "DOWNLOAD_SLOTS cannot name hosts not yet met"),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Downloader.get_slot_key", "slots by the host now asked", ("self", "request")),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Downloader._get_slot", _PACE, ("self", "request")),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Slot.__init__", _PACE, ("self", "concurrency", "delay", "jitter")),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Slot.download_delay", _PACE, ("self",)),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Slot.delay", _PACE),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Slot.lastseen", _PACE),
    PrivateName(SCRAPY, f"{_DOWNLOADER}:Slot.transferring", _PACE),
    PrivateName(
        SCRAPY,
        f"{_DOWNLOADER}:Slot.queue",
        "what waits for its host's delay is given back when the crawl stops",
        annotated="deque[tuple[Request, Deferred[Response]]]",
    ),
    PrivateName(
        SCRAPY,
        "scrapy.downloadermiddlewares.cookies:_split_domain",
        "Scrapy's own fetches the list of public suffixes, past the check of addresses",
        ("url",),
    ),
    PrivateName(
        SCRAPY, "scrapy.downloadermiddlewares.cookies:CookiesMiddleware.jars", "a jar begins with AUDIO_COOKIES"
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
    PrivateName(SCRAPY, "scrapy.crawler:CrawlerRunnerBase.bootstrap_failed", "a crawl that did not start has a code"),
    PrivateName(
        PLAYWRIGHT,
        f"{_BROWSER}:ScrapyPlaywrightDownloadHandler._download_request_with_page",
        _PAGE,
        ("self", "request", "page", "spider"),
    ),
    PrivateName(PLAYWRIGHT, f"{_BROWSER}:ScrapyPlaywrightDownloadHandler.browser_provider", _CHROMIUM),
    PrivateName(PLAYWRIGHT, "scrapy_playwright.provider:PlaywrightBrowserProvider.playwright", _CHROMIUM),
    PrivateName(PLAYWRIGHT, f"{_BROWSER}:ScrapyPlaywrightDownloadHandler.config", _PAGE),
    PrivateName(PLAYWRIGHT, f"{_BROWSER}:Config.target_closed_max_retries", "a page is tried again by us alone"),
    PrivateName(PLAYWRIGHT, f"{_BROWSER}:ScrapyPlaywrightDownloadHandler.context_wrappers", "contexts are renewed"),
    PrivateName(SCRAPYD, "scrapyd.launcher:Launcher.processes", "crawls end in good order when Scrapyd is stopped"),
    PrivateName(
        SCRAPYD, "scrapyd.launcher:Launcher._get_message", "a stopping Scrapyd begins no crawl", ("self", "slot")
    ),
)
"""All of them; an undocumented name without an underscore counts as private, too."""


def check_private_names(*libraries: Library) -> None:
    """Raise ConfigurationError, which names the version that works, if a private name has gone or changed."""
    for each in NAMES:
        if each.library in libraries and (problem := each.problem()):
            needed = each.library
            raise ConfigurationError(
                f"audiocrawler needs {needed.name}{_installed(needed)}: {problem}; pip install '{needed.requirement}'"
            )


def _installed(library: Library) -> str:
    try:
        return f", {version(library.distribution)} is installed"
    except PackageNotFoundError:
        return ", which is not installed"


def exit_unless_known(*libraries: Library) -> None:
    """End the process with one line and the exit code for wrong usage if a private name has gone or changed."""
    try:
        check_private_names(*libraries)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(USAGE) from None


def in_progress(crawler: "Crawler") -> "set[Request]":
    """Return the requests that the engine has been handed out and has not done with."""
    slot = crawler.engine._slot
    return slot.inprogress if slot is not None else set()


def is_closing(crawler: "Crawler") -> bool:
    """Return whether the crawl has begun to close."""
    slot = crawler.engine._slot
    return slot is not None and slot.closing is not None


def wake_engine(crawler: "Crawler") -> None:
    """Let the engine ask for requests soon, as Scrapy's own parts do when there is something to do."""
    slot = crawler.engine._slot
    if slot is not None and slot.closing is None:
        slot.nextcall.schedule()


def withdrawn(slot: "Slot") -> "Iterator[tuple[Request, Deferred[Any]]]":
    """Take out, one after the other, the requests of a downloader's slot that have not been sent."""
    while slot.queue:
        yield slot.queue.popleft()


def use_bundled_suffixes() -> None:
    """Let Scrapy tell public suffixes by the list that comes with tldextract.

    It would fetch the newest one at the first cookie: past all our checks, and with everything waiting for it.
    """
    from scrapy.downloadermiddlewares import cookies
    from tldextract import TLDExtract

    cookies._split_domain = TLDExtract(include_psl_private_domains=True, suffix_list_urls=(), cache_dir=None)
