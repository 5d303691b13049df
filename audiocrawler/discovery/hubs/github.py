"""Repositories of GitHub: the tree of a revision, or a folder's contents. Gitea and Forgejo answer alike.

Documented: docs.github.com/rest/git/trees ("Get a tree": ``recursive``, ``truncated``), rest/repos/contents,
rest/repos/repos ("Get a repository": ``license``, ``default_branch``), rest/releases/releases. Not documented: that a
file in Git LFS is served by media.githubusercontent.com; its pointer in the tree has 120 to 140 bytes, which no audio
file has.
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
    listed,
    next_page,
    path_of,
    shared,
    stated,
    text,
    with_query,
)
from audiocrawler.discovery.values import published_at, size_bytes

NAME = "github"
_API = "api.github.com"
_REPOSITORY = re.compile(
    r"(https?://[^/]+/(?:api/v\d/)?)repos/([^/?#]+/[^/?#]+)(/git/trees/([^/?#]+)|/contents\b|/releases\b)?"
)
_OWN_PAGES = frozenset(("about", "apps", "collections", "explore", "features", "orgs", "search", "topics", "trending"))
_POINTER_BYTES = range(100, 200)


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return the repository, whose tree is listed next, below the folder of the URL."""
    segments = address.segments
    if address.host not in {"github.com", "www.github.com"} or len(segments) < 2 or segments[0] in _OWN_PAGES:
        return None
    if segments[2:] == ("releases",):
        return follow(NAME, f"{address.on(_API)}/repos/{path_of(*segments[:2])}/releases?per_page=100")
    if segments[2:3] not in {(), ("tree",)}:
        return None
    collection = {"revision": segments[3], "under": "/".join(segments[4:])} if len(segments) > 3 else None
    name = segments[1].removesuffix(".git")
    return follow(NAME, f"{address.on(_API)}/repos/{path_of(segments[0], name)}", collection)


def find(document: Document) -> Iterator[Find] | None:
    """Return the tree of a repository, the files of a tree, or of a folder."""
    match = _REPOSITORY.match(document.url)
    value = document.json
    if match is None or value is None:
        return None
    if isinstance(value, dict) and isinstance(value.get("tree"), list) and match[4]:
        return _tree(document, value, match)
    if isinstance(value, dict) and "full_name" in value and "default_branch" in value:
        return _repository(document, value)
    entries = [value] if isinstance(value, dict) else value
    if match[3] == "/releases" and isinstance(entries, list):
        return _releases(document, entries)
    is_contents = all(isinstance(each, dict) and "download_url" in each for each in entries)
    return _contents(document, entries) if is_contents and match[3] else None


def _repository(document: Document, value: dict[str, Any]) -> Iterator[Find]:
    given = document.collection
    licence = text(value, "license", "spdx_id")
    about = Description(
        artist=text(value, "owner", "login"),
        statements=stated(None if licence == "NOASSERTION" else licence),
        published_at=published_at(text(value, "created_at")),
    )
    revision = given.get("revision") or text(value, "default_branch") or "HEAD"
    under = {"revision": revision, "under": given.get("under", "")}
    url = f"{document.url.partition('?')[0].rstrip('/')}/git/trees/{quote(revision, safe='')}?recursive=1"
    yield follow(NAME, url, shared(about) | {name: value for name, value in under.items() if value})


def _tree(document: Document, value: dict[str, Any], match: re.Match[str]) -> Iterator[Find]:
    """Yield the files; a tree too long for one answer is read again folder by folder."""
    given, address = document.collection, Address.of(document.url)
    folder = f"{given['folder']}/" if given.get("folder") else ""
    under = f"{given['under'].strip('/')}/" if given.get("under") else ""
    is_recursive = "recursive" in address.query
    trees = document.url.partition("/git/trees/")[0] + "/git/trees"
    if value.get("truncated") and is_recursive and (own := text(value, "sha")):
        yield follow(NAME, f"{trees}/{own}", given)
        return
    for entry in value["tree"]:
        path = folder + (text(entry, "path") or "") if isinstance(entry, dict) else ""
        if path.startswith(under) and entry.get("type") == "blob":
            yield from _blob(path, entry, match, given.get("revision") or match[4])
        elif (
            path and entry.get("type") == "tree" and not is_recursive and f"{path}/".startswith(under[: len(path) + 1])
        ):
            yield follow(NAME, f"{trees}/{text(entry, 'sha')}?recursive=1", {**given, "folder": path})


def _blob(path: str, entry: dict[str, Any], match: re.Match[str], revision: str) -> Iterator[Find]:
    size = size_bytes(entry.get("size"))
    is_pointer = size is not None and size in _POINTER_BYTES
    url = _raw(match, revision, path, is_pointer=is_pointer)
    yield from file_at(NAME, url, path, Description(size_bytes=None if is_pointer else size))


def _raw(match: re.Match[str], revision: str, path: str, *, is_pointer: bool) -> str:
    """Return the URL of a file at GitHub, GitHub Enterprise or Gitea."""
    address, place = Address.of(match[1]), f"{match[2]}/{quote(revision)}/{path_of(path)}"
    if match[1].endswith("/api/v1/"):
        return with_query(f"{match[1]}repos/{match[2]}/raw/{path_of(path)}", ref=revision)
    if address.host != _API:
        return f"{address.origin}/{match[2]}/raw/{quote(revision)}/{path_of(path)}"
    if is_pointer:
        return f"{address.on('media.githubusercontent.com')}/media/{place}"
    return f"{address.on('raw.githubusercontent.com')}/{place}"


def _releases(document: Document, releases: list[Any]) -> Iterator[Find]:
    for release in releases:
        for asset in listed(release, "assets"):
            name, url = text(asset, "name"), text(asset, "browser_download_url")
            if name and url:
                about = Description(
                    size_bytes=size_bytes(asset.get("size")),
                    artist=text(release, "author", "login"),
                    published_at=published_at(text(release, "published_at")),
                )
                yield from file_at(NAME, url, name, about)
    if document.next_url:
        yield next_page(NAME, document.next_url)


def _contents(document: Document, entries: list[dict[str, Any]]) -> Iterator[Find]:
    for entry in entries:
        name, url = text(entry, "name"), text(entry, "download_url")
        if entry.get("type") == "dir" and (folder := text(entry, "url")):
            yield follow(NAME, folder, document.collection)
        elif name and url:
            yield from file_at(NAME, url, name, Description(size_bytes=size_bytes(entry.get("size"))))


HUB = Hub(
    name=NAME,
    title="GitHub repositories, their folders and releases",
    examples=(
        "https://github.com/OWNER/REPOSITORY",
        "https://github.com/OWNER/REPOSITORY/tree/main/FOLDER",
        "https://github.com/OWNER/REPOSITORY/releases",
    ),
    start=start,
    find=find,
    token=Token(variable="GITHUB_TOKEN", hosts=(_API,)),
)
