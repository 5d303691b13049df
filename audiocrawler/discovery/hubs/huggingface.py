"""Datasets of the Hugging Face Hub, by its API; models and spaces answer alike.

Documented: huggingface.co/docs/hub/api (``/api/datasets/{id}``, ``/tree/{revision}``); that trees come in pages whose
next one the Link header names is how huggingface_hub reads them (utils/_pagination.py). Files are at ``/resolve/``
(huggingface.co/docs/hub/datasets-downloading). Parquet and archives are yielded as what they are, not as audio.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from audiocrawler.discovery.candidate import Description, Find
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.hubs.hub import (
    Address,
    Hub,
    Token,
    file_at,
    follow,
    inner,
    next_page,
    path_of,
    shared,
    stated,
    text,
)
from audiocrawler.discovery.values import published_at, size_bytes

NAME = "huggingface"
_HOSTS = ("huggingface.co", "hf.co")
_ANSWER = re.compile(
    r"(?P<origin>https?://[^/]+)/api/(?P<kind>datasets|models|spaces)/(?P<name>[^/?#]+/[^/?#]+?)"
    r"(?:/(?P<what>tree|revision)/(?P<revision>[^/?#]+)(?:/[^?#]*)?)?/?(?:[?#]|$)"
)
_PLACES = ("tree", "blob", "resolve", "viewer", "discussions")


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return the description of the dataset, whose files are listed next; a file's own URL is left as it is."""
    segments = address.segments
    if not address.is_at(*_HOSTS) or len(segments) < 3 or segments[0] != "datasets" or segments[3:4] == ("resolve",):
        return None
    if segments[3:4] not in {(), *((each,) for each in _PLACES)}:
        return None
    is_tree = segments[3:4] == ("tree",) and len(segments) > 4
    revision, under = (segments[4], "/".join(segments[5:])) if is_tree else ("", "")
    url = f"{address.origin}/api/datasets/{path_of(*segments[1:3])}"
    return follow(
        NAME, f"{url}/revision/{quote(revision, safe='')}" if revision else url, {"under": under} if under else None
    )


def find(document: Document) -> Iterator[Find] | None:
    """Return the files of a tree, or the tree of a described dataset."""
    match = _ANSWER.match(document.url)
    if match is None or document.json is None:
        return None
    if isinstance(document.json, list) and match["what"] == "tree":
        return _files(document, document.json, match)
    if isinstance(document.json, dict) and isinstance(document.json.get("id"), str):
        return _described(document, document.json, match)
    return None


def _described(document: Document, value: dict[str, Any], match: re.Match[str]) -> Iterator[Find]:
    under = document.collection.get("under", "")
    tree = f"{match['origin']}/api/{match['kind']}/{match['name']}/tree/{match['revision'] or 'main'}"
    about = Description(
        artist=text(value, "author") or match["name"].partition("/")[0],
        statements=stated(_licence(value)),
        published_at=published_at(text(value, "createdAt") or text(value, "lastModified")),
    )
    yield follow(NAME, f"{tree}/{path_of(under)}?recursive=true" if under else f"{tree}?recursive=true", shared(about))


def _licence(value: dict[str, Any]) -> str | None:
    card = inner(value, "cardData")
    tags = value.get("tags")
    tagged = (
        [each for each in tags if isinstance(each, str) and each.startswith("license:")]
        if isinstance(tags, list)
        else []
    )
    named = text(card, "license") or (tagged[0].removeprefix("license:") if tagged else None)
    return (text(card, "license_name") or named) if named == "other" else named


def _files(document: Document, entries: list[Any], match: re.Match[str]) -> Iterator[Find]:
    folder = "" if match["kind"] == "models" else f"{match['kind']}/"
    place = f"{match['origin']}/{folder}{match['name']}/resolve/{match['revision']}"
    tree = f"{match['origin']}/api/{match['kind']}/{match['name']}/tree/{match['revision']}"
    is_recursive = "recursive=" in document.url
    for entry in entries:
        path = text(entry, "path") if isinstance(entry, dict) else None
        if path and entry.get("type") == "file":
            yield from file_at(
                NAME, f"{place}/{path_of(path)}", path, Description(size_bytes=size_bytes(entry.get("size")))
            )
        elif path and entry.get("type") == "directory" and not is_recursive:
            yield follow(NAME, f"{tree}/{path_of(path)}?recursive=true", document.collection)
    if document.next_url:
        yield next_page(NAME, document.next_url, document.collection)


HUB = Hub(
    name=NAME,
    title="Hugging Face datasets",
    examples=("https://huggingface.co/datasets/ORG/NAME", "https://huggingface.co/datasets/ORG/NAME/tree/main/FOLDER"),
    start=start,
    find=find,
    token=Token(variable="HF_TOKEN", hosts=("huggingface.co",)),
)
