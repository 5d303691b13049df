"""Audio in the head's ``meta`` elements: Open Graph and Twitter cards."""

from collections.abc import Iterator
from dataclasses import dataclass

from audiocrawler.discovery.candidate import ATTRIBUTE, ELEMENT, Find, Kind, Role
from audiocrawler.discovery.document import Document, one_line
from audiocrawler.discovery.hosts import is_video_host
from audiocrawler.discovery.players import sources_of

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


def find(document: Document) -> Iterator[Find]:
    """Yield each audio URL with the type that follows it, and the players that cards name."""
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
    """Return the type that belongs to the URL at ``position``: the next one before another main URL."""
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
