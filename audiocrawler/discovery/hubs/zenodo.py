"""Records of Zenodo, its communities and searches; other repositories on InvenioRDM answer alike.

Documented: developers.zenodo.org ("Records", "Files") and inveniordm.docs.cern.ch/reference/rest_api_drafts_records.
Zenodo lists a record's files in ``files``; InvenioRDM in ``files.entries``, or in a document of their own.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from audiocrawler.discovery.candidate import Description, Find, fill
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.hubs.hub import (
    Address,
    Hub,
    Token,
    file_at,
    follow,
    inner,
    listed,
    names_of,
    next_page,
    path_of,
    shared,
    stated,
    text,
    with_query,
)
from audiocrawler.discovery.values import published_at, size_bytes
from audiocrawler.model.statements import Statement

NAME = "zenodo"
_DOI = re.compile(r"zenodo\.(\d+)", re.IGNORECASE)
_PAGE_SIZE = "25"


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return the record, or the first page of a community's or search's records."""
    segments = address.segments
    if address.is_at("doi.org") and len(segments) == 2 and (match := _DOI.fullmatch(segments[1])):
        return follow(NAME, f"{address.on('zenodo.org')}/api/records/{match[1]}")
    if not address.is_at("zenodo.org"):
        return None
    if segments[:1] in {("record",), ("records",)} and len(segments) == 2 and segments[1].isdigit():
        return follow(NAME, f"{address.origin}/api/records/{segments[1]}")
    if segments[:1] == ("communities",) and len(segments) in {2, 3}:
        return follow(NAME, with_query(f"{address.origin}/api/records", communities=segments[1], size=_PAGE_SIZE))
    if segments == ("search",) and "q" in address.query:
        return follow(NAME, with_query(f"{address.origin}/api/records", q=address.query["q"], size=_PAGE_SIZE))
    return None


def find(document: Document) -> Iterator[Find] | None:
    """Return the files of a record, of each record of a search, or of a record's list of files."""
    value = document.json
    if not isinstance(value, dict) or "/api/" not in document.url:
        return None
    if isinstance(value.get("metadata"), dict) and ("files" in value or "files" in inner(value, "links")):
        return _record(document, value)
    if isinstance(inner(value, "hits").get("hits"), list):
        return _search(document, value)
    if isinstance(value.get("entries"), list) and "enabled" in value:
        return _entries(value["entries"], Description(), document.url.partition("?")[0])
    return None


def _search(document: Document, value: dict[str, Any]) -> Iterator[Find]:
    for record in listed(value, "hits", "hits"):
        yield from _record(document, record)
    if url := text(value, "links", "next"):
        yield next_page(NAME, url)


def _record(document: Document, record: dict[str, Any]) -> Iterator[Find]:
    about, files = _about(inner(record, "metadata")), record.get("files")
    address = Address.of(document.url)
    place = f"{address.origin}/api/records/{text(record, 'id') or ''}/files"
    entries = files.get("entries") if isinstance(files, dict) else files
    if isinstance(entries, dict):
        entries = list(entries.values())
    if isinstance(entries, list):
        yield from _entries(entries, about, place)
    elif url := text(record, "links", "files"):
        yield follow(NAME, url, shared(about))


def _entries(entries: list[Any], about: Description, place: str) -> Iterator[Find]:
    for entry in entries:
        if isinstance(entry, dict) and (key := text(entry, "key") or text(entry, "filename")):
            links = inner(entry, "links")
            url = (
                text(links, "content")
                or text(links, "download")
                or text(links, "self")
                or f"{place}/{path_of(key)}/content"
            )
            size = size_bytes(entry.get("size") or entry.get("filesize"))
            own = Description(size_bytes=size, mime_type=text(entry, "mimetype"))
            fill(own, about)
            yield from file_at(NAME, url, key, own)


def _about(metadata: dict[str, Any]) -> Description:
    people = listed(metadata, "creators")
    return Description(
        title=text(metadata, "title"),
        artist=names_of(people, "name") or names_of(people, "person_or_org", "name"),
        statements=_licences(metadata),
        published_at=published_at(text(metadata, "publication_date")),
    )


def _licences(metadata: dict[str, Any]) -> tuple[Statement, ...] | None:
    licence = metadata.get("license")
    if licence:
        return stated(text(licence, "id") if isinstance(licence, dict) else text(licence))
    found = (
        stated(text(each, "id") or text(each, "title", "en"), url=text(each, "props", "url") or text(each, "link"))
        for each in listed(metadata, "rights")
    )
    return tuple(chain.from_iterable(filter(None, found))) or None


HUB = Hub(
    name=NAME,
    title="Zenodo records, communities and searches",
    examples=(
        "https://zenodo.org/records/1234567",
        "https://zenodo.org/communities/NAME",
        "https://zenodo.org/search?q=WORDS",
        "https://doi.org/10.5281/zenodo.1234567",
    ),
    start=start,
    find=find,
    token=Token(variable="ZENODO_TOKEN", hosts=("zenodo.org",)),
)
