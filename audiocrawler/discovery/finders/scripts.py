"""Scripts: JSON state is read with its descriptions, and everything is searched for strings that are audio URLs."""

import re
from collections.abc import Iterator

from audiocrawler.discovery.candidate import STRING, Find
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.json_media import media_in
from audiocrawler.discovery.json_text import values_in
from audiocrawler.discovery.media_types import MEDIA_NAME
from audiocrawler.discovery.string_media import urls_in

_WORTH_PARSING = re.compile(r"audio/|mp3|podcast|AudioObject", re.IGNORECASE)


def find(document: Document) -> Iterator[Find]:
    """Yield the audio that scripts name; linked data has its own finder."""
    for number, script in enumerate(document.elements("script")):
        text = script.text or ""
        if "ld+json" in (script.get("type") or "").lower():
            continue
        if MEDIA_NAME.search(text) or _WORTH_PARSING.search(text):
            yield from _in_script(text, f"script {number}")


def _in_script(text: str, scope: str) -> Iterator[Find]:
    for number, value in enumerate(values_in(text)):
        for each in media_in(value, "script_json", f"{scope} {number}"):
            each.hidden = each.title is None
            yield each
    for url in urls_in(text):
        yield Find(url=url, found_by="script_string", confidence=STRING, hidden=True)
