"""The objects in a JSON value, and what each says of the file that it names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from audiocrawler.discovery.candidate import Description
from audiocrawler.discovery.document import one_line
from audiocrawler.discovery.values import duration_ms, published_at, size_bytes, whole_number
from audiocrawler.statements import NOTICE, Statement, statement_of

JSONValue = dict[str, Any] | list[Any] | str | float | bool | None

_TITLE_KEYS = ("title", "name", "headline", "episodetitle", "tracktitle")
_ARTIST_KEYS = ("artist", "byartist", "artistname", "author", "creator", "authors")
_LANGUAGE_KEYS = ("inlanguage", "language", "lang")
_LICENSE_KEYS = ("license", "licence", "license_url", "licenseurl")
_NOTICE_KEYS = ("copyrightnotice", "copyright", "acquirelicensepage")
_CREDIT_KEYS = ("credittext", "copyrightholder")
_DATE_KEYS = ("date_published", "datepublished", "uploaddate", "publishedat", "published_at", "pubdate")
_SECOND_KEYS = (
    "duration",
    "duration_in_seconds",
    "durationseconds",
    "duration_seconds",
    "itunes_duration",
    "length_formatted",
)
_MILLISECOND_KEYS = ("duration_ms", "durationms", "durationmillis", "durationinmilliseconds", "full_duration")
_SIZE_KEYS = ("size_in_bytes", "filesize", "file_size", "contentsize", "sizebytes", "bytes")
_MAX_OBJECTS = 200_000
_LARGEST_KILOBIT_RATE = 10_000


@dataclass(slots=True)
class Node:
    """A JSON object: its members by lower-case key, its JSON-LD types, and the object around it."""

    members: dict[str, Any]
    types: frozenset[str]
    number: int
    parent: "Node | None"

    def first(self, keys: Iterable[str]) -> Any:
        """Return the first of these members that is not empty, here or in the ``meta`` that WordPress puts beside."""
        for place in (self.members, self.members.get("meta")):
            if not isinstance(place, dict):
                continue
            for key in keys:
                if (value := place.get(key)) is not None and value not in ("", [], {}):
                    return value
        return None

    def first_around(self, keys: Iterable[str]) -> Any:
        """Return the first of these members here, else in the object around: a file lies within its episode."""
        own = self.first(keys)
        return self.parent.first(keys) if own is None and self.parent else own


def objects_in(value: JSONValue) -> Iterator[Node]:
    """Yield every object in document order, without recursion."""
    stack: list[tuple[Any, Node | None]] = [([value], None)]
    for number in range(_MAX_OBJECTS):
        if not stack:
            return
        current, parent = stack.pop()
        if isinstance(current, dict):
            parent = Node({str(key).lower(): each for key, each in current.items()}, _types(current), number, parent)
            yield parent
        inner: Iterable[Any] = current.values() if isinstance(current, dict) else current
        stack.extend((each, parent) for each in reversed(list(inner)) if isinstance(each, dict | list))


def _types(members: dict[str, Any]) -> frozenset[str]:
    declared = members.get("@type")
    names = declared if isinstance(declared, list) else [declared]
    return frozenset(name.rpartition("/")[2] for name in names if isinstance(name, str))


def described(node: Node, about: Description, place: str) -> None:
    """Write into ``about`` what an object says of its file; ``place`` names where its statements of rights stand."""
    about.title = one_line(_name(node.first_around(_TITLE_KEYS)))
    about.artist = one_line(_name(node.first_around(_ARTIST_KEYS)))
    about.language = one_line(_name(node.first_around(_LANGUAGE_KEYS)))
    about.statements = _statements(node, place)
    about.credit = one_line(_name(node.first_around(_CREDIT_KEYS)))
    about.published_at = published_at(node.first_around(_DATE_KEYS))
    about.duration_ms = _duration_ms(node) or (_duration_ms(node.parent) if node.parent else None)
    about.size_bytes = size_bytes(node.first(_SIZE_KEYS))
    about.bit_rate_bps = _bit_rate_bps(node.members.get("bitrate"))


def _statements(node: Node, place: str) -> tuple[Statement, ...] | None:
    found = list(_each_statement(node.first_around(_LICENSE_KEYS), place))
    for key in _NOTICE_KEYS:
        found += _each_statement(node.first_around((key,)), place + NOTICE)
    return tuple(found) or None


def _each_statement(value: Any, place: str) -> Iterator[Statement]:
    """Yield a statement for each text or object with a name and a URL."""
    for each in value if isinstance(value, list) else [value]:
        inner = each if isinstance(each, dict) else {"name": each}
        urls = (inner.get(key) for key in ("@id", "url", "sameAs"))
        url = next((url for url in urls if isinstance(url, str) and not url.startswith("_:")), None)
        if stated := statement_of(one_line(_name(inner.get("name"))), place, url=url):
            yield stated


def _name(value: Any) -> str | None:
    """Return the text of a value that is a string, an object with a name, or a list of these."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("name") or value.get("@id") or value.get("url")
    return value if isinstance(value, str) else None


def _duration_ms(node: Node) -> int | None:
    milliseconds = whole_number(node.first(_MILLISECOND_KEYS))
    return milliseconds or duration_ms(node.first(_SECOND_KEYS))


def _bit_rate_bps(value: Any) -> int | None:
    """Return a bit rate that is written in kbit/s where it is small, in bit/s where it is large."""
    rate = whole_number(value)
    return rate * 1000 if rate and rate < _LARGEST_KILOBIT_RATE else rate
