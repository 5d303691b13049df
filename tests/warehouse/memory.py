"""A warehouse in memory, registered by AUDIO_WAREHOUSES: all that a new warehouse needs to be."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, ClassVar

from audiocrawler.model.marks import hash_mark, hash_taken_down, is_tombstone
from audiocrawler.model.rows import AudioCrawl, AudioMetadata, AudioSource, Row
from audiocrawler.model.statuses import Status
from audiocrawler.warehouse import Options, Query
from audiocrawler.warehouse.merge import derive, merge_rows
from audiocrawler.warehouse.rows import checked, clean_url, table_for
from audiocrawler.warehouse.sqlite import SqliteWarehouse
from audiocrawler.warehouse.warehouse import MAX_RELATED
from tests.memory import remembered

KEPT = (Status.STORED, Status.DUPLICATE, Status.UNCHANGED)


class Tables:
    """The rows by their keys, in the process that keeps them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rows: dict[type[Row], dict[str, Any]] = {AudioMetadata: {}, AudioSource: {}, AudioCrawl: {}}

    def rows(self, kind: type[Row], **wanted: Any) -> list[Any]:
        """Return the rows that have one of the wanted values, all of them if none is wanted."""
        with self._lock:
            rows = list(self._rows[kind].values())
        return [row for row in rows if not wanted or any(getattr(row, name) == wanted[name] for name in wanted)]

    def upsert(self, rows: Sequence[Row]) -> None:
        """Merge the rows into their tables."""
        with self._lock:
            touched = {sha256: None for row in rows for sha256 in self._merge(row)}
            for sha256 in touched:
                self._settle(sha256)

    def _merge(self, row: Row) -> set[str]:
        """Merge a row into its table; return the hashes of the files that this has to do with."""
        rows, audio, key = self._rows[type(row)], self._rows[AudioMetadata], getattr(row, table_for(row).key)
        if isinstance(row, AudioMetadata):
            mark = self._rows[AudioSource].get(hash_mark(row.sha256 or ""))
            if mark is not None and is_tombstone(mark):
                return set()
            self._move(row)
        elif isinstance(row, AudioSource) and (sha256 := hash_taken_down(row)):
            self._rows[AudioMetadata] = {url: each for url, each in audio.items() if each.sha256 != sha256}
        old = rows.get(key)
        rows[key] = merge_rows(old, row)
        return {sha256 for each in (old, rows[key]) if (sha256 := getattr(each, "sha256", None))}

    def _move(self, row: AudioMetadata) -> None:
        """Give the row of the same bytes the key of ``row``: its folder or bucket has moved."""
        audio, sources = self._rows[AudioMetadata], self._rows[AudioSource]
        for old in [each.gcp_url for each in audio.values() if each.sha256 == row.sha256 and each.sha256]:
            audio[row.gcp_url] = replace(audio.pop(old), gcp_url=row.gcp_url)
            sources |= {url: replace(each, gcp_url=row.gcp_url) for url, each in sources.items() if each.gcp_url == old}

    def _settle(self, sha256: str) -> None:
        """Work out what depends on all sources of a file, so that the order in which they came does not matter."""
        sources = {url: each for url, each in self._rows[AudioSource].items() if each.sha256 == sha256}
        smallest = min((url for url, each in sources.items() if each.status in KEPT), default="")
        for url, each in sources.items():
            sources[url] = _settled(each, smallest)
        self._rows[AudioSource] |= sources
        for audio in [each for each in self._rows[AudioMetadata].values() if each.sha256 == sha256]:
            named = self._rows[AudioSource].get(audio.source_url)
            if sources and named is not None and is_tombstone(named):
                rest = sources[min(sources)]
                about = {"source_url": rest.source_url, "page_url": rest.page_url, "found_by": rest.found_by}
                audio = replace(audio, **about)  # noqa: PLW2901 - the same row
            self._rows[AudioMetadata][audio.gcp_url] = derive(audio, list(sources.values()))


def _settled(source: AudioSource, smallest: str) -> AudioSource:
    """Return the source as ``stored`` if it is the smallest of its file's, else as ``duplicate``."""
    if source.status not in {Status.STORED, Status.DUPLICATE}:
        return source
    status = Status.STORED if source.source_url == smallest else Status.DUPLICATE
    reason: str | None = f"the same bytes as {smallest}"
    if status == Status.STORED:
        reason = None if (source.reason or "").startswith("the same bytes as ") else source.reason
    last_status = status if source.last_status in {Status.STORED, Status.DUPLICATE} else source.last_status
    return replace(source, status=status, reason=reason, last_status=last_status)


class MemoryWarehouse:
    """The tables of ``memory://host:port/name``, which no row waits for."""

    is_local: ClassVar[bool] = True

    @staticmethod
    def path_of(uri: str) -> None:
        """Return None: memory is no file."""

    @staticmethod
    def query_command(uri: str) -> None:
        """Return None: there is no shell for it."""

    def __init__(self, uri: str, options: Options) -> None:
        del options
        self._tables = remembered("tables", uri)

    def upsert(self, rows: Sequence[Row]) -> None:
        self._tables.upsert([checked(row) for row in rows])

    def find_audio(self, sha256: str) -> AudioMetadata | None:
        return next(iter(self._tables.rows(AudioMetadata, sha256=sha256)), None)

    def find_source(self, source_url: str) -> AudioSource | None:
        return next(iter(self._tables.rows(AudioSource, source_url=clean_url(source_url))), None)

    def related_sources(self, guid: str | None, url_pattern: str | None) -> list[AudioSource]:
        given = {name: value for name, value in (("guid", guid), ("url_pattern", url_pattern)) if value is not None}
        return self._tables.rows(AudioSource, **given)[:MAX_RELATED] if given else []

    def audio_rows(self) -> Iterator[AudioMetadata]:
        yield from self._tables.rows(AudioMetadata)

    def source_rows(self) -> Iterator[AudioSource]:
        yield from self._tables.rows(AudioSource)

    def crawl_rows(self) -> Iterator[AudioCrawl]:
        yield from self._tables.rows(AudioCrawl)

    def taken_down(self) -> Iterator[str]:
        yield from (row.source_url for row in self._tables.rows(AudioSource, status=Status.TAKEN_DOWN))

    def select(self, query: Query) -> Iterator[dict[str, Any]]:
        """Ask SQLite, which is given the rows for this one query."""
        with TemporaryDirectory() as folder:
            copy = SqliteWarehouse(f"sqlite:{folder}/audio.db")
            copy.upsert([row for kind in (AudioSource, AudioMetadata) for row in self._tables.rows(kind)])
            rows = list(copy.select(query))
            copy.close()
        return iter(rows)

    def close(self) -> None:
        """Do nothing: connections end with their threads."""
