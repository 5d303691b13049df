"""Find the files in listings for programs: the JSON of nginx, Caddy and dufs, and the XML of buckets."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from lxml import etree

from audiocrawler.discovery.candidate import LINK, Find, Kind
from audiocrawler.discovery.document import Document, child_text, each_named, local_name, parse_json, text_of
from audiocrawler.discovery.json_files import is_audio_name
from audiocrawler.discovery.values import published_at, size_bytes

_FOLDERS = frozenset(("dir", "directory", "folder", "symlinkdir"))
_FILES = frozenset(("file", "symlinkfile"))
_SAFE = "/~!$&'()*+,;=:@"
_INLINE = re.compile(r"^\s*(?:const|let|var|window\.)?\s*(?:DATA|__INITIAL_DATA__)\s*=\s*(\{.*\})\s*;?\s*$", re.DOTALL)

Entry = dict[str, Any]


def find_json_listings(document: Document) -> Iterator[Find]:
    """Yield the audio and the folders of a listing whose entries have a name and a type (nginx, Caddy, dufs)."""
    value = document.json
    if isinstance(value, dict) and isinstance(value.get("paths"), list):
        yield from _dufs(value)
    elif isinstance(value, list) and all(isinstance(each, dict) and _is_entry(each) for each in value):
        for each in value:
            yield from _entry("./", each)


def find_index_data(document: Document) -> Iterator[Find]:
    """Yield the same from a page of dufs, which has its listing as data (template ``index-data``, or a script)."""
    if "index-data" not in document.text and "DATA" not in document.text:
        return
    for element in document.elements("template", "script"):
        text = text_of(element) if element.get("id") == "index-data" else ""
        match = _INLINE.match(element.text or "") if element.tag == "script" and not text else None
        value = parse_json(match[1]) if match else _decoded(text)
        if isinstance(value, dict) and isinstance(value.get("paths"), list):
            yield from _dufs(value)


def _decoded(text: str) -> Any:
    try:
        return json.loads(b64decode(text.strip()))
    except ValueError:
        return parse_json(text)


def _dufs(value: Entry) -> Iterator[Find]:
    folder = value.get("href")
    place = f"{quote(folder.rstrip('/'), safe=_SAFE)}/" if isinstance(folder, str) else "./"
    for each in value["paths"]:
        if isinstance(each, dict):
            yield from _entry(place, each)


def _is_entry(entry: Entry) -> bool:
    return isinstance(entry.get("name"), str) and (_type(entry) in _FOLDERS | _FILES or "is_dir" in entry)


def _type(entry: Entry) -> str:
    if isinstance(is_folder := entry.get("is_dir"), bool):
        return "directory" if is_folder else "file"
    return str(entry.get("path_type") or entry.get("type") or "").lower()


def _entry(place: str, entry: Entry) -> Iterator[Find]:
    name, kind = entry.get("name"), _type(entry)
    if not isinstance(name, str) or name.strip("/") in ("", ".", ".."):
        return
    url = place + quote(name.strip("/"), safe=_SAFE)
    if kind in _FOLDERS:
        yield Find(url=f"{url}/", found_by="listing", confidence=LINK, expected=Kind.PAGE)
    elif is_audio_name(name):
        yield Find(
            url=url,
            found_by="listing",
            confidence=LINK,
            size_bytes=size_bytes(entry.get("size")),
            published_at=published_at(entry.get("mtime") or entry.get("mod_time")),
        )


def find_xml_listings(document: Document) -> Iterator[Find]:
    """Yield the audio and the folders of nginx's XML listing (ngx_http_autoindex_module, autoindex_format)."""
    if document.root is None or document.root_name != "list" or document.root.find("file") is None:
        return
    for each in document.root:
        about = {"name": text_of(each), "type": local_name(each), "size": each.get("size"), "mtime": each.get("mtime")}
        yield from _entry("./", about)


_BUCKETS = frozenset(("listbucketresult", "listversionsresult", "enumerationresults"))


def find_buckets(document: Document) -> Iterator[Find]:
    """Yield the audio in the listing of a bucket of S3, of what speaks its language, or of Azure.

    Keys are relative to the bucket: its name is in the host or the first folder (Amazon S3 API, ListObjectsV2).
    """
    if document.root is None or document.root_name not in _BUCKETS:
        return
    is_encoded = child_text(document.root, "encodingtype") == "url"
    base = _bucket_url(document.url, document.root)
    for each in each_named(document.root, "contents", "version", "blob"):
        key = child_text(each, "key", "name")
        if key and is_audio_name(key):
            yield _object(each, base, unquote(key) if is_encoded else key)


def _bucket_url(url: str, listing: etree._Element) -> str:
    parts = urlsplit(url)
    first = parts.path.strip("/").partition("/")[0]
    is_in_path = local_name(listing) == "enumerationresults" or first == child_text(listing, "name")
    return parts._replace(path=f"/{first}/" if first and is_in_path else "/", query="", fragment="").geturl()


def _object(entry: etree._Element, base: str, key: str) -> Find:
    properties = next(each_named(entry, "properties"), entry)
    return Find(
        url=child_text(entry, "url") or base + quote(key.lstrip("/"), safe=_SAFE),
        found_by="bucket",
        confidence=LINK,
        mime_type=child_text(properties, "content-type"),
        size_bytes=size_bytes(child_text(properties, "size", "content-length")),
        published_at=published_at(child_text(properties, "lastmodified", "last-modified")),
    )
