"""Mend texts that parsers would read only in part: what surrounds a feed, and what follows the end of a page."""

import json
import re

_NOISE = 64 * 2**10
"""Characters before a feed that are searched for its start."""
_ROOTS = "rss|feed|rdf|opml|urlset|sitemapindex|playlist|asx|smil|mpd"
_XML_START = re.compile(
    rf"<\?xml\s[^>]*\?>\s*(?:<[?!][^>]*>\s*)*<(?:[\w.-]+:)?(?:{_ROOTS})[\s>]"
    rf"|<(?:[\w.-]+:)?(?:{_ROOTS})\s[^<>]*?(?:version|xmlns)\b",
    re.IGNORECASE,
)
_PAGE = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_JSON_GUARD = re.compile(
    r"\s*(?:\)\]\}'?,?|for\s*\(;;\)\s*;|while\s*\((?:1|true)\)\s*;|\{\}\s*&&"
    r"|(?:/\*\*/\s*)?(?:typeof\s[^;\n]{1,200}?&&\s*|(?:var|let|const)\s+)?[A-Za-z_$][\w$.]{0,100}\s*(?:\(|=(?!=)))\s*(?=[{\[])"
)
"""What precedes JSON so that a browser does not run it, or so that it does: a callback, an assignment."""
_CALLED = re.compile(r"\)?\s*;?\s*$")
_NOTICE = re.compile(r"\b(?:warning|notice|deprecated|fatal error|strict standards|parse error)\b", re.IGNORECASE)
_JSON_LINE = re.compile(r"^\s*(?=[{\[]\s*[{\[\"\]}])", re.MULTILINE)


def without_noise(text: str) -> str:
    """Return the text from where its feed or JSON starts: after a program's notices, a guard, or within a callback."""
    head = text[:_NOISE]
    if _PAGE.match(head.lstrip("\ufeff \t\r\n")):
        return text
    if (start := _XML_START.search(head)) and start.start() and not _PAGE.search(head, 0, start.start()):
        return text[start.start() :]
    if head.lstrip("\ufeff \t\r\n").startswith(("{", "[", "<?xml")) and not head.lstrip().startswith("{}"):
        return text
    if guard := _JSON_GUARD.match(head):
        return _json_after(text, guard.end())
    line = _JSON_LINE.search(head) if _NOTICE.search(head) and not _PAGE.search(head) else None
    return _json_after(text, line.end()) if line else text


def _json_after(text: str, start: int) -> str:
    """Return the JSON that starts there, the whole text if it is not JSON."""
    for rest in (text[start:], _CALLED.sub("", text[start:])):
        try:
            json.loads(rest, strict=False)
        except (ValueError, RecursionError):
            continue
        return rest
    return text


_END = re.compile(r"</html\s*>|<html(?:\s[^<>]*)?/>", re.IGNORECASE)
_END_TAG = re.compile(r"</[hH][tT][mM][lL]")  # ten times as fast as a pattern that ignores case
_HEADLESS = re.compile(r"[^<]{0,100}(?:<!doctype[^>]*>\s*)?<html(?:\s[^<>]*)?/>", re.IGNORECASE)
_FALLBACKS = re.compile(r"<(/?)(?:noframes|noembed)\b[^>]*>", re.IGNORECASE)
_FALLBACK = re.compile(r"<[nN][oO](?:[fF]|[eE][mM])")
_CONDITIONAL = re.compile(r"<!--\[if\b[^\]<>]*\]>(?!<!--|-->)(.*?)<!\[endif\]-->", re.IGNORECASE | re.DOTALL)
_PLAYER = re.compile(r"<(?:audio|bgsound|embed|object)\b", re.IGNORECASE)
_VOID = "area|base|basefont|bgsound|br|col|embed|frame|hr|img|input|keygen|link|meta|param|source|track|wbr"
_SELF_CLOSED = re.compile(rf"<(?!(?:{_VOID})\b)([a-z][\w:-]*)((?:\s[^<>]*?)?)/>", re.IGNORECASE)


def whole_page(text: str, *, is_xml: bool = False) -> str:
    """Return the text of an HTML page so that a parser reads all of it.

    The parser stops at ``</html>``, skips the content of ``noframes`` and of conditional comments, and, since it knows
    no XML, takes an element that ``<.../>`` closes for open; ``is_xml``: the server or the page calls it XML.
    """
    if is_xml or text[:100].lstrip("\ufeff \t\r\n").startswith("<?xml"):
        text = _SELF_CLOSED.sub(r"<\1\2></\1>", text)
    end = _END_TAG.search(text)
    if (end and "<" in text[end.end() :]) or _HEADLESS.match(text):
        start = end.start() if end else 0
        text = text[:start] + _END.sub(" ", text[start:])
    if "<!--[if" in text:
        text = _CONDITIONAL.sub(_shown_if_player, text)
    return _FALLBACKS.sub(r"<\1div>", text) if _FALLBACK.search(text) else text


def _shown_if_player(comment: re.Match[str]) -> str:
    return comment[1] if "-->" not in comment[1] and _PLAYER.search(comment[1]) else comment[0]
