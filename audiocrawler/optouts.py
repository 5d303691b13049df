"""Opt-outs of AI training: read where requests and answers pass, and honoured, recorded or ignored (AUDIO_OPT_OUT)."""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured, StopDownload
from scrapy.http import Headers, Response
from scrapy.http.request import NO_CALLBACK
from scrapy.settings import BaseSettings

from audiocrawler.download.robots import RobotsMiddleware, Rules
from audiocrawler.rights.optouts import header_signals, joined, meta_signals
from audiocrawler.rights.optouts_robots import RobotsOptOuts
from audiocrawler.rights.optouts_tdm import WELL_KNOWN, TdmRules

MAX_TDM_BYTES = 1 << 20


class OptedOutError(IgnoreRequest):
    """Raised when a file is not asked for, because its host opts it out; ``signals`` are those that say so."""

    def __init__(self, signals: str) -> None:
        super().__init__(f"opted out of AI training: {signals}")
        self.signals = signals


class OptOuts:
    """Whether opt-outs are read and honoured, and what answers say of themselves."""

    def __init__(self, settings: BaseSettings) -> None:
        self.are_read = settings["AUDIO_OPT_OUT"] != "ignore"
        self.are_honoured = settings["AUDIO_OPT_OUT"] == "honour"
        self.agent: str = settings["ROBOTSTXT_USER_AGENT"] or settings["USER_AGENT"]

    def of_headers(self, headers: Headers) -> list[str]:
        """Return the signals in the headers of an answer."""
        if not self.are_read:
            return []
        texts = {
            name.decode("latin-1").lower(): [value.decode("latin-1") for value in values]
            for name, values in headers.items()
        }
        return header_signals(texts, self.agent)

    def of_page(self, response: Response, metas: Iterable[tuple[str, str]]) -> str | None:
        """Return what opts out the files that a document offers: it itself, or the page that it is part of."""
        if not self.are_read:
            return None
        own = [*self.of_headers(response.headers), *meta_signals(metas, self.agent)]
        return joined((response.meta.get("page_opt_out"), *own))


class OptOutMiddleware:
    """Asks each host that serves audio once what it opts out, and reads the headers of every file.

    What opts a file out is in the request's meta ``opt_out``. Where opt-outs are honoured, such a file is not asked
    for, or its transfer ends at its headers, which leaves ``opted_out`` in the meta.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._opt_outs = OptOuts(crawler.settings)
        if not self._opt_outs.are_read:
            raise NotConfigured
        self._crawler = crawler
        self._hosts: dict[str, asyncio.Task[tuple[RobotsOptOuts, TdmRules]]] = {}
        crawler.signals.connect(self._check_headers, signal=signals.headers_received)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "OptOutMiddleware":
        """Return the middleware, or NotConfigured where opt-outs are ignored."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let the request pass, or raise OptedOutError."""
        if "audio" not in request.meta:
            return
        robots, tdm = await self._host_of(request)
        request.meta["opt_out"] = found = joined([*robots.signals(request.url), *tdm.signals(request.url)])
        request.meta["opted_out"] = None
        if found and self._opt_outs.are_honoured:
            raise OptedOutError(found)

    def _check_headers(self, headers: Headers, request: Request) -> None:
        if "audio" not in request.meta or "Location" in headers:
            return
        found = joined((request.meta.get("opt_out"), *self._opt_outs.of_headers(headers)))
        request.meta["opt_out"] = found
        if found and self._opt_outs.are_honoured:
            request.meta["opted_out"] = found
            raise StopDownload(fail=False)

    async def _host_of(self, request: Request) -> tuple[RobotsOptOuts, TdmRules]:
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._hosts:
            self._hosts[origin] = asyncio.ensure_future(self._read(origin, request))
        return await asyncio.shield(self._hosts[origin])

    async def _read(self, origin: str, request: Request) -> tuple[RobotsOptOuts, TdmRules]:
        robots = self._crawler.get_downloader_middleware(RobotsMiddleware)
        rules = await robots.rules_of(request) if robots is not None else None
        text = rules.text if isinstance(rules, Rules) else ""
        return RobotsOptOuts(text, self._opt_outs.agent), TdmRules(await self._tdm_text(origin))

    async def _tdm_text(self, origin: str) -> str:
        """Return the host's tdmrep.json; what cannot be had reserves nothing, as TDMRep has it."""
        meta = {"dont_obey_robotstxt": True, "allow_offsite": True, "download_maxsize": MAX_TDM_BYTES}
        request = Request(f"{origin}{WELL_KNOWN}", callback=NO_CALLBACK, meta=meta, priority=1000)
        try:
            response = await self._crawler.engine.download_async(request)
        except Exception:  # noqa: BLE001 - whatever keeps it from being read
            return ""
        return response.body.decode("utf-8-sig", "replace") if response.status == HTTPStatus.OK else ""
