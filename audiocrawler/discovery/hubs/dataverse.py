"""Datasets and collections of Dataverse installations, which many universities run at hosts of their own.

Documented: guides.dataverse.org/en/latest/api (native-api "Get JSON Representation of a Dataset"; search; dataaccess
"Basic File Access"). A restricted file is asked for like any other, so that its row says that it was denied.
"""

from collections.abc import Iterator, Mapping
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
    names_of,
    next_page,
    stated,
    text,
    with_query,
)
from audiocrawler.discovery.values import published_at, size_bytes, whole_number
from audiocrawler.model.statements import Statement

NAME = "dataverse"
_PAGE_SIZE = 100


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return the dataset, or the first page of a collection's datasets."""
    segments = address.segments
    if segments[-1:] == ("dataset.xhtml",) and (identifier := address.query.get("persistentId")):
        return follow(NAME, _dataset(address, identifier))
    if "dataverse" in address.host and segments[:1] == ("dataverse",) and len(segments) == 2:
        search = with_query(
            f"{address.origin}/api/search",
            q="*",
            type="dataset",
            subtree=segments[1],
            start="0",
            per_page=str(_PAGE_SIZE),
        )
        return follow(NAME, search)
    return None


def _dataset(address: Address, identifier: str) -> str:
    return with_query(f"{address.origin}/api/datasets/:persistentId/", persistentId=identifier)


def find(document: Document) -> Iterator[Find] | None:
    """Return the files of a dataset, or the datasets of a search."""
    value = document.json
    if not isinstance(value, dict) or value.get("status") != "OK":
        return None
    data = inner(value, "data")
    version = inner(data, "latestVersion") or data
    if any("dataFile" in each for each in listed(version, "files")):
        return _files(document, version)
    return _datasets(document, data) if "total_count" in data else None


def _datasets(document: Document, data: dict[str, Any]) -> Iterator[Find]:
    address = Address.of(document.url)
    items = listed(data, "items")
    for each in items:
        if each.get("type") == "dataset" and (identifier := text(each, "global_id")):
            yield follow(NAME, _dataset(address, identifier))
    following = (whole_number(data.get("start")) or 0) + len(items)
    if items and following < (whole_number(data.get("total_count")) or 0):
        yield next_page(NAME, with_query(document.url, start=str(following)))


def _files(document: Document, version: dict[str, Any]) -> Iterator[Find]:
    place = f"{Address.of(document.url).origin}/api/access/datafile"
    title, author, statements = _cited(version, "title"), _author(version), _licence(version)
    for file in listed(version, "files"):
        data = inner(file, "dataFile")
        name, number = text(file, "label") or text(data, "filename"), text(data, "id")
        if name and number:
            about = Description(
                mime_type=text(data, "contentType"),
                size_bytes=size_bytes(data.get("filesize")),
                title=title,
                artist=author,
                statements=statements,
                published_at=published_at(text(version, "releaseTime") or text(data, "publicationDate")),
            )
            yield from file_at(NAME, f"{place}/{number}", name, about)


def _author(version: dict[str, Any]) -> str | None:
    people = (listed(each, "value") for each in _fields(version, "author"))
    return next((names_of(each, "authorName", "value") for each in people), None)


def _cited(version: dict[str, Any], name: str) -> str | None:
    return next((text(each, "value") for each in _fields(version, name)), None)


def _fields(version: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [each for each in listed(version, "metadataBlocks", "citation", "fields") if each.get("typeName") == name]


def _licence(version: dict[str, Any]) -> tuple[Statement, ...] | None:
    licence = version.get("license")
    if isinstance(licence, dict):
        return stated(text(licence, "name"), url=text(licence, "uri"))
    return stated(text(licence) if licence not in {None, "NONE"} else text(version, "termsOfUse"))


HUB = Hub(
    name=NAME,
    title="Dataverse datasets and collections, at any host",
    examples=(
        "https://dataverse.example.edu/dataset.xhtml?persistentId=doi:10.1234/ABC",
        "https://dataverse.example.edu/dataverse/NAME",
    ),
    start=start,
    find=find,
)
