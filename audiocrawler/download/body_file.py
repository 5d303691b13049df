"""What a request with the meta key ``body_file`` comes to: a response whose body lies in that file.

It speaks the interface that Scrapy 2.20 announces, so that it can be deleted then.
"""

from typing import Any

from scrapy.exceptions import DownloadCancelledError, ResponseDataLossError
from scrapy.http import Response

UNPROVED = "unproved"
"""Flag of a response of which nothing tells whether it is the whole file."""


class BodyFileResponse(Response):
    """A response whose body lies in the file ``body_file``; its ``body`` is empty, because 2.19's core measures it."""

    attributes: tuple[str, ...] = (*Response.attributes, "body_file")

    def __init__(self, *args: Any, body_file: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.body_file = body_file


class DigestError(ResponseDataLossError):
    """Raised when a body has not the digest that its server states."""


class TooLargeError(DownloadCancelledError):
    """Raised when a body is, or grows, larger than the request's ``download_maxsize``."""


class TotalReachedError(DownloadCancelledError):
    """Raised when a body would bring the crawl's bytes above AUDIO_MAX_TOTAL_BYTES."""
