"""A download handler that streams the body of a request with the meta key ``body_file`` to that path.

It speaks the interface that Scrapy 2.20 announces (``BodyFileResponse``), so that it can be deleted then.
"""

import re
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    DownloadCancelledError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.base import DelayedCall
from twisted.internet.defer import Deferred
from twisted.web.client import Response as TxResponse

from audiocrawler.download.connect import CheckedAgent, CheckedDownloadHandler
from audiocrawler.download.connections import bounded, raise_open_files
from audiocrawler.download.progress import EndlessError, Progress, Unsized
from audiocrawler.download.room import NoRoomError, Room
from audiocrawler.download.signals import transfers_given_up
from audiocrawler.download.spool import Spool, SpoolError, decoder_for

PROGRESS_BYTES = 1 << 20
"""A broken transfer that brought at least so much does not count as a failed try."""

ROOM_CHECK_BYTES = 1 << 20
"""After so many bytes it is asked again whether there is room for more."""


class BodyFileResponse(Response):
    """A response whose body lies in the file ``body_file``; its ``body`` is empty, because 2.19's core measures it."""

    attributes: tuple[str, ...] = (*Response.attributes, "body_file")

    def __init__(self, *args: Any, body_file: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.body_file = body_file


class TooLargeError(DownloadCancelledError):
    """Raised when a body is, or grows, larger than the request's ``download_maxsize``."""


class TotalReachedError(DownloadCancelledError):
    """Raised when a body would bring the crawl's bytes above AUDIO_MAX_TOTAL_BYTES."""


class SpooledAgent(CheckedAgent):
    """An agent with a file in place of the buffer, and a timeout that every byte sets back."""

    spool: Spool
    stall_timeout_s: float
    max_total_bytes: int
    passes_total = False
    progress: Progress
    unsized: Unsized
    endless: str | None = None
    room: Room
    drips = False
    shortage: str | None = None
    started = False
    validator = ""
    _transport: Any = None

    def _cb_bodyready(self, txresponse: TxResponse, request: Request) -> Any:
        if txresponse.code in {HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION, HTTPStatus.PARTIAL_CONTENT}:
            self._spool_body(txresponse, request)
        return super()._cb_bodyready(txresponse, request)

    def _spool_body(self, txresponse: TxResponse, request: Request) -> None:
        partial = txresponse.code == HTTPStatus.PARTIAL_CONTENT
        wanted = _wanted_range(request)
        if wanted is not None and not partial:
            raise DownloadFailedError("the server does not serve ranges")
        start = wanted if wanted is not None else self.spool.size_bytes
        if partial and _range_start(txresponse) != start:
            raise DownloadFailedError(f"asked for bytes from {start} on, got another range")
        resumed = partial and wanted is None
        decoder = decoder_for(_header(txresponse, b"content-encoding"))
        self.validator = "" if decoder or wanted is not None else _strong_validator(txresponse)
        deliver_body = txresponse.deliverBody
        self.shortage = self.room.shortage(_length(txresponse))
        if self.shortage:
            txresponse._transport._producer.abortConnection()  # noqa: SLF001
            raise NoRoomError(self.shortage)

        def deliver(reader: Any) -> None:
            self.started = True
            self._transport = txresponse._transport  # noqa: SLF001 - no public way to end a transfer
            self.spool.begin(resumed=resumed, decoder=decoder)
            self.unsized.begin(txresponse.length)
            reader._bodybuf = self  # noqa: SLF001 - the buffer is the one thing to replace
            deliver_body(reader)  # type: ignore[no-untyped-call] # Twisted's is not annotated

        txresponse.deliverBody = deliver  # type: ignore[method-assign] # the one place where the reader is known

    def write(self, data: bytes) -> None:
        """Take the next bytes from the wire, and give the transfer another stall timeout."""
        self.spool.write(data)
        stats = self._crawler.stats
        stats.inc_value("audio/bytes", len(data))
        self.passes_total = bool(self.max_total_bytes) and stats.get_value("audio/bytes") > self.max_total_bytes
        timeout = cast("DelayedCall", self._timeout_cl)
        if timeout.active():
            timeout.reset(self.stall_timeout_s)
        self.drips = self.drips or not self.progress.is_enough(len(data))
        if self.spool.size_bytes // ROOM_CHECK_BYTES != (self.spool.size_bytes - len(data)) // ROOM_CHECK_BYTES:
            self.shortage = self.shortage or self.room.shortage()
        self.endless = self.endless or self.unsized.excess()
        if self.spool.error or self.spool.too_large or self.passes_total or self.drips or self.shortage or self.endless:
            self._transport._producer.abortConnection()  # noqa: SLF001

    def getvalue(self) -> bytes:
        """Return no bytes: they are on disk."""
        return self.spool.getvalue()

    def truncate(self, size: int) -> None:
        """Drop the body, as Scrapy does when it grows too large."""
        self.spool.truncate(size)


class BodyFileMixin:
    """Adds ``body_file`` to a handler that is derived from CheckedDownloadHandler."""

    _crawler: Any
    _pool: Any

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)  # type: ignore[call-arg] # the handler that this is mixed into
        raise_open_files()
        self._pool = bounded(self._pool)
        self._room = Room.from_settings(crawler.settings)
        self._transfers: set[Deferred[Response]] = set()
        crawler.signals.connect(self._give_up, signal=transfers_given_up)

    def _give_up(self) -> None:
        for transfer in list(self._transfers):
            transfer.cancel()

    async def download_request(self, request: Request) -> Response:
        """Download as ever, or into the file that the request names."""
        if "body_file" not in request.meta:
            return await super().download_request(request)  # type: ignore[misc, no-any-return]
        path = Path(request.meta["body_file"])
        part, validator_file = path.with_suffix(".part"), path.with_suffix(".validator")
        agent = self._agent(request, Spool(part, request.meta.get("download_maxsize", 0)))
        had_bytes = agent.spool.size_bytes
        keep = False
        try:
            response = await self._fetch(agent, _resuming(request, agent.spool, validator_file))
            return self._finished(response, agent, path)
        except (ResponseDataLossError, DownloadFailedError, DownloadTimeoutError):
            keep = bool(agent.started and agent.validator)
            if keep and agent.spool.size_bytes - had_bytes >= PROGRESS_BYTES:
                request.meta["retry_times"] = 0
            raise
        finally:
            agent.spool.close()
            _leave(part, validator_file, agent.validator if keep else "")

    def _agent(self, request: Request, spool: Spool) -> SpooledAgent:
        agent = SpooledAgent(
            contextFactory=self._contextFactory,  # type: ignore[attr-defined]
            bindAddress=self._bind_address,  # type: ignore[attr-defined]
            pool=self._pool,
            maxsize=self._default_maxsize,  # type: ignore[attr-defined]
            fail_on_dataloss=True,
            crawler=self._crawler,
        )
        agent.spool = spool
        agent.stall_timeout_s = request.meta["download_timeout"]
        agent.room = self._room
        least = self._crawler.settings.getfloat("AUDIO_MIN_BYTES_PER_S") * agent.stall_timeout_s
        agent.progress = Progress(agent.stall_timeout_s, least)
        agent.unsized = Unsized(self._crawler.settings.getfloat("AUDIO_MAX_UNSIZED_S"))
        agent.max_total_bytes = self._crawler.settings.getint("AUDIO_MAX_TOTAL_BYTES")
        return agent

    async def _fetch(self, agent: SpooledAgent, request: Request) -> Response:
        transfer = agent.download_request(request)
        self._transfers.add(transfer)
        try:
            with wrap_twisted_exceptions():
                return await maybe_deferred_to_future(transfer)
        except DownloadTimeoutError as error:
            what = "no byte" if agent.started else "no answer"
            raise DownloadTimeoutError(f"{what} came for {agent.stall_timeout_s:g} s") from error
        except Exception as error:
            _raise_cause(agent, error)
            raise
        finally:
            self._transfers.discard(transfer)

    def _finished(self, response: Response, agent: SpooledAgent, path: Path) -> Response:
        stats = self._crawler.stats
        if not agent.started or "download_stopped" in response.flags:
            return response
        if "partial" in response.flags and not agent.spool.size_bytes:
            return response
        _raise_cause(agent, None)
        agent.spool.part.replace(path)
        if response.status == HTTPStatus.PARTIAL_CONTENT:
            stats.inc_value("audio/resumed")
        headers = response.headers.copy()
        headers.pop("Content-Encoding", None)  # undone here
        return BodyFileResponse(
            response.url,
            status=200,
            headers=headers,
            flags=response.flags,
            certificate=response.certificate,
            ip_address=response.ip_address,
            protocol=response.protocol,
            body_file=str(path),
        )


class BodyFileDownloadHandler(BodyFileMixin, CheckedDownloadHandler):
    """The HTTP/1.1 handler with ``body_file``."""


def _resuming(request: Request, spool: Spool, validator_file: Path) -> Request:
    if not spool.size_bytes or not validator_file.exists():
        return request
    headers = request.headers.copy()
    headers["Range"] = f"bytes={spool.size_bytes}-"
    headers["If-Range"] = validator_file.read_text(encoding="latin-1")  # RFC 9110, section 13.1.5
    return request.replace(headers=headers)


def _leave(part: Path, validator_file: Path, validator: str) -> None:
    """Keep the part with its validator for a resume, or nothing."""
    if validator:
        validator_file.write_text(validator, encoding="latin-1")
        return
    for path in (part, validator_file):
        with suppress(FileNotFoundError):
            path.unlink()


def _raise_cause(agent: SpooledAgent, cause: Exception | None) -> None:
    """Raise what ended the transfer, where the connection's end is only its consequence."""
    spool = agent.spool
    if spool.error:
        raise spool.error from spool.error.__cause__
    if spool.too_large or (type(cause) is DownloadCancelledError and "larger than" in str(cause)):
        raise TooLargeError(f"larger than {spool.max_bytes} bytes") from cause
    if agent.shortage:
        raise NoRoomError(agent.shortage) from cause
    if agent.endless:
        raise EndlessError(agent.endless) from cause
    if agent.drips:
        raise DownloadTimeoutError(f"too few bytes came within {agent.stall_timeout_s:g} s") from cause
    if agent.passes_total:
        raise TotalReachedError(f"AUDIO_MAX_TOTAL_BYTES of {agent.max_total_bytes} would be passed") from cause


def _header(txresponse: TxResponse, name: bytes) -> str:
    values: list[bytes] = txresponse.headers.getRawHeaders(name) or [b""]
    return values[0].decode("latin-1")


def _length(txresponse: TxResponse) -> int:
    return txresponse.length if isinstance(txresponse.length, int) else 0


def _range_start(txresponse: TxResponse) -> int | None:
    match = re.match(r"bytes (\d+)-", _header(txresponse, b"content-range"))
    return int(match[1]) if match else None


def _wanted_range(request: Request) -> int | None:
    """Return the first byte that the request asks for on its own account, None if it does not or only resumes."""
    value = (request.headers.get("Range") or b"").decode("latin-1")
    match = None if "If-Range" in request.headers else re.match(r"bytes=(\d+)-", value)
    return int(match[1]) if match else None


def _strong_validator(txresponse: TxResponse) -> str:
    etag = _header(txresponse, b"etag")
    if etag:
        return "" if etag.startswith("W/") else etag
    return _header(txresponse, b"last-modified")


__all__ = ["BodyFileDownloadHandler", "BodyFileMixin", "BodyFileResponse", "SpoolError", "TooLargeError"]
