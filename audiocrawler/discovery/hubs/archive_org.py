"""Items, collections and searches of the Internet Archive.

Documented: archive.org/developers/md-read.html (an item's files) and archive.org/help/aboutsearch.htm (the scrape API
with its cursor; the advanced search's pages end at 10,000 results). Only items of audio, concerts and data are asked
for, unless a search names its media type.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from audiocrawler.discovery.candidate import ELEMENT, Find, Kind
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.hubs.hub import Address, Hub, follow, inner, listed, next_page, text, with_query
from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, extension_of
from audiocrawler.discovery.values import duration_ms, published_at, size_bytes, whole_number
from audiocrawler.model.statements import NOTICE, Statement, statement_of

NAME = "archive_org"
_HOST = "archive.org"
_ITEM = re.compile(r"[\w.-]+")
_ORIGINAL = "original"
_LICENSES = ("licenseurl", "license")
_NOTICES = ("rights", "possible-copyright-status")
_MEDIA_TYPES = "mediatype:(audio OR etree OR data)"


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return the metadata of an item or collection, or the first page of a search."""
    segments = address.segments
    if address.host not in {_HOST, "www.archive.org"}:
        return None
    is_item = segments[:1] in {("details",), ("embed",)} or (segments[:1] == ("download",) and len(segments) == 2)
    if is_item and len(segments) > 1 and _ITEM.fullmatch(segments[1]):
        return follow(NAME, f"{address.on(_HOST)}/metadata/{segments[1]}")
    words = address.query.get("query") or address.query.get("q")
    if segments in {("search",), ("search.php",)} and words:
        return follow(NAME, _search(address, words if "mediatype:" in words else f"({words}) AND {_MEDIA_TYPES}"))
    return None


def _search(address: Address, words: str) -> str:
    url = f"{address.on(_HOST)}/services/search/v1/scrape"
    return with_query(url, q=words, fields="identifier", count="1000")


def find(document: Document) -> Iterator[Find] | None:
    """Return the files of an item, the items of a collection, or those of a search.

    An original and its derivatives are alternates.
    """
    value = document.json
    if not isinstance(value, dict):
        return None
    about = inner(value, "metadata")
    if isinstance(item := about.get("identifier"), str) and isinstance(value.get("files"), list):
        return _item(document, value, about, item)
    if isinstance(value.get("items"), list) and "/search/v1/scrape" in document.url:
        return _scraped(document, value)
    is_search = "/advancedsearch.php" in document.url and "docs" in inner(value, "response")
    return _advanced(document, value) if is_search else None


def _item(document: Document, value: dict[str, Any], about: dict[str, Any], item: str) -> Iterator[Find]:
    address = Address.of(document.url)
    if about.get("mediatype") == "collection":
        yield follow(NAME, _search(address, f"collection:({item}) AND {_MEDIA_TYPES}"))
    for file in listed(value, "files"):
        if isinstance(name := file.get("name"), str) and _is_public(file, name):
            yield _file(address.on(_HOST), item, name, file, about)


def _scraped(document: Document, value: dict[str, Any]) -> Iterator[Find]:
    yield from _items(document, listed(value, "items"))
    if cursor := text(value, "cursor"):
        yield next_page(NAME, with_query(document.url, cursor=cursor))


def _advanced(document: Document, value: dict[str, Any]) -> Iterator[Find]:
    answer = inner(value, "response")
    docs = listed(answer, "docs")
    yield from _items(document, docs)
    page = whole_number(Address.of(document.url).query.get("page")) or 1
    if docs and (whole_number(answer.get("start")) or 0) + len(docs) < (whole_number(answer.get("numFound")) or 0):
        yield next_page(NAME, with_query(document.url, page=str(page + 1)))


def _items(document: Document, found: list[dict[str, Any]]) -> Iterator[Find]:
    place = Address.of(document.url).on(_HOST)
    for each in found:
        if (item := text(each, "identifier")) and _ITEM.fullmatch(item):
            yield follow(NAME, f"{place}/metadata/{item}")


def _is_public(file: dict[str, Any], name: str) -> bool:
    return extension_of(f"/{quote(name, errors='replace')}") in AUDIO_EXTENSIONS and file.get("private") != "true"


def _file(place: str, item: str, name: str, file: dict[str, Any], about: dict[str, Any]) -> Find:
    is_original = file.get("source") == _ORIGINAL
    return Find(
        url=f"{place}/download/{item}/{quote(name, errors='replace')}",
        found_by=NAME,
        confidence=ELEMENT,
        expected=Kind.AUDIO,
        group=f"archive.org {name if is_original else file.get('original') or name}",
        title=text(file, "title") or text(about, "title"),
        artist=text(file, "creator") or text(file, "artist") or text(about, "creator"),
        duration_ms=duration_ms(file.get("length")),
        size_bytes=size_bytes(file.get("size")),
        language=text(about, "language"),
        statements=_statements(file, about),
        published_at=published_at(text(about, "publicdate")),
        is_derivative=not is_original,
    )


def _statements(file: dict[str, Any], about: dict[str, Any]) -> tuple[Statement, ...] | None:
    found = [
        statement_of(text(place, name), NAME + (NOTICE if name in _NOTICES else ""))
        for place in (file, about)
        for name in (*_LICENSES, *_NOTICES)
    ]
    return tuple(dict.fromkeys(filter(None, found))) or None


HUB = Hub(
    name=NAME,
    title="Internet Archive items, collections and searches",
    examples=(
        "https://archive.org/details/ITEM",
        "https://archive.org/details/COLLECTION",
        "https://archive.org/search?query=WORDS",
    ),
    start=start,
    find=find,
)
