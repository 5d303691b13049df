"""Read opt-outs of AI training from hosts and headers, and honour, record or ignore them (AUDIO_OPT_OUT)."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic
from urllib.parse import urlsplit

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured, StopDownload
from scrapy.http import Headers, Response
from scrapy.settings import BaseSettings

from audiocrawler.fetch.component import Component
from audiocrawler.fetch.requests import OPT_OUT, OPTED_OUT, Place, is_content
from audiocrawler.fetch.robots import REFRESH_S, RobotsMiddleware, Rules, host_file_request, sent_back
from audiocrawler.model.errors import OutcomeError
from audiocrawler.model.settings import AudioSettings
from audiocrawler.model.statuses import Status
from audiocrawler.rights.optouts import (
    WELL_KNOWN,
    RobotsOptOuts,
    TdmRules,
    header_signals,
    joined,
    meta_signals,
    opt_out_reason,
)

MAX_CACHED_BYTES = 100_000_000
"""Approximate size of the opt-out cache; the least recently used hosts are dropped first."""
_OF_A_HOST_BYTES = 4000


class OptedOutError(OutcomeError, IgnoreRequest):
    """Raised when a file is not requested because its host opted out."""

    status = Status.OPTED_OUT


class OptOuts:
    """The AUDIO_OPT_OUT setting, and the opt-out signals of responses."""

    def __init__(self, settings: BaseSettings) -> None:
        opt_out = AudioSettings.of(settings).opt_out
        self.are_read, self.are_honoured = opt_out != "ignore", opt_out == "honour"
        self.agent: str = settings["ROBOTSTXT_USER_AGENT"] or settings["USER_AGENT"]

    def of_headers(self, headers: Headers) -> list[str]:
        """Return the opt-out signals in response headers."""
        if not self.are_read:
            return []
        texts = {
            name.decode("latin-1").lower(): [value.decode("latin-1") for value in values]
            for name, values in headers.items()
        }
        return header_signals(texts, self.agent)

    def of_page(self, response: Response, metas: Iterable[tuple[str, str]]) -> str | None:
        """Return the opt-out signals for a document's files: its own, and those of the page it belongs to."""
        if not self.are_read:
            return None
        own = [*self.of_headers(response.headers), *meta_signals(metas, self.agent)]
        return joined((Place.of(response.meta).opt_out, *own))


@dataclass(frozen=True, slots=True)
class _CachedOptOuts:
    """The cached opt-outs of an origin, read from the ``robots`` text with this hash and from tdmrep.json."""

    robots: int
    begun_at: float
    reading: "asyncio.Task[tuple[RobotsOptOuts, TdmRules]]"

    def is_of(self, robots: int) -> bool:
        return self.robots == robots and monotonic() - self.begun_at < REFRESH_S

    def size_bytes(self) -> int:
        if not self.reading.done() or self.reading.cancelled() or self.reading.exception():
            return _OF_A_HOST_BYTES
        return _OF_A_HOST_BYTES + sum(part.size_bytes for part in self.reading.result())


class OptOutMiddleware(Component):
    """Fetch the opt-outs of each host that serves audio, again with each new robots.txt, and read every file's headers.

    The signals are stored in the meta key ``opt_out``. If opt-outs are honoured, such a file is not requested, or its
    transfer is stopped at the headers, with ``opted_out`` in the meta.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._opt_outs = OptOuts(crawler.settings)
        if not self._opt_outs.are_read:
            raise NotConfigured
        self._hosts: OrderedDict[str, _CachedOptOuts] = OrderedDict()
        crawler.signals.connect(self._check_headers, signal=signals.headers_received)

    async def process_request(self, request: Request) -> Request | None:
        """Let the request pass, send it back to the queue, or raise OptedOutError."""
        if not is_content(request):
            return None
        robots, tdm = await self._host_of(request)
        request.meta[OPT_OUT] = found = joined([*robots.signals(request.url), *tdm.signals(request.url)])
        request.meta[OPTED_OUT] = None
        if found and self._opt_outs.are_honoured:
            raise OptedOutError(opt_out_reason(found))
        return sent_back(self._crawler, request)

    def _check_headers(self, headers: Headers, request: Request) -> None:
        if not is_content(request) or "Location" in headers:
            return
        found = joined((request.meta.get(OPT_OUT), *self._opt_outs.of_headers(headers)))
        request.meta[OPT_OUT] = found
        if found and self._opt_outs.are_honoured:
            request.meta[OPTED_OUT] = found
            raise StopDownload(fail=False)

    async def _host_of(self, request: Request) -> tuple[RobotsOptOuts, TdmRules]:
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        text = await self._robots_text(request)
        cached = self._hosts.get(origin)
        if cached is None or not cached.is_of(hash(text)):
            cached = _CachedOptOuts(hash(text), monotonic(), asyncio.ensure_future(self._read(origin, text)))
            self._hosts[origin] = cached
            self._forget()
        self._hosts.move_to_end(origin)
        return await asyncio.shield(cached.reading)

    def _forget(self) -> None:
        size_bytes = sum(cached.size_bytes() for cached in self._hosts.values())
        while size_bytes > MAX_CACHED_BYTES and len(self._hosts) > 1:
            size_bytes -= self._hosts.popitem(last=False)[1].size_bytes()

    async def _robots_text(self, request: Request) -> str:
        robots = self._crawler.get_downloader_middleware(RobotsMiddleware)
        rules = await robots.rules_of(request) if robots is not None else None
        return rules.text if isinstance(rules, Rules) else ""

    async def _read(self, origin: str, robots_text: str) -> tuple[RobotsOptOuts, TdmRules]:
        robots = await asyncio.to_thread(RobotsOptOuts, robots_text, self._opt_outs.agent)
        return robots, await asyncio.to_thread(TdmRules, await self._tdm_text(origin))

    async def _tdm_text(self, origin: str) -> str:
        """Return the host's tdmrep.json, empty if it could not be fetched: then nothing is reserved (TDMRep)."""
        request = host_file_request(self._crawler, f"{origin}{WELL_KNOWN}")
        try:
            response = await self._crawler.engine.download_async(request)
        except Exception:  # noqa: BLE001 - any failure means that there is none
            return ""
        return response.body.decode("utf-8-sig", "replace") if response.status == HTTPStatus.OK else ""
