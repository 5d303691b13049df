"""What makes two requests the same: pages by Scrapy's canonical URL, audio by the key of its row.

The same page in the browser is another request, and a fragment there another page: some sites keep their routes in it.
"""

import hashlib

from scrapy import Request
from scrapy.utils.request import RequestFingerprinter, fingerprint


class MediaFingerprinter(RequestFingerprinter):
    """Scrapy's fingerprinter, except that each audio URL stays a request of its own, wherever it is redirected to.

    Its row would otherwise stay pending for ever when the target of a redirect, or the same query in another order,
    has been requested before.
    """

    def fingerprint(self, request: Request) -> bytes:
        """Return the bytes that are equal for equal requests."""
        if "render" in request.meta:
            plain = fingerprint(request, keep_fragments=True)
            return hashlib.sha1(b"render " + plain, usedforsecurity=False).digest()
        source = request.meta.get("audio")
        if source is None:
            page = super().fingerprint(request)
            return _digest(f"{page.hex()} {_round(request)}") if _round(request) else page
        key = request.meta.get("own_key") or getattr(source, "source_url", "")
        # The row's key tells the file, and its first URL may be another one at each visit.
        place = request.url if not key or "part" in request.meta or "redirect_urls" in request.meta else ""
        return _digest(f"audio {key} {place}{_round(request)}")


def _round(request: Request) -> str:
    """Return which round of a redirect loop this is: taken for a duplicate, it would end without a word."""
    return f" {request.meta['redirect_times']}" if request.url in request.meta.get("redirect_urls", []) else ""


def _digest(name: str) -> bytes:
    return hashlib.sha1(name.encode(), usedforsecurity=False).digest()
