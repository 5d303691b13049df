"""Parse a response once for all finders: its type, base URL, and its tree, text or JSON."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any

from lxml import etree

from audiocrawler.discovery.kinds import bare_type, extension_of
from audiocrawler.discovery.mending import whole_page
from audiocrawler.discovery.pieces import json_pieces
from audiocrawler.discovery.urls import absolute

_LOOK = 4096
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]*)")
_MARKUP = re.compile(
    r"<(?:a|article|audio|body|div|head|html|iframe|img|link|meta|p|script|source|span|title)\b", re.IGNORECASE
)
_XML_ROOTS = frozenset(
    (
        *("asx", "feed", "metalink", "mpd", "opml", "playlist", "rdf", "redirect", "rss", "sitemapindex", "smil"),
        *("urlset", "enumerationresults", "listbucketresult", "listversionsresult", "winmediaplaylist"),
    )
)


class DocumentType(StrEnum):
    """How a document is parsed."""

    HTML = "html"
    XML = "xml"
    JSON = "json"
    PLAYLIST = "playlist"
    TEXT = "text"


def sniff(text: str, content_type: str, url: str) -> DocumentType:
    """Return the type of ``text``. Its content outweighs the server's Content-Type, which is wrong more often."""
    head = text[:_LOOK].lstrip("\ufeff\x1e \t\r\n")
    if head.startswith("#EXTM3U") or head[:11].lower().startswith(("[playlist]", "[reference]")):
        return DocumentType.PLAYLIST
    if head.startswith(("{", "[")):
        return DocumentType.JSON
    if head.startswith("<"):
        return _markup_type(text, bare_type(content_type))
    if _is_playlist(bare_type(content_type), extension_of(url)) and not _MARKUP.search(head):
        return DocumentType.PLAYLIST
    return DocumentType.HTML if "html" in content_type or _MARKUP.search(head) else DocumentType.TEXT


def root_name(text: str) -> str:
    """Return the local name of the first element in lower case, skipping prolog and comments."""
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
    is_xml = text.lstrip("\ufeff \t\r\n").startswith("<?xml") or not _MARKUP.search(text[:_LOOK])
    return DocumentType.XML if declared_xml and is_xml else DocumentType.HTML


def _is_playlist(content_type: str, extension: str) -> bool:
    return "mpegurl" in content_type or "scpls" in content_type or extension in ("m3u", "m3u8", "pls")


_MAX_TITLE = 300
_SPACE = re.compile("[\ufeff \t\r\n]*")
UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_SURROGATE = re.compile(
    r"&#(?:x0*d[89a-f][0-9a-f]{2}|0*(?:5529[6-9]|55[3-9]\d\d|56\d{3}|57[0-2]\d\d|573[0-3]\d|5734[0-3]));?",
    re.IGNORECASE,
)
_BOX = re.compile(
    r"<(/)?(?!(?:html|head|body|title|script|style|textarea|a|audio|video|source|track|object|iframe|select|table|tr|td"
    r"|pre|code|meta|link|base|img|input|embed|param|area|h[1-6])\b)[a-z][\w:-]*(?(1)[^>]*>)",
    re.IGNORECASE,
)
_PROLOG = re.compile(r"^\s*<\?xml[^>]*\?>")
_DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", re.IGNORECASE | re.DOTALL)
_CDATA_OR_AMPERSAND = re.compile(r"<!\[CDATA\[(?:.*?\]\]>|.*)|&(?!#?\w{1,32};)", re.DOTALL)


@dataclass
class Document:
    """A parsed document; attributes that do not apply to its type are empty."""

    url: str
    text: str
    type: DocumentType
    root: etree._Element | None = None
    root_name: str = ""
    base_url: str = field(default="")
    value: Any = None
    """The parsed JSON, if it was parsed together with this document."""
    following: Iterable["Document"] = ()
    """What follows it in the same response: pieces of a large document, or other documents."""
    cuts: dict[str, None] = field(default_factory=dict)
    """What was not read, in words."""
    next_url: str | None = None
    """The next page, by the Link header (RFC 8288)."""
    collection: dict[str, str] = field(default_factory=dict)
    """What the document that led here says of the files listed here."""

    def __post_init__(self) -> None:
        self.base_url = self.base_url or self._declared_base() or self.url

    @property
    def left_out(self) -> str | None:
        """What was not read, in words; known once the finders have read it and ``following``."""
        return "; ".join(self.cuts) or None

    def leave_out(self, what: str) -> None:
        """Note that a part is not read."""
        self.cuts[what] = None

    def elements(self, *tags: str) -> Iterator[etree._Element]:
        """Yield the HTML elements with these tags (all by default) in document order."""
        if self.type is DocumentType.HTML and self.root is not None:
            yield from self.root.iter(*(tags or (etree.Element,)))

    @cached_property
    def json(self) -> Any:
        """The parsed JSON document, None if it is not JSON or invalid."""
        if self.value is not None:
            return self.value
        if self.type is not DocumentType.JSON:
            return None
        value = parse_json(self.text)
        return self._json_in_part() if value is None else value

    def _json_in_part(self) -> Any:
        """Return the values of JSON Lines, or those before the mistake in a JSON text; None if there are none."""
        values, number_broken = json_lines(self.text)
        if values:
            if number_broken:
                self.leave_out(f"{number_broken} of {len(values) + number_broken} lines that are not JSON")
            return values
        values, mistake = json_before_mistake(self.text)
        if mistake and any(isinstance(each, dict) for each in chain(values, *filter(_is_list, values))):
            self.leave_out(f"all after the mistake in the JSON: {mistake}")
        return values or None

    @cached_property
    def title(self) -> str | None:
        """The title of an HTML page, on one line."""
        for element in self.elements("title"):
            return one_line(text_of(element), _MAX_TITLE)
        return None

    def _declared_base(self) -> str | None:
        for element in self.elements("base"):
            if href := element.get("href"):
                return absolute(self.url, href)
        return None


def parse(text: str, url: str, kind: DocumentType, *, base_url: str = "", is_xml: bool = False) -> Document:
    """Parse ``text`` as a Document of this type; ``is_xml``: the server calls a page XML."""
    if kind not in (DocumentType.HTML, DocumentType.XML):
        return Document(url, text, kind)
    text = whole_page(text, is_xml=is_xml) if kind is DocumentType.HTML else text
    root = parse_html(text) if kind is DocumentType.HTML else parse_xml(text, url)
    return Document(url, text, kind, root, root_name(text), base_url)


def parse_html(text: str) -> etree._Element | None:
    """Return the tree of an HTML text, however broken, None if it is empty.

    The parser fails on elements nested 2048 deep, mostly because they are not closed: then the text is parsed again
    without container elements.
    """
    parser = _html_parser()
    root = _parse(text, parser)
    is_too_deep = any(error.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for error in parser.error_log)
    return _parse(_BOX.sub(_emptied, text), _html_parser()) if is_too_deep else root


def _html_parser() -> etree.HTMLParser:
    return etree.HTMLParser(encoding="utf-8", remove_pis=True, remove_comments=True, huge_tree=True)


def _emptied(tag: re.Match[str]) -> str:
    return " " if tag[1] else "<br"


def parse_xml(text: str, url: str) -> etree._Element | None:
    """Return the tree of an XML text, however broken; declared entities are removed."""
    body = _PROLOG.sub("", text.lstrip("\ufeff"), count=1)
    body = _CDATA_OR_AMPERSAND.sub(lambda match: "&amp;" if match[0] == "&" else match[0], body)
    parser = etree.XMLParser(
        encoding="utf-8",
        recover=True,
        resolve_entities=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        huge_tree=True,
    )
    return _parse(_DOCTYPE.sub("", body, count=1), parser, url)


def _parse(text: str, parser: etree.HTMLParser | etree.XMLParser, url: str = "") -> etree._Element | None:
    readable = UNREADABLE.sub("", text)
    readable = _SURROGATE.sub("", readable) if "&#" in readable else readable
    if not readable.strip():
        return None
    try:
        return etree.fromstring(readable.encode(), parser, base_url=url)
    except (etree.LxmlError, ValueError):
        return None


def parse_json(text: str) -> Any:
    """Return the parsed JSON, None if invalid; control characters in strings are allowed."""
    try:
        return json.loads(text.strip("\ufeff \t\r\n;"), strict=False)
    except (ValueError, RecursionError):
        return None


def json_lines(text: str) -> tuple[list[Any], int]:
    """Return the values of JSON Lines, or of a JSON text sequence (RFC 7464), and how many lines are broken."""
    lines = (line.strip("\x1e \t,") for line in text.splitlines())
    values = [parse_json(line) for line in lines if line.startswith(("{", "["))]
    whole = [value for value in values if value is not None]
    return whole, len(values) - len(whole)


def json_before_mistake(text: str) -> tuple[list[Any], str | None]:
    """Return the values of a JSON text as far as it is valid, and what ends it."""
    values: list[Any] = []
    try:
        for each in json_pieces(text):
            values.append(each)  # noqa: PERF402 -- what precedes the mistake is kept
    except (ValueError, RecursionError) as error:
        return values, str(error)
    return values, None


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def text_of(element: etree._Element) -> str:
    """Return the text within an element, without markup."""
    return "".join(part for part in element.itertext() if isinstance(part, str))


def one_line(text: str | None, length: int = _MAX_TITLE) -> str | None:
    """Return the text with white space collapsed, cut to ``length`` characters; None if empty.

    Lone surrogates, which JSON may contain but no encoding can write, are removed.
    """
    if not text:
        return None
    start = text[: 4 * length]
    return " ".join((start if start.isascii() else _HALF_CHARACTER.sub("", start)).split())[:length] or None


def first_line(text: str) -> str:
    """Return the first line of a text that is not empty."""
    start = _SPACE.match(text)
    position = start.end() if start else 0
    end = text.find("\n", position)
    return text[position : end if end >= 0 else len(text)].rstrip()


def line_of(value: object) -> str | None:
    """Return ``one_line`` of a JSON value, None if it is not text."""
    return one_line(value) if isinstance(value, str) else None


Children = dict[str, list[etree._Element]]  # noqa: SLF001 -- lxml offers no other name for the type
"""The children of an element by local name."""


def local_name(element: etree._Element) -> str:
    """Return the element's name in lower case, without its namespace."""
    return _without_namespace(element.tag)


@lru_cache(maxsize=1024)
def _without_namespace(name: object) -> str:
    return name.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(name, str) else ""


def each_named(root: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Yield ``root`` and the elements below it with one of these lower-case local names."""
    for element in root.iter(etree.Element):
        if _without_namespace(element.tag) in names:
            yield element


def attribute(element: etree._Element, *names: str) -> str | None:
    """Return the first non-empty one of these attributes, ignoring namespace and case."""
    keys = _keys(tuple(element.keys()))
    for name in names:
        if name in keys and (value := str(element.get(keys[name])).strip()):
            return value
    return None


@lru_cache(maxsize=1024)
def _keys(written: tuple[str, ...]) -> dict[str, str]:
    return {_without_namespace(key): key for key in written}


def child_text(element: etree._Element, *names: str) -> str | None:
    """Return the text of the first child with one of these names, in the order of the names, on one line."""
    return first_text(children_of(element), *names)


def children_of(element: etree._Element) -> Children:
    """Return the children of an element by local name."""
    children: Children = {}
    for child in element.iterchildren(etree.Element):
        children.setdefault(_without_namespace(child.tag), []).append(child)
    return children


def first_text(children: Children, *names: str) -> str | None:
    """Return the first non-empty text, in the order of the names, on one line."""
    texts = (one_line(text_of(child)) for name in names for child in children.get(name, ()))
    return next(filter(None, texts), None)


def base_of(element: etree._Element, fallback: str) -> str:
    """Return the base URL of an element according to xml:base."""
    try:
        base = element.base
    except ValueError:
        return fallback
    return base if base and base.startswith(("http://", "https://")) else fallback
