"""The requests for audio: made from rows, ended as items or settled rows."""

from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from pathlib import Path

from scrapy import Request, Spider
from scrapy.http import Response
from twisted.python.failure import Failure

from audiocrawler.arguments.credentials import Credentials
from audiocrawler.crawl.crawl import Crawl, sha256_of
from audiocrawler.crawl.lease_meta import LEASE, leave_unfinished
from audiocrawler.crawl.lifecycle import crawl_of, stop_crawl
from audiocrawler.download.revalidation import Known
from audiocrawler.items import AudioItem, AudioSource, Status
from audiocrawler.middlewares.optouts import OptOuts
from audiocrawler.middlewares.taken_again import StoredAlreadyError
from audiocrawler.spiders.identifying import OWN_KEY, TRUST
from audiocrawler.spiders.outcomes import Outcome, outcome_of_failure, outcome_without_body
from audiocrawler.spiders.sources import attempted, item_of, media_meta

AUDIO_PRIORITY = 10
VARYING = "its bytes vary at every fetch; what is stored is kept"

Alternate = tuple[str, AudioSource]
"""The URL of another file of the same recording, and its row."""


class MediaSpider(Spider):
    """A spider that downloads audio: each URL a scheduled request whose body is streamed to disk."""

    credentials: Credentials

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
            headers={"Accept-Encoding": "identity", **self.credentials.headers_for(url)},
            meta=media_meta(url, self.settings) | {"audio": source, "alternates": list(alternates)},
            priority=AUDIO_PRIORITY,
        )

    async def parse_audio(self, response: Response) -> AsyncIterator[AudioItem | Request]:
        """Turn a downloaded body into an item, and an answer without one into a settled row."""
        request = response.request
        assert request is not None
        source: AudioSource = attempted(request.meta["audio"], response, request)
        body_file = getattr(response, "body_file", None)
        if body_file is not None:
            await self._settle_identity(request, Path(body_file))
            yield item_of(source, response, body_file)
        elif is_known(response):
            source.rotates = OWN_KEY in request.meta or None
            await self.settle_known(source, Known(**request.meta["known"]), varies="seen_validators" in request.meta)
        elif "seen_validators" in request.meta and not request.meta.get("opted_out"):
            yield request.replace(dont_filter=True)
        else:
            self._keep_apart(request)
            await self.settle(source, outcome_without_body(response))
            for alternate in self._next_alternate(request):
                yield alternate

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
        if await self.settle_failure(failure, request, f"{why}: " if why else ""):
            for alternate in self._next_alternate(request):
                yield alternate

    async def settle_failure(self, failure: Failure, request: Request, where: str = "") -> bool:
        """Settle the row of a failed request; return False if it is left to the next crawl instead."""
        if isinstance(failure.value, StoredAlreadyError):
            self.crawl.tallies.count_outcome(request.meta["audio"].source_url, failure.value.status, None)
            return False
        outcome = outcome_of_failure(failure)
        if outcome.disk_full:
            why = f"the disk is full or read-only: {outcome.reason}; free room and run the same command again"
            stop_crawl(self.crawler, why)
        if self.crawl.stopped or outcome.disk_full:
            leave_unfinished(request)
            return False
        answer: Response | None = getattr(failure.value, "response", None)
        source = attempted(request.meta["audio"], None, request)
        source.http_status = answer.status if answer is not None else None
        self._keep_apart(request)
        outcome = await self._unless_gone(source, outcome)
        await self.settle(source, Outcome(outcome.status, where + outcome.reason))
        return outcome.status != Status.LIMIT

    async def settle(self, source: AudioSource, outcome: Outcome) -> None:
        """Write the row with its final status."""
        source.status = source.last_status = outcome.status
        source.reason = source.last_error = outcome.reason
        self.logger.info("%s: %s: %s", source.source_url, outcome.status, outcome.reason)
        self.crawl.tallies.count_outcome(source.source_url, outcome.status, outcome.reason)
        await self.crawl.write([source])

    def _next_alternate(self, request: Request) -> list[Request]:
        alternates: list[Alternate] = request.meta.get("alternates", [])
        if not alternates:
            return []
        (url, source), *others = alternates
        source.status, source.reason, source.last_status, source.last_error = Status.PENDING, None, None, None
        self.crawler.stats.inc_value(f"audio/{Status.ALTERNATE}", -1)
        self.crawler.stats.inc_value("audio/found", -1)  # its request counts it again
        return [self.audio_request(url, source, others)]

    async def _unless_gone(self, source: AudioSource, outcome: Outcome) -> Outcome:
        if source.http_status not in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return outcome
        before = await self.crawl.find_source(source.source_url)
        return outcome if before is None or before.sha256 is None else Outcome(Status.GONE, outcome.reason)


def is_known(answer: Response) -> bool:
    """Return whether the answer says that the file has not changed, and nothing that opts it out."""
    is_same = answer.status == HTTPStatus.NOT_MODIFIED or answer.meta.get("is_same", False)
    return bool(is_same) and not answer.meta.get("opted_out")
