"""Pages that come in place of a file and lead to it by themselves, by a meta element or a Refresh header."""

import re

from scrapy.http import Headers, HtmlResponse, Response

from audiocrawler.discovery import Document, read
from audiocrawler.discovery.urls import absolute
from audiocrawler.download.first_bytes import FirstBytes

FOLLOWED = "interstitial"
"""In the meta of a request that an interstitial page has led to."""
_REFRESH = re.compile(r"\s*(?:\d+|(?=\.))[\d.]*(?:\s*[;,]\s*|\s+)(?:url\s*=\s*)?(.+)", re.IGNORECASE | re.DOTALL)


class Interstitial:
    """An answer that is no audio and tells a browser to go on; ``url`` is None where that is no HTTP URL."""

    def __init__(self, came: str, url: str | None) -> None:
        self.came, self.url = came, url

    def why_not(self, *, is_second: bool) -> str | None:
        """Return why it is not followed, None if it is."""
        if is_second:
            return f"{self.came} came in place of audio, also after its refresh had been followed once"
        return f"{self.came} came in place of audio, and its refresh leads to no HTTP URL" if self.url is None else None


def interstitial_in(answer: Response, first: FirstBytes | None) -> Interstitial | None:
    """Return the interstitial that the answer is, None if it is audio or leads nowhere."""
    if first is None or not first.can_tell:
        return None
    judgement = first.judgement or first.end()
    if judgement.may_be_audio:
        return None
    document = _document(answer, first.head)
    content = (answer.headers.get("Refresh") or b"").decode("utf-8", "replace") or _refresh_in(document)
    target = target_of(content)
    return Interstitial(judgement.name, absolute(document.base_url, target)) if target else None


def target_of(content: str) -> str | None:
    """Return where a refresh leads, None if it only reloads (HTML, "shared declarative refresh steps")."""
    match = _REFRESH.match(content)
    if match is None:
        return None
    target = match[1]
    return (target[1:].partition(target[0])[0] if target[0] in "'\"" else target).strip() or None


def _document(answer: Response, head: bytes) -> Document:
    headers = Headers({"Content-Type": answer.headers.get("Content-Type") or b""})
    return read(HtmlResponse(answer.url, headers=headers, body=head))


def _refresh_in(document: Document) -> str:
    metas = (each for each in document.elements("meta") if (each.get("http-equiv") or "").strip().lower() == "refresh")
    return next((each.get("content") or "" for each in metas), "")
