"""Copy a local collection to another store and warehouse."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import file_digest
from itertools import chain
from pathlib import Path
from typing import TypeVar

from audiocrawler.collection.inventory import Inventory, Problem, in_parallel
from audiocrawler.collection.sending import send
from audiocrawler.model.errors import StoreError, WarehouseError
from audiocrawler.model.marks import Tombstones, hash_taken_down, is_tombstone
from audiocrawler.model.rows import AudioCrawl, AudioMetadata, AudioSource, Row
from audiocrawler.model.texts import OBJECT, placed_texts, stored_texts
from audiocrawler.report.progress import Bar
from audiocrawler.storage import Store, StoredObject, key_in, place_of
from audiocrawler.warehouse import Warehouse
from audiocrawler.warehouse.rows import checked


@dataclass(frozen=True, slots=True)
class Upload:
    """The stored object, or the ``problem`` in one line; ``is_refused`` if the store raised it."""

    stored: StoredObject | None = None
    problem: str | None = None
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Local:
    """An object to upload, as the rows describe it."""

    url: str
    size_bytes: int | None
    content_type: str | None
    file_name: str
    source_url: str | None


def object_of(row: AudioMetadata) -> Local:
    """Return the object of an audio file."""
    return Local(row.gcp_url, row.size_bytes, row.content_type, row.file_name, row.source_url)


def objects_of_texts(row: AudioSource) -> Iterator[Local]:
    """Yield the objects of the transcripts and chapters of a source."""
    for each in stored_texts(row):
        name = each["url"].partition("?")[0].rpartition("/")[2] or each["kind"]
        yield Local(each[OBJECT], None, each.get("media_type"), name, each["url"])


def put_object(row: Local, folder: Path, store: Store) -> Upload:
    """Upload the object of ``row`` from ``folder`` to the store, if its bytes match its name.

    Objects are never overwritten, so a damaged one would stay forever.
    """
    key = key_in(row.url)
    if key is None:
        return Upload(problem=f"{row.url}: not an object of this collection: not named by a hash")
    try:
        return _put(row, folder / key, key, store)
    except OSError as error:
        return Upload(problem=f"{folder / key}: {error.strerror}")
    except StoreError as error:
        return Upload(problem=str(error), is_refused=True)


def _put(row: Local, path: Path, key: str, store: Store) -> Upload:
    sha256, size_bytes = Path(key).stem, path.stat().st_size
    if row.size_bytes not in {None, size_bytes}:
        return Upload(
            problem=f"{path}: damaged: {size_bytes} bytes instead of {row.size_bytes}; delete it and crawl again"
        )
    if _sha256_of(path) != sha256:
        return Upload(problem=f"{path}: damaged: the bytes do not match its hash; delete it and crawl again")
    url = store.put(
        path,
        key,
        content_type=row.content_type or "application/octet-stream",
        file_name=row.file_name,
        sha256=sha256,
        source_url=row.source_url or "",
    )
    return Upload(StoredObject(url, size_bytes))


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


R = TypeVar("R", bound=Row)

UPLOADS = 8
"""Concurrent uploads; each takes about 2 MiB of memory."""
MAX_FAILURES = 20
"""Uploads in a row that may fail before the store is considered unreachable."""


@dataclass(slots=True)
class SyncResult:
    """The results of a sync: what was copied, and what was not found in the target afterwards."""

    objects: int = 0
    uploaded: int = 0
    uploaded_bytes: int = 0
    removed: int = 0
    objects_left: int = 0
    rows: int = 0
    rows_left: int = 0
    bad_objects: Problem = field(default_factory=lambda: Problem("objects that could not be uploaded"))
    bad_rows: Problem = field(default_factory=lambda: Problem("rows that could not be uploaded"))


class Sync:
    """Copies the rows of ``source``, and their objects in ``folder``, to ``store`` and ``warehouse``.

    Without a store the rows keep their URLs, or get those that moved objects have ``here``; without a warehouse only
    objects are copied. Objects are copied before rows, so that no row precedes its object; rows without an object are
    skipped. A killed sync can be run again: objects already in the store are skipped, and rows merge with themselves.
    """

    def __init__(  # noqa: PLR0913 - two ends of two parts each, and how much at a time
        self,
        source: Warehouse,
        folder: Path,
        store: Store | None,
        warehouse: Warehouse | None,
        batch_rows: int,
        *,
        here: Store | None = None,
    ) -> None:
        self._source, self._folder, self._here = source, folder, here
        self._store, self._warehouse = store, warehouse
        self._batch_rows = batch_rows
        self._failures = 0
        self._taken_down = Tombstones()
        self._result = SyncResult()

    def run(self) -> SyncResult:
        """Copy everything, and return the results. Raises StoreError and WarehouseError if it cannot continue."""
        marks = {mark for each in (self._source, self._warehouse) if each for mark in each.taken_down()}
        self._taken_down = Tombstones(marks)
        with Inventory() as there:
            if self._store:
                there.add_objects(self._store.objects())
                self._remove_taken_down(self._store, there)
                self._upload(self._store, there)
            if self._warehouse:
                self._send(self._warehouse, there)
        self._count_what_is_left()
        return self._result

    def _upload(self, store: Store, there: Inventory) -> None:
        self._result.objects = sum(1 for _ in self._objects())
        with Bar("objects", self._result.objects) as bar:
            put = partial(put_object, folder=self._folder, store=store)
            for each in in_parallel(put, self._not_there(there, bar), UPLOADS):
                self._record_upload(each, there)
                bar.advance(size_bytes=each.stored.size_bytes if each.stored else 0)

    def _not_there(self, there: Inventory, bar: Bar) -> Iterator[Local]:
        for each in self._objects():
            if self._place(each.url, each.size_bytes, there):
                bar.advance()
            else:
                yield each

    def _objects(self) -> Iterator[Local]:
        """Yield what is to be uploaded: audio first, then transcripts and chapters, each once."""
        yield from map(object_of, self._audio_rows())
        seen: set[str] = set()
        for row in self._source_rows():
            for each in objects_of_texts(row):
                is_wanted = each.url not in seen and not self._taken_down.has_content(Path(each.url).stem)
                seen.add(each.url)
                if is_wanted:
                    yield each

    def _record_upload(self, put: Upload, there: Inventory) -> None:
        if put.stored:
            there.add_objects([put.stored])
            self._result.uploaded += 1
            self._result.uploaded_bytes += put.stored.size_bytes
        if put.problem:
            self._result.bad_objects.add(put.problem)
        self._failures = self._failures + 1 if put.is_refused else 0
        if self._failures == MAX_FAILURES:
            raise StoreError(f"{MAX_FAILURES} uploads failed in a row, the last: {put.problem}")

    def _send(self, warehouse: Warehouse, there: Inventory) -> None:
        self._result.rows = sum(1 for _ in self._rows())
        with Bar("rows", self._result.rows) as bar:
            for number in send(self._sendable(there), warehouse, self._batch_rows):
                bar.advance(number)

    def _sendable(self, there: Inventory) -> Iterator[Row]:
        for row in self._rows():
            located = self._located(row, there)
            if located is None:
                continue
            try:
                yield checked(located)
            except WarehouseError as error:
                self._result.bad_rows.add(str(error))

    def _rows(self) -> Iterator[Row]:
        """Yield the rows of all tables: files before their sources."""
        return chain(self._audio_rows(), self._source_rows(), self._source.crawl_rows())

    def _audio_rows(self) -> Iterator[AudioMetadata]:
        """Yield the rows of files, without those taken down in source or target."""
        return (row for row in self._source.audio_rows() if not self._taken_down.has_content(row.sha256))

    def _source_rows(self) -> Iterator[AudioSource]:
        """Yield the rows of audio URLs, without those that are taken down, or whose file is."""
        gone = self._taken_down
        for row in self._source.source_rows():
            if is_tombstone(row) or not (gone.has_row(row.source_url) or gone.has_content(row.sha256)):
                yield row

    def _remove_taken_down(self, store: Store, there: Inventory) -> None:
        for row in self._source.source_rows():
            if sha256 := hash_taken_down(row):
                for url in there.objects_of(sha256):
                    store.remove(url)
                    self._result.removed += 1

    def _located(self, row: R, there: Inventory) -> R | None:
        """Return the row with its object's URL in the store; None if the object is not there."""
        if isinstance(row, AudioCrawl):
            return row
        url = self._place(row.gcp_url, row.size_bytes, there) if row.gcp_url else None
        if row.gcp_url is not None and url is None:
            return None
        moved = replace(row, gcp_url=url) if url else row
        if not isinstance(moved, AudioSource) or not moved.texts:
            return moved
        return replace(moved, texts=placed_texts(moved.texts, lambda each: self._place(each, None, there)))

    def _place(self, url: str, size_bytes: int | None, there: Inventory) -> str | None:
        """Return where an object is; without a store to copy to, that is where it was, or has been moved."""
        if self._store is None:
            return place_of(url, size_bytes, self._here) if self._here else url
        key = key_in(url)
        target = self._store.url_of(key) if key else None
        return target if target and there.has_object(target, size_bytes) else None

    def _count_what_is_left(self) -> None:
        """List the target, and count what is missing."""
        with Inventory() as target:
            if self._store:
                target.add_objects(self._store.objects())
                left = (not self._place(each.url, each.size_bytes, target) for each in self._objects())
                self._result.objects_left = sum(left)
            if self._warehouse:
                target.add_audio(self._warehouse.audio_rows())
                target.add_sources(self._warehouse.source_rows())
                target.add_crawls(self._warehouse.crawl_rows())
                self._result.rows_left = sum(not self._arrived(row, target) for row in self._rows())

    def _arrived(self, row: Row, target: Inventory) -> bool:
        located = self._located(row, target)
        if located is None:
            return False
        if isinstance(located, AudioMetadata):
            return target.has_audio(located.gcp_url)
        if isinstance(located, AudioCrawl):
            return target.has_crawl(located.crawl_id)
        return target.has_source(located.source_url)
