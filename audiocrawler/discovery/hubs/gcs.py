"""Buckets of Google Cloud Storage, by its JSON API.

Documented: cloud.google.com/storage/docs/json_api/v1/objects/list and request-endpoints. A bucket that is not public is
read with Google's credentials (middlewares.buckets), if the crawl starts at it.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from audiocrawler.discovery.candidate import Description, Find
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.hubs.hub import (
    Address,
    Hub,
    file_at,
    follow,
    listed,
    next_page,
    path_of,
    text,
    with_query,
)
from audiocrawler.discovery.values import published_at, size_bytes

NAME = "gcs"
VARIABLE = "GOOGLE_OAUTH_ACCESS_TOKEN"
"""The variable with a token such as ``gcloud auth print-access-token`` prints."""
_HOST = "storage.googleapis.com"
_PAGES = ("console.cloud.google.com", "storage.cloud.google.com")


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return the listing of a bucket below a prefix, for ``gs://`` and for folders in Google's URLs."""
    segments = address.segments
    if address.scheme == "gs":
        return _listing(address, address.host, segments)
    if address.host == _PAGES[0] and segments[:2] == ("storage", "browser") and len(segments) > 2:
        bucket, __, prefix = "/".join(segments[2:]).partition(";")[0].partition("/")
        return _listing(address, bucket, tuple(filter(None, prefix.split("/"))))
    is_folder = address.url.endswith("/") or len(segments) == 1
    is_of_google = address.host in {_HOST, _PAGES[1]} and segments[:1] not in {("storage",), ("download",)}
    if is_of_google and segments and is_folder and "?" not in address.url:
        return _listing(address, segments[0], segments[1:])
    return None


def bucket_of(url: str) -> str | None:
    """Return the bucket of a start, or of the URL of an object or listing; None for any other URL."""
    try:
        address = Address.of(url)
    except ValueError:
        return None
    if (asked := start(address, {})) is not None:
        address = Address.of(asked.url)
    if address.host != _HOST:
        return None
    match address.segments:
        case ("storage", "v1", "b", bucket, *_) | ("download", "storage", "v1", "b", bucket, *_):
            return bucket
        case (bucket, *_):
            return bucket
    return None


def _listing(address: Address, bucket: str, below: tuple[str, ...]) -> Find:
    is_folder = address.url.partition("?")[0].endswith("/") or address.scheme != "gs"
    prefix = "/".join(below) + ("/" if below and is_folder else "")
    url = f"{address.on(_HOST)}/storage/v1/b/{quote(bucket, safe='')}/o"
    return follow(NAME, with_query(url, prefix=prefix or None, maxResults="1000"))


def find(document: Document) -> Iterator[Find] | None:
    """Return the objects of a listing and its next page."""
    value = document.json
    is_ours = isinstance(value, dict) and value.get("kind") == "storage#objects"
    return _objects(document, value) if is_ours else None


def _objects(document: Document, value: dict[str, Any]) -> Iterator[Find]:
    place = Address.of(document.url).origin
    for each in listed(value, "items"):
        bucket, name = text(each, "bucket"), each.get("name")
        if bucket and isinstance(name, str) and not name.endswith("/"):
            about = Description(
                mime_type=text(each, "contentType"),
                size_bytes=size_bytes(each.get("size")),
                published_at=published_at(text(each, "timeCreated")),
            )
            yield from file_at(NAME, f"{place}/{path_of(bucket)}/{path_of(name)}", name, about)
    for prefix in value.get("prefixes") or ():
        if isinstance(prefix, str):
            yield follow(NAME, with_query(document.url, prefix=prefix, pageToken=None), document.collection)
    if token := text(value, "nextPageToken"):
        yield next_page(NAME, with_query(document.url, pageToken=token), document.collection)


HUB = Hub(
    name=NAME,
    title="Google Cloud Storage buckets",
    examples=("gs://BUCKET/PREFIX/", "https://storage.googleapis.com/BUCKET/PREFIX/"),
    start=start,
    find=find,
    schemes=("gs",),
    variables=(VARIABLE, "GOOGLE_APPLICATION_CREDENTIALS"),
)
