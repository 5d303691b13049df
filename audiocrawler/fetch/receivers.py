"""Receive response bodies: pages into memory, audio into part files."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from time import monotonic
from typing import Any

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    DownloadCancelledError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    StopDownload,
)
from scrapy.http import Response
from twisted.python.failure import Failure

from audiocrawler.fetch.curl import Head
from audiocrawler.fetch.parts import WITH_FILE, ContentRange, Part, Version, is_part
from audiocrawler.fetch.staging import DiskReserve, Spool, TooLargeError
from audiocrawler.model.errors import NoRoomError, OutcomeError
from audiocrawler.model.settings import settings_of
from audiocrawler.model.statuses import Status

UNPROVED = "unproved"
"""Response flag: nothing proves that the file is complete."""


class BodyFileResponse(Response):
    """A response with its body in the file ``body_file``; ``body`` is empty."""

    attributes: tuple[str, ...] = (*Response.attributes, "body_file")

    def __init__(self, *args: Any, body_file: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.body_file = body_file


class DigestError(OutcomeError, ResponseDataLossError):
    """Raised when a file does not match the digest that its server declares."""


class TotalReachedError(OutcomeError, DownloadCancelledError):
    """Raised when a body would exceed AUDIO_MAX_TOTAL_BYTES."""

    status = Status.LIMIT


class EndlessError(OutcomeError, DownloadCancelledError):
    """Raised when a body without a Content-Length takes longer than AUDIO_MAX_UNSIZED_S."""

    status = Status.STREAM


class ThroughputFloor:
    """The minimum a transfer must deliver within each window of seconds."""

    def __init__(self, window_s: float, least_bytes: float) -> None:
        self._window_s = window_s
        self._least_bytes = least_bytes
        self._begun_at = monotonic()
        self._bytes = 0

    def is_enough(self, size_bytes: int) -> bool:
        """Count more bytes; return False at the end of a window with too few."""
        self._bytes += size_bytes
        if monotonic() - self._begun_at < self._window_s:
            return True
        enough = self._bytes >= self._least_bytes
        self._begun_at, self._bytes = monotonic(), 0
        return enough


class UnboundedBody:
    """The time limit for a body without a Content-Length."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._ends_at: float | None = None

    def begin(self, length: object) -> None:
        """Start the clock unless ``length`` is a number of bytes."""
        self._ends_at = None if isinstance(length, int) else monotonic() + self._longest_s

    def excess(self) -> str | None:
        """Return the reason if the body has taken too long, else None."""
        if self._ends_at is None or monotonic() < self._ends_at:
            return None
        return f"no Content-Length and still sending after {self._longest_s:g} s (AUDIO_MAX_UNSIZED_S)"


MAX_ERROR_BYTES = 16 * 1024
"""How much of an unwanted error body is read."""
WORTH_RESUMING_BYTES = 1 << 20
"""Files of at least this size can be resumed even after a kill."""
ROOM_CHECK_BYTES = 1 << 20
"""How often the free disk space is checked."""
PORTION_BYTES = 256 * 1024
PORTION_S = 0.1
"""How often bytes after the first portion are counted and sent to Scrapy's signals: libcurl delivers 16 kB at a time,
and a signal costs more than receiving them."""


class EnoughError(Exception):
    """Raised to end an exchange from which no more is needed."""


class DownloadSignals:
    """Send Scrapy's signals about a response; a handler may stop the download."""

    def __init__(self, crawler: Crawler, request: Request) -> None:
        self.stop: StopDownload | None = None
        self._crawler, self._request = crawler, request
        self._asked_at = monotonic()

    def head(self, head: Head) -> None:
        """Send headers_received; raises EnoughError if a handler stops the download."""
        self._request.meta["download_latency"] = monotonic() - self._asked_at
        self._send(signals.headers_received, headers=head.headers, body_length=head.length_bytes)

    def data(self, data: bytes) -> None:
        """Send bytes_received; raises EnoughError if a handler stops the download."""
        self._send(signals.bytes_received, data=data)

    def _send(self, signal: object, **what: Any) -> None:
        results = self._crawler.signals.send_catch_log(
            signal=signal, request=self._request, spider=self._crawler.spider, **what
        )
        for _, result in results:
            if isinstance(result, Failure) and isinstance(result.value, StopDownload):
                self.stop = result.value
                raise EnoughError


class MemoryBody:
    """The body of a page, of at most ``max_bytes`` (0 for no limit); of an unwanted response only the first bytes."""

    def __init__(self, download_signals: DownloadSignals, max_bytes: int, is_wanted: Callable[[int], bool]) -> None:
        self.data = bytearray()
        self._signals = download_signals
        self._max_bytes = max_bytes
        self._is_wanted = is_wanted
        self._most_bytes = 0

    def begin(self, head: Head) -> None:
        """Receive the head; raises TooLargeError if the declared length is too large."""
        is_wanted = self._is_wanted(head.status)
        self._most_bytes = 0 if is_wanted else MAX_ERROR_BYTES
        if is_wanted and self._max_bytes and (head.length_bytes or 0) > self._max_bytes:
            raise TooLargeError(f"larger than {self._max_bytes} bytes")
        self._signals.head(head)

    def take(self, data: bytes) -> None:
        """Append the bytes; raises TooLargeError for too many, EnoughError when no more are needed."""
        self.data += data
        self._signals.data(data)
        if self._most_bytes and len(self.data) >= self._most_bytes:
            raise EnoughError
        if self._max_bytes and len(self.data) > self._max_bytes:
            raise TooLargeError(f"larger than {self._max_bytes} bytes")


class Bounds:
    """The limits of a transfer to disk; each method raises the error that ends it."""

    def __init__(self, crawler: Crawler, request: Request, room: DiskReserve) -> None:
        ours = settings_of(crawler)
        self.max_bytes = int(request.meta.get("download_maxsize", 0))
        self.stall_s = float(request.meta.get("download_timeout", crawler.settings.getfloat("DOWNLOAD_TIMEOUT")))
        self._stats = crawler.stats
        self._max_total_bytes = ours.max_total_bytes
        self.min_bytes_per_s = ours.min_bytes_per_s
        self._progress = ThroughputFloor(self.stall_s, self.min_bytes_per_s * self.stall_s)
        self._unsized = UnboundedBody(ours.max_unsized_s)
        self._room = room
        self._unchecked_bytes = 0

    def begin(self, length_bytes: int | None, size_bytes: int) -> None:
        """Check the length of the body, and the bytes already on disk."""
        if self.max_bytes and (length_bytes or 0) + size_bytes > self.max_bytes:
            raise TooLargeError(f"larger than {self.max_bytes} bytes")
        if deficit := self._room.deficit(length_bytes or 0):
            raise NoRoomError(deficit)
        self._unsized.begin(length_bytes)

    def count(self, size_bytes: int) -> None:
        """Count bytes received."""
        self._stats.inc_value("audio/bytes", size_bytes)
        if self._max_total_bytes and self._stats.get_value("audio/bytes") > self._max_total_bytes:
            raise TotalReachedError(f"AUDIO_MAX_TOTAL_BYTES={self._max_total_bytes} would be exceeded")
        if not self._progress.is_enough(size_bytes):
            raise DownloadTimeoutError(f"too slow: less than {self.min_bytes_per_s:g} bytes/s over {self.stall_s:g} s")
        if excess := self._unsized.excess():
            raise EndlessError(excess)
        self._unchecked_bytes += size_bytes
        if self._unchecked_bytes >= ROOM_CHECK_BYTES:
            self._unchecked_bytes = 0
            if deficit := self._room.deficit():
                raise NoRoomError(deficit)


class FileBody:
    """Write one response to a part file: the whole file, or the range after the part's end.

    ``wanted`` are the first and last byte of the request's own range, None for the whole file.
    """

    def __init__(
        self, download_signals: DownloadSignals, part: Part, bounds: Bounds, wanted: tuple[int, int] | None
    ) -> None:
        self.spool = Spool(part.path, bounds.max_bytes)
        self.had_bytes = self.spool.size_bytes
        self.last_byte_at = monotonic()
        self.is_begun = False
        self.is_framed = False
        self.is_stale = False
        """Whether the response is of another version than the part: the file must be fetched from its start."""
        self.is_already_complete = False
        self.is_partial = False
        """Whether the response is a range of the file."""
        self.ends_at: int | None = None
        """Where in the file the range must end."""
        self.error_body = bytearray()
        self._signals, self._part, self._bounds, self._wanted = download_signals, part, bounds, wanted
        self._skip_bytes = 0
        self._left_bytes: int | None = None
        self._noted_at = 0.0
        self._noted_bytes = self._unnoted_bytes = 0
        self._unsent: list[bytes] = []

    def begin(self, head: Head) -> None:
        """Check what the response is; raises EnoughError if its body is not needed, DownloadFailedError if invalid."""
        self.last_byte_at = monotonic()
        if head.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and self._part.version is not None:
            self._end_of_part(head, self._part.version)
        if head.status not in WITH_FILE:
            self._signals.head(head)
            return
        total_bytes = self._place(head)
        self._signals.head(head)
        self.spool.decode(head.all_text("Content-Encoding"))
        self._bounds.begin(head.length_bytes if self._left_bytes is None else self._left_bytes, self.spool.size_bytes)
        if self._part.version is None:
            self._part.version = self._version(head, total_bytes)
        if (head.length_bytes or 0) >= WORTH_RESUMING_BYTES:
            self._part.note_version()
        self.is_framed = head.is_framed
        self.is_begun = True

    def take(self, data: bytes) -> None:
        """Write the next bytes; raises what ends the transfer."""
        self.last_byte_at = monotonic()
        if not self.is_begun:
            self.error_body += data
            if len(self.error_body) >= MAX_ERROR_BYTES:
                raise EnoughError
            return
        if self._skip_bytes or self._left_bytes is not None:
            data = self._cut(data)
        self._unsent.append(self.spool.write(data))
        self._unnoted_bytes += len(data)
        is_due = self._unnoted_bytes >= PORTION_BYTES or self.last_byte_at - self._noted_at >= PORTION_S
        if is_due or self._noted_bytes < PORTION_BYTES or self._left_bytes == 0:
            self._note()
        if self._left_bytes == 0:
            self.is_framed = True
            raise EnoughError

    def finish(self) -> None:
        """Write the rest at the end of the body."""
        if self.is_begun:
            self._unsent.append(self.spool.finish())
            with suppress(EnoughError):  # there is nothing left to stop
                self._note()

    def _note(self) -> None:
        """Count the bytes since the last call and send their signal; raises what ends the transfer."""
        size_bytes, data = self._unnoted_bytes, b"".join(self._unsent)
        self._noted_at, self._noted_bytes = self.last_byte_at, self._noted_bytes + size_bytes
        self._unnoted_bytes, self._unsent = 0, []
        if size_bytes:
            self._bounds.count(size_bytes)
        if data:
            self._signals.data(data)

    def _place(self, head: Head) -> int | None:
        """Position the body in the file, and return the file's total size if known."""
        content = ContentRange.of(head)
        self.is_partial = head.status == HTTPStatus.PARTIAL_CONTENT or is_part(head, content)
        if content is not None and content.is_whole and self._wanted is None:
            self.is_partial = False
        if not self.is_partial:
            if self._part.is_missing(head.length_bytes):
                self._leave_part()
            if self._wanted is not None:
                self._skip_bytes, self._left_bytes = self._wanted[0], self._wanted[1] - self._wanted[0] + 1
            self._restart()
            return head.length_bytes
        if content is None or content.first is None or head.length_bytes not in {None, content.size_bytes}:
            self._leave_part_if_any()
            raise DownloadFailedError("the server sent part of the file without a valid Content-Range")
        self.ends_at = (content.last or 0) + 1
        if self._wanted is not None:
            if (content.first, content.last) != self._wanted:
                raise DownloadFailedError("the server sent another range than requested")
            self.ends_at = content.size_bytes
            self._restart()
        elif self._part.version is not None:
            self._check_continuation(head, content)
        elif content.first != 0:
            raise DownloadFailedError("the server sent part of the file instead of its start")
        else:
            self._restart()
        return content.total

    def _check_continuation(self, head: Head, content: ContentRange) -> None:
        assert self._part.version is not None
        is_same = self._part.version.is_continued_by(head, content.total)
        if not is_same or content.first != self.spool.size_bytes or head.all_text("Content-Encoding"):
            self._leave_part()
        if self._part.version.total_bytes is None:
            self._part.version = replace(self._part.version, total_bytes=content.total)

    def _end_of_part(self, head: Head, version: Version) -> None:
        """Accept the part as the complete file if the server confirms its size; raises EnoughError."""
        content = ContentRange.of(head)
        total_bytes = content.total if content else None
        known = version.etag, version.last_modified
        differs = any(had and got and had != got for had, got in zip(known, _validators(head), strict=True))
        if total_bytes != self.spool.size_bytes or differs:
            self._leave_part()
        self.is_already_complete = True
        raise EnoughError

    def _leave_part_if_any(self) -> None:
        if self._part.version is not None:
            self._leave_part()

    def _leave_part(self) -> None:
        self.is_stale = True
        raise EnoughError

    def _restart(self) -> None:
        self.spool.empty()
        self._part.version = None

    def _version(self, head: Head, total_bytes: int | None) -> Version | None:
        can_resume = self._wanted is None and not self.spool.is_encoding_named
        return Version.of(head, total_bytes) if can_resume else None

    def _cut(self, data: bytes) -> bytes:
        """Cut the wanted range out of the body of a server that ignores Range."""
        skipped = min(self._skip_bytes, len(data))
        self._skip_bytes -= skipped
        data = data[skipped:]
        if self._left_bytes is not None:
            data = data[: self._left_bytes]
            self._left_bytes -= len(data)
        return data


def _validators(head: Head) -> tuple[str, str]:
    return head.text("ETag"), head.text("Last-Modified")
