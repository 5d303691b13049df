"""Cut large feeds, sitemaps and JSON documents into pieces that are parsed one at a time, so that memory is bounded."""

import re
from collections.abc import Generator, Iterable, Iterator
from json import JSONDecoder
from typing import Any

PIECE_CHARACTERS = 2 * 2**20
MAX_ITEM_CHARACTERS = 16 * 2**20
"""An item longer than this is left out, with what follows it."""
ITEMS = {
    "rss": "item",
    "rdf": "item",
    "feed": "entry",
    "urlset": "url",
    "sitemapindex": "sitemap",
    "playlist": "track",
    "listbucketresult": "contents",
}
"""Root element -> the element that it repeats, in lower case."""


class TooLongError(ValueError):
    """Raised when an item, or what precedes the first one, is longer than MAX_ITEM_CHARACTERS."""


def xml_pieces(blocks: Iterable[str], item: str) -> Iterator[str]:
    """Yield texts with whole items after what precedes the first one, which is about all of them.

    Raises TooLongError.
    """
    ends = re.compile(rf"</(?:[\w.-]+:)?{item}\s*>", re.IGNORECASE)
    starts = re.compile(rf"<(?:[\w.-]+:)?{item}[\s>]", re.IGNORECASE)
    head, text = "", ""
    for block in blocks:
        text += block
        if not head:
            first = starts.search(text)
            head, text = (text[: first.start()], text[first.start() :]) if first else ("", text)
        if len(text) >= PIECE_CHARACTERS and head and (end := _last_end(text, ends)):
            yield head + text[:end]
            text = text[end:]
        if len(text) > MAX_ITEM_CHARACTERS:
            raise TooLongError(f"{item} is longer than {MAX_ITEM_CHARACTERS} characters")
    yield head + text


def _last_end(text: str, ends: re.Pattern[str]) -> int | None:
    """Return the end of the last item that is outside CDATA sections."""
    for end in reversed([match.end() for match in ends.finditer(text)]):
        if text.rfind("<![CDATA[", 0, end) <= text.rfind("]]>", 0, end):
            return end
    return None


_DECODER = JSONDecoder(strict=False)
_SPACE = re.compile(r"[\ufeff \t\r\n;]*")
_COMMA = re.compile(r"[ \t\r\n]*(,?)[ \t\r\n]*")
_COLON = re.compile(r"[ \t\r\n]*:[ \t\r\n]*")


def json_pieces(text: str) -> Iterator[Any]:
    """Yield values that together contain those of a JSON text, or of several after each other.

    A long list is yielded in pieces, each within the objects around it and their members before it. Raises ValueError
    at a mistake, after all that precedes it.
    """
    position = _skip(_SPACE, text, 0)
    while position < len(text):
        position = yield from _pieces(text, position, [])
        position = _skip(_SPACE, text, position)


_WINDOWS = (16 * 2**10, PIECE_CHARACTERS)
_Path = list[tuple[dict[str, Any], str] | None]
"""The containers around a value from the outside: an object's members and the value's key, None for a list."""


def _pieces(text: str, position: int, path: _Path) -> Generator[Any, None, int]:
    """Yield the pieces of the value that starts here; return where it ends."""
    if text[position] == "[":
        return (yield from _list(text, position, path))
    if text[position] == "{":
        return (yield from _object(text, position, path))
    value, end = _DECODER.raw_decode(text, position)
    yield _within(path, value)
    return end


def _list(text: str, position: int, path: _Path) -> Generator[Any, None, int]:
    batch: list[Any] = []
    start = position = _skip(_SPACE, text, position + 1)
    while text[position : position + 1] not in ("]", ""):
        try:
            if small := _small(text, position):
                batch.append(small[0])
                position = small[1]
            else:
                position = yield from _pieces(text, position, [*path, None])
        except (ValueError, RecursionError):
            if batch:
                yield _within(path, batch)
            raise
        position = _skip(_COMMA, text, position)
        if position - start >= PIECE_CHARACTERS:
            yield _within(path, batch)
            batch, start = [], position
    yield _within(path, batch)
    return _after(text, position)


def _object(text: str, position: int, path: _Path) -> Generator[Any, None, int]:
    members: dict[str, Any] = {}
    start = position = _skip(_SPACE, text, position + 1)
    while text[position : position + 1] not in ("}", ""):
        try:
            key, position = _DECODER.raw_decode(text, position)
            position = _skip(_COLON, text, position)
            if small := _small(text, position):
                members[str(key)], position = small
            else:
                position = yield from _pieces(text, position, [*path, (_plain(members), str(key))])
        except (ValueError, RecursionError):
            if members:
                yield _within(path, members)
            raise
        position = _skip(_COMMA, text, position)
        if position - start >= PIECE_CHARACTERS:
            yield _within(path, members)
            members, start = _plain(members), position
    yield _within(path, members)
    return _after(text, position)


def _after(text: str, position: int) -> int:
    """Return the place after the bracket that closes a list or object. Raises ValueError if the text ends before it."""
    if position >= len(text):
        raise ValueError("its end is missing")
    return position + 1


def _small(text: str, position: int) -> tuple[Any, int] | None:
    """Return the value that starts here and its end if it is shorter than a piece."""
    for window in _WINDOWS:
        part = text[position : position + window]
        try:
            value, end = _DECODER.raw_decode(part)
        except ValueError:
            if len(part) < window:
                return None  # what precedes a mistake in it is read
            continue
        if end < len(part) or len(part) < window:
            return value, position + end
    return None


def _plain(members: dict[str, Any]) -> dict[str, Any]:
    """Return the members that may describe what is beside them: neither lists nor objects."""
    return {key: value for key, value in members.items() if not isinstance(value, dict | list)}


def _within(path: _Path, value: Any) -> Any:
    for around in reversed(path):
        value = [value] if around is None else {**around[0], around[1]: value}
    return value


def _skip(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position
