"""From a URL and what was said of it to its kind. Every trap of names and types is dealt with here, once."""

import re
from urllib.parse import parse_qsl, unquote, urlsplit

from audiocrawler.discovery.candidate import Kind
from audiocrawler.discovery.media_types import (
    AUDIO_EXTENSIONS,
    FOLLOWED_EXTENSIONS,
    OTHER_EXTENSIONS,
    VIDEO_EXTENSIONS,
    Other,
    extension_of,
    kind_of_type,
)
from audiocrawler.discovery.streams import is_endless

_WIKI_PAGE = re.compile(r"/wiki/(?!Special:|Spezial:)[^/]+:[^/]+$|/index\.php/[^/]+:[^/]+$", re.IGNORECASE)
_FILE_PAGE = re.compile(
    r"https?://(?:github\.com/[^/]+/[^/]+/blob/[^?]++(?!.*[?&]raw=)|(?:gitlab\.[^/]+|huggingface\.co)/.+/blob/"
    r"|(?:www\.)?archive\.org/details/|(?:www\.)?dropbox\.com/.+[?&]dl=0)",
    re.IGNORECASE,
)
_DOWNLOAD = re.compile(r"download|\bdl\b|getfile|get_file|media|audio|stream|serve|enclosure", re.IGNORECASE)
_MAX_QUERY = 2048
_PROGRAM_EXTENSIONS = frozenset(("", "php", "asp", "aspx", "ashx", "cgi", "do", "jsp", "pl"))
_MAY_BE_PACKED = (Kind.FEED, Kind.PLAYLIST)
_VIDEO_OR_AUDIO = frozenset(("ogg", "3ga", "asf"))


def classify(url: str, *, mime_type: str | None = None, expected: Kind | None = None) -> Kind | None:
    """Return the kind of an absolute URL, None if it is nothing of ours.

    ``mime_type`` is the type that the document declares, ``expected`` what the place of the URL makes of it. An
    extension that can only be audio outweighs both, because declared types lie more often.
    """
    if is_file_page(url):
        return Kind.PAGE
    kind = _kind(url, kind_of_type(mime_type), expected)
    if kind is Kind.AUDIO and (expected is Kind.STREAM or is_endless(url)):
        return Kind.STREAM
    return kind


def is_file_page(url: str) -> bool:
    """Return whether ``url`` ends like an audio file but is a page about it.

    Known are MediaWiki, the views of code hosts, items of the Internet Archive, and Dropbox without a download.
    """
    if extension_of(url) not in AUDIO_EXTENSIONS:
        return False
    return bool(_WIKI_PAGE.search(unquote(urlsplit(url).path)) or _FILE_PAGE.match(url))


def _kind(url: str, declared: Kind | Other | None, expected: Kind | None) -> Kind | None:
    extension = extension_of(url)
    if extension in FOLLOWED_EXTENSIONS:
        return FOLLOWED_EXTENSIONS[extension]
    if extension in AUDIO_EXTENSIONS:
        return None if _contradicts(extension, declared) else Kind.AUDIO
    if extension in OTHER_EXTENSIONS and expected not in _MAY_BE_PACKED:
        return None
    if isinstance(declared, Kind):
        return declared
    return _kind_by_place(url, declared, expected)


def _kind_by_place(url: str, declared: Other | None, expected: Kind | None) -> Kind | None:
    """Return the kind of a URL whose extension says nothing, or that it is video, which an audio element may play."""
    if expected in (Kind.AUDIO, Kind.STREAM):
        return None if declared else expected
    if expected is Kind.EMBED:
        return None if extension_of(url) in VIDEO_EXTENSIONS else expected
    if expected is not None or declared is not None:
        return expected
    return Kind.AUDIO if is_download_of_audio(url) else None


def _contradicts(extension: str, declared: Kind | Other | None) -> bool:
    if declared is Other.VIDEO:
        return extension in _VIDEO_OR_AUDIO
    return declared is Other.NO_MEDIA


def is_download_of_audio(url: str) -> bool:
    """Return whether a program's query names the audio file that it serves: ``download.php?file=x.mp3``."""
    parts = urlsplit(url)
    if extension_of(url) not in _PROGRAM_EXTENSIONS or not _DOWNLOAD.search(parts.path):
        return False
    values = (value for _, value in parse_qsl(parts.query[:_MAX_QUERY]))
    return any("://" not in value and extension_of(value) in AUDIO_EXTENSIONS for value in values)
