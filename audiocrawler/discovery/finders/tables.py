"""Find audio in tables and lists of plain text: CSV, TSV, and files that name one file a line."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from audiocrawler.discovery.candidate import LINK, Find
from audiocrawler.discovery.document import Document, DocumentType
from audiocrawler.discovery.json_files import AUDIO_KEYS, FILE_NAME, is_audio_name
from audiocrawler.discovery.json_media import media_in
from audiocrawler.discovery.kinds import MEDIA_NAME, extension_of

_DELIMITERS = "\t,;|"
_TABLES = frozenset(("csv", "tab", "tsv"))
_PIECE = 5000
"""Rows that are read at once."""
_SAMPLE = 50
_LONGEST_HEADER = 2**20
_LINE = re.compile("[^\r\n]+")
_ADDRESS = re.compile(r"https?://\S+|\.{0,2}/[^\s<>\"]\S*|[\w.-]+/[^<>\"\t]+", re.IGNORECASE)
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_COMMENT = ("#", "//")
_MOSTLY = 0.8


def find_tables(document: Document) -> Iterator[Find]:
    """Yield the audio in the columns of a table that contain addresses, described by the other columns."""
    if document.type is not DocumentType.TEXT or (table := _table(document)) is None:
        return
    header, rows = table
    names = [each.strip().lower() for each in header]
    sample = list(islice(rows, _SAMPLE))
    files = [number for number, name in enumerate(names) if _holds_files(name, [row[number] for row in sample])]
    if files or any(_URL.match(text) for row in sample for text in row):
        values = (_object(names, row, files) for row in chain(sample, rows))
        for number, some in enumerate(iter(lambda: list(islice(values, _PIECE)), [])):
            yield from media_in(some, "table", f"table {number}", is_document=True)


def _table(document: Document) -> tuple[list[str], Iterator[list[str]]] | None:
    """Return header and rows of a table, which has more than one column or a name for the only one."""
    first = document.text[:_LONGEST_HEADER].lstrip("\ufeff").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    is_declared = extension_of(document.url) in _TABLES
    if _ADDRESS.fullmatch(first.strip()) or not (first.count(delimiter) or is_declared):
        return None
    reader = csv.reader(_lines(document.text.lstrip("\ufeff")), delimiter=delimiter)
    try:
        header, *sample = islice(reader, _PIECE)
    except (csv.Error, ValueError):
        return None
    width = len(header)
    number_fitting = sum(len(row) == width for row in sample)
    if not number_fitting or number_fitting < _MOSTLY * len(sample) or any(map(_URL.match, header)):
        return None
    return header, _fitting(document, chain(sample, _readable(document, reader)), width)


def _lines(text: str) -> Iterator[str]:
    return (match[0] for match in _LINE.finditer(text))


def _readable(document: Document, reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        document.leave_out(f"all after a row that cannot be read: {error}")


def _fitting(document: Document, rows: Iterable[list[str]], width: int) -> Iterator[list[str]]:
    number_left_out = 0
    for row in rows:
        if len(row) == width:
            yield row
        else:
            number_left_out += any(map(MEDIA_NAME.search, row))
    if number_left_out:
        document.leave_out(f"{number_left_out} rows that have not as many columns as the header")


def _holds_files(name: str, column: Sequence[str]) -> bool:
    """Return whether a column contains addresses of audio; bare names, if the header says that they are files."""
    texts = [text.strip() for text in column if text.strip()]
    is_explicit = name in AUDIO_KEYS or name == FILE_NAME
    named = [text for text in texts if MEDIA_NAME.search(text) and (is_explicit or _ADDRESS.fullmatch(text))]
    return bool(texts) and len(named) >= _MOSTLY * len(texts)


def _object(names: Sequence[str], row: Sequence[str], files: Sequence[int]) -> dict[str, Any]:
    """Return a row as an object with its files in a member that every reader knows."""
    members: dict[str, Any] = {
        name: text.strip() for number, (name, text) in enumerate(zip(names, row, strict=True)) if number not in files
    }
    return {"audio": [row[number].strip() for number in files]} | members if files else members


def find_lists(document: Document) -> Iterator[Find]:
    """Yield the files that a plain text names one a line; names without a host are of files beside the text."""
    if document.type is not DocumentType.TEXT or not MEDIA_NAME.search(document.text):
        return
    lines = (line.strip() for line in _lines(document.text.lstrip("\ufeff")))
    entries = [line for line in lines if line and not line.startswith(_COMMENT)]
    named = [line for line in entries if _names_one_file(line)]
    if named and len(named) >= _MOSTLY * len(entries):
        for line in named:
            yield Find(url=line.replace("?", "%3F") if "://" not in line else line, found_by="list", confidence=LINK)


def _names_one_file(line: str) -> bool:
    if _URL.fullmatch(line):
        return bool(MEDIA_NAME.search(line))
    return is_audio_name(line) and not any(mark in line for mark in "\t<>|\"'`{}=") and ", " not in line
