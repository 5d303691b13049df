"""Repositories of GitLab, at gitlab.com or at a host of its own.

Documented: docs.gitlab.com/api/projects ("Retrieve a project": ``license``), api/repositories ("List repository tree":
keyset pages, whose next one the Link header names) and api/repository_files ("Retrieve a raw file": ``lfs``).
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
    next_page,
    shared,
    stated,
    text,
    with_query,
)
from audiocrawler.discovery.values import published_at

NAME = "gitlab"
_PROJECT = re.compile(r"(https?://[^?#]+?/api/v4/projects/[^/?#]+)(/repository/tree)?/?(?:[?#]|$)")
_OWN_PAGES = frozenset(("-", "dashboard", "explore", "groups", "help", "search", "users"))


def start(address: Address, _: Mapping[str, str]) -> Find | None:
    """Return the project, whose tree is listed next, below the folder of the URL."""
    segments = address.segments
    is_tree = "-" in segments[2:] and segments[segments.index("-", 2) + 1 :][:1] == ("tree",)
    is_ours = is_tree or (address.host.startswith("gitlab.") and "-" not in segments)
    if not is_ours or len(segments) < 2 or segments[0] in _OWN_PAGES:
        return None
    end = segments.index("-", 2) if is_tree else len(segments)
    below = segments[end + 2 :]
    collection = {"revision": below[0], "under": "/".join(below[1:])} if below else None
    project = quote("/".join(segments[:end]).removesuffix(".git"), safe="")
    return follow(NAME, f"{address.origin}/api/v4/projects/{project}?license=true", collection)


def find(document: Document) -> Iterator[Find] | None:
    """Return the tree of a project, or the files of a tree."""
    match = _PROJECT.match(document.url)
    if match is None or document.json is None:
        return None
    if isinstance(document.json, list) and match[2]:
        return _tree(document, document.json, match[1])
    is_project = isinstance(document.json, dict) and "path_with_namespace" in document.json and not match[2]
    return _project(document, document.json, match[1]) if is_project else None


def _project(document: Document, value: dict[str, Any], place: str) -> Iterator[Find]:
    given = document.collection
    about = Description(
        artist=text(value, "owner", "name") or text(value, "namespace", "name"),
        statements=stated(text(value, "license", "key"), url=text(value, "license", "html_url")),
        published_at=published_at(text(value, "created_at")),
    )
    revision = given.get("revision") or text(value, "default_branch") or "HEAD"
    tree = with_query(
        f"{place}/repository/tree",
        ref=revision,
        path=given.get("under") or None,
        recursive="true",
        pagination="keyset",
        per_page="100",
    )
    yield follow(NAME, tree, shared(about) | {"revision": revision})


def _tree(document: Document, entries: list[Any], place: str) -> Iterator[Find]:
    query = Address.of(document.url).query
    revision = query.get("ref") or document.collection.get("revision") or "HEAD"
    for entry in entries:
        path = text(entry, "path") if isinstance(entry, dict) else None
        if path and entry.get("type") == "blob":
            url = f"{place}/repository/files/{quote(path, safe='')}/raw"
            yield from file_at(NAME, with_query(url, ref=revision, lfs="true"), path)
        elif path and entry.get("type") == "tree" and query.get("recursive") != "true":
            yield follow(NAME, with_query(document.url, path=path, page=None, page_token=None), document.collection)
    if document.next_url:
        yield next_page(NAME, document.next_url, document.collection)


HUB = Hub(
    name=NAME,
    title="GitLab repositories and their folders, at any host",
    examples=("https://gitlab.com/GROUP/PROJECT", "https://gitlab.example.org/GROUP/PROJECT/-/tree/main/FOLDER"),
    start=start,
    find=find,
    token=Token(variable="GITLAB_TOKEN", hosts=("gitlab.com",), header="Private-Token", form="{}"),
)
