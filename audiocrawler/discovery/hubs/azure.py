"""Containers of Azure Blob Storage that are public, or that a shared access signature in the URL opens.

Documented: learn.microsoft.com/rest/api/storageservices/list-blobs and create-service-sas. The signature goes with
every page and file; rows and logs have it masked.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from lxml import etree

from audiocrawler.discovery.candidate import Description, Find
from audiocrawler.discovery.document import Document, child_text, each_named, local_name
from audiocrawler.discovery.hubs.hub import (
    Address,
    Hub,
    file_at,
    folder_prefix,
    follow,
    next_page,
    path_of,
    whole_text,
    with_query,
    xml_root,
)
from audiocrawler.discovery.values import published_at, size_bytes

NAME = "azure"
_HOSTS = ("blob.core.windows.net", "blob.core.usgovcloudapi.net", "blob.core.chinacloudapi.cn")
_OF_LISTING = frozenset(("restype", "comp", "prefix", "delimiter", "marker", "maxresults", "include"))


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return the listing of a container below a prefix."""
    is_folder = len(address.segments) == 1 or urlsplit(address.url).path.endswith("/")
    if not address.is_at(*_HOSTS) or not address.segments or not is_folder or "comp" in address.query:
        return None
    prefix = folder_prefix(address.segments[1:])
    query = f"?{urlsplit(address.url).query}"
    url = f"{address.origin}/{path_of(address.segments[0])}{query}"
    return follow(NAME, with_query(url, restype="container", comp="list", prefix=prefix or None))


def find(document: Document) -> Iterator[Find] | None:
    """Return the blobs of a listing, its folders if it stops at them, and its next page."""
    root = xml_root(document, "enumerationresults")
    return _blobs(document, root) if root is not None else None


def _blobs(document: Document, root: etree._Element) -> Iterator[Find]:
    place, _, query = document.url.partition("?")
    kept = [(name, value) for name, value in parse_qsl(query) if name not in _OF_LISTING]
    signature = f"?{urlencode(kept)}" if kept else ""
    for each in each_named(root, "blob", "blobprefix"):
        name = whole_text(each, "name")
        if name and local_name(each) == "blobprefix":
            yield follow(NAME, with_query(document.url, prefix=name, marker=None), document.collection)
        elif name:
            yield from file_at(NAME, f"{place.rstrip('/')}/{path_of(name)}{signature}", name, _about(each))
    if marker := child_text(root, "nextmarker"):
        yield next_page(NAME, with_query(document.url, marker=marker), document.collection)


def _about(blob: etree._Element) -> Description:
    for each in each_named(blob, "properties"):
        return Description(
            mime_type=child_text(each, "content-type"),
            size_bytes=size_bytes(child_text(each, "content-length")),
            published_at=published_at(child_text(each, "last-modified")),
        )
    return Description()


HUB = Hub(
    name=NAME,
    title="Azure Blob Storage containers",
    examples=("https://ACCOUNT.blob.core.windows.net/CONTAINER",),
    start=start,
    find=find,
)
