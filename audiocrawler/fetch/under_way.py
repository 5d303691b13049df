"""Track the transfers of audio in progress, from Scrapy's signals."""

import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.http import Headers

from audiocrawler.fetch.requests import is_media

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


@dataclass(slots=True)
class Transfer:
    """A transfer: its host, the bytes received, and the size if the server states it."""

    host: str
    size_bytes: int = 0
    total_bytes: int | None = None
    begun_at: float = field(default_factory=time.monotonic)


class UnderWay:
    """Tracks transfers from their headers to their end."""

    def __init__(self, crawler: Crawler) -> None:
        self._transfers: dict[Request, Transfer] = {}
        crawler.signals.connect(self._begun, signal=signals.headers_received)
        crawler.signals.connect(self._received, signal=signals.bytes_received)
        crawler.signals.connect(self._ended, signal=signals.request_left_downloader)

    def longer_than(self, seconds: float) -> list[Transfer]:
        """Return the transfers that take longer, the oldest first."""
        before = time.monotonic() - seconds
        return [each for each in self._transfers.values() if each.begun_at < before]

    def _begun(self, headers: Headers, body_length: int | None, request: Request) -> None:
        if not is_media(request) or "Location" in headers:
            return
        transfer = self._transfers.setdefault(request, Transfer(urlsplit(request.url).hostname or ""))
        is_range = _RANGE.fullmatch((headers.get("Content-Range") or b"").decode("latin-1"))
        transfer.size_bytes = int(is_range[1]) if is_range else 0
        transfer.total_bytes = int(is_range[2]) if is_range else body_length or None

    def _received(self, data: bytes, request: Request) -> None:
        if request in self._transfers:
            self._transfers[request].size_bytes += len(data)

    def _ended(self, request: Request) -> None:
        self._transfers.pop(request, None)
