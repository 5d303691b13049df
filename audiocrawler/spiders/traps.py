"""Pages that a site makes up for ever: calendars, sessions in the path, endless combinations of parameters."""

import re
from collections import OrderedDict
from urllib.parse import urlsplit

from audiocrawler.discovery.urls import MAX_URL_LENGTH

MAX_PATH_LENGTH = 2000
MAX_SEGMENTS = 20
MAX_REPEATED_SEGMENTS = 3
MAX_BARREN_PAGES = 1_000
"""Pages of one shape in a row without audio, after which no more of it are asked for: a calendar, a faceted list."""
MAX_BARREN_NUMBERED_PAGES = 20_000
"""The same where one number in the path tells the pages apart, as it does for the articles of many sites."""
MAX_SHAPES = 50_000
_DIGITS = re.compile(r"\d+")


class Traps:
    """Tells which links lead nowhere, from their form and from what pages of the same shape have brought."""

    def __init__(self) -> None:
        self._barren: OrderedDict[str, int] = OrderedDict()

    def is_trap(self, url: str) -> bool:
        """Return whether ``url`` should not be followed."""
        path = urlsplit(url).path
        segments = [segment for segment in path.split("/") if segment]
        if len(url) > MAX_URL_LENGTH or len(path) > MAX_PATH_LENGTH or len(segments) > MAX_SEGMENTS:
            return True
        if any(segments.count(segment) > MAX_REPEATED_SEGMENTS for segment in segments):
            return True
        shape = shape_of(url)
        is_numbered = shape.endswith("?") and urlsplit(f"//{shape}").path.count("0") == 1
        return self._barren.get(shape, 0) >= (MAX_BARREN_NUMBERED_PAGES if is_numbered else MAX_BARREN_PAGES)

    def note_page(self, url: str, *, has_audio: bool) -> None:
        """Remember what a page has brought; of many shapes those seen longest ago are forgotten."""
        shape = shape_of(url)
        self._barren[shape] = 0 if has_audio else self._barren.get(shape, 0) + 1
        self._barren.move_to_end(shape)
        if len(self._barren) > MAX_SHAPES:
            self._barren.popitem(last=False)


def shape_of(url: str) -> str:
    """Return the URL with its numbers and the values of its parameters taken out."""
    parts = urlsplit(url)
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&")})
    return f"{parts.netloc}{_DIGITS.sub('0', parts.path)}?{'&'.join(names)}"
