"""Judge by its bytes whether a body is a transcript or chapters; a page that says "not found" is neither."""

import codecs
import json
import re
from urllib.parse import urlsplit

from audiocrawler.model.errors import NotTextError
from audiocrawler.sniff import HEAD_BYTES, HTML, JSON, M3U, TEXT, VTT, XML, Sniffed, other, sniff

SRT = other("srt", "application/x-subrip", "SubRip subtitles")
TTML = other("ttml", "application/ttml+xml", "TTML subtitles")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CUE = re.compile(r"(?:\d+[ \t]*\r?\n|\r)?[ \t]*\d{1,3}:\d\d:\d\d[,.]\d{1,3}[ \t]*-->")
_TTML = re.compile(r"<(?:\w+:)?tt[\s>]")
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)
_ERROR_TITLE = re.compile(
    r"\b(?:404|403|401|410|50\d|not found|error|denied|forbidden|log ?in|sign ?in|just a moment|captcha)\b",
    re.IGNORECASE,
)
_ERROR_MEMBERS = frozenset(("code", "detail", "error", "errors", "message", "msg", "ok", "path", "reason", "status"))
_ERROR_MEMBERS |= {"statuscode", "success", "timestamp", "title", "type"}
_HTML_TYPES = frozenset(("text/html", "application/xhtml+xml"))
_HTML_ENDINGS, _PLAIN_ENDINGS = (".html", ".htm", ".xhtml"), (".txt", ".text")


def text_kind(body: bytes, declared: str, url: str, content_type: str) -> Sniffed:
    """Return the type of a transcript or of chapters; raises NotTextError with the reason.

    ``declared`` is the type that the document states: only by it, or by the end of the URL, is a page or plain text
    a transcript. ``content_type`` is the server's; it is asked where nothing is declared, and only about plain text.
    """
    if not body.strip():
        raise NotTextError("empty response")
    head = body[:HEAD_BYTES]
    text = _decoded(head)
    kind = sniff(text.encode()) if text else sniff(head)
    if _CUE.match(text.lstrip("\ufeff\r\n\t ")):
        return SRT
    if kind in {VTT, JSON}:
        return kind if kind is VTT else _checked_json(body)
    if kind is XML and _TTML.search(text):
        return TTML
    if kind is HTML:
        return _checked_page(text, declared, url)
    if kind is TEXT and _is_plain(declared, url, content_type):
        return TEXT
    raise NotTextError(f"got {kind.name} instead of a {'transcript' if kind is not M3U else 'single text'}")


def _decoded(head: bytes) -> str:
    """Return the start as text, empty if it is none; what is not UTF-8 is taken as Windows-1252, as browsers do."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return head[len(bom) :].decode(encoding, "replace").rstrip("\ufffd")
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        text = head.decode("cp1252", "replace")
    return "" if "\0" in text or sniff(head).is_audio else text


def _checked_json(body: bytes) -> Sniffed:
    try:
        value = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise NotTextError("got damaged JSON instead of a transcript") from error
    if isinstance(value, dict) and {str(name).lower() for name in value} <= _ERROR_MEMBERS:
        raise NotTextError("got an error message in JSON instead of a transcript")
    return JSON


def _checked_page(text: str, declared: str, url: str) -> Sniffed:
    is_declared = declared in _HTML_TYPES or (not declared and _path_of(url).endswith(_HTML_ENDINGS))
    if not is_declared:
        raise NotTextError("got an HTML page instead of a transcript")
    title = _TITLE.search(text)
    if title and _ERROR_TITLE.search(title[1]):
        raise NotTextError(f"got an HTML page titled {' '.join(title[1].split())[:80]!r} instead of a transcript")
    return HTML


def _is_plain(declared: str, url: str, content_type: str) -> bool:
    if declared:
        return declared == "text/plain"
    return _path_of(url).endswith(_PLAIN_ENDINGS) or content_type == "text/plain"


def _path_of(url: str) -> str:
    return urlsplit(url).path.lower()
