"""Which URLs lead to one file: by another scheme, through trackers, or with the marks of a player."""

import re
from urllib.parse import urlsplit

from audiocrawler.discovery.media_types import AUDIO_EXTENSIONS, extension_of

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
    """Return a key that is equal for the addresses of one file: without scheme, trackers and marks of players.

    Another format or bit rate is another file: whether it is the same recording, only the document can tell. The
    exception is archive.org, which LibriVox uses too: its derivatives are named after their original, with the rate.
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
    """Return host and path without the prefixes of download counters, of which several may be chained."""
    for _ in range(_MAX_TRACKERS):
        place, stripped = _TRACKER.subn("", place, count=1)
        if not stripped:
            break
    return place
