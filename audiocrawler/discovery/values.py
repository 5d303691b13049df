"""Parse durations, sizes, dates and numbers in documents, and the rows of directory listings."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from itertools import islice
from math import isfinite
from typing import Any

from lxml import etree

from audiocrawler.discovery.candidate import Description
from audiocrawler.discovery.document import one_line

_ISO_DURATION = re.compile(
    r"P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.IGNORECASE
)
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{1,2}(?:\.\d+)?)")
_NUMBER = re.compile(r"\d{1,15}(?:\.\d+)?")
_SIZE = re.compile(r"(\d{1,12}(?:[.,]\d+)?)\s*([kmg]?)i?b(?:ytes)?", re.IGNORECASE)
_SIZE_FACTORS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}
_LISTED = re.compile(r"(\d{1,6}(?:\.\d+)?)\s?([KMGT])")
_MAX_DURATION_MS = 30 * 24 * 3600 * 1000
_MAX_ORDINAL_DIGITS = 9
_MAX_DESCRIPTION = 4000
_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<[!/?]?[a-zA-Z-][^<>]*>", re.IGNORECASE | re.DOTALL)
_BREAK = re.compile(r"</?(?:br|p|div|li|ul|ol|h[1-6]|tr|td|blockquote)\b[^<>]*>", re.IGNORECASE)
_STAMP = re.compile(r"\d{9,10}|\d{12,13}")
_FIRST_STAMP_S, _LAST_STAMP_S = 315_532_800, 4_102_444_800
_LEAST_SIZE = 2  # feeds use 0 or 1 for unknown


def duration_ms(value: Any) -> int | None:
    """Return a duration in milliseconds from seconds, ``h:mm:ss`` or ISO 8601; None if invalid or zero."""
    seconds = _seconds(str(value).strip()) if isinstance(value, int | float | str) else None
    if not seconds or not isfinite(seconds):
        return None
    milliseconds = round(seconds * 1000)
    return milliseconds if 0 < milliseconds <= _MAX_DURATION_MS else None


def _seconds(text: str) -> float | None:
    if _NUMBER.fullmatch(text):
        return float(text)
    if match := _CLOCK.fullmatch(text):
        return _sum(match.groups(), (3600, 60, 1))
    if match := _ISO_DURATION.fullmatch(text):
        return _sum(match.groups(), (86400, 3600, 60, 1))
    return None


def _sum(numbers: tuple[str | None, ...], units: tuple[int, ...]) -> float:
    return sum(float(number or 0) * unit for number, unit in zip(numbers, units, strict=True))


def size_bytes(value: Any) -> int | None:
    """Return a size in bytes from a number or a text such as ``12.3 MB``; None if invalid or a placeholder."""
    text = str(value).strip() if isinstance(value, int | str) else ""
    if match := _SIZE.fullmatch(text):
        return round(float(match[1].replace(",", ".")) * _SIZE_FACTORS[match[2].lower()])
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
    return number if number >= _LEAST_SIZE else None


def listed_size_bytes(text: str) -> int | None:
    """Return a size in bytes from a directory listing: ``1234567``, ``12K``, ``3.4M``, in units of 1024."""
    match = _LISTED.fullmatch(text.strip())
    if match is None:
        return size_bytes(text)
    return round(float(match[1]) * 1024.0 ** " KMGT".index(match[2]))


def whole_number(value: Any, *, unit: int = 1) -> int | None:
    """Return a positive number times ``unit`` as an integer: kilobits become bits with ``unit=1000``."""
    text = str(value).strip() if isinstance(value, int | float | str) else ""
    return round(float(text) * unit) or None if _NUMBER.fullmatch(text) else None


def ordinal(value: Any) -> int | None:
    """Return the number of an episode or season, which may be 0; of an object its ``seasonNumber``."""
    if isinstance(value, dict):
        value = value.get("seasonNumber") or value.get("number")
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_ORDINAL_DIGITS else None


def plain_text(markup: str | None, length: int = _MAX_DESCRIPTION) -> str | None:
    """Return the text of a piece of HTML on one line, cut to ``length`` characters; None if empty."""
    if not markup:
        return None
    text = markup[: 8 * length]
    if "<" in text:
        text = _TAG.sub("", _BREAK.sub(" ", text))
    return one_line(unescape(text) if "&" in text else text, length)


def published_at(value: Any) -> datetime | None:
    """Return a time in UTC from ISO 8601, RFC 822 or seconds since 1970; UTC is assumed without a zone."""
    if (stamp := _stamp(value)) is not None:
        return datetime.fromtimestamp(stamp, UTC)
    text = value.strip() if isinstance(value, str) else ""
    parsed = _parse_date(text[:64])
    if parsed is None:
        return None
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _stamp(value: Any) -> float | None:
    """Return seconds since 1970 from a number of seconds or milliseconds between 1980 and 2100."""
    number = (
        float(value) if isinstance(value, int | float) or (isinstance(value, str) and _STAMP.fullmatch(value)) else 0
    )
    seconds = number / 1000 if number > _LAST_STAMP_S else number
    return seconds if _FIRST_STAMP_S <= seconds <= _LAST_STAMP_S else None


def _parse_date(text: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


_DURATION = re.compile(r"\d{1,2}:\d{2}:\d{2}")  # with two numbers only it may be a time of day
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2}|\d{2}-[A-Z][a-z]{2}-\d{4})[ T](\d{2}:\d{2})")
_SIZE_WITH_UNIT = re.compile(r"\d[\d.,]*\s?(?:[KMGT]|[kKMGT]i?B|bytes)")
_LISTED_SIZE = re.compile(r"\d{2}:\d{2}(?::\d{2})?\s+(\d[\d.]*\s?[KMGT]?)(?=\s|$)")
_MAX_CLIMB = 4
_MAX_CELLS = 12
_MAX_PIECES = 8
_MAX_TEXT = 200


def row_description(link: etree._Element) -> Description:
    """Return the metadata of the linked file in the rest of its row.

    Recognised: table rows with a cell for a duration, size or date, and the lines of Apache's and nginx's listings,
    where date, time and size follow the link.
    """
    if link.tail and (match := _LISTED_SIZE.search(link.tail[:_MAX_TEXT])):
        return Description(size_bytes=listed_size_bytes(match[1]), published_at=_date(link.tail[:_MAX_TEXT]))
    about = Description()
    for text in _cells(link):
        if _DURATION.fullmatch(text):
            about.duration_ms = about.duration_ms or duration_ms(text)
        elif _DATE.fullmatch(text):
            about.published_at = about.published_at or _date(text)
        elif _SIZE_WITH_UNIT.fullmatch(text):
            about.size_bytes = about.size_bytes or listed_size_bytes(text)
    return about


def _cells(link: etree._Element) -> Iterator[str]:
    row = link.getparent()
    for _ in range(_MAX_CLIMB):
        if row is None or row.tag == "tr":
            break
        row = row.getparent()
    if row is None or row.tag != "tr":
        return
    for cell in islice(row, _MAX_CELLS):
        pieces = list(islice(cell.itertext(), _MAX_PIECES))  # a cell of a layout table may contain half the page
        if len(pieces) < _MAX_PIECES and (text := one_line("".join(map(str, pieces)), _MAX_TEXT)):
            yield text


def _date(text: str) -> datetime | None:
    match = _DATE.search(text)
    if match is None:
        return None
    form = "%Y-%m-%d %H:%M" if match[1][:4].isdigit() else "%d-%b-%Y %H:%M"
    try:
        return datetime.strptime(f"{match[1]} {match[2]}", form).replace(tzinfo=UTC)
    except ValueError:
        return None
