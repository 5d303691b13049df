"""Recognise the pages of one list by their URLs, and the next one by a response's headers."""

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlsplit

from scrapy.http import Response

from audiocrawler.discovery.candidate import ELEMENT, Candidate, Kind, Relation
from audiocrawler.discovery.urls import absolute
from audiocrawler.model.urls import site_of

_NUMBER_NAMES = """
page paged pages pg pgno pageindex pageno pagenr pagenum pagenumber page_index page_no page_num page_number _page
sf_paged currentpage current_page pagina seite sida strana strona offset start startindex start_index skip page[number]
page[offset]
"""
_PLACE_NAMES = """
p cursor after from continuation continue max_id before next next_cursor nextcursor pagetoken page_token page[after]
page[cursor] scroll token limit per_page perpage page_size pagesize
"""
_NUMBERS = frozenset(_NUMBER_NAMES.split())
"""Parameters that are the number of a page, or of its first entry."""
_PLACES = _NUMBERS | frozenset(_PLACE_NAMES.split())
"""Parameters that say where in a list a page begins or how long it is."""
_MARK = re.compile(r"[/_.-](?:page|pages|paged|pg|p|seite|pagina|offset|start)[/_.=-]?\d{1,6}(?=[/.]|$)", re.IGNORECASE)
_NUMBER = re.compile(r"/\d{1,4}/?$")
_EXTENSION = re.compile(r"\.(?:x?html?|php|aspx?|jsp)$", re.IGNORECASE)
_INDEX = re.compile(r"/(?:index|default|home)$", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"[0-9]{1,6}")


def is_same_list(url: str, other: str) -> bool:
    """Return whether two URLs differ only in the number of the page: ``/list?page=2``, ``/list/page/3``."""
    if "?" not in other and not _MARK.search(other):
        return False
    return url != other and _list_of(url, _NUMBERS) == _list_of(other, _NUMBERS)


def is_next_page(url: str, other: str, *, is_in_list: bool) -> bool:
    """Return whether ``other``, which a page at ``url`` names as next, is the next page of its list.

    The next of two articles or episodes is named in the same way, but has a name of its own. A bare number at the end
    may be an episode's, too: it counts if the list itself has none, or if ``url`` is already known to be in a list.
    """
    if url == other or site_of(url) != site_of(other):
        return False
    one, two = _list_of(url, _PLACES), _list_of(other, _PLACES)
    if one == two:
        return True
    bare = _without_number(two[1])
    return one[2] == two[2] and bare != two[1] and bare == (_without_number(one[1]) if is_in_list else one[1])


@lru_cache(maxsize=1024)
def _list_of(url: str, marks: frozenset[str]) -> tuple[str, str, list[tuple[str, str]]]:
    """Return the site, path and parameters of a URL without what says which page of a list it is."""
    try:
        parts = urlsplit(url)
        parameters = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return url, "", []
    path = _INDEX.sub("", _MARK.sub("", _EXTENSION.sub("", parts.path))).rstrip("/")
    kept = [(name, value) for name, value in parameters if name.lower() not in marks]
    return site_of(url), path, sorted(kept)


def _without_number(path: str) -> str:
    return _NUMBER.sub("", path).rstrip("/")


def with_parameter(url: str, name: str, value: object) -> str:
    """Return ``url`` with a parameter set or replaced, and the others kept as they are written."""
    parts = urlsplit(url)
    wanted = f"{quote(name, safe='[]')}={quote(str(value), safe='')}"
    pairs = [pair for pair in parts.query.split("&") if pair and pair.partition("=")[0] not in {name, quote(name)}]
    return parts._replace(query="&".join([*pairs, wanted])).geturl()


def page_parameter(url: str) -> tuple[str, int] | None:
    """Return the parameter of a URL that is the number of its page, and that number."""
    for name, value in parse_qsl(urlsplit(url).query):
        if name.lower() in _NUMBERS and _PAGE_NUMBER.fullmatch(value):
            return name, int(value)
    return None


_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_NEXT = re.compile(r";\s*rel\s*=\s*(?:\"[^\"]*\bnext\b[^\"]*\"|next\b)", re.IGNORECASE)


def next_pages_in_headers(response: Response) -> Iterator[Candidate]:
    """Yield the next page that the headers name.

    RFC 8288, Link; WordPress REST API, "Pagination"; GitLab REST API, "Pagination".
    """
    links = ",".join(value.decode("latin-1") for value in response.headers.getlist("Link"))
    named = [url for url, parameters in _LINK.findall(links) if _NEXT.search(parameters)]
    for url in named or _numbered(response):
        target = absolute(response.url, url)
        if target and target != response.url and site_of(target) == site_of(response.url):
            yield Candidate(
                url=target,
                kind=Kind.FEED,
                found_by="link_header",
                confidence=ELEMENT,
                relation=Relation.NEXT_PAGE,
            )


def _numbered(response: Response) -> Iterator[str]:
    following, total = (_header_number(response, name) for name in ("X-Next-Page", "X-WP-TotalPages"))
    name, number = page_parameter(response.url) or ("page", 1)
    if following:
        yield with_parameter(response.url, name, following)
    elif total and number < total:
        yield with_parameter(response.url, name, number + 1)


def _header_number(response: Response, name: str) -> int:
    value = (response.headers.get(name) or b"").decode("latin-1").strip()
    return int(value) if _PAGE_NUMBER.fullmatch(value) else 0
