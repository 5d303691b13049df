"""Articles and collections of Figshare.

Documented: docs.figshare.com ("Public Articles", "Public Collections"): an article has up to 10 of its files, all are
in ``/files``; lists have ``page`` and ``page_size``.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from audiocrawler.discovery.candidate import Description, Find, fill
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.hubs.hub import (
    Address,
    Hub,
    Token,
    file_at,
    follow,
    listed,
    names_of,
    next_page,
    shared,
    stated,
    text,
    with_query,
)
from audiocrawler.discovery.values import published_at, size_bytes, whole_number

NAME = "figshare"
_API = "api.figshare.com"
_LISTED_WITH_ARTICLE = 10
_PAGE_SIZE = 100
_OF_ARTICLES = frozenset(("figshare_url", "url_public_api"))
_NUMBER = re.compile(r"\d{3,}")
_FILES = re.compile(r"/v2/articles/\d+(?:/versions/\d+)?/files(?:\?|$)")


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return the article, or the first page of a collection's articles."""
    segments = address.segments
    if not address.is_at("figshare.com") or address.host == _API or not segments:
        return None
    numbers = [each for each in segments[1:] if _NUMBER.fullmatch(each)]
    if not numbers:
        return None
    place = f"{address.on(_API)}/v2"
    if segments[0] == "articles":
        version = segments[-1] if segments[-2:-1] == (numbers[0],) and segments[-1].isdigit() else None
        return follow(NAME, f"{place}/articles/{numbers[0]}" + (f"/versions/{version}" if version else ""))
    if segments[0] == "collections":
        return follow(NAME, f"{place}/collections/{numbers[0]}/articles?page=1&page_size={_PAGE_SIZE}")
    return None


def find(document: Document) -> Iterator[Find] | None:
    """Return the files of an article or of its list of files, or the articles of a list."""
    value = document.json
    if isinstance(value, dict) and value.keys() & _OF_ARTICLES and isinstance(value.get("files"), list):
        return _article(document, value)
    if not isinstance(value, list) or "/v2/" not in document.url:
        return None
    if _FILES.search(document.url):
        return _files(document, value)
    is_list = value and all(isinstance(each, dict) and "url_public_api" in each for each in value)
    return _articles(document, value) if is_list else None


def _article(document: Document, value: dict[str, Any]) -> Iterator[Find]:
    about = Description(
        title=text(value, "title"),
        artist=names_of(listed(value, "authors"), "full_name"),
        statements=stated(text(value, "license", "name"), url=text(value, "license", "url")),
        published_at=published_at(text(value, "published_date")),
    )
    files = listed(value, "files")
    if len(files) >= _LISTED_WITH_ARTICLE:
        url = document.url.partition("?")[0].rstrip("/")
        yield follow(NAME, f"{url}/files?page=1&page_size={_PAGE_SIZE}", shared(about))
        return
    for each in files:
        yield from _file(each, about)


def _files(document: Document, value: list[Any]) -> Iterator[Find]:
    for each in value:
        yield from _file(each, Description()) if isinstance(each, dict) else ()
    yield from _next(document, len(value))


def _file(file: dict[str, Any], about: Description) -> Iterator[Find]:
    name, url = text(file, "name"), text(file, "download_url")
    if name and url:
        own = Description(size_bytes=size_bytes(file.get("size")), mime_type=text(file, "mimetype"))
        fill(own, about)
        yield from file_at(NAME, url, name, own)


def _articles(document: Document, value: list[Any]) -> Iterator[Find]:
    for each in value:
        if url := text(each, "url_public_api") or text(each, "url"):
            yield follow(NAME, url)
    yield from _next(document, len(value))


def _next(document: Document, count: int) -> Iterator[Find]:
    query = Address.of(document.url).query
    size, page = (whole_number(query.get(name)) for name in ("page_size", "page"))
    if count >= (size or _LISTED_WITH_ARTICLE):
        yield next_page(NAME, with_query(document.url, page=str((page or 1) + 1)), document.collection)


HUB = Hub(
    name=NAME,
    title="Figshare articles and collections",
    examples=("https://figshare.com/articles/dataset/TITLE/1234567", "https://figshare.com/collections/TITLE/1234567"),
    start=start,
    find=find,
    token=Token(variable="FIGSHARE_TOKEN", hosts=(_API,), form="token {}"),
)
