"""Prepare requests for files: the path to stream to, the download slot, and conditional headers."""

from http import HTTPStatus
from pathlib import Path

from scrapy import Request
from scrapy.http import Response

from audiocrawler.crawl.lifecycle import CrawlComponent
from audiocrawler.fetch.headers import conditional_headers, trusted
from audiocrawler.fetch.requests import KNOWN, TRUST, RequestKind, audio_row, is_media, kind_of
from audiocrawler.fetch.slots import media_slot, open_media_slot


class MediaMiddleware(CrawlComponent):
    """Give a media request the path of its body and its host's media slot."""

    def process_request(self, request: Request) -> None:
        """Prepare a media request; the slot is that of its current host, also after a redirect."""
        if not is_media(request):
            return
        slot = media_slot(request.url)
        open_media_slot(self._crawler, slot)
        request.meta["download_slot"] = slot
        incoming = self.crawl.incoming
        body_file = Path(request.meta.get("body_file", ""))
        if body_file.parent != incoming.folder:
            request.meta["body_file"] = str(
                incoming.path_for(self._crawler.request_fingerprinter.fingerprint(request).hex())
            )

    def process_response(self, request: Request, response: Response) -> Response:
        """Drop the Content-Encoding of a response that was stopped at its headers: there is no body to decode."""
        if "download_stopped" in response.flags:
            response.headers.pop("Content-Encoding", None)
        return response


class RevalidationMiddleware(CrawlComponent):
    """Request a file from an earlier crawl only if it has changed."""

    async def process_request(self, request: Request) -> None:
        """Add the known file and the conditional headers to a media request, once."""
        source = audio_row(request)
        if source is None or kind_of(request) is not RequestKind.FILE or KNOWN in request.meta:
            return
        known = await self.crawl.memory.recall(source.source_url)
        if known and TRUST in request.meta:
            known = trusted(known) if request.meta[TRUST] == "strong" else None
        request.meta[KNOWN] = known.as_meta() if known else None
        if known:
            request.headers.update(conditional_headers(known.etag, known.last_modified))
            request.meta["handle_httpstatus_list"] = [HTTPStatus.NOT_MODIFIED.value]
