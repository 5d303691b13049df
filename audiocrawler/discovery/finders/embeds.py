"""Players of other hosts, to be followed: ``iframe``, ``embed``, ``object``, and oEmbed announcements of such hosts."""

import re
from collections.abc import Iterator

from lxml import etree

from audiocrawler.discovery.candidate import ATTRIBUTE, ELEMENT, Find, Kind
from audiocrawler.discovery.document import Document, one_line
from audiocrawler.discovery.hosts import is_audio_player_host, is_video_host
from audiocrawler.discovery.players import sources_of

_URL_ATTRIBUTES = (
    "src",
    "data-src",
    "data-lazy-src",
    "data-cmp-src",
    "data-consent-src",
    "data",
    "href",
    "data-configuration",
)
_CONFIGURATION = "data-configuration"  # of Podigee's player, which is a script
_AUDIO_PLAYER = re.compile(
    r"(?:audio|podcast|sound|listen|mp3)[^?#]*(?:player|embed)|(?:player|embed)[^?#]*(?:audio|podcast|sound|listen)|/player/(?:episode|track|show)",
    re.IGNORECASE,
)
_NO_PLAYER = re.compile(r"[/.-](?:auth|consent|cookies?|login|oauth2?|signin|web-auth)[/.?-]", re.IGNORECASE)
_ARCHIVE = re.compile(
    r"https?://(?:www\.)?archive\.org/embed/|https?://(?:www\.)?npr\.org/player/embed/", re.IGNORECASE
)
_OEMBED_TYPES = frozenset(("application/json+oembed", "text/json+oembed"))


def find(document: Document) -> Iterator[Find]:
    """Yield the players of known audio hosts, and surely so named ones of others, and where known what they play."""
    for element in document.elements("iframe", "embed", "object", "amp-iframe", "script"):
        yield from _frames(element)
    for element in document.elements("link"):
        href = element.get("href") or ""
        if (element.get("type") or "").lower() in _OEMBED_TYPES and is_audio_player_host(href):
            yield Find(url=href, found_by="oembed", confidence=ATTRIBUTE, expected=Kind.EMBED)


def _frames(element: etree._Element) -> Iterator[Find]:
    for name in _URL_ATTRIBUTES:
        if not (url := element.get(name)):
            continue
        absolute_url = f"https:{url}" if url.startswith("//") else url
        for source, kind in sources_of(absolute_url):
            yield Find(url=source, found_by="player_source", confidence=ATTRIBUTE, expected=kind)
        if (element.tag != "script" or name == _CONFIGURATION) and is_audio_player(absolute_url):
            yield Find(
                url=url,
                found_by="iframe",
                confidence=ELEMENT if is_audio_player_host(absolute_url) else ATTRIBUTE,
                expected=Kind.EMBED,
                title=one_line(element.get("title")),
            )


def is_audio_player(url: str) -> bool:
    """Return whether a framed document is an audio player, by its host's or its own name."""
    if is_video_host(url) or _NO_PLAYER.search(url):
        return False
    return is_audio_player_host(url) or bool(_ARCHIVE.match(url) or _AUDIO_PLAYER.search(url))
