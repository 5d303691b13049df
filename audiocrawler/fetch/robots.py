"""Obey robots.txt (RFC 9309): a server error or timeout disallows everything; Crawl-delay is respected."""

import asyncio
import logging
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import chain
from time import monotonic
from urllib.parse import urlsplit

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured, StopDownload
from scrapy.http import Headers, Response
from scrapy.http.request import NO_CALLBACK
from scrapy.robotstxt import ProtegoRobotParser

from audiocrawler.fetch.component import Component
from audiocrawler.fetch.encodings import Decoding
from audiocrawler.fetch.headers import explain
from audiocrawler.fetch.requests import KIND, SENT_BACK, RequestKind, is_host_file
from audiocrawler.fetch.slots import LONGEST_WAIT_S, open_robots_slot, polite, slot_of
from audiocrawler.model.errors import EncodingError, OutcomeError
from audiocrawler.model.settings import settings_of
from audiocrawler.model.statuses import Status

_AGENT = re.compile(r"[ \t]*user[- ]?agent(?:[ \t]*:|[ \t]+)([^#]*)", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z_-]+")
_ANY = "User-agent: *"
_OTHERS = "User-agent: others"


def text_of(body: bytes) -> str:
    """Decode robots.txt as UTF-8, whatever the header says, ignoring invalid bytes."""
    return body.decode("utf-8-sig", "ignore")


def for_agent(text: str, agent: str) -> str:
    """Return the same rules with all agents but ``agent`` merged into one name.

    A parser stores every rule once per agent of its group: thousands of agents and rules would take minutes and
    gigabytes. Names are compared as whole product tokens, ignoring case.
    """
    lines: list[str] = []
    for line in text.splitlines():
        named = _AGENT.match(line)
        kept = _name_line(named[1].strip(), agent) if named else line
        if not (kept == _OTHERS and lines and lines[-1] == _OTHERS):
            lines.append(kept)
    return "\n".join(lines)


def _name_line(named: str, agent: str) -> str:
    if named.startswith("*"):
        return _ANY
    token = _TOKEN.match(named)
    is_ours = token is not None and token[0].lower() == agent.lower()
    return f"User-agent: {agent}" if is_ours else _OTHERS


MAX_ROBOTS_BYTES = 500 * 1024
"""The minimum that a crawler must parse (section 2.5); rules beyond it are ignored."""
_RECEIVED = "received_bytes"
"""Meta key: the bytes of the host file received so far."""


class RobotsBodyMiddleware(Component):
    """Stop the transfer of an overlong robots.txt, and decode it within the same limit."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        crawler.signals.connect(self._begin, signal=signals.headers_received)
        crawler.signals.connect(self._count, signal=signals.bytes_received)

    def process_response(self, request: Request, response: Response) -> Response:
        """Return robots.txt decoded, and cut after its last complete line."""
        if not is_host_file(request):
            return response
        encoding = response.headers.pop("Content-Encoding", [b""])[0].decode("latin-1")
        body = _decoded(response.body, encoding)
        if len(body) >= MAX_ROBOTS_BYTES:
            body = body[:MAX_ROBOTS_BYTES].rpartition(b"\n")[0]
        return response.replace(body=body)

    def _begin(self, headers: Headers, request: Request) -> None:
        del headers
        if is_host_file(request):
            request.meta[_RECEIVED] = 0

    def _count(self, data: bytes, request: Request) -> None:
        if not is_host_file(request):
            return
        request.meta[_RECEIVED] += len(data)
        if request.meta[_RECEIVED] >= MAX_ROBOTS_BYTES:
            raise StopDownload(fail=False)


def _decoded(body: bytes, encoding: str) -> bytes:
    """Return the first MAX_ROBOTS_BYTES, decoded; what was decoded so far if the encoding is invalid."""
    decoded = b""
    try:
        decoding = Decoding(encoding)
        for piece in chain(decoding.feed(body), decoding.finish()):
            decoded += piece
            if len(decoded) >= MAX_ROBOTS_BYTES:
                break
    except EncodingError:
        pass
    return decoded[:MAX_ROBOTS_BYTES]


logger = logging.getLogger(__name__)

REFRESH_S = 24 * 3600.0
"""Rules are cached no longer than this (RFC 9309, section 2.4) ..."""
RETRY_S = 600.0
"""... and a failed fetch is retried after this."""
MAX_REDIRECTS = 5
"""Redirects to follow, also to other hosts (section 2.3.1.2)."""
TIMEOUT_S = 30.0
RETRIES = 4
"""Retries of robots.txt, 15 s of pauses: the host's requests wait meanwhile."""
MAX_WAIT_IN_SLOT_S = 1.0
"""A request that must wait longer than this goes back to the queue, so that it blocks no others."""
MAX_CACHED_CHARACTERS = 16_000_000
"""Size of the rules cache; the least recently used hosts are dropped first."""
_OF_A_HOST = 2_000
_REDIRECTS = {301, 302, 303, 307, 308}


class RobotsError(OutcomeError, IgnoreRequest):
    """Raised when robots.txt disallows a request; the message says why."""

    status = Status.ROBOTS


@dataclass(frozen=True, slots=True)
class Rules:
    """The robots.txt of ``host`` (with its port): its ``text``, and a ``parser`` for our group only.

    For the groups of other agents, parse the text through ``for_agent``: it is untrusted.
    """

    parser: ProtegoRobotParser
    text: str
    host: str


@dataclass(slots=True)
class _CachedRules:
    """The rules of an origin, or why everything is disallowed: being fetched, or fetched at ``read_at``."""

    before: Rules | None
    reading: "asyncio.Task[Rules | str]" = field(init=False)
    read_at: float = 0.0
    failed: bool = False

    def is_stale(self) -> bool:
        return self.reading.done() and monotonic() - self.read_at > (RETRY_S if self.failed else REFRESH_S)

    def last_rules(self) -> Rules | None:
        if not self.reading.done() or self.reading.cancelled():
            return None
        result = self.reading.result()
        return result if isinstance(result, Rules) else None

    def characters(self) -> int:
        rules = self.last_rules()
        return _OF_A_HOST + (len(rules.text) if rules else 0)


class RobotsMiddleware(Component):
    """Fetch each host's robots.txt before anything else of the host, and again after a day."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._is_obeyed = crawler.settings.getbool("ROBOTSTXT_OBEY")
        if not self._is_obeyed and settings_of(crawler).opt_out == "ignore":
            raise NotConfigured
        self._user_agent: str = crawler.settings["ROBOTSTXT_USER_AGENT"] or crawler.settings["USER_AGENT"]
        self._token = self._user_agent.partition("/")[0].strip()
        self._cached: OrderedDict[str, _CachedRules] = OrderedDict()

    async def process_request(self, request: Request) -> Request | None:
        """Let the request pass, send it back to the queue, or raise RobotsError with the reason."""
        if not self._is_obeyed or request.meta.get("dont_obey_robotstxt"):
            return None
        reading = asyncio.ensure_future(self.rules_of(request))
        while not (await asyncio.wait({reading}, timeout=MAX_WAIT_IN_SLOT_S))[0]:
            if again := sent_back(self._crawler, request):
                return again
        rules = reading.result()
        if isinstance(rules, str):
            raise RobotsError(rules)
        if not rules.parser.allowed(request.url, self._token):
            raise RobotsError(f"robots.txt of {urlsplit(request.url).netloc} disallows it")
        delay_s = rules.parser.crawl_delay(self._token) or 0.0
        if delay_s > LONGEST_WAIT_S:
            raise RobotsError(
                f"robots.txt of {rules.host}: Crawl-delay {delay_s:.0f} s is above the limit of {LONGEST_WAIT_S:.0f} s"
            )
        return sent_back(self._crawler, request)

    async def rules_of(self, request: Request) -> Rules | str:
        """Return the rules for the request's host and port, or the reason why everything is disallowed."""
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        cached = self._cached.get(origin)
        if cached is None or cached.is_stale():
            before = cached.last_rules() or cached.before if cached else None
            cached = self._cached[origin] = _CachedRules(before)
            cached.reading = asyncio.ensure_future(self._read(origin, cached))
            self._forget()
        self._cached.move_to_end(origin)
        return await asyncio.shield(cached.reading)

    def _forget(self) -> None:
        characters = sum(cached.characters() for cached in self._cached.values())
        while characters > MAX_CACHED_CHARACTERS and len(self._cached) > 1:
            characters -= self._cached.popitem(last=False)[1].characters()

    async def _read(self, origin: str, cached: _CachedRules) -> Rules | str:
        host = urlsplit(origin).netloc
        try:
            rules = await self._rules(origin, host)
        except Exception as error:  # noqa: BLE001 - whatever fails, everything is disallowed
            rules = f"robots.txt of {host} could not be fetched ({explain(error)}): everything disallowed"
        cached.failed, cached.read_at = isinstance(rules, str), monotonic()
        if isinstance(rules, str):
            logger.info("%s", rules)
            return cached.before or rules  # an expired copy may be used while no new one is available (section 2.4)
        self._apply_crawl_delay(rules)
        return rules

    async def _rules(self, origin: str, host: str) -> Rules | str:
        response = await self._follow(f"{origin}/robots.txt")
        if response is not None and (
            response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status == HTTPStatus.TOO_MANY_REQUESTS
        ):
            return f"robots.txt of {host}: HTTP {response.status}, everything disallowed"
        has_rules = response is not None and response.status == HTTPStatus.OK
        text = text_of(response.body) if response is not None and has_rules else ""  # 4xx: there are no rules
        parser = await asyncio.to_thread(lambda: ProtegoRobotParser(for_agent(text, self._token).encode(), None))
        return Rules(parser, text, host)

    async def _follow(self, url: str) -> Response | None:
        """Return the response after redirects, None if they lead nowhere."""
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._ask(url)
            location = (response.headers.get("Location") or b"").decode("latin-1")
            if response.status not in _REDIRECTS or not location:
                return response
            url = response.urljoin(location)
            if urlsplit(url).scheme not in {"http", "https"}:
                return None
        return None

    async def _ask(self, url: str) -> Response:
        return await self._crawler.engine.download_async(
            host_file_request(self._crawler, url, RETRIES, dont_redirect=True)
        )

    def _apply_crawl_delay(self, rules: Rules) -> None:
        host = urlsplit(f"//{rules.host}").hostname or rules.host
        delay_s = rules.parser.crawl_delay(self._token) or 0.0
        if delay_s > LONGEST_WAIT_S:
            limit_s = LONGEST_WAIT_S
            logger.warning("skipping %s: Crawl-delay %.0f s is above the limit of %.0f s", rules.host, delay_s, limit_s)
        elif delay_s:
            polite(self._crawler).set_crawl_delay(host, delay_s)


def sent_back(crawler: Crawler, request: Request) -> Request | None:
    """Return the request to put back into the queue, so that it blocks no others, or None if its host is ready soon."""
    wait_s = polite(crawler).host_wait_s(urlsplit(request.url).hostname or "")
    if wait_s <= MAX_WAIT_IN_SLOT_S or request.callback is NO_CALLBACK:  # the latter would be lost
        return None
    return request.replace(dont_filter=True, meta={**request.meta, SENT_BACK: True})


def host_file_request(crawler: Crawler, url: str, retries: int = 1, *, dont_redirect: bool = False) -> Request:
    """Return the request for a small file about a host, with a high priority and few retries."""
    meta = {
        KIND: RequestKind.HOST_FILE.value,
        "dont_obey_robotstxt": True,
        "dont_redirect": dont_redirect,
        "allow_offsite": True,
        "download_maxsize": 0,  # longer files are cut, not refused
        "download_timeout": TIMEOUT_S,
        "max_retry_times": min(retries, crawler.settings.getint("RETRY_TIMES")),
    }
    request = Request(url, callback=NO_CALLBACK, headers={"Accept-Encoding": "identity"}, meta=meta, priority=1000)
    open_robots_slot(crawler, slot_of(request))
    return request
