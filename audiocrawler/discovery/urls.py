"""Make the URLs in documents absolute, and compute keys of equal URLs and files."""

import re
from functools import lru_cache
from hashlib import sha256
from urllib.parse import urljoin, urlsplit

from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, extension_of

_IGNORED = re.compile(r"[\t\r\n]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"\{\{|\}\}|\$\{|<%|%>|\{%|%\}|\[\[|\]\]|<[a-z/?]|['\"]\s+\+|\+\s+['\"]|%7B%7B|[\ud800-\udfff]", re.IGNORECASE
)
_PLAIN = re.compile(r"(?:[\w./:?=&,;~@!()*-]|%(?!7b%7b))*", re.IGNORECASE | re.ASCII)
"""A fast check: such a URL has no placeholder."""
MAX_URL_LENGTH = 65_535
"""Longer URLs are not requested; no server is known to take them."""
_TAIL_LENGTH = 40
_MAX_HOST_LENGTH = 253


def absolute(base_url: str, url: str) -> str | None:
    """Return ``url`` joined to ``base_url`` without its fragment, or None if it cannot be requested by HTTP.

    An absolute URL is kept as written, since normalisation breaks signed queries. Tabs and line ends are removed, and
    backslashes before the query become slashes (WHATWG URL, section 4.4). A URL longer than MAX_URL_LENGTH is
    shortened, but still longer than that.
    """
    url = with_slashes(_IGNORED.sub("", url).strip().partition("#")[0])
    if not url or (not _PLAIN.fullmatch(url) and _PLACEHOLDER.search(url)):
        return None
    try:
        joined = url if url[:8].lower().startswith(("http://", "https://")) else _joined(base_url, url)
        return _bounded(joined) if joined and _has_host(joined) else None
    except ValueError:
        return None


def with_slashes(url: str) -> str:
    """Return ``url`` with the backslashes before its query replaced by slashes, like browsers do."""
    if "\\" not in url:
        return url
    place, mark, query = url.partition("?")
    return place.replace("\\", "/") + mark + query


def _bounded(url: str) -> str:
    """Return the URL; a too long one as its start, a digest, and its end, which has the extension."""
    if len(url) <= MAX_URL_LENGTH:
        return url
    mark = "~" + sha256(url.encode(errors="replace")).hexdigest()[:8]
    return url[: MAX_URL_LENGTH + 1 - len(mark) - _TAIL_LENGTH] + mark + url[-_TAIL_LENGTH:]


def _has_host(url: str) -> bool:
    origin = _ORIGIN.match(url)
    return origin is not None and _names_host(origin[0])


_ORIGIN = re.compile(r"[^/]*//[^/?#]*")


@lru_cache(maxsize=1024)
def _names_host(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]  # a password may contain any character
    is_named = 0 < len(parts.hostname or "") <= _MAX_HOST_LENGTH
    return is_named and parts.port != 0 and not re.search(r"[\s{}<>\"']", host)


def _joined(base_url: str, url: str) -> str | None:
    scheme = _SCHEME.match(url)
    if scheme and scheme[0].lower() not in ("http:", "https:"):
        return None
    if scheme and url[len(scheme[0]) :][:1] == "/" and not base_url.lower().startswith(scheme[0].lower()):
        return f"{scheme[0]}//{url[len(scheme[0]) :].lstrip('/')}"
    joined = urljoin(base_url, url)
    return joined if joined.startswith(("http://", "https://")) else None


_CANONICAL = re.compile(r"https?://[a-z0-9.-]+/[!-\"$->@-~]*(?:\?[!-\"$-~]+)?")
"""A fast check: a URL that is its own key."""


def key_of(url: str) -> str:
    """Return a key that is equal for two spellings of one URL: host in lower case, no default port."""
    if _CANONICAL.fullmatch(url):
        return url
    parts = urlsplit(url)
    host = parts.netloc.lower()
    for scheme, port in (("http", ":80"), ("https", ":443")):
        if parts.scheme == scheme:
            host = host.removesuffix(port)
    return parts._replace(scheme=parts.scheme.lower(), netloc=host, path=parts.path or "/", fragment="").geturl()


_TRACKER = re.compile(
    r"^(?:(?:www\.|dts\.)?podtrac\.com/(?:pts/)?redirect\.\w+|(?:www\.)?chtbl\.com/track/[^/]+|chrt\.fm/track/[^/]+"
    r"|pdst\.fm/e|pscrb\.fm/rss/p|op3\.dev/e(?:,[^/]*)?|(?:\d+\.)?gum\.fm|prfx\.byspotify\.com/e|mgln\.ai/e/[^/]+"
    r"|arttrk\.com/p/[^/]+|verifi\.podscribe\.com/rss/p|claritaspod\.com/measure|pfx\.vpixl\.com/[^/]+"
    r"|traffic\.megaphone\.fm/redirect|swap\.fm/track/[^/]+|injector\.simplecastaudio\.com/redirect)/(?=[^/]+\.[^/]+/)",
    re.IGNORECASE,
)
_ARCHIVE_ITEM = re.compile(r"(?:[\w-]+\.)*archive\.org/(?:download|\d+/items)/", re.IGNORECASE)
_ARCHIVE_RATE = re.compile(r"_(?:64kb|128kb|vbr)(?=\.mp3$)", re.IGNORECASE)
_MAX_TRACKERS = 8
_IGNORED_PARAMETERS = frozenset(("_", "download", "dl", "src", "source", "ref", "utm_source"))


def file_key(url: str) -> str:
    """Return a key that is equal for all URLs of one file: without scheme, trackers and players' parameters.

    Another format or bit rate is another file; only the document shows whether it is the same recording. The exception
    is archive.org (also used by LibriVox), which names derivatives after their original, with the bit rate.
    """
    parts = urlsplit(url)
    place = strip_trackers(f"{parts.netloc}{parts.path}")
    if _ARCHIVE_ITEM.match(place):
        place = _ARCHIVE_RATE.sub("", place)
    if extension_of(url) not in AUDIO_EXTENSIONS:  # there the query names the file
        return f"{place}?{parts.query}"
    query = [each for each in parts.query.split("&") if each.partition("=")[0] not in _IGNORED_PARAMETERS]
    return f"{place}?{'&'.join(query)}"


def strip_trackers(place: str) -> str:
    """Return host and path without the prefixes of download counters, which may be chained."""
    for _ in range(_MAX_TRACKERS):
        tracker = _TRACKER.match(place)
        if tracker is None:
            break
        place = place[tracker.end() :]
    return place
