"""Which URLs lead to one recording: the same file by another scheme, through a tracker, or in another format."""

import re
from urllib.parse import urlsplit

from audiocrawler.discovery.media_types import AUDIO_EXTENSIONS, LOSSLESS_EXTENSIONS, extension_of

_TRACKER = re.compile(
    r"^(?:(?:www\.|dts\.)?podtrac\.com/(?:pts/)?redirect\.\w+|(?:www\.)?chtbl\.com/track/[^/]+|chrt\.fm/track/[^/]+"
    r"|pdst\.fm/e|pscrb\.fm/rss/p|op3\.dev/e(?:,[^/]*)?|(?:\d+\.)?gum\.fm|prfx\.byspotify\.com/e|mgln\.ai/e/[^/]+"
    r"|arttrk\.com/p/[^/]+|verifi\.podscribe\.com/rss/p|claritaspod\.com/measure|pfx\.vpixl\.com/[^/]+"
    r"|traffic\.megaphone\.fm/redirect|swap\.fm/track/[^/]+|injector\.simplecastaudio\.com/redirect)/(?=[^/]+\.[^/]+/)",
    re.IGNORECASE,
)
_FORMAT_FOLDER = re.compile(r"/(?:aac|flac|m4a|mp3|oga|ogg|opus|wav)/", re.IGNORECASE)
_BIT_RATE = re.compile(r"[_-](?:\d{2,3}kb(?:ps)?|(?:64|96|128|160|192|256|320)k|vbr)$", re.IGNORECASE)
_MAX_TRACKERS = 8
_IGNORED_PARAMETERS = frozenset(("_", "download", "dl", "src", "source", "ref", "utm_source"))


def recording_key(url: str) -> str:
    """Return a key that is equal for URLs of one recording.

    It leaves out the scheme, trackers, marks of players, the format and the bit rate.
    """
    parts = urlsplit(url)
    place = strip_trackers(f"{parts.netloc}{parts.path}")
    extension = extension_of(url)
    if extension not in AUDIO_EXTENSIONS:  # there the query names the file
        return f"{place}?{parts.query}"
    query = [each for each in parts.query.split("&") if each.partition("=")[0] not in _IGNORED_PARAMETERS]
    stem = place.removesuffix(parts.path[parts.path.rindex(".") :])
    if extension not in LOSSLESS_EXTENSIONS:  # there it is the rate of the codec that is demonstrated
        stem = _BIT_RATE.sub("", stem)
    return f"{_FORMAT_FOLDER.sub('/', stem)}?{'&'.join(query)}"


def strip_trackers(place: str) -> str:
    """Return host and path without the prefixes of download counters, of which several may be chained."""
    for _ in range(_MAX_TRACKERS):
        place, stripped = _TRACKER.subn("", place, count=1)
        if not stripped:
            break
    return place
