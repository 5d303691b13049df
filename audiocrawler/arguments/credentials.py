"""``user:password@`` of a start URL: sent to the origin that it was given for, and to no other."""

from collections.abc import Iterable
from urllib.parse import unquote, urlsplit, urlunsplit

from w3lib.http import basic_auth_header


class Credentials:
    """The Authorization header (RFC 7617) of each origin that a start URL names a user for."""

    def __init__(self, start_urls: Iterable[str]) -> None:
        self._headers = {_origin(url): _header(url) for url in start_urls if urlsplit(url).username}

    def headers_for(self, url: str) -> dict[str, bytes]:
        """Return the header to send to ``url``, none for an origin that no user was named for."""
        header = self._headers.get(_origin(url))
        return {"Authorization": header} if header else {}


def without_credentials(url: str) -> str:
    """Return the URL without ``user:password@``."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if parts.username else url


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.rpartition("@")[2].lower()


def _header(url: str) -> bytes:
    parts = urlsplit(url)
    return basic_auth_header(unquote(parts.username or ""), unquote(parts.password or ""))
