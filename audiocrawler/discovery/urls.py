"""Joining what a document writes as a URL to its base, and telling what cannot be one."""

import re
from urllib.parse import urljoin, urlsplit

_IGNORED = re.compile(r"[\t\r\n]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"\{\{|\}\}|\$\{|<%|%>|\{%|%\}|\[\[|\]\]|<[a-z/?]|['\"]\s+\+|\+\s+['\"]|%7B%7B|[\ud800-\udfff]", re.IGNORECASE
)
_MAX_LENGTH = 4096


def absolute(base_url: str, url: str) -> str | None:
    """Return ``url`` joined to ``base_url`` without its fragment, or None if no HTTP request can be made of it.

    An absolute URL is left as written, since signed queries do not survive normalisation. Tabs and line ends are
    removed (WHATWG URL, section 4.4).
    """
    url = _IGNORED.sub("", url).strip().partition("#")[0]
    if not url or len(url) > _MAX_LENGTH or _PLACEHOLDER.search(url):
        return None
    try:
        joined = url if url[:8].lower().startswith(("http://", "https://")) else _joined(base_url, url)
        return joined if joined and _has_host(joined) else None
    except ValueError:
        return None


def _has_host(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]  # a password may have any character
    return bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s{}<>\"']", host)


def _joined(base_url: str, url: str) -> str | None:
    scheme = _SCHEME.match(url)
    if scheme and scheme[0].lower() not in ("http:", "https:"):
        return None
    joined = urljoin(base_url, url)
    return joined if joined.startswith(("http://", "https://")) else None


def key_of(url: str) -> str:
    """Return the form in which two spellings of one URL are equal: host in lower case, no default port."""
    parts = urlsplit(url)
    host = parts.netloc.lower()
    for scheme, port in (("http", ":80"), ("https", ":443")):
        if parts.scheme == scheme:
            host = host.removesuffix(port)
    return parts._replace(scheme=parts.scheme.lower(), netloc=host, path=parts.path or "/", fragment="").geturl()
