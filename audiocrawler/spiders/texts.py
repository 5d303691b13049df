"""Fetch the transcripts and chapters of stored files, one after the other, and name their objects in the row.

Each request carries the rest of its file's texts, so that one row is never written by two requests at once.
"""

import logging
from collections.abc import Callable
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from secrets import token_hex
from typing import Any

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from audiocrawler.config.arguments import Arguments
from audiocrawler.crawl.crawl import Crawl
from audiocrawler.crawl.lifecycle import leave_unfinished
from audiocrawler.fetch.headers import conditional_headers, disk_is_full, is_disk_full, media_type, validators
from audiocrawler.fetch.requests import KIND, OPTED_OUT, TEXT_CHAIN, TEXTS, RequestKind, name_of_text, own_audio_row
from audiocrawler.fetch.texts import text_kind
from audiocrawler.middlewares.credentials import inherit_login
from audiocrawler.middlewares.gates import StoredAlreadyError
from audiocrawler.model.errors import ContentTakenDownError, NotTextError, OutcomeError, WarehouseError
from audiocrawler.model.rows import AudioItem, AudioSource
from audiocrawler.model.statuses import Status, Trait
from audiocrawler.model.text import is_masked, mask_url
from audiocrawler.model.texts import (
    ERROR,
    OBJECT,
    OF_VERSION,
    Text,
    changes_too_often,
    combined,
    known_text,
    texts_of_row,
)
from audiocrawler.model.urls import LOGIN
from audiocrawler.records import clean_name, outcome_of_failure, outcome_without_body
from audiocrawler.sniff import Sniffed
from audiocrawler.storage import object_key, place_of

MAX_TEXT_BYTES = 16 << 20
"""Largest transcript: a day of speech has less than 2 MiB of text."""
_PRIORITY = 10
"""As audio: a text is fetched with its file, not after all pages."""

logger = logging.getLogger(__name__)


class Texts:
    """Requests the texts of a file whose row says that it is stored; ``stop`` ends the crawl with a reason."""

    def __init__(  # noqa: PLR0913 - the services that it works with
        self,
        crawl: Crawl,
        arguments: Arguments,
        *,
        parse: Callable[..., Any],
        failed: Callable[..., Any],
        refer: Callable[[Request, str], Request],
        stop: Callable[[str], None],
    ) -> None:
        self._crawl, self._arguments = crawl, arguments
        self._parse, self._failed, self._refer, self._stop = parse, failed, refer, stop

    @property
    def are_wanted(self) -> bool:
        """Return whether the crawl stores texts."""
        return self._arguments.transcripts == "yes"

    async def after_item(self, item: AudioItem, request: Request) -> list[Request]:
        """Return the request for the first text of a file that has left the pipelines, if it is stored."""
        if item.source.status not in Status.having(Trait.STORED):
            return []
        try:
            return await self.requests_for(item.source, request.meta)
        except WarehouseError as error:  # which a signal would only log
            leave_unfinished(request)
            self._stop(str(error))
            return []

    async def after_unchanged(self, request: Request) -> list[Request]:
        """Return the request for the first text of a file that was not downloaded again."""
        source = own_audio_row(request)
        return await self.requests_for(source, request.meta) if source.status == Status.UNCHANGED else []

    async def after_failure(self, failure: Failure, request: Request) -> list[Request]:
        """Return the same for a file that is not requested because a run before this one has stored it."""
        is_stored = isinstance(failure.value, StoredAlreadyError)
        return await self.requests_for(own_audio_row(request), request.meta) if is_stored else []

    async def requests_for(self, source: AudioSource, meta: dict[str, Any]) -> list[Request]:
        """Return the request for the first text of a stored file; ``meta`` is that of the file's own request."""
        wanted = (meta.get(TEXTS) or texts_of_row(source)) if self.are_wanted else []
        if not wanted:
            return []
        before = await self._crawl.find_source(source.source_url)
        chain = {
            "of": source.source_url,
            "page": source.page_url,
            "wanted": wanted,
            "done": [],
            "before": (before.texts if before else None) or [],
            LOGIN: meta.get(LOGIN),
        }
        return await self._next(chain)

    async def ended(self, response: Response) -> list[Request]:
        """Store a text, write the row, and return the request for the next one."""
        assert response.request is not None
        chain = self._chain_of(response.request)
        text = chain["wanted"][0]
        known = known_text(text["url"], chain["before"])
        if known is not None and response.status == HTTPStatus.NOT_MODIFIED:
            self._count(chain, "audio/texts_unchanged")
            return await self._end(chain, _named(text) | _version(known))
        try:
            stored = await self._stored(text, response)
        except (OutcomeError, OSError) as error:
            if self._ends_crawl(error, response.request):
                return []
            return await self._end_failed(chain, str(error))
        is_same = known is not None and known.get(OBJECT) == stored[OBJECT]
        self._count(chain, "audio/texts_unchanged" if is_same else f"audio/texts_{text['kind']}")
        return await self._end(chain, _named(text) | stored)

    async def failed(self, failure: Failure, request: Request) -> list[Request]:
        """Note why a text could not be fetched, and return the request for the next one."""
        if self._ends_crawl(failure.value, request) or self._crawl.is_stopping:
            leave_unfinished(request)
            return []
        return await self._end_failed(self._chain_of(request), outcome_of_failure(failure).reason)

    def _chain_of(self, request: Request) -> dict[str, Any]:
        request.meta["depth"] = 0  # the texts of a file are no levels, which DEPTH_LIMIT counts
        chain: dict[str, Any] = request.meta[TEXT_CHAIN]
        return chain

    def _count(self, chain: dict[str, Any], name: str) -> None:
        self._crawl.outcomes.count(name_of_text(chain), name)

    def _ends_crawl(self, error: BaseException | None, request: Request) -> bool:
        if not is_disk_full(error):
            return False
        self._stop(disk_is_full(error))
        leave_unfinished(request)
        return True

    async def _next(self, chain: dict[str, Any]) -> list[Request]:
        """Return the request for the next text, after noting those that cannot or need not be requested."""
        if not chain["wanted"]:
            return []
        text = chain["wanted"][0]
        known = known_text(text["url"], chain["before"])
        if is_masked(text["url"]):
            return await self._end_failed(chain, "its URL has a secret that is not kept: crawl its page again")
        if not text["url"].startswith(("http://", "https://")):
            scheme = text["url"].partition(":")[0]
            return await self._end_failed(chain, f"only http and https can be fetched, not {scheme}")
        is_kept = known is not None and await self._is_stored(known)
        if known is None or not is_kept or self._arguments.refresh == "all":
            return [self._request(chain, None)]
        if changes_too_often(text["url"], chain["before"]):
            return await self._end(chain, _named(text) | _version(known))
        return [self._request(chain, known)]

    def _request(self, chain: dict[str, Any], known: Text | None) -> Request:
        conditions = conditional_headers(known.get("etag"), known.get("last_modified")) if known else {}
        meta = {
            KIND: RequestKind.TEXT.value,
            TEXT_CHAIN: chain,
            "download_maxsize": MAX_TEXT_BYTES,
            "allow_offsite": True,
            "dont_cache": True,
        }
        if known:
            meta["handle_httpstatus_list"] = [HTTPStatus.NOT_MODIFIED.value]
        request = Request(
            chain["wanted"][0]["url"],
            self._parse,
            errback=self._failed,
            headers=conditions,
            meta=meta,
            priority=_PRIORITY,
        )
        inherit_login(request, chain)
        return self._refer(request, chain["page"]) if chain["page"] else request

    async def _is_stored(self, known: Text) -> bool:
        return OBJECT in known and await self._crawl.in_thread(
            lambda: self._crawl.store.exists(place_of(known[OBJECT], None, self._crawl.store), None)
        )

    async def _stored(self, text: Text, response: Response) -> Text:
        """Store the body; return what the row says of it. Raises OutcomeError, and OSError if the disk is full."""
        if response.meta.get(OPTED_OUT):
            raise NotTextError(outcome_without_body(response).reason)
        if "dataloss" in response.flags:
            raise NotTextError("transfer aborted before its end")
        declared = text.get("type", "").partition(";")[0].strip().lower()
        kind = text_kind(response.body, declared, response.url, media_type(response.headers))
        digest = sha256(response.body).hexdigest()
        if self._crawl.tombstones.has_content(digest):
            raise ContentTakenDownError("the same bytes were taken down")
        url = await self._crawl.in_thread(lambda: self._put(response, digest, kind))
        given = zip(("etag", "last_modified"), validators(response.headers), strict=True)
        stated = {name: value for name, value in given if value}
        return {OBJECT: url, "sha256": digest, "media_type": kind.content_type, **stated}

    def _put(self, response: Response, digest: str, kind: Sniffed) -> str:
        path = Path(self._crawl.incoming.folder, f"text-{token_hex(8)}")
        name = clean_name(mask_url(response.url).partition("?")[0].rpartition("/")[2])
        try:
            path.write_bytes(response.body)
            return self._crawl.store.put(
                path,
                object_key(digest, kind.extension),
                content_type=kind.content_type,
                file_name=name,
                sha256=digest,
                source_url=response.url,
            )
        finally:
            path.unlink(missing_ok=True)

    async def _end_failed(self, chain: dict[str, Any], reason: str) -> list[Request]:
        """Note the reason beside what is stored already, and go on."""
        text = chain["wanted"][0]
        logger.info("%s: %s of %s: %s", mask_url(text["url"]), text["kind"], chain["of"], reason)
        self._count(chain, "audio/texts_failed")
        known = known_text(text["url"], chain["before"]) or {}
        return await self._end(chain, _named(text) | _version(known) | {ERROR: reason})

    async def _end(self, chain: dict[str, Any], entry: Text) -> list[Request]:
        """Write the row with the text's entry, and return the request for the next one.

        The row's status is pending, which leaves everything else in the table as it is.
        """
        done, waiting = [*chain["done"], entry], chain["wanted"][1:]
        texts = combined(done, waiting, chain["before"])
        await self._crawl.write([AudioSource(source_url=chain["of"], status=Status.PENDING, texts=texts)])
        return await self._next(chain | {"done": done, "wanted": waiting})


def _named(text: Text) -> Text:
    """Return what the document says of a text, secrets masked."""
    return text | {"url": mask_url(text["url"])}


def _version(known: Text) -> Text:
    return {name: known[name] for name in OF_VERSION if name in known}
