"""Search the documents that come where audio was expected: pages that play the file, playlists, answers of services."""

from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

from scrapy import Request

from audiocrawler.fetch.first_bytes import DOCUMENT_NAMES, FirstBytes
from audiocrawler.fetch.headers import KnownFile
from audiocrawler.fetch.requests import LANDING, Place
from audiocrawler.middlewares.credentials import inherit_login
from audiocrawler.model.rows import AudioSource

MAX_BARREN = 20
"""Documents without audio in a row after which those of a host are not searched: it answers 200 for what is gone."""
MAX_LANDING_BYTES = 16 * 1024**2
"""Longer documents are not requested again: they are no page that plays a file."""
_CAME = "got {} instead of audio"


def why_no_audio(came: str) -> str:
    """Return the reason for the row of a file in place of which something else came."""
    return _CAME.format(came)


def document_in(first: FirstBytes | None) -> str | None:
    """Return the name of the document whose first bytes came in place of audio, None if it is something else."""
    if first is None:
        return None
    judgement = first.judged()
    return judgement.name if judgement.is_document and not judgement.may_be_audio else None


def was_document(known: KnownFile) -> bool:
    """Return whether an earlier crawl got a document in place of the audio."""
    return any(known.reason == why_no_audio(name) for name in DOCUMENT_NAMES)


class Landings:
    """Requests the documents that come where audio was expected, as pages: each once.

    Audio that such a document led to is expected to be audio; if it is a document again, it is not searched, so that
    no circle or chain of them is followed. ``request`` makes the request for a document at a place.
    """

    def __init__(self, request: Callable[[str, Place], Request], *, deepest: int) -> None:
        self._request, self._deepest = request, deepest
        self._barren: Counter[str] = Counter()

    def request_for(self, url: str, source: AudioSource, file: Request) -> list[Request]:
        """Return the request that searches the document at ``url``, requested as ``file``; empty if it is left."""
        host = urlsplit(url).hostname or ""
        if LANDING in file.meta or self._barren[host] >= MAX_BARREN:
            return []
        self._barren[host] += 1
        place = Place(
            site=source.site,
            level=self._deepest,  # it belongs to the page: its own links are not followed
            nesting=1,
            via=source.found_by,
            opt_out=source.opt_out,
            is_landing=True,
        )
        request = self._request(url, place)
        request.meta["download_maxsize"] = MAX_LANDING_BYTES
        return [inherit_login(request, file.meta)]

    def note_audio(self, url: str) -> None:
        """Record that such a document has audio."""
        self._barren.pop(urlsplit(url).hostname or "", None)
