"""Sitemaps (sitemaps.org protocol 0.9) and indexes of them."""

from collections.abc import Iterator

from audiocrawler.discovery.candidate import LINK, Find, Kind
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.xml_tree import child_text

_LISTS = {"urlset": Kind.PAGE, "sitemapindex": Kind.PLAYLIST}


def find(document: Document) -> Iterator[Find]:
    """Yield what a sitemap lists: pages, or audio where the URL tells; the sitemaps of an index are its parts.

    The latter are of kind playlist, since like the entries of a playlist they belong to the document that lists them,
    and take a crawl no level deeper.
    """
    expected = _LISTS.get(document.root_name)
    if document.root is None or expected is None:
        return
    for entry in document.root:
        if url := child_text(entry, "loc"):
            yield Find(url=url, found_by="sitemap", confidence=LINK, expected=expected)
