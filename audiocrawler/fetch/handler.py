"""Scrapy's download handler for http and https, with bodies in memory or in files."""

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import cast

from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadCancelledError, DownloadTimeoutError, ResponseDataLossError
from scrapy.http import Response

from audiocrawler.fetch.back_off import transfers_given_up
from audiocrawler.fetch.client import Client, accepts_dataloss, response_of
from audiocrawler.fetch.connect import policy_of, raise_open_file_limit
from audiocrawler.fetch.file_transfer import FileTransfer
from audiocrawler.fetch.receivers import DownloadSignals, EnoughError, MemoryBody
from audiocrawler.fetch.slots import polite
from audiocrawler.fetch.staging import DiskReserve


class StreamingDownloadHandler(BaseDownloadHandler):
    """Download http and https over libcurl, with checked addresses, size limits and resumed transfers."""

    def __init__(self, crawler: Crawler, store_folder: Path | None = None) -> None:
        super().__init__(crawler)
        raise_open_file_limit()
        verifies = crawler.settings.getbool("DOWNLOAD_VERIFY_CERTIFICATES")
        self._client = Client(lambda: policy_of(crawler), verifies_certificates=verifies)
        self._room = DiskReserve.from_settings(crawler.settings, store_folder)
        crawler.signals.connect(self._give_up, signal=transfers_given_up)

    async def download_request(self, request: Request) -> Response:
        """Download the request; raises Scrapy's download errors, RefusedAddressError and FileTransfer's errors."""
        polite(self.crawler).note_sent(request)
        if "body_file" in request.meta:
            return await FileTransfer(self.crawler, self._client, self._room, request).run()
        return await self._into_memory(request)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    def _give_up(self) -> None:
        self._client.abort_all(DownloadCancelledError("the crawl was stopped"))

    async def _into_memory(self, request: Request) -> Response:
        settings, meta = self.crawler.settings, request.meta
        download_signals = DownloadSignals(self.crawler, request)
        has_body = request.method != "HEAD"
        max_bytes = int(meta.get("download_maxsize", settings.getint("DOWNLOAD_MAXSIZE"))) if has_body else 0
        body = MemoryBody(download_signals, max_bytes, lambda status: self._is_wanted(request, status))
        exchange = self._client.exchange(request, body)
        timeout_s = float(meta.get("download_timeout", settings.getfloat("DOWNLOAD_TIMEOUT")))
        timer = asyncio.get_running_loop().call_later(timeout_s, exchange.abort, DownloadTimeoutError("timed out"))
        flags = []
        try:
            await self._client.run(exchange)
        except EnoughError:
            pass
        except ResponseDataLossError:
            if not body.data or not accepts_dataloss(request, settings, is_page=True):
                raise
            flags.append("dataloss")
        finally:
            timer.cancel()
        return response_of(request, exchange, bytes(body.data), download_signals.stop, flags)

    def _is_wanted(self, request: Request, status: int) -> bool:
        """Return whether anything will read the body of a response with this status."""
        if status < HTTPStatus.MULTIPLE_CHOICES or request.meta.get("handle_httpstatus_all"):
            return True
        settings, spider = self.crawler.settings, self.crawler.spider
        if settings.getbool("HTTPERROR_ALLOW_ALL"):
            return True
        handled = request.meta.get("handle_httpstatus_list", getattr(spider, "handle_httpstatus_list", ()))
        allowed = [*cast("list[int]", handled), *map(int, settings.getlist("HTTPERROR_ALLOWED_CODES"))]
        return status in allowed
