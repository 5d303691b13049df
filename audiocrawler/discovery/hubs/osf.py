"""Projects, components and registrations of the Open Science Framework, with the files of all their storages.

Documented: developer.osf.io (JSON API; "Guids", "Nodes", "Files"): folders are followed by
``relationships.files``, pages by ``links.next``. Licence and contributors come embedded on demand.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from audiocrawler.discovery.candidate import Description, Find
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
    shared,
    stated,
    text,
)
from audiocrawler.discovery.values import published_at, size_bytes

NAME = "osf"
_API = "api.osf.io"
_ID = re.compile(r"[a-z0-9]{5}")
_EMBEDS = "embed=license&embed=contributors"
_NODES = frozenset(("nodes", "registrations"))


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return what the identifier stands for: a project, a registration or a file."""
    segments = address.segments
    if address.host not in {"osf.io", "www.osf.io"} or not segments or not _ID.fullmatch(segments[0].lower()):
        return None
    if segments[1:] not in {(), ("files",), ("files", "osfstorage"), ("overview",), ("wiki",)}:
        return None
    return follow(NAME, f"{address.on(_API)}/v2/guids/{segments[0].lower()}/")


def find(document: Document) -> Iterator[Find] | None:
    """Return the storages and components of a node, or the entries of a folder."""
    value = document.json
    if not isinstance(value, dict) or "/v2/" not in document.url or "data" not in value:
        return None
    data = value["data"] if isinstance(value["data"], list) else [value["data"]]
    entries = [each for each in data if isinstance(each, dict) and isinstance(each.get("attributes"), dict)]
    kinds = {each.get("type") for each in entries}
    is_empty = not data and "links" in value and Address.of(document.url).host == _API
    return _entries(document, value, entries) if is_empty or kinds & {*_NODES, "files"} else None


def _entries(document: Document, value: dict[str, Any], entries: list[dict[str, Any]]) -> Iterator[Find]:
    for entry in entries:
        yield from _node(entry) if entry.get("type") in _NODES else _file(document, entry)
    if url := text(value, "links", "next"):
        yield next_page(NAME, url, document.collection)


def _node(node: dict[str, Any]) -> Iterator[Find]:
    own = text(node, "links", "self")
    if own and not inner(node, "embeds"):
        yield follow(NAME, f"{own}{'&' if '?' in own else '?'}{_EMBEDS}")
        return
    about = shared(_about(node))
    for name in ("files", "children"):
        if url := _related(node, name):
            yield follow(NAME, url, about if name == "files" else None)


def _about(node: dict[str, Any]) -> Description:
    people = listed(node, "embeds", "contributors", "data")
    licence = inner(node, "embeds", "license", "data", "attributes")
    return Description(
        title=text(node, "attributes", "title"),
        artist=names_of(people, "embeds", "users", "data", "attributes", "full_name"),
        statements=stated(text(licence, "name"), url=text(licence, "url")),
        published_at=published_at(
            text(node, "attributes", "date_registered") or text(node, "attributes", "date_created")
        ),
    )


def _file(document: Document, entry: dict[str, Any]) -> Iterator[Find]:
    attributes = inner(entry, "attributes")
    name = text(attributes, "name")
    if attributes.get("kind") == "folder":
        if url := _related(entry, "files"):
            yield follow(NAME, url, document.collection)
    elif name and (url := text(entry, "links", "download")):
        about = Description(
            size_bytes=size_bytes(attributes.get("size")), published_at=published_at(text(attributes, "date_created"))
        )
        yield from file_at(NAME, url, name, about)


def _related(entry: dict[str, Any], name: str) -> str | None:
    related = inner(entry, "relationships", name, "links").get("related")
    return text(related, "href") if isinstance(related, dict) else text(related)


HUB = Hub(
    name=NAME,
    title="OSF projects, components and registrations",
    examples=("https://osf.io/abcde/",),
    start=start,
    find=find,
    token=Token(variable="OSF_TOKEN", hosts=(_API, "files.osf.io")),
)
