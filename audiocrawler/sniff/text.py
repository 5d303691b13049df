"""Text that a server sent in place of audio: markup, JSON, playlists, anything readable."""

import codecs
import re

from audiocrawler.sniff.kinds import HTML, JSON, M3U, PLS, TEXT, VTT, XML, Sniffed

_HTML_TAGS = (
    "!doctype html|html|head|body|title|script|meta|link|style|noscript|div|p|a|b|br|h[1-6]|center|font|span|img|iframe"
)
_HTML_START = re.compile(rf"<(?:{_HTML_TAGS})\b".encode())
_XML_START = re.compile(rb"<(?:\?xml|!--|[a-z_][\w:.-]*[\s/>])")
_JSON_START = re.compile(rb'\{\s*["}]|\[\s*[\[\]{"\d-]')
_STARTS = {b"#extm3u": M3U, b"[playlist]": PLS, b"webvtt": VTT}
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def look(head: bytes) -> Sniffed | None:
    """Return the kind of the text that starts with ``head``; None if it is not text in ASCII or UTF-8, or markup."""
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1024].lower()
    if _HTML_START.match(start):
        return HTML
    if _XML_START.match(start):
        return HTML if re.search(rb"<html\b", start) else XML
    named = next((kind for begin, kind in _STARTS.items() if start.startswith(begin)), None)
    if named or not _is_readable(head):
        return named
    return JSON if _JSON_START.match(start) else TEXT


def _is_readable(head: bytes) -> bool:
    try:
        # An incremental decoder forgives a character that the end of the head cuts.
        decoded = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return bool(decoded.strip()) and not _CONTROLS.search(decoded)
