"""Renew expired signed URLs: request their page again, and retry with the fresh URL it contains."""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from scrapy import Request
from scrapy.http import Response
from scrapy.statscollectors import StatsCollector
from twisted.python.failure import Failure

from audiocrawler.crawl.lifecycle import CONTINUES, LEASE
from audiocrawler.fetch.headers import explain, is_audio_type
from audiocrawler.fetch.requests import own_audio_row
from audiocrawler.model.rotation import is_rotating
from audiocrawler.model.text import mask_text
from audiocrawler.spiders.media import AUDIO_PRIORITY

EXPIRED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.GONE})
FOUND_ON = "found_on"
"""In a request's meta: how to request again the document in which its URL was found."""
RENEWED = "renewed"
"""In a request's meta: when it was given a fresh URL, in seconds since 1970."""
TRIED = "tried"
"""In a request's meta: the URLs that were refused."""
WHY_NOT = "why_not_renewed"
"""In a request's meta: why there is no fresh URL."""

_YOUNG_S = 2.0
"""How long an answer is reused, so that files that expire together request their page once."""
_AT_ONCE_S = 0.5
"""A fresh URL refused within this time never worked; one refused later may have expired in turn."""
_MAX_TRIED = 20
"""Maximum number of fresh URLs per file."""
_MAX_ANSWERS = 100
_MAX_REFUSED = 4
"""Refused fresh URLs in a row after which a page is not requested again."""


@dataclass(slots=True)
class Answer:
    """The URLs of each row's file in the page, or the error."""

    at_s: float
    urls: dict[str, list[str]]
    error: str = ""
    successes: int = 0
    """Files downloaded from these URLs."""

    def fresh_url(self, request: Request) -> str | None:
        """Return a URL of the request's file that was not tried yet, if any."""
        urls = self.urls.get(own_audio_row(request).source_url, [])
        return next((url for url in urls if url not in request.meta[TRIED]), None)

    @property
    def is_young(self) -> bool:
        """Return whether the answer can be reused."""
        return time.monotonic() - self.at_s < _YOUNG_S


def may_have_expired(failure: Failure) -> bool:
    """Return whether the response has a status that servers use for expired signed URLs."""
    answer: Response | None = getattr(failure.value, "response", None)
    return answer is not None and answer.status in EXPIRED


class Renewal:
    """Requests pages again for files whose URLs have expired.

    ``ask`` downloads the document described by ``found_on`` in a request's meta, and ``urls_in`` returns the URLs of
    each row's file in it.
    """

    def __init__(
        self,
        stats: StatsCollector,
        *,
        ask: Callable[[dict[str, Any]], Awaitable[Response]],
        urls_in: Callable[[Response], Awaitable[dict[str, list[str]]]],
    ) -> None:
        self._stats, self._ask_page, self._find_urls = stats, ask, urls_in
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._asked: dict[str, asyncio.Future[Answer]] = {}
        self._refused: Counter[str] = Counter()

    def note_success(self, request: Request) -> None:
        """Record that fresh URLs of this page work."""
        page = request.meta.get(FOUND_ON)
        if page is not None and RENEWED in request.meta:
            self._refused.pop(page["url"], None)
            if answer := self._answers.get(page["url"]):
                answer.successes += 1

    async def renewed(self, request: Request) -> Request | None:
        """Return the request with a fresh URL; None if there is none, with the reason in the request's meta."""
        first, *_ = request.meta.get("redirect_urls", [request.url])
        if first != request.url and RENEWED not in request.meta and is_rotating(request.url):
            return _under(first, request)  # the target of its redirect has expired, not the URL itself
        page = request.meta.get(FOUND_ON)
        if page is None:
            return None
        if self._is_hopeless(request, page["url"]):
            request.meta[WHY_NOT] = "its page was requested again, but the fresh URL was refused, too"
            return None
        request.meta[TRIED] = [*request.meta.get(TRIED, []), first]
        answer = self._answers.get(page["url"])
        fresh = answer.fresh_url(request) if answer is not None and answer.is_young else None
        if answer is None or (fresh is None and not answer.is_young):
            answer = await self._ask(page)
            fresh = answer.fresh_url(request)
        if fresh is None:
            request.meta[WHY_NOT] = answer.error or "its page was requested again, but has no fresh URL"
            return None
        return _under(fresh, request)

    def _is_hopeless(self, request: Request, page_url: str) -> bool:
        """Return whether to give up: a fresh URL was refused, and not only because it waited too long."""
        if RENEWED in request.meta:
            answer, tried = self._answers.get(page_url), len(request.meta.get(TRIED, []))
            is_good = answer is not None and answer.successes > 0
            has_waited = time.time() - request.meta[RENEWED] > _AT_ONCE_S
            if has_waited and tried < (_MAX_TRIED if is_good else 2):
                return False
            self._refused[page_url] += 1
            return True
        return self._refused[page_url] >= _MAX_REFUSED

    async def _ask(self, page: dict[str, Any]) -> Answer:
        """Return the page's answer; concurrent callers share one request."""
        url = page["url"]
        if url not in self._asked:
            self._asked[url] = asyncio.ensure_future(self._answer(page))
        try:
            return await asyncio.shield(self._asked[url])
        finally:
            if url in self._asked and self._asked[url].done():
                del self._asked[url]

    async def _answer(self, page: dict[str, Any]) -> Answer:
        self._stats.inc_value("audio/pages_asked_again")
        try:
            response = await self._ask_page(page)
            answer = Answer(time.monotonic(), await self._urls_in(response))
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no fresh URL
            answer = Answer(time.monotonic(), {}, f"its page could not be requested again: {mask_text(explain(error))}")
        self._answers[page["url"]] = answer
        if len(self._answers) > _MAX_ANSWERS:
            self._answers.popitem(last=False)
        return answer

    async def _urls_in(self, response: Response) -> dict[str, list[str]]:
        if response.status >= HTTPStatus.BAD_REQUEST or is_audio_type(response.headers):
            raise ValueError(f"HTTP {response.status}")
        return await self._find_urls(response)


def _under(url: str, request: Request) -> Request:
    """Return the request for the fresh URL, which continues the first one's lease, with the highest priority."""
    meta = {name: value for name, value in request.meta.items() if not name.startswith("redirect_")}
    lease = meta.pop(LEASE, meta.get(CONTINUES))
    meta |= {RENEWED: time.time()} | ({} if lease is None else {CONTINUES: lease})
    return request.replace(url=url, dont_filter=True, priority=AUDIO_PRIORITY + 1, meta=meta)
