"""Find the names of files that code plays, relative to its page: in scripts, handlers and the variables of players."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, MEDIA_EXTENSION, MEDIA_NAME, extension_of

_NAME = rf"([\"'])(?P<name>[^\"'/\\<>{{}}\n:;|*$+]{{1,200}}\.{MEDIA_EXTENSION}(?:\?[^\"'\s]{{0,500}})?)\1(?!\s*\+)"
_PLAYED = re.compile(
    r"(?:\bnew\s+Audio\(|\.src\s*=|\b(?:audio|file|mp3|src)[\"']?\s*:\s*(?:\[(?:\s*[\"'][^\"'\n]{1,200}[\"']\s*,){0,5})?"
    rf"|\.setAttribute\(\s*[\"']src[\"']\s*,|addVariable\(\s*[\"']\w+[\"']\s*,)\s*{_NAME}",
    re.IGNORECASE,
)
_CALLED = re.compile(
    rf"\b\w{{0,40}}(?:audio|listen|play|song|sound|track)\w{{0,40}}\(\s*(?:this\s*,\s*)?{_NAME}", re.IGNORECASE
)
_WORDS = frozenset(("artist", "author", "caption", "name", "text", "title", "titles"))
_LISTED = re.compile(r"[|,]")
_MOST = 65_536


def names_played(text: str) -> Iterator[str]:
    """Yield the bare names that a script gives to an audio element or a player; the page's folder is theirs."""
    if MEDIA_NAME.search(text):
        for match in _PLAYED.finditer(text):
            yield match["name"]


def names_called(handler: str) -> Iterator[str]:
    """Yield the bare names in an event handler: also those passed to a function that is named after playing."""
    yield from names_played(handler)
    for match in _CALLED.finditer(handler):
        yield match["name"]


def relative_parameters(value: str) -> Iterator[str]:
    """Yield the relative addresses of files in the variables of a Flash player: ``player.swf?mp3=a/x.mp3``.

    They are relative to the page. Several are separated by a bar or a comma.
    """
    for name, text in parse_qsl(value.rpartition("?")[2][:_MOST]):
        for each in _LISTED.split(text) if name.lower() not in _WORDS else ():
            if "://" not in each and extension_of(f"/{each.lstrip('/')}") in AUDIO_EXTENSIONS:
                yield each
