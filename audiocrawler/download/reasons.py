"""What went wrong with a request, in one line that a person can act on."""

import errno

from scrapy import exceptions
from scrapy.exceptions import IgnoreRequest

from audiocrawler.download.body_file import DigestError
from audiocrawler.download.room import NoRoomError

_MESSAGES: dict[type[BaseException], str] = {
    exceptions.CannotResolveHostError: "unknown host",
    exceptions.ResponseDataLossError: "the transfer broke off before its end",
    exceptions.UnsupportedURLSchemeError: "only http and https can be fetched",
}


def explain(error: BaseException) -> str:
    """Return the reason in a few words, without the URL."""
    for error_type, message in _MESSAGES.items():
        if isinstance(error, error_type) and not isinstance(error, DigestError):
            return message
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


def _first_line(error: BaseException) -> str:
    if isinstance(error, IgnoreRequest) and not str(error):
        return "refused before it was sent"
    return str(error).strip().split("\n", 1)[0] or type(error).__name__
