"""A store and a warehouse in; what they hold, and where they disagree, out."""

from dataclasses import dataclass

from audiocrawler.collection.inventory import PROBLEMS, Inventory
from audiocrawler.collection.parallel import in_parallel
from audiocrawler.collection.problem import SHOWN, Problem
from audiocrawler.errors import StoreError
from audiocrawler.report.bar import Bar
from audiocrawler.storage import Store
from audiocrawler.warehouse import Warehouse

READERS = 8
"""Objects that are read at a time."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was compared, and everything that is wrong with it."""

    audio_rows: int
    source_rows: int
    objects: int
    object_bytes: int
    problems: list[Problem]


def verify(store: Store, warehouse: Warehouse, *, read_bytes: bool) -> Verified:
    """Compare the rows of both tables with a listing of the objects; ``read_bytes`` has their hashes worked out anew.

    Raises StoreError and WarehouseError where they cannot be listed.
    """
    with Inventory() as inventory:
        inventory.add_audio(warehouse.audio_rows())
        inventory.add_sources(warehouse.source_rows())
        inventory.add_objects(store.objects())
        unreadable = _hash_all(store, inventory) if read_bytes else Problem("object not readable")
        problems = [Problem(name, *inventory.problems(name, SHOWN)) for name in PROBLEMS]
        return Verified(
            audio_rows=inventory.count("audio"),
            source_rows=inventory.count("sources"),
            objects=inventory.count("objects"),
            object_bytes=inventory.object_bytes(),
            problems=[problem for problem in (*problems, unreadable) if problem.number],
        )


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
