"""Download one complete file over as many requests as needed: resume by range, and never mix versions."""

import asyncio
import re
from base64 import b64decode
from binascii import Error as NotBase64Error
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import algorithms_available, file_digest
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadFailedError, DownloadTimeoutError, ResponseDataLossError
from scrapy.http import Headers, Response

from audiocrawler.fetch.client import Client, accepts_dataloss, response_of
from audiocrawler.fetch.curl import Exchange
from audiocrawler.fetch.parts import Part, Version
from audiocrawler.fetch.receivers import (
    UNPROVED,
    BodyFileResponse,
    Bounds,
    DigestError,
    DownloadSignals,
    EnoughError,
    FileBody,
)
from audiocrawler.fetch.requests import ARCHIVE
from audiocrawler.fetch.slots import PoliteDownloader
from audiocrawler.fetch.staging import DiskReserve, TooLargeError
from audiocrawler.model.errors import EncodingError, NoRoomError, SpoolError

SIZES = {"sha256": 32, "sha512": 64, "sha1": 20, "md5": 16, "crc32c": 4}
"""Digest size in bytes by algorithm, best first."""
_NAMES = {"sha-256": "sha256", "sha-512": "sha512", "sha": "sha1", "sha-1": "sha1", "md5": "md5", "crc32c": "crc32c"}
_DICTIONARY = re.compile(r"([a-z0-9-]+)=:([A-Za-z0-9+/=]*):")
"""A member of a structured field whose value is a byte sequence (RFC 9651, section 3.3.5)."""
_INSTANCE = re.compile(r"([A-Za-z0-9-]+)\s*=\s*([A-Za-z0-9+/=]+)")
_CONTENT_RANGE = re.compile(r"bytes\s+\d+-\d+/(\d+)\s*", re.IGNORECASE)


@dataclass(slots=True)
class Stated:
    """The size and the digests, by algorithm, that a server declares for a file."""

    size_bytes: int | None = None
    digests: dict[str, bytes] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is declared."""
        return self.size_bytes is None and not self.digests


def stated_in(status: int, headers: Headers) -> Stated:
    """Return the size and digests that a response declares for the unencoded file."""
    if is_encoded(headers) or status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        return Stated()
    is_whole = status == HTTPStatus.OK
    found = [*_members("Repr-Digest", headers), *_instances(headers), *_of_clouds(headers)]
    if is_whole:  # in a range response these two describe the range
        found += [*_members("Content-Digest", headers), ("md5", _text(headers, "Content-MD5"))]
    digests: dict[str, bytes] = {}
    for name, value in found:
        digest = _decoded(name, value)
        if digest is not None:
            digests.setdefault(name, digest)
    return Stated(_length(headers) if is_whole else _total(headers), digests)


def is_encoded(headers: Headers) -> bool:
    """Return whether the response's length and digests are those of the encoded file."""
    return _text(headers, "Content-Encoding").strip().lower() not in {"", "identity"}


def _length(headers: Headers) -> int | None:
    value = _text(headers, "Content-Length").strip()
    return int(value) if re.fullmatch(r"\d{1,18}", value) and "Transfer-Encoding" not in headers else None


def _total(headers: Headers) -> int | None:
    found = _CONTENT_RANGE.fullmatch(_text(headers, "Content-Range").strip())
    return int(found[1]) if found else None


def _members(header: str, headers: Headers) -> Iterator[tuple[str, str]]:
    for name, value in _DICTIONARY.findall(_text(headers, header)):
        yield _NAMES.get(name, ""), value


def _instances(headers: Headers) -> Iterator[tuple[str, str]]:
    for name, value in _INSTANCE.findall(_text(headers, "Digest")):
        yield _NAMES.get(name.lower(), ""), value


def _of_clouds(headers: Headers) -> Iterator[tuple[str, str]]:
    if _text(headers, "x-goog-stored-content-encoding") in {"", "identity"}:
        yield from _INSTANCE.findall(_text(headers, "x-goog-hash"))
    for name in ("sha256", "sha1", "crc32c"):
        yield name, _text(headers, f"x-amz-checksum-{name}")  # a multipart checksum is no digest


def _decoded(name: str, value: str) -> bytes | None:
    """Decode a Base64 or hex digest; return None if it does not fit the algorithm."""
    size_bytes = SIZES.get(name, 0)
    if size_bytes and re.fullmatch(rf"[0-9A-Fa-f]{{{2 * size_bytes}}}", value):
        return bytes.fromhex(value)
    try:
        digest = b64decode(value, validate=True)
    except (NotBase64Error, ValueError):
        return None
    return digest if size_bytes and len(digest) == size_bytes else None


def _text(headers: Headers, name: str) -> str:
    return b", ".join(headers.getlist(name)).decode("latin-1")


PROGRESS_BYTES = 1 << 20
"""An aborted transfer that brought at least this much does not count as a failed try."""
MAX_RESTARTS = 2
"""How often a file that changes during its transfer is restarted."""
SMALL_RANGE_BYTES = 4096
MAX_SMALL_RANGES = 16
"""After so many ranges smaller than SMALL_RANGE_BYTES the file is given up."""
_OF_RANGE = frozenset(
    {
        HTTPStatus.NOT_MODIFIED,
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.NOT_ACCEPTABLE,
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.NOT_IMPLEMENTED,
    }
)
"""Statuses with which servers reject Range or If-Range headers that they do not support."""
_ENDS_PART = (TooLargeError, NoRoomError, SpoolError, EncodingError)
"""Errors that resuming would meet again, so the part is dropped."""
_BYTE_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


class FileTransfer:
    """Download the file of a request to ``meta["body_file"]``."""

    def __init__(self, crawler: Crawler, client: Client, room: DiskReserve, request: Request) -> None:
        self._crawler, self._client, self._room, self._request = crawler, client, room, request
        self._path = Path(request.meta["body_file"])
        self._part = Part.at(self._path.with_suffix(".part"))
        self._wanted = wanted_range(request)
        self._restarts = self._small_ranges = 0
        self._is_resumed = self._has_refused_range = False

    async def run(self) -> Response:
        """Return the response, with the file in place if there is one; an incomplete part is kept to be resumed."""
        try:
            while True:
                response = await self._ask()
                if response is not None:
                    return response
                await self._keep_crawl_delay()
        except _ENDS_PART:
            self._part.drop()
            raise
        finally:
            self._part.keep()

    async def _ask(self) -> Response | None:
        """Return the response, or None if another request is needed."""
        bounds = Bounds(self._crawler, self._request, self._room)
        download_signals = DownloadSignals(self._crawler, self._request)
        body = FileBody(download_signals, self._part, bounds, self._wanted)
        asked_for = self._add_range()
        exchange = self._client.exchange(self._request, body)
        try:
            is_cut = await self._fetch(exchange, body, bounds)
        finally:
            body.spool.close()
            for name in asked_for:
                self._request.headers.pop(name, None)
        if body.is_stale or (body.ends_at is not None and body.spool.size_bytes > body.ends_at):
            self._restart()
            return None
        if body.is_already_complete:
            return self._done(exchange)
        if asked_for and not body.is_begun and download_signals.stop is None and self._refuses_range(exchange):
            self._has_refused_range = True
            return None
        if not body.is_begun or download_signals.stop is not None or not body.spool.size_bytes:
            self._drop_unless_passing(exchange)
            return response_of(self._request, exchange, bytes(body.error_body), download_signals.stop, [])
        if self._wants_more(body):
            return None
        await self._check_digest(exchange)
        return self._done(exchange, *([] if body.is_framed and not is_cut else [UNPROVED]))

    async def _check_digest(self, exchange: Exchange) -> None:
        """Compare the file with the digest that the server declares, if any; raises DigestError."""
        assert exchange.head is not None
        if self._wanted is not None:
            return
        stated = stated_in(exchange.head.status, exchange.head.headers).digests
        algorithm = next((name for name in SIZES if name in stated and name in algorithms_available), None)
        if algorithm is None:
            return
        found = await asyncio.to_thread(_digest_of, self._part.path, algorithm)
        if found != stated[algorithm]:
            self._part.drop()
            raise DigestError(f"{algorithm} mismatch: the file does not match the digest that the server declares")

    async def _fetch(self, exchange: Exchange, body: FileBody, bounds: Bounds) -> bool:
        """Return whether the body was cut short and is accepted anyway; raises what ended the transfer."""
        watch = _Watch(exchange, body, bounds.stall_s)
        try:
            await self._client.run(exchange)
        except EnoughError:
            return False
        except ResponseDataLossError:
            body.finish()
            if body.spool.is_decoded_to_its_end:
                body.is_framed = True
                return False
            self._reset_retries(body)
            if not body.is_begun or not accepts_dataloss(self._request, self._crawler.settings):
                raise
            return True
        except (DownloadFailedError, DownloadTimeoutError):
            self._reset_retries(body)
            raise
        finally:
            watch.stop()
        body.finish()
        self._check_encoding(body)
        return False

    def _check_encoding(self, body: FileBody) -> None:
        if not body.spool.is_decoded:
            return
        if not body.spool.is_decoded_to_its_end:
            raise ResponseDataLossError("transfer aborted: the encoded body is incomplete")
        body.is_framed = True

    def _reset_retries(self, body: FileBody) -> None:
        """Reset the retry count after a try that made progress and can be resumed."""
        can_resume = self._part.version is not None and bool(self._part.version.if_range)
        if can_resume and body.spool.size_bytes - body.had_bytes >= PROGRESS_BYTES:
            self._request.meta["retry_times"] = 0

    def _wants_more(self, body: FileBody) -> bool:
        """Return whether the response was a range that ends before the end of the file."""
        if not body.is_partial or self._wanted is not None:
            return False
        version = self._part.version
        total_bytes = version.total_bytes if version is not None else None
        if total_bytes is not None and body.spool.size_bytes >= total_bytes:
            return False
        if version is None or not version.if_range:
            raise DownloadFailedError("the server sent part of the file, and no strong validator to resume it")
        self._small_ranges += body.spool.size_bytes - body.had_bytes < SMALL_RANGE_BYTES
        if self._small_ranges > MAX_SMALL_RANGES:
            raise DownloadFailedError(f"{self._small_ranges} ranges of less than {SMALL_RANGE_BYTES} bytes: given up")
        return True

    def _refuses_range(self, exchange: Exchange) -> bool:
        """Return whether the error status may be about the range; then the whole file is requested once."""
        assert exchange.head is not None
        return exchange.head.status in _OF_RANGE

    def _drop_unless_passing(self, exchange: Exchange) -> None:
        """Drop the part unless the response is a redirect or a failure that may pass."""
        assert exchange.head is not None
        status = exchange.head.status
        if status < HTTPStatus.MULTIPLE_CHOICES or status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            self._part.drop()

    def _restart(self) -> None:
        self._part.drop()
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            raise DownloadFailedError(f"the file changed on the server during {self._restarts} transfers in a row")

    def _add_range(self) -> dict[str, str]:
        """Add the headers that request the missing range, and return them."""
        wanted = self._part.range_headers() if self._wanted is None and not self._has_refused_range else {}
        self._request.headers.update(wanted)
        self._is_resumed = self._is_resumed or bool(wanted)
        return wanted

    async def _keep_crawl_delay(self) -> None:
        downloader = self._crawler.engine.downloader
        host = urlsplit(self._request.url).hostname or ""
        if isinstance(downloader, PoliteDownloader):
            await asyncio.sleep(downloader.crawl_delays_s.get(host, 0.0))

    def _done(self, exchange: Exchange, *flags: str) -> BodyFileResponse:
        """Move the file into place and return the response, with the headers of the complete file."""
        assert exchange.head is not None
        headers = _of_whole_file(exchange.head.headers, self._part.version if self._is_resumed else None)
        path = self._put_in_place()
        if self._is_resumed:
            self._crawler.stats.inc_value("audio/resumed")
        return BodyFileResponse(
            self._request.url,
            status=HTTPStatus.OK,
            headers=headers,
            flags=list(flags),
            ip_address=ip_address(exchange.ip_address) if exchange.ip_address else None,
            protocol=exchange.head.protocol,
            body_file=str(path),
        )

    def _put_in_place(self) -> Path:
        """Return where the file is: an archive stays a part, which outlives the process until it is unpacked."""
        if ARCHIVE in self._request.meta and self._part.version is not None and self._part.version.if_range:
            return self._part.path
        self._part.move_to(self._path)
        return self._path


class _Watch:
    """Abort an exchange that delivers nothing for ``stall_s`` seconds."""

    def __init__(self, exchange: Exchange, body: FileBody, stall_s: float) -> None:
        self._exchange, self._body, self._stall_s = exchange, body, stall_s
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(stall_s, self._look)

    def stop(self) -> None:
        """Stop watching."""
        self._timer.cancel()

    def _look(self) -> None:
        left_s = self._body.last_byte_at + self._stall_s - monotonic()
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self._look)
            return
        what = "data" if self._body.is_begun else "response"
        self._exchange.abort(DownloadTimeoutError(f"no {what} for {self._stall_s:g} s"))


def _digest_of(path: Path, algorithm: str) -> bytes:
    with path.open("rb") as file:
        return file_digest(file, algorithm).digest()


def wanted_range(request: Request) -> tuple[int, int] | None:
    """Return the first and last byte of the request's own Range header, None for the whole file."""
    match = _BYTE_RANGE.fullmatch((request.headers.get("Range") or b"").decode("latin-1"))
    return (int(match[1]), int(match[2])) if match else None


def _of_whole_file(headers: Headers, version: Version | None) -> Headers:
    whole = headers.copy()
    for name in ("Content-Encoding", "Content-Range", *(("Content-Length",) if version else ())):
        whole.pop(name, None)
    if version is not None:
        whole.update(version.headers)
    return whole
