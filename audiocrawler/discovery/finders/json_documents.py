"""JSON documents: JSON Feed, JSPF, answers of APIs and of oEmbed."""

from collections.abc import Iterator

from audiocrawler.discovery.candidate import ELEMENT, Find, Kind
from audiocrawler.discovery.document import Document, parse
from audiocrawler.discovery.finders import embeds
from audiocrawler.discovery.json_media import media_in
from audiocrawler.discovery.sniff import DocumentType


def find(document: Document) -> Iterator[Find]:
    """Yield the audio that a JSON document names, the player in an oEmbed answer, the next page of a JSON Feed.

    oEmbed 1.0, section 2.3.4.2; JSON Feed 1.1, Top-level.
    """
    value = document.json
    if value is None:
        return
    yield from media_in(value, "json", "document")
    if not isinstance(value, dict):
        return
    if isinstance(markup := value.get("html"), str):
        yield from embeds.find(parse(markup, document.url, DocumentType.HTML))
    if isinstance(url := value.get("next_url"), str) and "jsonfeed.org" in str(value.get("version")):
        yield Find(url=url, found_by="feed_next", confidence=ELEMENT, expected=Kind.FEED)
