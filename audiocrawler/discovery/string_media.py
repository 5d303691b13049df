"""URLs of audio inside longer strings: scripts, delimited attributes, running text."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from audiocrawler.discovery.json_text import without_escapes
from audiocrawler.discovery.media_types import MEDIA_EXTENSION, MEDIA_NAME

_STOP = r"\s\"'`<>\\|{};"
_TOKEN = re.compile(rf"https?://[^{_STOP}]{{1,65536}}", re.IGNORECASE)
_LISTED = re.compile(r",(?=https?:)", re.IGNORECASE)
_MEDIA_URL = re.compile(rf".+?\.{MEDIA_EXTENSION}(?!\w)(?:[?/].*)?", re.IGNORECASE)
_QUOTED = re.compile(
    rf"(?P<quote>[\"'`])(?P<url>(?:\.{{0,2}}/|[\w%-]+/)[^\"'`<>\\\n{{}}()*$+]{{0,500}}\.{MEDIA_EXTENSION}(?:\?[^{_STOP}]{{0,65536}})?)(?P=quote)",
    re.IGNORECASE,
)
_ENCODED_SCHEME = re.compile(r"https?%3A%2F%2F", re.IGNORECASE)


def urls_in(text: str) -> Iterator[str]:
    """Yield the audio and playlist URLs in a text, escapes resolved: absolute ones, and relative paths in quotes."""
    if not MEDIA_NAME.search(text):
        return
    plain = without_escapes(text)
    yield from absolute_urls_in(plain)
    for match in _QUOTED.finditer(plain):
        if not _is_concatenated(plain, match):
            yield match["url"]


def absolute_urls_in(text: str) -> Iterator[str]:
    """Yield the absolute audio and playlist URLs in a text without escapes."""
    for token in _TOKEN.findall(text):
        if MEDIA_NAME.search(token):
            for part in _LISTED.split(token):
                if match := _MEDIA_URL.match(part):
                    yield match[0]


def decoded_urls_in(text: str) -> Iterator[str]:
    """Yield the audio URLs among the parameters of a player: in its query, its flashvars, percent-encoded or not."""
    yield from absolute_urls_in(unquote(text) if _ENCODED_SCHEME.search(text) else text)


def _is_concatenated(text: str, match: re.Match[str]) -> bool:
    """Return whether a string is only a part of a URL, which the script puts together."""
    before = text[max(0, match.start() - 3) : match.start()].rstrip()
    after = text[match.end() : match.end() + 3].lstrip()
    return before.endswith("+") or after.startswith("+")
