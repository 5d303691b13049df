"""Read the Link header of a response (RFC 8288)."""

import re

from scrapy.http import Response

from audiocrawler.discovery.urls import absolute

_LINK = re.compile(r"<([^<>]+)>([^<>]*)")
_NEXT = re.compile(r";\s*rel\s*=\s*(?:\"[^\"]*\bnext\b[^\"]*\"|next\b)", re.IGNORECASE)


def next_url(response: Response) -> str | None:
    """Return the URL of the next page, None if the header names none."""
    header = b", ".join(response.headers.getlist("Link")).decode("latin-1")
    following = (url for url, parameters in _LINK.findall(header) if _NEXT.search(parameters))
    url = next(following, None)
    return absolute(response.url, url) if url else None
