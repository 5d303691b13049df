"""Decide which pages are rendered in the browser, and write rows for those that were not or failed."""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b
from itertools import islice
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from lxml import etree
from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from audiocrawler.browser.response import RenderedResponse
from audiocrawler.config.arguments import Arguments
from audiocrawler.crawl.crawl import Crawl
from audiocrawler.discovery import Candidate, Document, Kind, find_in
from audiocrawler.discovery.candidate import ELEMENT, Find, fill
from audiocrawler.discovery.document import UNREADABLE, DocumentType, parse, sniff
from audiocrawler.discovery.kinds import MEDIA_NAME, VIDEO_EXTENSIONS, extension_of
from audiocrawler.discovery.merge import merge
from audiocrawler.fetch.requests import Place, Rendering, is_rendered
from audiocrawler.model.statuses import Status
from audiocrawler.model.text import mask_url
from audiocrawler.model.urls import LOGIN, Login, site_of
from audiocrawler.records import PAGE, outcome_of_failure, page_row
from audiocrawler.rendering.visit import How, Seen, SeenText, SeenUrl, cookies_for
from audiocrawler.rendering.when import RenderPolicy, pattern_of, render_hints
from audiocrawler.spiders.links import is_allowed, priority_at
from audiocrawler.spiders.partly import IN_PART, leave_out

MAX_KNOWN = 2_000
"""URLs of the plain document that the request for the rendered one keeps in its meta."""
_NAMES = {"data": "json", "script": "script"}
_WANTED = {
    "markup": frozenset((Kind.AUDIO, Kind.STREAM, Kind.PLAYLIST, Kind.MANIFEST, Kind.EMBED)),
    "data": frozenset((Kind.AUDIO, Kind.STREAM, Kind.PLAYLIST, Kind.MANIFEST)),
    "script": frozenset((Kind.AUDIO, Kind.STREAM, Kind.MANIFEST)),
}


def digest(url: str) -> str:
    """Return a short digest of a URL."""
    return blake2b(url.encode("utf-8", "replace"), digest_size=6).hexdigest()


def seen_candidates(
    shown: Iterable[Candidate], seen: Seen, document: Document, finders: Mapping[str, int | None], known: Iterable[str]
) -> list[Candidate]:
    """Merge ``shown``, the candidates of the rendered document, with those from everything else that was seen.

    Candidates whose digests are among ``known``, those of the plain document, are left out; ``found_by`` of the others
    begins with ``browser_``.
    """
    by_url: dict[str, Candidate] = {}
    for candidate in (*map(_from_browser, shown), *_in_texts(seen, finders, document), *_in_urls(seen, document)):
        first = by_url.setdefault(candidate.url, candidate)
        if first is not candidate:
            fill(first, candidate)
    known_digests = set(known)
    return [each for url, each in by_url.items() if digest(url) not in known_digests]


def _from_browser(candidate: Candidate) -> Candidate:
    if candidate.kind in _WANTED["markup"]:
        candidate.found_by = f"browser_{candidate.found_by}"
        _mark(candidate)
    return candidate


def _in_texts(seen: Seen, finders: Mapping[str, int | None], page: Document) -> Iterator[Candidate]:
    for text in seen.texts:
        if text.kind == "script" and not MEDIA_NAME.search(text.text):
            continue
        document = _document(text, seen.url)
        for candidate in find_in(document, finders):
            if candidate.kind not in _WANTED[text.kind]:
                continue
            candidate.found_by = (
                f"browser_{candidate.found_by}" if text.kind == "markup" else f"browser_{_NAMES[text.kind]}"
            )
            _mark(candidate)
            yield candidate
        page.cuts |= document.cuts


def _mark(candidate: Candidate) -> None:
    """Mark a candidate as from the browser: what holds in a plain document need not hold there."""
    candidate.is_from_browser, candidate.is_certain_audio, candidate.is_in_script = True, False, False


def _document(text: SeenText, page_url: str) -> Document:
    if text.kind == "markup":
        url = text.url if text.url.startswith("http") else page_url
        return parse(text.text, url, DocumentType.HTML)
    if text.kind == "script":
        return _script(text, page_url)
    kind = sniff(text.text, text.content_type, text.url)
    if kind in {DocumentType.HTML, DocumentType.XML}:
        return parse(text.text, text.url, kind, base_url=page_url)
    # Scripts resolve URLs against their page, players those of a playlist against the playlist.
    return Document(text.url, text.text, kind, base_url="" if kind is DocumentType.PLAYLIST else page_url)


def _script(text: SeenText, page_url: str) -> Document:
    root = etree.Element("html")
    etree.SubElement(root, "script").text = UNREADABLE.sub("", text.text)
    return Document(text.url, text.text, DocumentType.HTML, root, "html", page_url)


def _in_urls(seen: Seen, document: Document) -> Iterator[Candidate]:
    manifests = [each for each in seen.urls if each.how is How.MANIFEST]
    listed = "\n".join(text.text for text in seen.texts if "#EXTM3U" in text.text[:100])
    finds = (_find(each) for each in seen.urls if not (manifests and _is_segment(each, manifests, listed)))
    for candidate in merge(document, finds):
        if candidate.kind in _WANTED["data"]:
            _mark(candidate)
            yield candidate


def _find(seen: SeenUrl) -> Find:
    is_sure = seen.how in {How.PLAYER, How.REQUEST} and not (
        seen.is_by_script and extension_of(seen.url) in VIDEO_EXTENSIONS - {"ts"}
    )
    expected = Kind.MANIFEST if seen.how is How.MANIFEST else Kind.AUDIO if is_sure else None
    mime_type = seen.mime_type if seen.how is not How.MANIFEST else None
    return Find(
        url=seen.url, found_by=f"browser_{seen.how}", confidence=ELEMENT, expected=expected, mime_type=mime_type
    )


def _is_segment(seen: SeenUrl, manifests: list[SeenUrl], listed: str) -> bool:
    """Return whether a script requested this as a segment of a manifest."""
    if not seen.is_by_script:
        return False
    name = urlsplit(seen.url).path.rpartition("/")[2]
    return name in listed or any(seen.url.startswith(each.url.rpartition("/")[0] + "/") for each in manifests)


_FOUND_KINDS = (Kind.AUDIO, Kind.STREAM, Kind.PLAYLIST, Kind.MANIFEST, Kind.EMBED)
"""Kinds that show that a player's audio is found, or will be."""
MAX_ROUTES = 1_000
"""Fragment routes that are followed per page."""


logger = logging.getLogger(__name__)


class Renderer:
    """Renders pages in the browser where that has proved useful.

    ``parse`` and ``failed`` are the callbacks of the requests. ``missing`` returns why there is no browser, or None.
    """

    def __init__(
        self,
        crawl: Crawl,
        arguments: Arguments,
        *,
        parse: Callable[..., Any],
        failed: Callable[..., Any],
        missing: Callable[[], str | None],
    ) -> None:
        self._crawl, self._stats, self._arguments = crawl, crawl.stats, arguments
        self._parse, self._failed, self._missing = parse, failed, missing
        self._learning: RenderPolicy[Request] = RenderPolicy()

    async def requests_to_render(
        self, page: Response, document: Document | None, candidates: list[Candidate]
    ) -> list[Request]:
        """Return the request that renders a plain page; empty if it needs no browser or is skipped."""
        found = [candidate for candidate in candidates if candidate.kind in _FOUND_KINDS]
        why = self._why(page, document, found)
        if why is None:
            return []
        known = [digest(candidate.url) for candidate in found][:MAX_KNOWN]
        request = self.request(page.url, Place.of(page.meta), why, known, page.meta.get(LOGIN))
        return await self._unless_left_out(request)

    async def requests_for_routes(self, page: RenderedResponse, document: Document) -> AsyncIterator[Request]:
        """Yield the requests for the routes in the fragments of a rendered page's links."""
        assert page.request is not None
        place, about = Place.of(page.meta), Rendering.of(page.request)
        deeper = replace(place, level=place.level + 1)
        if deeper.level > self._arguments.depth or place.nesting:
            return
        for url in _routes(page, document):
            if is_allowed(url, self._arguments):
                for request in await self._unless_left_out(
                    self.request(url, deeper, about.why, about.known, page.meta.get(LOGIN))
                ):
                    yield request

    async def note_rendered(self, page: RenderedResponse, *, gained: bool) -> list[Request]:
        """Record whether rendering helped, and return the requests for pages that waited for this result."""
        self._stats.inc_value("browser/pages")
        self._stats.inc_value("browser/pages_with_gain", int(gained))
        assert page.request is not None
        before = await self._crawl.find_source(mask_url(page.request.url))
        if before is not None and before.kind == PAGE and not (before.reason or "").startswith(IN_PART):
            self._stats.inc_value("browser/taken_up", int(before.status == Status.PENDING))
            await self._note_page(page.request, Status.NOT_AUDIO, "HTML page; rendered later")
        return list(self._learning.note(Rendering.of(page.request).pattern, gained=gained))

    async def failed(self, failure: Failure, request: Request) -> list[Request]:
        """Write a row that says why the page could not be rendered; return the requests that waited for its result."""
        outcome = outcome_of_failure(failure)
        if self._crawl.is_stopping or outcome.status == Status.LIMIT:
            return []
        self._stats.inc_value("browser/pages_failed")
        await self._note_page(request, outcome.status, outcome.reason)
        return list(self._learning.note(Rendering.of(request).pattern, gained=False))

    def note_dropped(self, request: Request) -> None:
        """Stop waiting for a page whose request was dropped as a duplicate."""
        self._learning.withdraw(Rendering.of(request).pattern)

    def _why(self, page: Response, document: Document | None, found: list[Candidate]) -> str | None:
        is_page = document is not None and document.type is DocumentType.HTML and document.root is not None
        if not is_page or self._arguments.render == "never":
            return None
        assert document is not None
        assert document.root is not None
        signals = render_hints(
            document.root,
            page.url,
            has_audio=bool(found),
            is_in_script=any(candidate.is_in_script for candidate in found),
        )
        return " and ".join(signals) or ("no sign of a player" if self._arguments.render == "always" else None)

    async def _unless_left_out(self, request: Request) -> list[Request]:
        about = Rendering.of(request)
        if missing := self._missing():
            self._stats.inc_value("browser/missing")
            if self._stats.get_value("browser/missing") == 1:
                logger.warning("pages need a browser: %s", missing)
            reason = "no browser available"
            due = []
        elif self._arguments.render == "always":
            return [request]
        else:
            due = list(self._learning.offer(about.pattern, request))
            if request in due:
                return due
            self._stats.inc_value("browser/left_out")
            reason = "similar pages yielded nothing"
        await self._note_page(request, Status.PENDING, f"not rendered ({about.why}): {reason}")
        return due

    def request(self, url: str, place: Place, why: str, known: list[str], login: Login | None = None) -> Request:
        """Return the request that renders a page in the browser."""
        about = Rendering(why, known, pattern=f"{why} {pattern_of(url)}", context=site_of(url))
        return Request(
            url,
            self._parse,
            errback=self._failed,
            meta=place.meta | about.meta | ({LOGIN: login} if login else {}) | {"allow_offsite": True},
            priority=priority_at(place),
        )

    async def _note_page(self, request: Request, status: Status, reason: str) -> None:
        logger.info("%s: %s", mask_url(request.url), reason)
        row = page_row(request, status, reason, found_by="browser")
        await self._crawl.write([row])


def as_from_browser(request: Any, page: RenderedResponse) -> Any:
    """Give a request from a rendered page the cookies that the browser would send."""
    if isinstance(request, Request) and not is_rendered(request):
        request.cookies = cookies_for(request.url, page.seen.cookies)  # type: ignore[assignment]
    return request


def _routes(page: Response, document: Document) -> Iterator[str]:
    own = urldefrag(page.url).url
    seen: dict[str, None] = {}
    for element in document.elements("a"):
        url, fragment = urldefrag(urljoin(document.base_url, element.get("href") or ""))
        if url == own and fragment.startswith(("/", "!")):
            seen.setdefault(f"{url}#{fragment}")
    if len(seen) > MAX_ROUTES:
        leave_out(page, f"the routes after the first {MAX_ROUTES}")
    yield from islice(seen, MAX_ROUTES)
