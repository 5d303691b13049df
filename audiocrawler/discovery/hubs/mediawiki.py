"""Categories and files of Wikimedia Commons; other MediaWikis answer alike.

Documented: mediawiki.org/wiki/API:Categorymembers, API:Imageinfo, API:Continue and Extension:CommonsMetadata (the names
in ``extmetadata``, whose values are HTML). Subcategories are followed MAX_LEVELS deep: those of Commons lead far.
"""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

from audiocrawler.discovery.candidate import Description, Find
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.hubs.hub import (
    Address,
    Hub,
    file_at,
    follow,
    inner,
    listed,
    next_page,
    stated,
    text,
    with_query,
)
from audiocrawler.discovery.values import duration_ms, published_at, size_bytes

NAME = "mediawiki"
MAX_LEVELS = 5
_CATEGORY_NAMESPACE = 14
_TAG = re.compile(r"<[^>]*>")
_INFO = {
    "action": "query",
    "format": "json",
    "formatversion": "2",
    "prop": "imageinfo",
    "iiprop": "url|size|mime|timestamp|extmetadata",
    "iiextmetadatafilter": "LicenseShortName|LicenseUrl|Artist|ObjectName",
}


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return the members of a category, or the description of a file."""
    if not address.is_at("commons.wikimedia.org") or address.segments[:1] != ("wiki",):
        return None
    name = "/".join(address.segments[1:]).replace("_", " ")
    if name.startswith("Category:"):
        return follow(NAME, _members(f"{address.origin}/w/api.php", name))
    if name.startswith("File:"):
        return follow(NAME, with_query(f"{address.origin}/w/api.php", **_INFO, titles=name))
    return None


def _members(api: str, category: str) -> str:
    members = {"generator": "categorymembers", "gcmtitle": category, "gcmtype": "file|subcat", "gcmlimit": "500"}
    return with_query(api, **_INFO, **members)


def find(document: Document) -> Iterator[Find] | None:
    """Return the files and subcategories of an answer, and what continues it."""
    value = document.json
    pages = inner(value, "query").get("pages")
    if not isinstance(value, dict) or "api.php" not in document.url or not isinstance(pages, dict | list):
        return None
    found = [each for each in (pages.values() if isinstance(pages, dict) else pages) if isinstance(each, dict)]
    return _pages(document, value, found)


def _pages(document: Document, value: dict[str, Any], pages: list[dict[str, Any]]) -> Iterator[Find]:
    level = int(document.collection.get("level", "0"))
    for page in pages:
        title = text(page, "title")
        is_category = page.get("ns") == _CATEGORY_NAMESPACE and title is not None
        if is_category and level >= MAX_LEVELS:
            document.leave_out(f"the subcategories more than {MAX_LEVELS} deep")
        elif is_category and title:
            yield follow(NAME, _members(document.url.partition("?")[0], title), {"level": str(level + 1)})
        for info in listed(page, "imageinfo"):
            yield from _file(info, title or "")
    rest = {str(name): each for name, each in inner(value, "continue").items() if isinstance(each, str | int)}
    if rest:
        url = with_query(document.url, **{name: str(each) for name, each in rest.items()})
        yield next_page(NAME, url, document.collection)


def _file(info: dict[str, Any], title: str) -> Iterator[Find]:
    said = inner(info, "extmetadata")
    if url := text(info, "url"):
        about = Description(
            title=_plain(said, "ObjectName"),
            artist=_plain(said, "Artist"),
            mime_type=text(info, "mime"),
            duration_ms=duration_ms(info.get("duration")),
            size_bytes=size_bytes(info.get("size")),
            statements=stated(_plain(said, "LicenseShortName"), url=_plain(said, "LicenseUrl")),
            published_at=published_at(text(info, "timestamp")),
        )
        yield from file_at(NAME, url, title.partition(":")[2] or url.rpartition("/")[2], about)


def _plain(said: dict[str, Any], name: str) -> str | None:
    value = text(said, name, "value")
    return " ".join(unescape(_TAG.sub(" ", value)).split()) or None if value else None


HUB = Hub(
    name=NAME,
    title="Wikimedia Commons categories and files",
    examples=("https://commons.wikimedia.org/wiki/Category:NAME", "https://commons.wikimedia.org/wiki/File:NAME.ogg"),
    start=start,
    find=find,
)
