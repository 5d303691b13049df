"""The shape that all hubs share: which starts are theirs, and what their answers hold."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from lxml import etree

from audiocrawler.discovery.candidate import ELEMENT, Description, Find, Kind, Relation, fill
from audiocrawler.discovery.document import Document, DocumentType, line_of, local_name, parse_xml, text_of
from audiocrawler.discovery.kinds import (
    AUDIO_EXTENSIONS,
    FOLLOWED_EXTENSIONS,
    PACKED_EXTENSION,
    VIDEO_EXTENSIONS,
    extension_of,
    kind_of_type,
)
from audiocrawler.discovery.values import published_at
from audiocrawler.model.statements import Statement, statement_of

_PACKED = re.compile(rf"\.(?:arrow|parquet|{PACKED_EXTENSION})$", re.IGNORECASE)
"""Archives, and the shards of datasets."""
STATED_IN = "hub"
"""Where a licence counts as found that a hub states."""


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of a URL: path segments without percent-encoding, and the first value of each parameter."""

    url: str
    scheme: str
    host: str
    origin: str
    segments: tuple[str, ...]
    query: Mapping[str, str]

    @classmethod
    def of(cls, url: str) -> "Address":
        """Parse the URL. Raises ValueError for an invalid one."""
        parts = urlsplit(url)
        query: dict[str, str] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            query.setdefault(name, value)
        segments = tuple(unquote(each) for each in parts.path.split("/") if each)
        origin = f"{parts.scheme.lower()}://{parts.netloc.rpartition('@')[2]}"
        return cls(url, parts.scheme.lower(), (parts.hostname or "").lower(), origin, segments, query)

    def is_at(self, *domains: str) -> bool:
        """Return whether the host is one of these domains, or below one."""
        return any(self.host == each or self.host.endswith(f".{each}") for each in domains)

    def on(self, host: str) -> str:
        """Return the origin of another host, by the scheme of this one."""
        return f"{self.scheme if self.scheme == 'http' else 'https'}://{host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An environment variable with a token, and the header in which its hosts alone receive it."""

    variable: str
    hosts: tuple[str, ...]
    header: str = "Authorization"
    form: str = "Bearer {}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A service that lists files by an API.

    ``start`` returns what to request instead of a start URL, None for a URL that is not the hub's; it is given the
    environment, for hubs that answer only with a key. ``find`` returns what an answer holds, None for a document that
    is none of its answers. ``page`` yields the listing of what a page shows, which is searched itself as well.
    """

    name: str
    title: str
    examples: tuple[str, ...]
    find: Callable[[Document], Iterator[Find] | None]
    start: Callable[[Address, Mapping[str, str]], Find | None] | None = None
    page: Callable[[Document], Iterator[Find]] | None = None
    schemes: tuple[str, ...] = ()
    token: Token | None = None
    variables: tuple[str, ...] = ()
    """Further environment variables that it reads."""


def with_query(url: str, **values: str | None) -> str:
    """Return the URL with these parameters set, or removed if None; the others are kept in their order."""
    base, _, query = url.partition("#")[0].partition("?")
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name not in values]
    return f"{base}?{urlencode([*kept, *((name, value) for name, value in values.items() if value is not None)])}"


def path_of(*segments: str) -> str:
    """Return a percent-encoded path of these segments, which may contain slashes."""
    return "/".join(quote(each, errors="replace") for each in segments)


def follow(hub: str, url: str, collection: Mapping[str, str] | None = None, *, is_dav: bool = False) -> Find:
    """Return a further document of the same collection; ``collection`` says what its files share."""
    relation = Relation.COLLECTION if is_dav else Relation.FOLDER
    return Find(
        url=url,
        found_by=hub,
        confidence=ELEMENT,
        expected=Kind.EMBED,
        relation=relation,
        collection=dict(collection) if collection else None,
    )


def next_page(hub: str, url: str, collection: Mapping[str, str] | None = None) -> Find:
    """Return the next page of a listing."""
    found = follow(hub, url, collection)
    found.relation = Relation.NEXT_PAGE
    return found


def file_at(hub: str, url: str, name: str, about: Description | None = None) -> Iterator[Find]:
    """Yield the file of this name if it is audio, or may hold some: video, playlists, archives and shards."""
    extension = extension_of(f"/{quote(name.rpartition('/')[2], errors='replace')}")
    is_audio = extension in AUDIO_EXTENSIONS or (not extension and about is not None and _is_declared(about))
    expected = _expected(name, extension, is_audio=is_audio)
    if expected is not None or extension in FOLLOWED_EXTENSIONS:
        found = Find(
            url=url,
            found_by=hub,
            confidence=ELEMENT,
            expected=expected,
            link_text=name.rpartition("/")[2],
        )
        if about is not None:
            fill(found, about)
        if kind_of_type(found.mime_type) is not Kind.AUDIO:
            found.mime_type = None  # of stores and repositories it is that of the upload, which is often wrong
        yield found


def _expected(name: str, extension: str, *, is_audio: bool) -> Kind | None:
    if is_audio:
        return Kind.AUDIO
    if extension in VIDEO_EXTENSIONS:
        return Kind.VIDEO
    return Kind.ARCHIVE if _PACKED.search(name) else None


def _is_declared(about: Description) -> bool:
    return kind_of_type(about.mime_type) is Kind.AUDIO


def listed(value: Any, *names: str) -> list[dict[str, Any]]:
    """Return the objects of the list under these members, empty if there is no such list."""
    found = _under(value, names)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def inner(value: Any, *names: str) -> dict[str, Any]:
    """Return the object under these members, empty if there is none."""
    found = _under(value, names)
    return found if isinstance(found, dict) else {}


def text(value: Any, *names: str) -> str | None:
    """Return the text or whole number under these members on one line; of a list, its first value."""
    found = _under(value, names)
    first = found[0] if isinstance(found, list) and found else found
    return str(first) if isinstance(first, int) and not isinstance(first, bool) else line_of(first)


def _under(value: Any, names: tuple[str, ...]) -> Any:
    """Return what is under these members, each within the one before it; None where one is missing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def names_of(people: list[dict[str, Any]], *names: str) -> str | None:
    """Return the names of people, joined; None if nobody is named."""
    return "; ".join(filter(None, (text(each, *names) for each in people[:20]))) or None


def stated(wording: str | None, *, url: str | None = None) -> tuple[Statement, ...] | None:
    """Return the licence that a hub states, from a name, a URL or both."""
    if url and url.startswith("//"):
        url = f"https:{url}"
    statement = statement_of(wording, STATED_IN, url=url)
    return (statement,) if statement else None


def shared(about: Description) -> dict[str, str]:
    """Return what the files of a collection share as text, for the request of the document that lists them."""
    first = about.statements[0] if about.statements else None
    values = {
        "title": about.title,
        "artist": about.artist,
        "licence": first.text if first else None,
        "licence_url": first.url if first else None,
        "published_at": about.published_at.isoformat() if about.published_at else None,
    }
    return {name: value for name, value in values.items() if value}


def shared_in(collection: Mapping[str, str]) -> Description:
    """Return what ``shared`` has written."""
    return Description(
        title=collection.get("title"),
        artist=collection.get("artist"),
        statements=stated(collection.get("licence"), url=collection.get("licence_url")),
        published_at=published_at(collection.get("published_at")),
    )


def whole_text(element: etree._Element, name: str) -> str:
    """Return the text of the first child of this name as it is: names of files may have several spaces, or be long."""
    return next((text_of(each) for each in element.iterchildren(etree.Element) if local_name(each) == name), "")


def folder_prefix(segments: tuple[str, ...]) -> str:
    """Return what the keys of a bucket below these folders begin with."""
    return "".join(f"{each}/" for each in segments)


def xml_root(document: Document, *names: str) -> etree._Element | None:
    """Return the root of an XML document with one of these names in lower case, whatever type it was sent as."""
    if document.type not in {DocumentType.XML, DocumentType.HTML} or document.root_name not in names:
        return None
    return document.root if document.type is DocumentType.XML else parse_xml(document.text, document.url)
