"""robots.txt, read as RFC 9309 asks: a server error or a timeout means no, and a crawl delay is kept."""

import asyncio
import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.robotstxt import ProtegoRobotParser

from audiocrawler.download.reasons import explain
from audiocrawler.download.slots import ask_delay

logger = logging.getLogger(__name__)


class RobotsError(IgnoreRequest):
    """Raised when robots.txt does not let a request pass; the message says what it said."""


class RobotsMiddleware:
    """Asks each host's robots.txt once, before anything else of the host."""

    def __init__(self, crawler: Crawler) -> None:
        self._is_obeyed = crawler.settings.getbool("ROBOTSTXT_OBEY")
        if not self._is_obeyed and crawler.settings["AUDIO_OPT_OUT"] == "ignore":
            raise NotConfigured
        self._crawler = crawler
        self._user_agent: str = crawler.settings["ROBOTSTXT_USER_AGENT"] or crawler.settings["USER_AGENT"]
        self._rules: dict[str, asyncio.Task[ProtegoRobotParser | str]] = {}
        self._texts: dict[str, str] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "RobotsMiddleware":
        """Return the middleware, or NotConfigured where robots.txt is neither obeyed nor read for opt-outs."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let the request pass, or raise RobotsError with the reason."""
        if not self._is_obeyed or request.meta.get("dont_obey_robotstxt"):
            return
        rules = await self._rules_of(request)
        if isinstance(rules, str):
            raise RobotsError(rules)
        if not rules.allowed(request.url, self._user_agent):
            raise RobotsError(f"robots.txt of {urlsplit(request.url).netloc} forbids it")

    async def text_of(self, request: Request) -> str:
        """Return the robots.txt of the request's host; an empty text where there is none or it cannot be read."""
        await self._rules_of(request)
        return self._texts.get(urlsplit(request.url).netloc, "")

    async def _rules_of(self, request: Request) -> ProtegoRobotParser | str:
        """Return the rules, or the reason why everything is forbidden."""
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._rules:
            self._rules[origin] = asyncio.ensure_future(self._read(origin))
        return await asyncio.shield(self._rules[origin])

    async def _read(self, origin: str) -> ProtegoRobotParser | str:
        meta = {"dont_obey_robotstxt": True, "allow_offsite": True}
        request = Request(f"{origin}/robots.txt", callback=NO_CALLBACK, meta=meta, priority=1000)
        host = urlsplit(origin).netloc
        try:
            response = await self._crawler.engine.download_async(request)
        except Exception as error:  # noqa: BLE001 - whatever keeps robots.txt from being read means no
            logger.info("robots.txt of %s cannot be read: %s", host, explain(error))
            return f"robots.txt of {host} cannot be read ({explain(error)}), which counts as no"
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status == HTTPStatus.TOO_MANY_REQUESTS:
            return f"robots.txt of {host} answers {response.status}, which counts as no"
        return self._parse(response, host)

    def _parse(self, response: Response, host: str) -> ProtegoRobotParser:
        body = response.body if response.status == HTTPStatus.OK else b""  # 4xx: there are no rules
        self._texts[host] = body.decode("utf-8", "replace")
        rules: Any = ProtegoRobotParser.from_crawler(self._crawler, body)
        delay_s = rules.crawl_delay(self._user_agent)
        if delay_s:
            ask_delay(self._crawler, urlsplit(f"//{host}").hostname or host, delay_s)
        return rules  # type: ignore[no-any-return]
