"""Audiobooks of LibriVox, by the URL of its API, which is a start itself: a book's page needs no API.

Documented: librivox.org/api/info (``format=json``, ``extended=1`` for the sections, ``limit`` and ``offset``). Without
sections a book's feed is read instead.
"""

from collections.abc import Iterator
from typing import Any

from audiocrawler.discovery.candidate import Description, Find, Kind
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.hubs.hub import (
    Address,
    Hub,
    file_at,
    follow,
    listed,
    names_of,
    next_page,
    stated,
    text,
    with_query,
)
from audiocrawler.discovery.values import duration_ms, whole_number

NAME = "librivox"
_DEFAULT_LIMIT = 50


def find(document: Document) -> Iterator[Find] | None:
    """Return the sections of each book, or its feed, and the next page of books."""
    books = listed(document.json, "books")
    is_ours = any("url_rss" in each or "url_librivox" in each for each in books)
    return _books(document, books) if is_ours else None


def _books(document: Document, books: list[dict[str, Any]]) -> Iterator[Find]:
    for book in books:
        sections = [each for each in listed(book, "sections") if text(each, "listen_url")]
        for section in sections:
            yield from _section(section, book)
        if not sections and (url := text(book, "url_rss")):
            feed = follow(NAME, url)
            feed.expected = Kind.FEED
            yield feed
        if url := text(book, "url_zip_file"):
            yield from file_at(NAME, url, url.rpartition("/")[2])
    query = Address.of(document.url).query
    limit, offset = whole_number(query.get("limit")) or _DEFAULT_LIMIT, whole_number(query.get("offset")) or 0
    if len(books) >= limit and "id" not in query:
        yield next_page(NAME, with_query(document.url, offset=str(offset + limit)))


def _section(section: dict[str, Any], book: dict[str, Any]) -> Iterator[Find]:
    url = text(section, "listen_url") or ""
    about = Description(
        title=text(section, "title") or text(book, "title"),
        artist=names_of(listed(section, "readers"), "display_name"),
        language=text(section, "language") or text(book, "language"),
        duration_ms=duration_ms(section.get("playtime")),
        statements=stated("Public Domain"),  # librivox.org/pages/public-domain: all recordings
    )
    yield from file_at(NAME, url, url.rpartition("/")[2], about)


HUB = Hub(
    name=NAME,
    title="LibriVox's API",
    examples=("https://librivox.org/api/feed/audiobooks?author=^Austen&format=json&extended=1",),
    find=find,
)
