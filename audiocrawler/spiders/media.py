"""The requests for audio: made from rows, ended as items or settled rows."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.http import Headers, HtmlResponse, Response
from scrapy.spidermiddlewares.referer import RefererMiddleware
from twisted.python.failure import Failure

from audiocrawler.crawl.crawl import Crawl, FetchAgainError, RefusedError, sha256_of
from audiocrawler.crawl.lifecycle import LEASE, crawl_of, leave_unfinished, stop_crawl
from audiocrawler.discovery import Document, read
from audiocrawler.discovery.urls import absolute
from audiocrawler.fetch.first_bytes import FIRST_BYTES, FirstBytes
from audiocrawler.fetch.headers import Known
from audiocrawler.middlewares.credentials import inherit_login
from audiocrawler.middlewares.gates import StoredAlreadyError
from audiocrawler.middlewares.optouts import OptOuts
from audiocrawler.model.rows import AudioItem, AudioSource, Status
from audiocrawler.model.settings import settings_of
from audiocrawler.model.text import is_masked
from audiocrawler.model.urls import origin_of
from audiocrawler.records import Outcome, attempted, item_of, media_meta, outcome_of_failure, outcome_without_body
from audiocrawler.spiders.identifying import OWN_KEY, TRUST

FOLLOWED = "interstitial"
"""In the meta of a request that an interstitial page has led to."""
_REFRESH = re.compile(r"\s*(?:\d+|(?=\.))[\d.]*(?:\s*[;,]\s*|\s+)(?:url\s*=\s*)?(.+)", re.IGNORECASE | re.DOTALL)


class Interstitial:
    """An answer that is no audio and tells a browser to go on; ``url`` is None where that is no HTTP URL."""

    def __init__(self, came: str, url: str | None) -> None:
        self.came, self.url = came, url

    def why_not(self, *, is_second: bool) -> str | None:
        """Return why it is not followed, None if it is."""
        if is_second:
            return f"{self.came} came in place of audio, also after its refresh had been followed once"
        return f"{self.came} came in place of audio, and its refresh leads to no HTTP URL" if self.url is None else None


def interstitial_in(answer: Response, first: FirstBytes | None) -> Interstitial | None:
    """Return the interstitial that the answer is, None if it is audio or leads nowhere."""
    if first is None:
        return None
    judgement = first.judgement or first.end()
    if judgement.may_be_audio:
        return None
    document = _document(answer, first.head)
    content = (answer.headers.get("Refresh") or b"").decode("utf-8", "replace") or _refresh_in(document)
    target = target_of(content)
    return Interstitial(judgement.name, absolute(document.base_url, target)) if target else None


def target_of(content: str) -> str | None:
    """Return where a refresh leads, None if it only reloads (HTML, "shared declarative refresh steps")."""
    match = _REFRESH.match(content)
    if match is None:
        return None
    target = match[1]
    return (target[1:].partition(target[0])[0] if target[0] in "'\"" else target).strip() or None


def _document(answer: Response, head: bytes) -> Document:
    headers = Headers({"Content-Type": answer.headers.get("Content-Type") or b""})
    return read(HtmlResponse(answer.url, headers=headers, body=head))


def _refresh_in(document: Document) -> str:
    metas = (each for each in document.elements("meta") if (each.get("http-equiv") or "").strip().lower() == "refresh")
    return next((each.get("content") or "" for each in metas), "")


AUDIO_PRIORITY = 10
VARYING = "its bytes vary at every fetch; what is stored is kept"

Alternate = tuple[str, AudioSource]
"""The URL of another file of the same recording, and its row."""


class MediaSpider(Spider):
    """A spider that downloads audio: each URL a scheduled request whose body is streamed to disk."""

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Return the spider, which hears of each file that the pipelines drop."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.item_dropped, signal=signals.item_dropped)
        return spider

    @property
    def crawl(self) -> Crawl:
        """Return what the parts of this crawl share."""
        return crawl_of(self.crawler)

    @property
    def opt_outs(self) -> OptOuts:
        """Return what reads opt-outs, and what is made of them."""
        return OptOuts(self.settings)

    def audio_request(self, url: str, source: AudioSource, alternates: Sequence[Alternate] = ()) -> Request:
        """Return the request for the URL of a pending row; if it fails, the first alternate is taken in its place."""
        return Request(
            url,
            self.parse_audio,
            errback=self.audio_failed,
            headers={"Accept-Encoding": "identity"},
            meta=media_meta(url, settings_of(self.crawler)) | {"audio": source, "alternates": list(alternates)},
            priority=AUDIO_PRIORITY,
        )

    async def parse_audio(self, response: Response) -> AsyncIterator[AudioItem | Request]:
        """Turn a downloaded body into an item, and an answer without one into a settled row."""
        request = response.request
        assert request is not None
        source: AudioSource = attempted(request.meta["audio"], response, request)
        body_file = getattr(response, "body_file", None)
        interstitial = interstitial_in(response, request.meta.pop(FIRST_BYTES, None))
        if interstitial is not None and not request.meta.get("opted_out"):
            for each in await self._past(interstitial, source, request, body_file):
                yield each
        elif body_file is not None:
            await self._settle_identity(request, Path(body_file))
            yield item_of(source, response, body_file)
        elif is_known(response):
            source.rotates = OWN_KEY in request.meta or None
            known = Known(**request.meta["known"])
            await self.settle_known(source, known, varies="seen_validators" in request.meta)
            if known.size_bytes is None:
                for alternate in await self._next_alternate(request, Outcome(Status(known.status), known.reason or "")):
                    yield alternate
        elif "seen_validators" in request.meta and not request.meta.get("opted_out"):
            yield request.replace(dont_filter=True)
        else:
            self._keep_apart(request)
            outcome = outcome_without_body(response)
            await self.settle(source, outcome)
            for alternate in await self._next_alternate(request, outcome):
                yield alternate

    async def _past(
        self, interstitial: Interstitial, source: AudioSource, request: Request, body_file: str | None
    ) -> list[Request]:
        """Return the request for what an interstitial leads to, the next alternate if it leads nowhere."""
        if body_file is not None:
            await self.crawl.in_thread(lambda: Path(body_file).unlink(missing_ok=True))
        why_not = interstitial.why_not(is_second=FOLLOWED in request.meta)
        if why_not is None:
            onward = self.audio_request(str(interstitial.url), source, request.meta.get("alternates", ()))
            inherited = {name: request.meta[name] for name in (OWN_KEY, TRUST) if name in request.meta}
            return [onward.replace(meta={**onward.meta, **inherited, FOLLOWED: request.url}, dont_filter=True)]
        self._keep_apart(request)
        outcome = Outcome(Status.NOT_AUDIO, why_not)
        await self.settle(source, outcome)
        return await self._next_alternate(request, outcome)

    async def _settle_identity(self, request: Request, body: Path) -> None:
        """Let the bytes decide which row is meant, where the URL leaves a doubt."""
        if OWN_KEY not in request.meta and TRUST not in request.meta:
            return
        source: AudioSource = request.meta["audio"]
        before = await self.crawl.find_source(source.source_url)
        sha256 = await self.crawl.in_thread(lambda: sha256_of(body))
        if before is not None and before.sha256 == sha256:
            source.rotates = True
        else:
            self._keep_apart(request)

    def _keep_apart(self, request: Request) -> None:
        """Give the file the row of its own URL: that it is the one of the other row is not proved."""
        source: AudioSource = request.meta["audio"]
        key = request.meta.get(OWN_KEY)
        if key is not None and key != source.source_url:
            self.crawl.tallies.rename(request.meta.get(LEASE), key)
            source.source_url = key

    async def settle_known(self, source: AudioSource, known: Known, *, varies: bool = False) -> None:
        """Write the row of a file that need not be fetched again: unchanged, or refused as it was before."""
        source.content_type = None  # a 304 has none of the file's
        if varies:
            source.etag = source.last_modified = None  # they are not those of the stored bytes
        if known.size_bytes is None:
            source.judged_by = self.crawl.judge
            await self.settle(source, Outcome(Status(known.status), known.reason or ""))
            return
        source.status = source.last_status = Status.UNCHANGED
        source.reason = VARYING if varies else None
        self.crawl.tallies.count_outcome(source.source_url, source.status, source.reason)
        await self.crawl.write([source])

    async def audio_failed(self, failure: Failure) -> AsyncIterator[Request]:
        """Settle the row of an audio URL that could not be downloaded, unless the crawl was only stopped."""
        request: Request = failure.request  # type: ignore[attr-defined]
        why = request.meta.get("why_not_renewed")
        if outcome := await self.settle_failure(failure, request, f"{why}: " if why else ""):
            for alternate in await self._next_alternate(request, outcome):
                yield alternate

    async def item_dropped(self, item: Any, response: Response, exception: BaseException) -> None:
        """Ask for what takes the place of a file that the pipelines have dropped.

        That is kept before the request of the dropped file is acknowledged, as if its callback had yielded it.
        """
        request = getattr(response, "request", None)
        if not isinstance(item, AudioItem) or request is None or "audio" not in request.meta:
            return
        if isinstance(exception, FetchAgainError):
            await self._fetch_again(item.source, request, str(exception))
        elif isinstance(exception, RefusedError) and item.source.status != Status.FAILED:  # which is our own fault
            outcome = Outcome(Status(item.source.status), item.source.reason or "")
            for alternate in await self._next_alternate(request, outcome):
                self.crawler.engine.crawl(alternate)

    async def _fetch_again(self, source: AudioSource, request: Request, why: str) -> None:
        source.sha256 = source.size_bytes = None
        again = get_retry_request(request, spider=self, reason=why)
        if again is not None and "part" not in request.meta:
            self.crawler.engine.crawl(again)
        else:
            await self.settle(source, Outcome(Status.FAILED, why))

    async def settle_failure(self, failure: Failure, request: Request, where: str = "") -> Outcome | None:
        """Settle the row of a failed request and return its outcome, None if it is left as it is."""
        if isinstance(failure.value, StoredAlreadyError):
            self.crawl.tallies.count_outcome(request.meta["audio"].source_url, failure.value.status, None)
            return None
        outcome = outcome_of_failure(failure)
        if outcome.disk_full:
            why = f"the disk is full or read-only: {outcome.reason}; free room and run the same command again"
            stop_crawl(self.crawler, why)
        if self.crawl.stopped or outcome.disk_full:
            leave_unfinished(request)
            return None
        answer: Response | None = getattr(failure.value, "response", None)
        source = attempted(request.meta["audio"], None, request)
        source.http_status = answer.status if answer is not None else None
        self._keep_apart(request)
        outcome = await self._unless_gone(source, outcome)
        await self.settle(source, Outcome(outcome.status, where + outcome.reason))
        return outcome

    async def settle(self, source: AudioSource, outcome: Outcome) -> None:
        """Write the row with its final status."""
        source.status = source.last_status = outcome.status
        source.reason = source.last_error = outcome.reason
        self.logger.info("%s: %s: %s", source.source_url, outcome.status, outcome.reason)
        self.crawl.tallies.count_outcome(source.source_url, outcome.status, outcome.reason)
        await self.crawl.write([source])

    async def _next_alternate(self, request: Request, outcome: Outcome) -> list[Request]:
        alternates: list[Alternate] = request.meta.get("alternates", [])
        if outcome.rules_out_recording:
            await self.crawl.write([_ruled_out(source, outcome) for _, source in alternates])
        if not alternates or not outcome.leaves_alternates:
            return []
        (url, source), *others = alternates
        source.status, source.reason, source.last_status, source.last_error = Status.PENDING, None, None, None
        self.crawler.stats.inc_value(f"audio/{Status.ALTERNATE}", -1)
        self.crawler.stats.inc_value("audio/found", -1)  # its request counts it again
        alternate = inherit_login(self.audio_request(url, source, others), request.meta)
        return [self._referred(alternate, source.page_url)]

    def _referred(self, request: Request, page_url: str | None) -> Request:
        """Return the request with the page as its Referer, as far as REFERRER_POLICY tells it."""
        referer = self.crawler.get_spider_middleware(RefererMiddleware)
        if referer is None or not page_url:
            return request
        shown = f"{origin_of(page_url)}/" if is_masked(page_url) else page_url
        referer.get_processed_request(request, Response(shown))
        return request

    async def _unless_gone(self, source: AudioSource, outcome: Outcome) -> Outcome:
        if source.http_status not in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return outcome
        before = await self.crawl.find_source(source.source_url)
        return outcome if before is None or before.sha256 is None else Outcome(Status.GONE, outcome.reason)


def _ruled_out(alternate: AudioSource, outcome: Outcome) -> AudioSource:
    """Return the row of an alternate that is not tried, for what an answer about another file says of them all."""
    status = Status.ALTERNATE
    reason = f"another file of the same recording is {outcome.status.replace('_', ' ')}: {outcome.reason}"
    return replace(alternate, status=status, last_status=status, reason=reason, last_error=reason)


def is_known(answer: Response) -> bool:
    """Return whether the answer says that the file has not changed, and nothing that opts it out."""
    is_same = answer.status == HTTPStatus.NOT_MODIFIED or answer.meta.get("is_same", False)
    return bool(is_same) and not answer.meta.get("opted_out")
