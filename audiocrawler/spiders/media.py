"""Request audio files, and turn the responses into items or finalised rows."""

import logging
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from scrapy import Request
from scrapy.http import Headers, HtmlResponse, Response
from twisted.python.failure import Failure

from audiocrawler.crawl.crawl import Crawl, sha256_of
from audiocrawler.crawl.lifecycle import LEASE, leave_unfinished
from audiocrawler.discovery import Document, Kind, read
from audiocrawler.discovery.hubs.google_drive import form_url
from audiocrawler.discovery.urls import absolute
from audiocrawler.fetch.first_bytes import FIRST_BYTES, FirstBytes
from audiocrawler.fetch.headers import KnownFile, disk_is_full
from audiocrawler.fetch.requests import (
    ARCHIVE,
    INTERSTITIAL,
    IS_SAME,
    KNOWN,
    OPTED_OUT,
    OWN_KEY,
    SEEN_VALIDATORS,
    TEXTS,
    TRUST,
    RequestKind,
    kind_of,
    meta_of_source,
    own_audio_row,
)
from audiocrawler.middlewares.credentials import inherit_login
from audiocrawler.middlewares.gates import StoredAlreadyError
from audiocrawler.model.rows import AudioItem, AudioSource
from audiocrawler.model.statuses import Status
from audiocrawler.records import Outcome, item_of, media_meta, outcome_of_failure, outcome_without_body, record_attempt
from audiocrawler.spiders.landing import Landings, document_in, was_document, why_no_audio

_REFRESH = re.compile(r"\s*(?:\d+|(?=\.))[\d.]*(?:\s*[;,]\s*|\s+)(?:url\s*=\s*)?(.+)", re.IGNORECASE | re.DOTALL)


class Interstitial:
    """A response that is not audio but refreshes to another URL; ``url`` is None if that is not an HTTP URL."""

    def __init__(self, came: str, url: str | None) -> None:
        self.came, self.url = came, url

    def why_not(self, *, is_second: bool) -> str | None:
        """Return why it is not followed, None if it is."""
        if is_second:
            return f"got {self.came} instead of audio, even after following its refresh once"
        return f"got {self.came} instead of audio, and its refresh is not to an HTTP URL" if self.url is None else None


def interstitial_in(answer: Response, first: FirstBytes | None) -> Interstitial | None:
    """Return the response as an interstitial, None if it is audio or has no refresh."""
    if first is None:
        return None
    judgement = first.judged()
    if judgement.may_be_audio:
        return None
    document = _document(answer, first.head)
    content = (answer.headers.get("Refresh") or b"").decode("utf-8", "replace") or _refresh_in(document)
    target = form_url(document) or target_of(content)
    return Interstitial(judgement.name, absolute(document.base_url, target)) if target else None


def target_of(content: str) -> str | None:
    """Return the target of a refresh, None if it only reloads (HTML, "shared declarative refresh steps")."""
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
VARYING = "content changes on every fetch; keeping the stored copy"

Alternate = tuple[str, AudioSource]
"""The URL of another file of the same recording, and its row."""


logger = logging.getLogger(__name__)


class Downloads:
    """Downloads audio: each URL is a scheduled request whose body is streamed to disk.

    ``parse`` and ``failed`` are the callbacks of these requests; they call ``ended`` and ``failed``.
    ``expand`` takes what is in a downloaded archive, ``refer`` sets a page as the Referer of a request, ``landings``
    searches documents that come in place of audio, and ``stop`` ends the crawl with a reason.
    """

    def __init__(  # noqa: PLR0913 - the services that it works with
        self,
        crawl: Crawl,
        *,
        parse: Callable[..., Any],
        failed: Callable[..., Any],
        expand: Callable[[Response, str], AsyncIterator[AudioItem]],
        refer: Callable[[Request, str], Request],
        landings: Landings,
        stop: Callable[[str], None],
    ) -> None:
        self._crawl, self._stats = crawl, crawl.stats
        self._parse, self._failed, self._refer, self._stop = parse, failed, refer, stop
        self._landings, self._expand = landings, expand

    def request(self, url: str, source: AudioSource, alternates: Sequence[Alternate] = ()) -> Request:
        """Return the request for the URL of a pending row; if it fails, the first alternate is tried instead."""
        own = {ARCHIVE: True} if source.kind == Kind.ARCHIVE else {}
        meta = media_meta(url, self._crawl.settings) | meta_of_source(source) | own
        return Request(
            url,
            self._parse,
            errback=self._failed,
            headers={"Accept-Encoding": "identity"},
            meta=meta | {"alternates": list(alternates)},
            priority=AUDIO_PRIORITY,
        )

    async def ended(self, response: Response) -> AsyncIterator[AudioItem | Request]:
        """Turn a downloaded body into an item, and a response without one into a finalised row."""
        request = response.request
        assert request is not None
        source = record_attempt(own_audio_row(request), response, request)
        body_file, first = getattr(response, "body_file", None), request.meta.pop(FIRST_BYTES, None)
        if body_file is not None and _is_archive(request, first):
            await self._decide_row(request, Path(body_file))
            async for item in self._expand(response, body_file):
                yield item
        else:
            async for each in self._file_ended(response, source, first):
                yield each

    async def _file_ended(
        self, response: Response, source: AudioSource, first: FirstBytes | None
    ) -> AsyncIterator[AudioItem | Request]:
        request, body_file = response.request, getattr(response, "body_file", None)
        assert request is not None
        interstitial, came = interstitial_in(response, first), document_in(first)
        if interstitial is not None and not request.meta.get(OPTED_OUT):
            for each in await self._follow_interstitial(interstitial, source, request, body_file):
                yield each
        elif came is not None and not request.meta.get(OPTED_OUT):
            for each in await self._search_landing(came, source, response, body_file):
                yield each
        elif body_file is not None:
            await self._decide_row(request, Path(body_file))
            yield item_of(source, response, body_file)
        elif is_known(response):
            for each in await self._take_known(response, source):
                yield each
        elif SEEN_VALIDATORS in request.meta and not request.meta.get(OPTED_OUT):
            yield request.replace(dont_filter=True)
        else:
            self._use_own_row(request)
            outcome = outcome_without_body(response)
            await self.finalise(source, outcome)
            for alternate in await self._next_alternate(request, outcome):
                yield alternate

    async def _follow_interstitial(
        self, interstitial: Interstitial, source: AudioSource, request: Request, body_file: str | None
    ) -> list[Request]:
        """Return the request for the target of an interstitial, or the next alternate."""
        await self._remove(body_file)
        why_not = interstitial.why_not(is_second=INTERSTITIAL in request.meta)
        if why_not is None:
            onward = self.request(str(interstitial.url), source, request.meta.get("alternates", ()))
            inherited = {name: request.meta[name] for name in (OWN_KEY, TRUST, TEXTS) if name in request.meta}
            return [onward.replace(meta={**onward.meta, **inherited, INTERSTITIAL: request.url}, dont_filter=True)]
        self._use_own_row(request)
        outcome = Outcome(Status.NOT_AUDIO, why_not)
        await self.finalise(source, outcome)
        return await self._next_alternate(request, outcome)

    async def _take_known(self, response: Response, source: AudioSource) -> list[Request]:
        """Finalise the row of a file that need not be downloaded again; return what is requested in its place."""
        request = response.request
        assert request is not None
        source.rotates = OWN_KEY in request.meta or None
        known = KnownFile(**request.meta[KNOWN])
        await self.finalise_known(source, known, varies=SEEN_VALIDATORS in request.meta)
        if known.size_bytes is not None:
            return []
        refused = Outcome(Status(known.status), known.reason or "")
        if (alternates := await self._next_alternate(request, refused)) or not was_document(known):
            return alternates
        return self._landings.request_for(response.url, source, request)

    async def _search_landing(
        self, came: str, source: AudioSource, response: Response, body_file: str | None
    ) -> list[Request]:
        """Finalise the row of a file in place of which a document came; return the next alternate, or the document."""
        request = response.request
        assert request is not None
        await self._remove(body_file)
        self._use_own_row(request)
        source.judged_by = self._crawl.ruleset
        outcome = Outcome(Status.NOT_AUDIO, why_no_audio(came))
        await self.finalise(source, outcome)
        alternates = await self._next_alternate(request, outcome)
        return alternates or self._landings.request_for(response.url, source, request)

    async def _remove(self, body_file: str | None) -> None:
        if body_file is not None:
            await self._crawl.in_thread(lambda: Path(body_file).unlink(missing_ok=True))

    async def _decide_row(self, request: Request, body: Path) -> None:
        """Decide by the bytes which row is meant if the URL leaves doubt."""
        if OWN_KEY not in request.meta and TRUST not in request.meta:
            return
        source = own_audio_row(request)
        before = await self._crawl.find_source(source.source_url)
        sha256 = await self._crawl.in_thread(lambda: sha256_of(body))
        if before is not None and before.sha256 == sha256:
            source.rotates = True
        else:
            self._use_own_row(request)

    def _use_own_row(self, request: Request) -> None:
        """Give the file the row of its own URL: it is not proved to be the file of the other row."""
        source = own_audio_row(request)
        key = request.meta.get(OWN_KEY)
        if key is not None and key != source.source_url:
            self._crawl.outcomes.rename(request.meta.get(LEASE), key)
            source.source_url = key

    async def finalise_known(self, source: AudioSource, known: KnownFile, *, varies: bool = False) -> None:
        """Write the row of a file that need not be downloaded again: unchanged, or refused as before."""
        source.content_type = None  # a 304 has none of the file's
        if varies:
            source.etag = source.last_modified = None  # they are not those of the stored bytes
        if known.size_bytes is None:
            source.judged_by = self._crawl.ruleset
            await self.finalise(source, Outcome(Status(known.status), known.reason or ""))
            return
        source.status = source.last_status = Status.UNCHANGED
        source.reason = VARYING if varies else None
        self._crawl.outcomes.count_outcome(source.source_url, source.status, source.reason)
        await self._crawl.write([source])
        await self._crawl.tell_unchanged(source)

    async def failed(self, failure: Failure, request: Request) -> list[Request]:
        """Finalise the row of a failed download, unless the crawl is stopping.

        Return the request that replaces it, if any.
        """
        why = request.meta.get("why_not_renewed")
        outcome = await self.finalise_failure(failure, request, f"{why}: " if why else "")
        return await self._next_alternate(request, outcome) if outcome else []

    async def refused(self, source: AudioSource, request: Request) -> list[Request]:
        """Return the request that replaces a file whose row the pipelines have finalised."""
        if source.status == Status.FAILED:  # a failure of our own
            return []
        return await self._next_alternate(request, Outcome(Status(source.status), source.reason or ""))

    async def fetched_again(self, source: AudioSource, again: Request | None, why: str) -> list[Request]:
        """Return the request that downloads a file again; none for a part, or after too many retries."""
        source.sha256 = source.size_bytes = None
        if again is not None and kind_of(again) is RequestKind.FILE:
            return [again]
        await self.finalise(source, Outcome(Status.FAILED, why))
        return []

    async def finalise_failure(self, failure: Failure, request: Request, where: str = "") -> Outcome | None:
        """Finalise the row of a failed request and return its outcome; None if the row is left alone."""
        if isinstance(failure.value, StoredAlreadyError):
            self._crawl.outcomes.count_outcome(own_audio_row(request).source_url, failure.value.status, None)
            return None
        outcome = outcome_of_failure(failure)
        if outcome.disk_full:
            self._stop(disk_is_full(outcome.reason))
        if self._crawl.is_stopping or outcome.disk_full:
            leave_unfinished(request)
            return None
        answer: Response | None = getattr(failure.value, "response", None)
        source = record_attempt(own_audio_row(request), None, request)
        source.http_status = answer.status if answer is not None else None
        self._use_own_row(request)
        outcome = await self._unless_gone(source, outcome)
        await self.finalise(source, Outcome(outcome.status, where + outcome.reason))
        return outcome

    async def finalise(self, source: AudioSource, outcome: Outcome) -> None:
        """Write the row with its final status."""
        source.status = source.last_status = outcome.status
        source.reason = source.last_error = outcome.reason
        logger.info("%s: %s: %s", source.source_url, outcome.status, outcome.reason)
        self._crawl.outcomes.count_outcome(source.source_url, outcome.status, outcome.reason)
        await self._crawl.write([source])

    async def _next_alternate(self, request: Request, outcome: Outcome) -> list[Request]:
        alternates: list[Alternate] = request.meta.get("alternates", [])
        if outcome.rules_out_recording:
            await self._crawl.write([_ruled_out(source, outcome) for _, source in alternates])
        if not alternates or not outcome.leaves_alternates:
            return []
        (url, source), *others = alternates
        source.status, source.reason, source.last_status, source.last_error = Status.PENDING, None, None, None
        self._stats.inc_value(f"audio/{Status.ALTERNATE}", -1)
        self._stats.inc_value("audio/found", -1)  # its request counts it again
        alternate = inherit_login(self.request(url, source, others), request.meta)
        alternate.meta.update({TEXTS: request.meta[TEXTS]} if TEXTS in request.meta else {})
        return [self._refer(alternate, source.page_url) if source.page_url else alternate]

    async def _unless_gone(self, source: AudioSource, outcome: Outcome) -> Outcome:
        if source.http_status not in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return outcome
        before = await self._crawl.find_source(source.source_url)
        return outcome if before is None or before.sha256 is None else Outcome(Status.GONE, outcome.reason)


def _is_archive(request: Request, first: FirstBytes | None) -> bool:
    return ARCHIVE in request.meta and (first is None or first.judged().may_be_archive)


def _ruled_out(alternate: AudioSource, outcome: Outcome) -> AudioSource:
    """Return the row of an alternate that is not tried because the outcome of another file holds for it, too."""
    status = Status.ALTERNATE
    reason = f"another file of the same recording is {outcome.status.replace('_', ' ')}: {outcome.reason}"
    return replace(alternate, status=status, last_status=status, reason=reason, last_error=reason)


def is_known(answer: Response) -> bool:
    """Return whether the response says that the file is unchanged, without an opt-out."""
    is_same = answer.status == HTTPStatus.NOT_MODIFIED or answer.meta.get(IS_SAME, False)
    return bool(is_same) and not answer.meta.get(OPTED_OUT)
