"""Audio URLs in running text, such as WordPress shortcodes that were left unexpanded."""

import re
from collections.abc import Iterator

from audiocrawler.discovery.candidate import STRING, Find, Kind
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.media_types import MEDIA_EXTENSION, MEDIA_NAME
from audiocrawler.discovery.sniff import DocumentType
from audiocrawler.discovery.string_media import absolute_urls_in

_SHORTCODE = re.compile(r"\[(?:audio|podcast|powerpress)\s[^\[\]<>]{1,70000}\]", re.IGNORECASE)
_RELATIVE_URL = re.compile(
    rf"(?:src|url|{MEDIA_EXTENSION})\s*=\s*[\"'\u201c\u201d\u2033](/[^\s\"'\u201c\u201d\u2033]{{1,65536}})",
    re.IGNORECASE,
)
_UNREAD = frozenset(("a", "code", "pre", "script", "style", "textarea", "title"))


def find(document: Document) -> Iterator[Find]:
    """Yield the absolute audio URLs in the text of a page, code samples left out, or of a plain text.

    WordPress's unexpanded ``[audio src=...]`` may name relative ones too.
    """
    for text in _texts(document):
        if "://" in text:
            for url in absolute_urls_in(text):
                yield Find(url=url.rstrip(".,:!)]"), found_by="text", confidence=STRING)
        for shortcode in _SHORTCODE.findall(text) if "[" in text else ():
            for url in _RELATIVE_URL.findall(shortcode):
                yield Find(url=url, found_by="shortcode", confidence=STRING, expected=Kind.AUDIO)


def _texts(document: Document) -> Iterator[str]:
    if document.type is DocumentType.TEXT:
        yield document.text
    if not MEDIA_NAME.search(document.text):
        return
    for element in document.elements():
        if element.text and element.tag not in _UNREAD:
            yield element.text
        if element.tail:
            yield element.tail
