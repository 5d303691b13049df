"""Buckets of Amazon S3 and of what speaks its protocol: MinIO, Ceph, R2, Spaces, and Google Cloud Storage's XML API.

Documented: docs.aws.amazon.com/AmazonS3/latest/API (ListObjectsV2, ListObjects) and
cloud.google.com/storage/docs/xml-api/get-bucket-list. Buckets are read anonymously, or with a signed URL.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_plus

from lxml import etree

from audiocrawler.discovery.candidate import Description, Find
from audiocrawler.discovery.document import Document, child_text, local_name
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

NAME = "s3"
_ROOT = "listbucketresult"
_PATH_STYLE = re.compile(r"s3[.-](?:dualstack\.)?(?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?|s3\.amazonaws\.com(?:\.cn)?")
_VIRTUAL = re.compile(r"(?P<bucket>.+)\.s3[.-](?:[a-z0-9.-]+\.)?amazonaws\.com(?:\.cn)?")
_SHOWN = re.compile(r"\bBUCKET_URL\s*=\s*['\"](https?://[^'\"<>\s]+)['\"]")
"""The variable by which rufuspollock/s3-bucket-listing knows its bucket."""
_CONSOLE = re.compile(r"(?:[a-z0-9-]+\.)?console\.aws\.amazon\.com")


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return the listing of a bucket below a prefix, for ``s3://`` and for URLs of Amazon that end with a slash."""
    if address.scheme == "s3":
        prefix = "/".join(address.segments) + ("/" if address.url.endswith("/") and address.segments else "")
        return _listing(_endpoint(address.host), prefix)
    if _CONSOLE.fullmatch(address.host) and address.segments[:2] == ("s3", "buckets") and len(address.segments) == 3:
        return _listing(_endpoint(address.segments[2]), address.query.get("prefix", ""))
    is_folder = "?" not in address.url and (address.url.endswith("/") or not address.segments)
    if is_folder and _PATH_STYLE.fullmatch(address.host) and address.segments:
        return _listing(f"{address.origin}/{path_of(address.segments[0])}", folder_prefix(address.segments[1:]))
    if is_folder and _VIRTUAL.fullmatch(address.host):
        return _listing(address.origin, folder_prefix(address.segments))
    return None


def _endpoint(bucket: str) -> str:
    """Return the endpoint of a bucket: a certificate for ``*.s3`` does not hold for names with dots."""
    return f"https://s3.amazonaws.com/{bucket}" if "." in bucket else f"https://{bucket}.s3.amazonaws.com"


def _listing(endpoint: str, prefix: str) -> Find:
    values = {"list-type": "2", "prefix": prefix or None}
    return follow(NAME, with_query(f"{endpoint}/", **values))


def find(document: Document) -> Iterator[Find] | None:
    """Return the objects of a listing, its folders if it stops at them, and its next page."""
    root = xml_root(document, _ROOT)
    return _objects(document, root) if root is not None else None


def page(document: Document) -> Iterator[Find]:
    """Yield the listing of the bucket that the scripts of a page show."""
    if "BUCKET_URL" in document.text and (match := _SHOWN.search(document.text)):
        yield _listing(match[1].rstrip("/"), "")


def _objects(document: Document, root: etree._Element) -> Iterator[Find]:
    is_encoded = child_text(root, "encodingtype") == "url"
    place, last = _place(document, root), ""
    for each in root.iterchildren(etree.Element):
        name = local_name(each)
        if name == "contents" and (last := _key(each, "key", is_encoded=is_encoded)):
            yield from _object(place, last, each)
        elif name == "commonprefixes" and (prefix := _key(each, "prefix", is_encoded=is_encoded)):
            restart = {"continuation-token": None, "marker": None, "start-after": None}
            yield follow(NAME, with_query(document.url, prefix=prefix, **restart), document.collection)
            last = max(last, prefix)
    if (child_text(root, "istruncated") or "").lower() == "true":
        yield from _next(document, root, last, is_encoded=is_encoded)


def _place(document: Document, root: etree._Element) -> str:
    """Return where the keys are relative to: the bucket in the path, or the host that stands for it."""
    address, bucket = Address.of(document.url), child_text(root, "name")
    is_in_path = bucket is not None and address.segments[:1] == (bucket,)
    return f"{address.origin}/{path_of(bucket)}" if bucket and is_in_path else address.origin


def _key(element: etree._Element, name: str, *, is_encoded: bool) -> str:
    value = whole_text(element, name)
    return unquote_plus(value) if is_encoded else value


def _object(place: str, key: str, element: etree._Element) -> Iterator[Find]:
    if not key.endswith("/"):
        about = Description(
            size_bytes=size_bytes(child_text(element, "size")),
            published_at=published_at(child_text(element, "lastmodified")),
        )
        yield from file_at(NAME, f"{place}/{path_of(key)}", key, about)


def _next(document: Document, root: etree._Element, last: str, *, is_encoded: bool) -> Iterator[Find]:
    token = child_text(root, "nextcontinuationtoken")
    if token:
        values = {"list-type": "2", "continuation-token": token}
        yield next_page(NAME, with_query(document.url, **values), document.collection)
        return
    if marker := _key(root, "nextmarker", is_encoded=is_encoded) or last:
        yield next_page(NAME, with_query(document.url, marker=marker), document.collection)


HUB = Hub(
    name=NAME,
    title="S3 buckets, of Amazon or any other server",
    examples=("s3://BUCKET/PREFIX/", "https://BUCKET.s3.amazonaws.com/PREFIX/", "https://s3.example.org/BUCKET/"),
    start=start,
    find=find,
    page=page,
    schemes=("s3",),
)
