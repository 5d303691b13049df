"""Files and folders that OneDrive shares by link.

Documented: learn.microsoft.com/onedrive/developer/rest-api/api/shares_get (``u!`` and the link in base64),
driveitem_list_children (``@odata.nextLink``) and ``@content.downloadUrl``. Not settled: since 2025 personal accounts
may refuse the API without a sign-in. SharePoint's links serve the file with ``download=1``, which is not documented.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from audiocrawler.discovery.candidate import Description, Find
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.hubs.hub import Address, Hub, file_at, follow, inner, listed, next_page, text, with_query
from audiocrawler.discovery.values import duration_ms, published_at, size_bytes

NAME = "onedrive"
_API = "api.onedrive.com"
_DOWNLOADS = ("@content.downloadUrl", "@microsoft.graph.downloadUrl")


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return the shared item, which is a file or a folder."""
    if address.host == "1drv.ms" or (address.host == "onedrive.live.com" and address.query):
        return follow(NAME, f"{_shared(address)}/root?expand=children")
    url = download_of(address) if address.is_at("sharepoint.com") else None
    return follow(NAME, url) if url else None


def download_of(address: Address) -> str | None:
    """Return the URL from which a shared file is downloaded, None if the URL is no share."""
    if address.host == "1drv.ms" and len(address.segments) > 1:
        return f"{_shared(address)}/root/content"
    is_file = address.is_at("sharepoint.com") and any(each.startswith(":") for each in address.segments[:1])
    return with_query(address.url, download="1") if is_file and not address.segments[0].startswith(":f") else None


def _shared(address: Address) -> str:
    token = urlsafe_b64encode(address.url.encode()).decode().rstrip("=")
    return f"{address.on(_API)}/v1.0/shares/u!{token}"


def find(document: Document) -> Iterator[Find] | None:
    """Return the file of an item, or the files and folders of a folder."""
    value = document.json
    if not isinstance(value, dict) or not {"folder", "file", "value"} & value.keys():
        return None
    children = listed(value, "children") or listed(value, "value")
    is_ours = any(name in each for each in (value, *children) for name in _DOWNLOADS) or (
        Address.of(document.url).host == _API and ("folder" in value or "value" in value)
    )
    return _items(document, value, children) if is_ours else None


def _items(document: Document, value: dict[str, Any], children: list[dict[str, Any]]) -> Iterator[Find]:
    for item in [value, *children]:
        name, url = text(item, "name"), next((text(item, each) for each in _DOWNLOADS if item.get(each)), None)
        if name and url:
            yield from file_at(NAME, url, name, _about(item))
        elif item is not value and "folder" in item and (number := text(item, "id")):
            share = document.url.partition("/root")[0].partition("/items/")[0]
            yield follow(NAME, f"{share}/items/{number}/children", document.collection)
    following = text(value, "@odata.nextLink") or text(value, "children@odata.nextLink")
    if following:
        yield next_page(NAME, following, document.collection)


def _about(item: dict[str, Any]) -> Description:
    milliseconds = inner(item, "audio").get("duration")
    return Description(
        title=text(item, "audio", "title"),
        artist=text(item, "audio", "artist"),
        mime_type=text(item, "file", "mimeType"),
        size_bytes=size_bytes(item.get("size")),
        duration_ms=duration_ms(milliseconds / 1000) if isinstance(milliseconds, int) else None,
        published_at=published_at(text(item, "createdDateTime")),
    )


HUB = Hub(
    name=NAME,
    title="OneDrive and SharePoint shares",
    examples=("https://1drv.ms/u/s!ID", "https://NAME.sharepoint.com/:u:/s/SITE/ID"),
    start=start,
    find=find,
)
