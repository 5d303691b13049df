"""Telling what a document is from its first characters, its declared type and its name."""

import re
from enum import StrEnum

from audiocrawler.discovery.media_types import bare_type, extension_of

_LOOK = 4096
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]*)")
_MARKUP = re.compile(
    r"<(?:a|article|audio|body|div|head|html|iframe|img|link|meta|p|script|source|span|title)\b", re.IGNORECASE
)
_XML_ROOTS = frozenset(
    ("asx", "feed", "metalink", "mpd", "opml", "playlist", "rdf", "rss", "sitemapindex", "smil", "urlset")
) | {"winmediaplaylist"}


class DocumentType(StrEnum):
    """The ways in which a document is read."""

    HTML = "html"
    XML = "xml"
    JSON = "json"
    PLAYLIST = "playlist"
    TEXT = "text"


def sniff(text: str, content_type: str, url: str) -> DocumentType:
    """Return how to read ``text``. What it holds outweighs what the server says, since servers err more often."""
    head = text[:_LOOK].lstrip("\ufeff \t\r\n")
    if head.startswith("#EXTM3U") or head[:10].lower() == "[playlist]":
        return DocumentType.PLAYLIST
    if head.startswith(("{", "[")):
        return DocumentType.JSON
    if head.startswith("<"):
        return _markup_type(text, bare_type(content_type))
    if _is_playlist(bare_type(content_type), extension_of(url)) and not _MARKUP.search(head):
        return DocumentType.PLAYLIST
    return DocumentType.HTML if "html" in content_type or _MARKUP.search(head) else DocumentType.TEXT


def root_name(text: str) -> str:
    """Return the local name of the first element in lower case, whatever prolog and comments precede it."""
    position = 0
    while (start := text.find("<", position)) >= 0:
        if text.startswith("<!--", start):
            end = text.find("-->", start)
        elif text.startswith(("<?", "<!"), start):
            end = _end_of_declaration(text, start)
        else:
            match = _ROOT.match(text, start)
            return match[1].rpartition(":")[2].lower() if match else ""
        if end < 0:
            return ""
        position = end + 1
    return ""


def _end_of_declaration(text: str, start: int) -> int:
    end = text.find(">", start)
    subset = text.find("[", start, end) if end > 0 else -1
    return text.find("]>", start) + 1 or -1 if subset > 0 else end


def _markup_type(text: str, content_type: str) -> DocumentType:
    name = root_name(text)
    if name == "html":
        return DocumentType.HTML
    if name in _XML_ROOTS:
        return DocumentType.XML
    declared_xml = content_type.endswith(("/xml", "+xml")) and content_type != "application/xhtml+xml"
    return DocumentType.XML if declared_xml and text.lstrip("\ufeff \t\r\n").startswith("<?xml") else DocumentType.HTML


def _is_playlist(content_type: str, extension: str) -> bool:
    return "mpegurl" in content_type or "scpls" in content_type or extension in ("m3u", "m3u8", "pls")
