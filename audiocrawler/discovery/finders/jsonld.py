"""JSON-LD in ``script type=application/ld+json``: AudioObject, PodcastEpisode, MusicRecording and what holds them."""

from collections.abc import Iterator

from audiocrawler.discovery.candidate import Find
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.json_media import media_in
from audiocrawler.discovery.json_text import tolerant_json


def find(document: Document) -> Iterator[Find]:
    """Yield the audio of each JSON-LD block."""
    for number, script in enumerate(document.elements("script")):
        if "ld+json" in (script.get("type") or "").lower():
            yield from media_in(tolerant_json(script.text or ""), "json_ld", f"script {number}")
