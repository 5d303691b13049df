"""Find the next page of a list: links and buttons of HTML pages, members of JSON documents."""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from audiocrawler.discovery.candidate import ATTRIBUTE, ELEMENT, NAME, Find, Kind, Relation
from audiocrawler.discovery.document import Document, text_of
from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, OTHER_EXTENSIONS, VIDEO_EXTENSIONS, extension_of
from audiocrawler.discovery.paging import page_parameter, with_parameter
from audiocrawler.discovery.urls import absolute
from audiocrawler.model.urls import site_of

_NO_PAGE = (AUDIO_EXTENSIONS | OTHER_EXTENSIONS | VIDEO_EXTENSIONS) - {"json", "txt"}
_NEXT_WORD = re.compile(r"(?:^|[\s_-])(?:next|older)(?:$|[\s_-])", re.IGNORECASE)
_NEXT_TEXT = re.compile(
    r"\W*(?:next(?: page)?|older(?: posts| entries| episodes)?|weiter|nächste(?: seite)?|ältere beiträge"
    r"|(?:page )?suivante?|siguiente|próxima|successiva|volgende)?\W*",
    re.IGNORECASE,
)
_ARROWS = re.compile("[\u203a\u00bb\u2192>]")
_MORE = re.compile(
    r"(?:load|show|see|view|get|fetch)[-_ ]*more|more[-_](?:posts|episodes|items|results|tracks)|infinite[-_]?scroll"
    r"|next[-_]?page",
    re.IGNORECASE,
)
_NEXT_ATTRIBUTE = re.compile(
    r"(?:^|[-_:])(?:next|more|load-?more)(?:-?(?:page|posts|items|results|episodes))?(?:-?(?:url|uri|href|link|path|src))?$"
)
_ATTRIBUTE_MARK = re.compile(r"data-[\w-]{0,20}?(?:next|more)")
_TAGS = ("a", "area", "link", "button")
_TARGETS = (
    *("href", "formaction", "hx-get", "data-hx-get", "up-href", "ic-get-from"),
    *("data-url", "data-href", "data-link", "data-path", "data-endpoint", "data-action", "data-source", "data-api"),
    *("data-ajax-url", "data-ajaxurl", "data-load-url", "data-page-url", "data-request-url", "data-fetch-url"),
)
_ON_SIGHT = re.compile(r"revealed|intersect", re.IGNORECASE)
_URL = re.compile(r"(?:https?://|/|\.{1,2}/|\?)[^\s\"'<>{}\\]+|[\w-]+(?:\.\w+)?[/?][^\s\"'<>{}\\]+", re.IGNORECASE)
_MAX_LABEL = 40
_BUTTONS = frozenset(("a", "button"))


def find_next_pages(document: Document) -> Iterator[Find]:
    """Yield the next page of a list of HTML pages, as a page, or what a button loads, as a feed.

    HTML, "Link type next"; the classes and attributes of common pagers and of scripts that load more.
    """
    has_attributes = "hx-get" in document.text or bool(_ATTRIBUTE_MARK.search(document.text))
    for element in document.elements(*(() if has_attributes else _TAGS)):
        url = element.get("href") or ""
        if element.tag in ("a", "link", "area") and "next" in (element.get("rel") or "").lower().split():
            yield from _page(document, url, ELEMENT)
        elif element.tag in _BUTTONS and _is_more(element):
            for target in _targets(element):
                yield from _loaded(document, target)
        elif element.tag == "a" and url and _is_called_next(element):
            yield from _page(document, url, NAME)
        elif has_attributes:
            yield from _in_attributes(document, element)


def _is_called_next(link: etree._Element) -> bool:
    parent = link.getparent()
    names = (link.get("class"), link.get("aria-label"), parent.get("class") if parent is not None else None)
    if any(name and _NEXT_WORD.search(name) for name in names):
        return True
    label = (link.text or "").strip()
    return (
        0 < len(label) < _MAX_LABEL
        and bool(_NEXT_TEXT.fullmatch(label))
        and bool(re.search(r"\w", label) or _ARROWS.search(label))
    )


def _is_more(element: etree._Element) -> bool:
    names = (element.get(name) for name in ("class", "id", "aria-label", "data-action", "data-role"))
    if any(name and _MORE.search(name) for name in names):
        return True
    return element.tag == "button" and len(label := text_of(element).strip()) < _MAX_LABEL and bool(_MORE.search(label))


def _targets(element: etree._Element) -> Iterator[str]:
    for name, value in element.items():
        if str(name) in _TARGETS or _NEXT_ATTRIBUTE.search(str(name)):
            yield str(value)


def _in_attributes(document: Document, element: etree._Element) -> Iterator[Find]:
    """Yield what an element loads when it comes into sight, or names as next."""
    for name, value in element.items():
        if name in ("hx-get", "data-hx-get") and _ON_SIGHT.search(element.get(name.replace("get", "trigger")) or ""):
            yield from _loaded(document, str(value))
        elif str(name).startswith("data-") and _NEXT_ATTRIBUTE.search(str(name)):
            yield from _page(document, str(value), NAME)


def _page(document: Document, url: str, confidence: float) -> Iterator[Find]:
    if target := _target(document, url):
        yield Find(
            url=target, found_by="next_page", confidence=confidence, expected=Kind.PAGE, relation=Relation.NEXT_PAGE
        )


def _loaded(document: Document, url: str) -> Iterator[Find]:
    if target := _target(document, url):
        yield Find(
            url=target, found_by="load_more", confidence=ATTRIBUTE, expected=Kind.FEED, relation=Relation.NEXT_PAGE
        )


def _target(document: Document, url: str) -> str | None:
    """Return the absolute URL of a page of the same site, None for anything else."""
    url = url.strip()
    if not _URL.fullmatch(url) or extension_of(url) in _NO_PAGE:
        return None
    target = absolute(document.base_url, url)
    return target if target and site_of(target) == site_of(document.url) else None


_NEXT_NAMES = """
next next_page nextpage next_url nexturl next_page_url nextpageurl next_link nextlink next_href nexthref hydra:next
@odata.nextlink odata.nextlink
"""
_CONTAINER_NAMES = """
links _links paging pagination pager page pages meta view hydra:view response data result results first
"""
_NEXT_KEYS, _CONTAINERS = frozenset(_NEXT_NAMES.split()), frozenset(_CONTAINER_NAMES.split())
_TOKENS = {"nextpagetoken": "pageToken", "next_page_token": "page_token", "next_cursor": "cursor"}
_CURRENT = ("page", "current_page", "currentpage", "page_number", "pagenumber")
_TOTALS = (
    "pages",
    "total_pages",
    "totalpages",
    "numpages",
    "num_pages",
    "last_page",
    "lastpage",
    "page_count",
    "pagecount",
)
_MAX_DEPTH = 3
_PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,5}")

Members = dict[str, Any]


def find_json_next_pages(document: Document) -> Iterator[Find]:
    """Yield the next page of a JSON answer with a list in it: by its URL, or by number or token.

    Django REST framework, "Pagination"; JSON:API, "Pagination"; HAL; OData 4.01, 4.5.5; ActivityStreams 2.0, "Paging";
    MediaWiki, "API:Continue"; Google's page tokens.
    """
    value = document.json
    if not isinstance(value, dict) or not _has_list(value, _MAX_DEPTH):
        return
    for url in dict.fromkeys(_next_urls(document, value)):
        yield Find(url=url, found_by="json_next", confidence=ELEMENT, expected=Kind.FEED, relation=Relation.NEXT_PAGE)


def _has_list(value: Any, depth: int) -> bool:
    if isinstance(value, list):
        return bool(value)
    return depth > 0 and isinstance(value, dict) and any(_has_list(each, depth - 1) for each in value.values())


def _next_urls(document: Document, value: Members) -> Iterator[str]:
    members, *others = _objects(value, _MAX_DEPTH)
    named = [url for each in (members, *others) for url in _named(document, each)]
    yield from named or _by_number(document.url, members)


def _objects(value: Members, depth: int) -> Iterator[Members]:
    """Yield an object, those in it that hold its links or its list, and those with a list of their own."""
    members = _lowered(value)
    yield members
    for key, each in members.items() if depth else ():
        if isinstance(each, dict) and (key in _CONTAINERS or any(isinstance(inner, list) for inner in each.values())):
            yield from _objects(each, depth - 1)


def _lowered(value: Members) -> Members:
    return {str(key).lower(): each for key, each in value.items()}


def _named(document: Document, members: Members) -> Iterator[str]:
    for key, value in members.items():
        if key in _NEXT_KEYS and (target := _json_target(document, value)):
            yield target
        elif key == "links" and isinstance(value, list):
            for link in value:
                if isinstance(link, dict) and link.get("rel") == "next" and (target := _json_target(document, link)):
                    yield target


def _json_target(document: Document, value: Any) -> str | None:
    """Return the URL of the next page: a text, or an object with it."""
    if isinstance(value, dict):
        value = next((value[name] for name in ("href", "url", "@id", "id") if isinstance(value.get(name), str)), None)
    target = _target(document, value) if isinstance(value, str) else None
    return None if target == document.url else target


def _by_number(url: str, members: Members) -> Iterator[str]:
    """Yield the URL of the next page where an answer has only its number, a token, or parameters to add."""
    if isinstance(further := members.get("continue"), dict):
        for name, value in further.items():
            url = with_parameter(url, str(name), value)
        yield url
        return
    for key, name in _TOKENS.items():
        if isinstance(token := members.get(key), str) and token:
            yield with_parameter(url, name, token)
            return
    containers = (each for key, each in members.items() if key in _CONTAINERS and isinstance(each, dict))
    for each in (members, *map(_lowered, containers)):
        if number := _following(each):
            name, _ = page_parameter(url) or ("page", 1)
            yield with_parameter(url, name, number)
            return


def _following(members: Members) -> int | None:
    """Return the number of the next page."""
    for key in ("next_page", "nextpage"):
        if _is_page(members.get(key)):
            return int(members[key])
    current = next((members[key] for key in _CURRENT if _is_page(members.get(key))), None)
    total = next((members[key] for key in _TOTALS if _is_page(members.get(key))), None)
    return int(current) + 1 if current is not None and total is not None and int(current) < int(total) else None


def _is_page(value: Any) -> bool:
    is_number = isinstance(value, int | str) and not isinstance(value, bool)
    return is_number and _PAGE_NUMBER.fullmatch(str(value)[:9]) is not None
