"""Compare a store with a warehouse, and report where they disagree."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from audiocrawler.collection.inventory import PROBLEMS, SHOWN, Inventory, Problem, in_parallel
from audiocrawler.collection.sending import send
from audiocrawler.model.errors import StoreError
from audiocrawler.model.marks import is_tombstone, mark_of, marked
from audiocrawler.model.rows import AudioMetadata, AudioSource
from audiocrawler.model.statuses import Status, Trait
from audiocrawler.model.texts import placed_texts, without_validators
from audiocrawler.report.progress import Bar
from audiocrawler.storage import Store, key_in
from audiocrawler.warehouse import Warehouse

R = TypeVar("R", AudioMetadata, AudioSource)

READERS = 8
"""Objects read concurrently."""
MARKED_AT_A_TIME = 1000
TO_MEND = "source to be fetched again"
DAMAGED = "its stored object is missing or damaged"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was compared, and the problems found."""

    audio_rows: int
    source_rows: int
    objects: int
    object_bytes: int
    problems: list[Problem]
    to_mend: int = 0
    """Sources that are marked for a retry or the next crawl to download again."""
    moved: int = 0
    """Files that this store has under their hash, but whose rows have another URL."""
    moved_from: str = ""


def verify(store: Store, warehouse: Warehouse, *, read_bytes: bool) -> Verified:
    """Compare the rows of both tables with a listing of the objects; with ``read_bytes`` hash every object.

    Raises StoreError and WarehouseError if they cannot be listed.
    """
    with Inventory() as inventory:
        inventory.add_objects(store.objects())
        moved = _Moved(store, inventory)
        inventory.add_audio(moved.found(warehouse.audio_rows()))
        files, moved_from = moved.number, moved.first
        inventory.add_sources(moved.found(warehouse.source_rows()))
        unreadable = _hash_all(store, inventory) if read_bytes else Problem("object not readable")
        if read_bytes:
            _mark(inventory.damaged(), warehouse)
            _mark_texts(inventory.damaged_texts(), warehouse)
            inventory.add_sources(moved.found(warehouse.source_rows()))
        problems = [Problem(name, *inventory.problems(name, SHOWN)) for name in PROBLEMS]
        return Verified(
            audio_rows=inventory.count("audio"),
            source_rows=inventory.count("sources"),
            objects=inventory.count("objects"),
            object_bytes=inventory.object_bytes(),
            problems=[problem for problem in (*problems, unreadable) if problem.number],
            to_mend=sum(problem.number for problem in problems if problem.name == TO_MEND),
            moved=files,
            moved_from=moved_from,
        )


def _mark(damaged: set[str], warehouse: Warehouse) -> None:
    """Mark the sources of damaged files: otherwise their validators would prevent another download."""
    final = Status.having(Trait.FINAL)
    rows = (row for row in warehouse.source_rows() if row.sha256 in damaged and row.status in final)
    marked_rows = [marked(row, DAMAGED) for row in rows if mark_of(row) is None and not is_tombstone(row)]
    for _ in send(marked_rows, warehouse, MARKED_AT_A_TIME):
        pass


def _mark_texts(damaged: set[str], warehouse: Warehouse) -> None:
    """Remove the validators of damaged transcripts and chapters, which would prevent another download."""
    if damaged:
        rows = (without_validators(row, damaged) for row in warehouse.source_rows() if row.texts)
        for _ in send([row for row in rows if row], warehouse, MARKED_AT_A_TIME):
            pass


class _Moved:
    """Finds objects by their hash where the rows have another URL: the folder or bucket has moved."""

    def __init__(self, store: Store, inventory: Inventory) -> None:
        self._store, self._inventory = store, inventory
        self.number = 0
        self.first = ""

    def found(self, rows: Iterable[R]) -> Iterator[R]:
        """Yield the rows, with the URL in this store if it has the object."""
        for row in rows:
            here = self._here(row.gcp_url or "")
            if here != (row.gcp_url or ""):
                self.number += 1
                self.first = self.first or str(row.gcp_url)
                row = replace(row, gcp_url=here)  # noqa: PLW2901 - the same row, where its object is
            yield replace(row, texts=placed_texts(row.texts, self._here)) if isinstance(row, AudioSource) else row

    def _here(self, url: str) -> str:
        """Return the URL of the object in this store, the one in the row if it is not there."""
        key = key_in(url)
        here = self._store.url_of(key) if key else url
        return here if self._inventory.has_object(here) else url


def _hash_all(store: Store, inventory: Inventory) -> Problem:
    unreadable = Problem("object not readable")

    def hash_of(url: str) -> tuple[str, str | StoreError]:
        try:
            return url, store.sha256_of(url)
        except StoreError as error:
            return url, error

    with Bar("objects", inventory.count("objects")) as bar:
        for url, sha256 in in_parallel(hash_of, inventory.object_urls(), READERS):
            bar.advance()
            if isinstance(sha256, StoreError):
                unreadable.add(str(sha256))
            else:
                inventory.set_hash(url, sha256)
    return unreadable
