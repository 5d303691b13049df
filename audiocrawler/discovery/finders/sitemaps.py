"""Find pages in sitemaps that are no XML of their own kind: plain lists of URLs, and links to sitemaps."""

from collections.abc import Iterator

from audiocrawler.discovery.candidate import ELEMENT, LINK, Find, Kind, Relation
from audiocrawler.discovery.document import Document, DocumentType, first_line
from audiocrawler.discovery.urls import MAX_URL_LENGTH


def find_text_sitemaps(document: Document) -> Iterator[Find]:
    """Yield the URLs of a text that has nothing but one URL a line (sitemaps.org, "Text file")."""
    if document.type is not DocumentType.TEXT or not _is_url(first_line(document.text)):
        return
    lines = [line for each in document.text.splitlines() if (line := each.strip("\ufeff \t"))]
    if lines and all(_is_url(line) for line in lines):
        for line in lines:
            yield Find(url=line, found_by="sitemap", confidence=LINK, expected=Kind.PAGE, relation=Relation.SITEMAP)


def _is_url(line: str) -> bool:
    return line[:8].lower().startswith(("http://", "https://")) and len(line) <= MAX_URL_LENGTH and " " not in line


def find_sitemap_links(document: Document) -> Iterator[Find]:
    """Yield the sitemaps that a page links to."""
    for element in document.elements("link", "a"):
        if (url := element.get("href")) and "sitemap" in (element.get("rel") or "").lower().split():
            yield Find(
                url=url, found_by="sitemap", confidence=ELEMENT, expected=Kind.PLAYLIST, relation=Relation.SITEMAP
            )
