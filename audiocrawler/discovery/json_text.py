"""Reading JSON as pages hold it: in comments, with trailing commas, escaped once too often; and its escapes."""

import re
from collections.abc import Iterator
from html import unescape
from json import JSONDecoder
from typing import Any

from audiocrawler.discovery.document import parse_json

_WRAPPING = re.compile(
    r"^\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/|<!\[CDATA\[)|(?:-->|//\s*\]\]>|/\*\s*\]\]>\s*\*/|\]\]>)\s*$"
)
_TRAILING_COMMA = re.compile(r",\s*(?=[}\]])")
_VALUE_START = re.compile(r"(?:=|\(|,|:)\s*(?=[{\[]\s*[{\[\"])|JSON\.parse\(\s*(?=\")|\.push\(\s*(?=\[)")
_MAX_VALUES = 200
_DECODER = JSONDecoder(strict=False)
_ESCAPED = re.compile(r"\\+(?:u00([0-9a-fA-F]{2})|x([0-9a-fA-F]{2})|([/\"'&=]))?")


def tolerant_json(text: str) -> Any:
    """Return the parsed JSON after the repairs that pages need, None if it still is none."""
    bare = _WRAPPING.sub("", text)
    for candidate in (bare, _TRAILING_COMMA.sub("", bare), unescape(bare)):
        value = parse_json(candidate)
        if value is not None:
            return value
    return None


def values_in(text: str) -> Iterator[Any]:
    """Yield the JSON of a script: all of it, or each object and list that is assigned, passed or quoted in it."""
    if (whole := tolerant_json(text) if text.lstrip().startswith(("{", "[")) else None) is not None:
        yield whole
        return
    position = 0
    for _ in range(_MAX_VALUES):
        match = _VALUE_START.search(text, position)
        if match is None:
            return
        value, position = _value_at(text, match.end())
        if value is not None:
            yield value


def _value_at(text: str, start: int) -> tuple[Any, int]:
    """Return the object, list or quoted JSON that starts here and where it ends; None if it is no JSON."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, start
    return (parse_json(value) if isinstance(value, str) else value), end


def without_escapes(text: str) -> str:
    r"""Return the text with ``\/``, ``\u0026``, ``\x26`` and ``&amp;`` resolved at every depth of JSON in JSON."""
    if "\\" in text:
        text = _ESCAPED.sub(_character, text)
    return unescape(text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else match[3] or match[0]
