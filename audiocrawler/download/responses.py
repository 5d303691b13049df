"""What an exchange has brought in; the response that Scrapy's parts read out."""

from contextlib import suppress
from ipaddress import ip_address

from scrapy import Request
from scrapy.exceptions import StopDownload
from scrapy.http import Response
from scrapy.responsetypes import responsetypes
from scrapy.settings import BaseSettings

from audiocrawler.download.back_off import BROKEN_OFF_RETRIES
from audiocrawler.download.curl import Exchange, Head
from audiocrawler.download.encodings import HEAD_BYTES, EncodingError, is_encoded


def response_of(
    request: Request, exchange: Exchange, body: bytes, stop: StopDownload | None, flags: list[str]
) -> Response:
    """Return the response with its body in memory; raises StopDownload where a signal's handler asked for that."""
    head = exchange.head
    assert head is not None
    _drop_wrong_encoding(head, body)
    kind = responsetypes.from_args(headers=head.headers, url=request.url, body=body)
    response = kind(
        request.url,
        status=head.status,
        headers=head.headers,
        body=body,
        flags=[*flags, *(["download_stopped"] if stop else [])],
        ip_address=ip_address(exchange.ip_address) if exchange.ip_address else None,
        protocol=head.protocol,
    )
    if stop is not None and stop.fail:
        stop.response = response
        raise stop
    return response


def _drop_wrong_encoding(head: Head, body: bytes) -> None:
    """Remove a Content-Encoding that the body does not have, before Scrapy's middleware fails on it."""
    if not body or "Content-Encoding" not in head.headers:
        return
    with suppress(EncodingError):
        if not is_encoded(head.all_text("Content-Encoding"), body[:HEAD_BYTES]):
            head.headers.pop("Content-Encoding")


def accepts_dataloss(request: Request, settings: BaseSettings, *, is_page: bool = False) -> bool:
    """Return whether a body that broke off is taken as it is.

    A file is, where DOWNLOAD_FAIL_ON_DATALOSS is off; a page is, as browsers take it; both at the last try only.
    """
    fails = request.meta.get("download_fail_on_dataloss", settings.getbool("DOWNLOAD_FAIL_ON_DATALOSS"))
    if fails and not is_page:
        return False
    if request.meta.get("dont_retry") or not settings.getbool("RETRY_ENABLED"):
        return True
    most = int(request.meta.get("max_retry_times", settings.getint("RETRY_TIMES")))
    return int(request.meta.get("retry_times", 0)) >= min(most, BROKEN_OFF_RETRIES)
