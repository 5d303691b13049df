"""JSON documents: JSON Feed, JSPF, answers of APIs and of oEmbed."""

from collections.abc import Iterator

from audiocrawler.discovery.candidate import Find
from audiocrawler.discovery.document import Document, parse
from audiocrawler.discovery.finders import embeds
from audiocrawler.discovery.json_media import media_in
from audiocrawler.discovery.sniff import DocumentType


def find(document: Document) -> Iterator[Find]:
    """Yield the audio that a JSON document names, and the player in an oEmbed answer (oEmbed 1.0, section 2.3.4)."""
    value = document.json
    if value is None:
        return
    yield from media_in(value, "json", "document")
    if isinstance(value, dict) and isinstance(markup := value.get("html"), str):
        yield from embeds.find(parse(markup, document.url, DocumentType.HTML))
