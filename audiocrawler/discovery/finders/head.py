"""Find audio in Open Graph and Twitter cards, and embedded players of other hosts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from audiocrawler.discovery.candidate import ATTRIBUTE, ELEMENT, Find, Kind, Role
from audiocrawler.discovery.document import Document, one_line
from audiocrawler.discovery.hosts import is_audio_player_host, is_video_host, sources_of

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
_CONFIGURATION = "data-configuration"  # Podigee's player is a script
_AUDIO_PLAYER = re.compile(
    r"(?:audio|podcast|sound|listen|mp3)[^?#]*(?:player|embed)|(?:player|embed)[^?#]*(?:audio|podcast|sound|listen)|/player/(?:episode|track|show)",
    re.IGNORECASE,
)
_NO_PLAYER = re.compile(r"[/.-](?:auth|consent|cookies?|login|oauth2?|signin|web-auth)[/.?-]", re.IGNORECASE)
_ARCHIVE = re.compile(
    r"https?://(?:www\.)?archive\.org/embed/|https?://(?:www\.)?npr\.org/player/embed/", re.IGNORECASE
)
_OEMBED_TYPES = frozenset(("application/json+oembed", "text/json+oembed"))


def find_embeds(document: Document) -> Iterator[Find]:
    """Yield the players of known audio hosts, unambiguously named ones of others, and, if known, their media."""
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
    """Return whether a framed document is an audio player, by its host or name."""
    if is_video_host(url) or is_sign_in(url):
        return False
    return is_audio_player_host(url) or bool(_ARCHIVE.match(url) or _AUDIO_PLAYER.search(url))


def is_sign_in(url: str) -> bool:
    """Return whether a framed document is a form to sign in or to consent."""
    return bool(_NO_PLAYER.search(url))


_AUDIO_NAMES = {
    "og:audio": "og_audio",
    "og:audio:url": "og_audio",
    "og:audio:secure_url": "og_audio",
    "twitter:player:stream": "twitter_player_stream",
}
_PREVIEW_NAMES = frozenset(("music:preview_url", "music:preview_url:url", "music:preview_url:secure_url"))
_TYPE_NAMES = frozenset(("og:audio:type", "twitter:player:stream:content_type", "music:preview_url:type"))

_REACH = 6


@dataclass(slots=True)
class _Meta:
    name: str
    content: str


def find_opengraph(document: Document) -> Iterator[Find]:
    """Yield each audio URL with the type that follows it, and the cards' players."""
    properties = list(_properties(document))
    page: dict[str, str] = {}
    for each in properties:
        page.setdefault(each.name, each.content)
    for position, each in enumerate(properties):
        if each.name in _AUDIO_NAMES or each.name in _PREVIEW_NAMES:
            yield _audio(each, _declared_type(properties, position), page)
        elif each.name == "twitter:player" and not is_video_host(each.content):
            yield Find(url=each.content, found_by="twitter_player", confidence=ELEMENT, expected=Kind.EMBED)
            for source, kind in sources_of(each.content):
                yield Find(url=source, found_by="player_source", confidence=ATTRIBUTE, expected=kind)


def _properties(document: Document) -> Iterator[_Meta]:
    for element in document.elements("meta"):
        name = (element.get("property") or element.get("name") or "").strip().lower()
        content = (element.get("content") or "").strip()
        if content and name.startswith(("og:", "twitter:", "music:")):
            yield _Meta(name, content)


def _declared_type(properties: list[_Meta], position: int) -> str | None:
    """Return the type of the URL at ``position``: the next one before another main URL."""
    family = properties[position].name.partition(":")[0]
    for each in properties[position + 1 : position + _REACH]:
        if each.name in _TYPE_NAMES and each.name.startswith(family):
            return each.content
        if each.name == "og:audio" and family == "og":
            break
    return None


def _audio(meta: _Meta, mime_type: str | None, page: dict[str, str]) -> Find:
    return Find(
        url=meta.content,
        found_by=_AUDIO_NAMES.get(meta.name, "music_preview"),
        confidence=ELEMENT,
        expected=None if meta.name.startswith("twitter") else Kind.AUDIO,
        role=Role.PREVIEW if meta.name in _PREVIEW_NAMES else Role.MAIN,
        mime_type=mime_type,
        title=one_line(page.get("og:audio:title") or page.get("og:title") or page.get("twitter:title")),
        artist=one_line(page.get("og:audio:artist") or page.get("music:musician_description")),
    )
