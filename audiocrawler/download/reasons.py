"""What went wrong with a request, in one line that a person can act on."""

import errno

from scrapy import exceptions
from scrapy.exceptions import IgnoreRequest
from twisted.web.client import ResponseFailed

from audiocrawler.download.room import NoRoomError

_MESSAGES: dict[type[BaseException], str] = {
    exceptions.CannotResolveHostError: "unknown host",
    exceptions.DownloadConnectionRefusedError: "connection refused",
    exceptions.ResponseDataLossError: "the transfer broke off before its end",
    exceptions.UnsupportedURLSchemeError: "only http and https can be fetched",
}


def explain(error: BaseException) -> str:
    """Return the reason in a few words, without the URL."""
    for error_type, message in _MESSAGES.items():
        if isinstance(error, error_type):
            return message
    if isinstance(error, exceptions.DownloadTimeoutError):
        return "timed out" if "took longer" in str(error) else str(error)
    if isinstance(error, exceptions.DownloadFailedError):
        return _explain_failed(error)
    return _first_line(error)


def is_disk_full(error: BaseException | None) -> bool:
    """Return whether a full disk or quota, or the end of the reserve, is behind the error."""
    while error is not None:
        if isinstance(error, NoRoomError):
            return True
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}:
            return True
        error = error.__cause__
    return False


def _explain_failed(error: exceptions.DownloadFailedError) -> str:
    cause = error.__cause__
    if not isinstance(cause, ResponseFailed):
        return _first_line(error)
    reasons = [reason.value for reason in cause.reasons if reason.value is not None]
    return f"the connection failed: {_first_line(reasons[0])}" if reasons else "the connection failed"


def _first_line(error: BaseException) -> str:
    if isinstance(error, IgnoreRequest) and not str(error):
        return "refused before it was sent"
    return str(error).strip().split("\n", 1)[0] or type(error).__name__
