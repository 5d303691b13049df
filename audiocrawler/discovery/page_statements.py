"""Assign the licences in a page's links and head to the files that they are about.

``rel=license`` (HTML, section 4.6.7.9) is about the main content of a page. A link near a player is about that player.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from lxml import etree

from audiocrawler.discovery.candidate import Candidate, Kind
from audiocrawler.discovery.document import Document, DocumentType, one_line, text_of
from audiocrawler.discovery.urls import absolute
from audiocrawler.model.statements import NOTICE, Statement, statement_of

_HINTS = (
    "creativecommons.org/",
    "rightsstatements.org/",
    "dc.licen",
    "dc.rights",
    "dcterms.licen",
    "dcterms.rights",
)
_DECLARED_HINT = re.compile(r"rel\s*=[^>]{0,80}licen[sc]e")
_LICENSE_URL = re.compile(
    r"(?:https?:)?//(?:www\.)?(?:creativecommons\.org/(?:licen[sc]es|publicdomain)/\w|rightsstatements\.org/\w+/\w)",
    re.IGNORECASE,
)
_META_NAMES = {
    "dcterms.license": "page_meta",
    "dc.license": "page_meta",
    "dc.rights.license": "page_meta",
    "dc.rights": f"page_meta{NOTICE}",
    "dcterms.rights": f"page_meta{NOTICE}",
}
_BESIDE = frozenset(("aside", "nav"))
_BESIDE_ROLES = frozenset(("complementary", "contentinfo", "navigation"))
_BESIDE_NAME = re.compile(r"(?:^|[\s_-])(?:colophon|footer|side-?bar|site-info)(?:$|[\s_-])", re.IGNORECASE)
_SECTIONS = frozenset(("article", "figure", "li"))
_WHOLE_PAGE = frozenset(("body", "html", "main"))
_MAX_CLIMB = 40
_MAX_LINKS = 2000
_NEAR = 50


@dataclass(slots=True)
class _Box:
    """An element with media in it: the files of each recording, by the number of the first element with one."""

    recordings: dict[str, tuple[int, list[str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Link:
    element: etree._Element
    number: int
    statement: Statement
    is_declared: bool
    """Whether it has ``rel=license``, so that it is about this page's content."""


def add_page_statements(document: Document, candidates: Mapping[str, Candidate], keys: Mapping[str, str]) -> None:
    """Add the statements in the page's links and head to the candidates; ``keys`` maps written URLs to candidates.

    A link applies to the files in the smallest element that contains both. If that contains several recordings and
    several licences, it applies to the recording before it; if that is the whole page, the link must be ``rel=license``
    or the recording the only one. Links in footers, navigation and sidebars are ignored. The head, which is mostly
    about the text, applies to a page's only recording if nothing else is stated about it.
    """
    if not candidates or document.type is not DocumentType.HTML or not _has_hint(document.text.lower()):
        return
    numbered = list(enumerate(document.elements()))
    links = list(islice(_links(document, numbered), _MAX_LINKS))
    of_head = tuple(_of_head(document))
    boxes = _boxes(numbered, keys) if links or of_head else {}
    _add_near(_by_box(links, boxes), candidates)
    if of_head and (only := _only_recording(document, boxes, candidates)):
        _add_wide(of_head, only)


def _has_hint(lowered: str) -> bool:
    """Return whether a page may contain statements; plain substrings are much faster than a pattern."""
    if any(hint in lowered for hint in _HINTS):
        return True
    return "licen" in lowered and _DECLARED_HINT.search(lowered) is not None


def _links(document: Document, numbered: list[tuple[int, etree._Element]]) -> Iterator[_Link]:
    for number, element in numbered:
        if element.tag not in ("a", "area") or not (href := element.get("href")):
            continue
        is_declared = "license" in (element.get("rel") or "").lower().split()
        if (is_declared or _LICENSE_URL.match(href.strip())) and not _is_beside(element):
            url = absolute(document.base_url, href)
            if stated := statement_of(_label(element), "page_link", url=url):
                yield _Link(element, number, stated, is_declared)


def _label(element: etree._Element) -> str | None:
    image = next(element.iter("img"), None)
    return one_line(text_of(element)) or (one_line(image.get("alt")) if image is not None else None)


def _is_beside(element: etree._Element) -> bool:
    """Return whether an element is outside the page's main content; the footer of an article is part of it."""
    is_in_footer = False
    for around in islice(element.iterancestors(), _MAX_CLIMB):
        names = f"{around.get('class') or ''} {around.get('id') or ''}"
        if around.tag in _BESIDE or around.get("role") in _BESIDE_ROLES:
            return True
        if around.tag == "footer" or (around.tag not in _WHOLE_PAGE and _BESIDE_NAME.search(names)):
            is_in_footer = True
        elif is_in_footer and around.tag in _SECTIONS:
            return False
    return is_in_footer


def _boxes(numbered: list[tuple[int, etree._Element]], keys: Mapping[str, str]) -> dict[etree._Element, _Box]:
    boxes: dict[etree._Element, _Box] = {}
    recordings: dict[str, str] = {}
    written = keys.keys()
    for number, element in numbered:
        values = [str(value).strip() for value in element.values()]
        if written.isdisjoint(values):
            continue
        for key in {keys[value] for value in values if value in keys}:
            player = next(element.iterancestors("audio", "video"), None)
            together = f"player {id(player)}" if player is not None else key
            name = recordings.setdefault(key, recordings.setdefault(together, key))
            for around in islice(element.iterancestors(), _MAX_CLIMB):
                box = boxes.setdefault(around, _Box())
                box.recordings.setdefault(name, (number, []))[1].append(key)
    return boxes


def _by_box(links: list[_Link], boxes: dict[etree._Element, _Box]) -> Iterator[tuple[_Box, list[_Link]]]:
    found: dict[etree._Element, list[_Link]] = {}
    for link in links:
        box = next((each for each in islice(link.element.iterancestors(), _MAX_CLIMB) if each in boxes), None)
        if box is not None and (box.tag not in _WHOLE_PAGE or link.is_declared or len(boxes[box].recordings) == 1):
            found.setdefault(box, []).append(link)
    for element, near in found.items():
        yield boxes[element], near


def _add_near(near: Iterator[tuple[_Box, list[_Link]]], candidates: Mapping[str, Candidate]) -> None:
    for box, links in near:
        is_one_each = len(box.recordings) > 1 and len({link.statement.url for link in links}) > 1
        for link in links:
            named = [_before(box, link.number)] if is_one_each else box.recordings.values()
            for key in {key for _, files in named for key in files}:
                _add(candidates[key], link.statement, _credit(link.element))


def _before(box: _Box, number: int) -> tuple[int, list[str]]:
    before = [each for each in box.recordings.values() if each[0] < number]
    return max(before, default=(0, []))


def _credit(link: etree._Element) -> str | None:
    """Return the attribution name in a snippet of the Creative Commons licence chooser (ccREL, section 6)."""
    parent = link.getparent()
    near = islice(parent.iter(), _NEAR) if parent is not None else ()
    return next((one_line(text_of(each)) for each in near if each.get("property") == "cc:attributionName"), None)


def _add(candidate: Candidate, statement: Statement, credit: str | None) -> None:
    candidate.statements = tuple(dict.fromkeys([*(candidate.statements or ()), statement]))
    candidate.credit = candidate.credit or credit


def _of_head(document: Document) -> Iterator[Statement]:
    for element in document.elements("link", "meta"):
        found: Statement | None = None
        if element.tag == "link" and "license" in (element.get("rel") or "").lower().split():
            found = statement_of(None, "page_head", url=absolute(document.base_url, element.get("href") or ""))
        elif place := _META_NAMES.get((element.get("name") or element.get("property") or "").lower().replace(":", ".")):
            found = statement_of(one_line(element.get("content")), place)
        if found:
            yield found


def _only_recording(
    document: Document, boxes: Mapping[etree._Element, _Box], candidates: Mapping[str, Candidate]
) -> list[Candidate]:
    """Return the files of the page's only recording; empty if it has several."""
    files = {key: each for key, each in candidates.items() if each.kind in (Kind.AUDIO, Kind.STREAM)}
    shown = next((box.recordings for element, box in boxes.items() if element is document.root), {})
    together = [key for _, keys in shown.values() for key in keys if key in files]
    is_one = len(files) == 1 or (len(shown) == 1 and files.keys() <= set(together))
    return list(files.values()) if is_one else []


def _add_wide(statements: tuple[Statement, ...], candidates: list[Candidate]) -> None:
    for candidate in candidates:
        if candidate.statements is None:
            candidate.statements = statements
