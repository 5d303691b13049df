"""The body of a robots.txt: no more of it is transferred and decoded than is read (RFC 9309, section 2.5)."""

from itertools import chain

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import StopDownload
from scrapy.http import Headers, Response

from audiocrawler.download.encodings import Decoding, EncodingError

MAX_ROBOTS_BYTES = 500 * 1024
"""The least that a crawler must read; rules beyond it are ignored."""


class RobotsBodyMiddleware:
    """Ends the transfer of a robots.txt that is too long, and undoes its encoding within the same bound."""

    def __init__(self, crawler: Crawler) -> None:
        crawler.signals.connect(self._begin, signal=signals.headers_received)
        crawler.signals.connect(self._count, signal=signals.bytes_received)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "RobotsBodyMiddleware":
        """Return the middleware."""
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Response:
        """Return robots.txt decoded and cut after its last whole line."""
        if "robots" not in request.meta:
            return response
        encoding = response.headers.pop("Content-Encoding", [b""])[0].decode("latin-1")
        body = _decoded(response.body, encoding)
        if len(body) >= MAX_ROBOTS_BYTES:
            body = body[:MAX_ROBOTS_BYTES].rpartition(b"\n")[0]
        return response.replace(body=body)

    def _begin(self, headers: Headers, request: Request) -> None:
        del headers
        if "robots" in request.meta:
            request.meta["robots"] = 0

    def _count(self, data: bytes, request: Request) -> None:
        if "robots" not in request.meta:
            return
        request.meta["robots"] += len(data)
        if request.meta["robots"] >= MAX_ROBOTS_BYTES:
            raise StopDownload(fail=False)


def _decoded(body: bytes, encoding: str) -> bytes:
    """Return the first MAX_ROBOTS_BYTES, decoded; none if that fails, as noise has no rules either."""
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
