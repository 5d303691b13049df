"""What stands beside a link in a table's row or a directory listing: size, duration and date of the file."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from lxml import etree

from audiocrawler.discovery.candidate import Description
from audiocrawler.discovery.document import one_line
from audiocrawler.discovery.values import duration_ms, listed_size_bytes

_DURATION = re.compile(r"\d{1,2}:\d{2}:\d{2}")  # with two numbers only it may be a time of day
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2}|\d{2}-[A-Z][a-z]{2}-\d{4})[ T](\d{2}:\d{2})")
_SIZE_WITH_UNIT = re.compile(r"\d[\d.,]*\s?(?:[KMGT]|[kKMGT]i?B|bytes)")
_LISTED_SIZE = re.compile(r"\d{2}:\d{2}(?::\d{2})?\s+(\d[\d.]*\s?[KMGT]?)(?=\s|$)")
_MAX_CLIMB = 4
_MAX_CELLS = 12
_MAX_PIECES = 8
_MAX_TEXT = 200


def row_description(link: etree._Element) -> Description:
    """Return what the rest of its row says of the linked file.

    Known are rows of tables with a cell for a duration, size or date, and the lines of Apache's and nginx's listings,
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
        pieces = list(islice(cell.itertext(), _MAX_PIECES))  # a cell of a page's layout holds half the page
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
