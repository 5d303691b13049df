"""Undo the encodings in which frameworks write their state: lists of values that refer to each other, and pairs.

devalue (Nuxt 3, SvelteKit): ``[{"title": 1}, "x"]``. turbo-stream (React Router): ``[{"_1": 2}, "title", "x"]``. Astro:
``{"title": [0, "x"]}``. React Server Components: lines of an id, a colon and JSON.
"""

import re
from collections.abc import Iterator
from json import JSONDecoder
from typing import Any

_DECODER = JSONDecoder(strict=False)
_WRAPPERS = frozenset(("Reactive", "Ref", "ShallowReactive", "ShallowRef", "EmptyRef", "EmptyShallowRef"))
_VALUES = frozenset(("BigInt", "Date", "NuxtError", "URL", "D", "U"))
_COLLECTIONS = frozenset(("Map", "Set", "null", "M", "N", "P", "S", "Z", "E", "R"))
_TAGS = _WRAPPERS | _VALUES | _COLLECTIONS
_LEAST_SPECIAL = -8
_SHORTEST = 2
_SAMPLE = 100
_MOST_DEPTH = 200


def plain(value: Any) -> Any:
    """Return a JSON value as it was before devalue or turbo-stream has flattened it; any other as it is.

    A value that occurs at several places keeps its inner objects at the first.
    """
    if _is_flattened(value):
        return _Flattened(value).whole()
    nodes = value.get("nodes") if isinstance(value, dict) else None
    if isinstance(nodes, list) and value.get("type") == "data":
        return [plain(each.get("data")) for each in nodes if isinstance(each, dict)]
    return value


def _is_flattened(value: Any) -> bool:
    """Return whether a list begins with an object or a list, and the members of all are references."""
    if not isinstance(value, list) or len(value) < _SHORTEST or not isinstance(value[0], dict | list) or not value[0]:
        return False
    return all(_refers(each, len(value)) for each in value[:_SAMPLE])


def _refers(value: Any, length: int) -> bool:
    if isinstance(value, dict):
        return all(_is_reference(each, length) for each in value.values())
    if isinstance(value, list):
        members = value[1:] if value and isinstance(value[0], str) and value[0] in _TAGS else value
        return all(_is_reference(each, length) or (members is not value and isinstance(each, str)) for each in members)
    return True


def _is_reference(value: Any, length: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and _LEAST_SPECIAL <= value < length


class _Flattened:
    """Puts the values of one list back in their places; each object is filled once, so that it stays a tree."""

    def __init__(self, values: list[Any]) -> None:
        self._values = values
        self._seen: set[int] = set()

    def whole(self) -> Any:
        """Return the first value, and those that nothing refers to, which a true encoding does not have."""
        first = self.at(0)
        rest = [self.at(index) for index in range(1, len(self._values)) if index not in self._seen]
        return [first, *rest] if rest else first

    def at(self, index: Any, depth: int = 0) -> Any:
        if not _is_reference(index, len(self._values)) or index < 0 or depth > _MOST_DEPTH:
            return None
        value = self._values[index]
        is_first = index not in self._seen
        self._seen.add(index)
        if not isinstance(value, dict | list):
            return value
        if isinstance(value, list):
            return self._list(value, depth) if is_first else None
        return {self._name(key): each for key, each in self._members(value, depth, is_first=is_first)}

    def _members(self, value: dict[str, Any], depth: int, *, is_first: bool) -> Iterator[tuple[str, Any]]:
        for key, index in value.items():
            if is_first or self._is_scalar(index):
                yield key, self.at(index, depth + 1)

    def _is_scalar(self, index: Any) -> bool:
        return _is_reference(index, len(self._values)) and not isinstance(self._values[index], dict | list)

    def _name(self, key: str) -> str:
        """Return a member's name, which turbo-stream replaces by a reference after an underscore."""
        index = int(key[1:]) if key[:1] == "_" and key[1:].isdecimal() and len(key) < 10 else -1
        named = self._values[index] if 0 <= index < len(self._values) else None
        self._seen.add(index)
        return named if isinstance(named, str) else key

    def _list(self, value: list[Any], depth: int) -> Any:
        head = value[0] if value else None
        if isinstance(head, str):
            if head in _WRAPPERS | _VALUES and len(value) > 1:
                return self.at(value[1], depth + 1) if isinstance(value[1], int) else value[1]
            return [self.at(each, depth + 1) for each in value[1:]]
        return [self.at(each, depth + 1) for each in value]


_PAIR = 2
_LIST = 1


def without_pairs(value: Any, depth: int = 0) -> Any:
    """Return the properties of an Astro island without the type beside each value."""
    if depth > _MOST_DEPTH:
        return None
    if isinstance(value, dict):
        return {key: _unpaired(each, depth + 1) for key, each in value.items()}
    return value


def _unpaired(pair: Any, depth: int) -> Any:
    if not isinstance(pair, list) or len(pair) != _PAIR or not isinstance(pair[0], int):
        return pair
    kind, value = pair
    if kind == _LIST and isinstance(value, list):
        return [_unpaired(each, depth + 1) for each in value]
    return without_pairs(value, depth + 1)


_PUSH = re.compile(r"__next_f\b[^;(]{0,80}(?:\|\|\s*\[\]\s*\))?\s*\.push\(\s*(?=\[)")
_ROW = re.compile(r"^([0-9a-f]+):(?:T([0-9a-f]+),|[A-Z]{0,3}(?=[\[{\"]))", re.MULTILINE)
_NEXT_ROW = re.compile(_ROW.pattern.removeprefix("^"))
_REFERENCE = re.compile(r"\$L?([0-9a-f]+)")


def is_flight(text: str) -> bool:
    """Return whether a script is a piece of the payload of React Server Components."""
    return "__next_f" in text


def flight_payload(scripts: Iterator[str]) -> str:
    """Return the payload that Next.js pushes piece by piece, cut anywhere."""
    pieces: list[str] = []
    for text in scripts:
        for match in _PUSH.finditer(text):
            try:
                value, _ = _DECODER.raw_decode(text, match.end())
            except (ValueError, RecursionError):
                continue
            pieces.extend(each for each in value[1:2] if isinstance(each, str) and value[0] == 1)
    return "".join(pieces)


def flight_values(payload: str) -> Iterator[Any]:
    """Yield the JSON of each row, with texts that have rows of their own put in their places."""
    values: list[Any] = []
    texts: dict[str, str] = {}
    position = 0
    while match := _NEXT_ROW.match(payload, position) or _ROW.search(payload, position):
        position = match.end()
        if match[2]:
            length = int(match[2][:8], 16)
            text = payload[position : position + length].encode()[:length].decode(errors="ignore")
            texts[match[1]] = text
            position += len(text)
            continue
        try:
            value, position = _DECODER.raw_decode(payload, position)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, str):
            texts[match[1]] = value
        else:
            values.append(value)
    for value in values:
        yield _with_texts(value, texts)


def _with_texts(value: Any, texts: dict[str, str], depth: int = 0) -> Any:
    if not texts or depth > _MOST_DEPTH:
        return value
    if isinstance(value, dict):
        return {key: _with_texts(each, texts, depth + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_texts(each, texts, depth + 1) for each in value]
    match = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return texts.get(match[1], value) if match else value


_ENQUEUED = re.compile(r"streamController\.enqueue\(\s*(?=\")")


def is_streamed(text: str) -> bool:
    """Return whether a script enqueues a piece of the state of React Router."""
    return "streamController.enqueue(" in text


def streamed_values(text: str) -> Iterator[Any]:
    """Yield the state that React Router enqueues: a flattened list, continued by lines such as ``P1:[...]``."""
    pieces: list[str] = []
    for match in _ENQUEUED.finditer(text):
        try:
            piece, _ = _DECODER.raw_decode(text, match.end())
        except (ValueError, RecursionError):
            continue
        pieces.append(piece)
    values: list[Any] = []
    for line in "".join(pieces).splitlines():
        try:
            value = _DECODER.decode(line[line.find("[") :])
        except (ValueError, RecursionError):
            continue
        if isinstance(value, list):
            start = len(values)
            values.extend(value)
            yield _Flattened(values).at(start)
