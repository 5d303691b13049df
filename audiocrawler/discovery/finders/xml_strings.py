"""XML of other kinds: OPML lists of feeds, and any audio URL that the text or attributes hold."""

from collections.abc import Iterator

from lxml import etree

from audiocrawler.discovery.candidate import LINK, STRING, Find, Kind
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.media_types import MEDIA_NAME
from audiocrawler.discovery.sniff import DocumentType
from audiocrawler.discovery.string_media import absolute_urls_in
from audiocrawler.discovery.xml_tree import attribute

_READ_ELSEWHERE = frozenset(("rss", "feed", "rdf", "playlist", "asx", "smil", "winmediaplaylist", "metalink", "mpd"))


def find(document: Document) -> Iterator[Find]:
    """Yield the audio URLs of an XML document that no other finder reads, and the feeds that OPML lists."""
    if document.root is None or document.type is not DocumentType.XML or document.root_name in _READ_ELSEWHERE:
        return
    for element in document.root.iter(etree.Element):
        if document.root_name == "opml" and (feed := attribute(element, "xmlurl")):
            yield Find(url=feed, found_by="opml", confidence=LINK, expected=Kind.FEED)
        for text in (element.text or "", *map(str, element.values())):
            if MEDIA_NAME.search(text):
                for url in absolute_urls_in(text):
                    yield Find(url=url, found_by="xml_string", confidence=STRING)
