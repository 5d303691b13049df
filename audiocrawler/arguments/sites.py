"""Which site a URL is of."""

from urllib.parse import urlsplit


def site_of(url: str) -> str:
    """Return the host that a site is known by: www. and the port do not make another one."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
