"""``user:password@`` of URLs: sent as Authorization to the origin that it was given for, and to no other.

RFC 7617 for the header. A login travels in the meta of its request and of what its document leads to, never in a URL.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit, urlunsplit

from audiocrawler.addresses import plain_host

LOGIN = "login"
"""In the meta of a request: what ``login_of`` returns for the URL that it, or the document that named it, had."""
_PORTS = {"http": 80, "https": 443}

Login = Mapping[str, str]
"""An ``origin`` and the ``authorization`` that is meant for it, as the frontier keeps them."""


class Credentials:
    """The logins that start URLs name, for all that is found of their origins; the first of an origin stands."""

    def __init__(self, start_urls: Iterable[str]) -> None:
        self._logins: dict[str, Login] = {}
        for url in start_urls:
            if login := login_of(url):
                self._logins.setdefault(login["origin"], login)

    def headers_for(self, url: str, login: Login | None = None) -> dict[str, str]:
        """Return the header to send to ``url``: of ``login`` if it is meant for it, else of a start URL's login."""
        for each in (login, *self._logins.values()):
            if each and is_meant_for(each, url):
                return {"Authorization": each["authorization"]}
        return {}


def login_of(url: str) -> Login | None:
    """Return what the URL's ``user:password@`` comes to, None where there is none or it is empty."""
    user, _, password = urlsplit(url).netloc.rpartition("@")[0].partition(":")
    if not user and not password:
        return None
    pair = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
    return {"origin": _origin(url), "authorization": f"Basic {b64encode(pair).decode()}"}


def without_credentials(url: str) -> str:
    """Return the URL without ``user:password@``."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else url


def login_meta(url: str) -> dict[str, Any]:
    """Return what the meta of a request for ``without_credentials(url)`` takes along."""
    login = login_of(url)
    return {LOGIN: login} if login else {}


def is_meant_for(login: Login, url: str) -> bool:
    """Return whether the login's origin is that of ``url``, or the same host's before it went over to https."""
    origin = _origin(url)
    if origin == login["origin"]:
        return True
    scheme, _, rest = origin.partition(":")
    return scheme == "https" and rest.endswith(":443") and login["origin"] == f"http:{rest.removesuffix('443')}80"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return f"{scheme}://{plain_host(parts.hostname or '')}:{parts.port or _PORTS.get(scheme, 0)}"
