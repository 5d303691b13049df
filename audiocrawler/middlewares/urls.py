"""URLs as browsers take them: how long they may be, and what a backslash in a redirect means."""

from urllib.parse import urlsplit

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from audiocrawler.discovery.urls import MAX_URL_LENGTH, with_slashes

MAX_REFERER_LENGTH = 4096


class UrlTooLongError(IgnoreRequest):
    """Raised for a request that no server would take."""


class UrlLengthMiddleware:
    """Refuses what is longer than any server takes, so that its row tells; Scrapy's own drops it without a word."""

    def process_request(self, request: Request) -> None:
        """Let the request pass, or raise UrlTooLongError; a long Referer becomes an origin (Referrer Policy, 8.3)."""
        if len(request.url) > MAX_URL_LENGTH:
            raise UrlTooLongError(f"its URL is longer than {MAX_URL_LENGTH} characters")
        referer = (request.headers.get("Referer") or b"").decode("latin-1")
        if len(referer) > MAX_REFERER_LENGTH:
            parts = urlsplit(referer)
            request.headers["Referer"] = f"{parts.scheme}://{parts.netloc}/"


class LocationMiddleware:
    """Reads a redirect's target as browsers do (WHATWG URL, section 4.4)."""

    def process_response(self, request: Request, response: Response) -> Response:
        """Put slashes where the target has backslashes before its query."""
        location = response.headers.get("Location")
        if location is not None and b"\\" in location:
            response.headers["Location"] = with_slashes(location.decode("latin-1")).encode("latin-1")
        return response
