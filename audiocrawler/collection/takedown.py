"""What shall go in; objects and rows removed, and what keeps them from coming back, out.

Objects go first and the rows, in batches, after them: whatever stops a takedown, the next one finds by the rows what is
left. A row that is taken down is the last trace of what it stood for.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import urlsplit

from audiocrawler.collection.send import flush_batch
from audiocrawler.items import AudioMetadata, AudioSource
from audiocrawler.rotation import row_key
from audiocrawler.storage import Store, key_in
from audiocrawler.tombstones import hash_mark, host_mark, is_tombstone, tombstone
from audiocrawler.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Target:
    """What shall go; one of the three is given. ``source`` is masked, ``host`` and ``sha256`` are in lower case."""

    source: str | None = None
    host: str | None = None
    sha256: str | None = None

    def takes(self, row: AudioSource) -> bool:
        """Tell whether the row of an audio URL is meant; a host is meant by redirects that ended at it, too."""
        if self.host is not None:
            return self.host in {row.host, urlsplit(row.final_url or "").hostname}
        return row.sha256 == self.sha256 if self.sha256 else row.source_url in self._spellings

    @property
    def _spellings(self) -> set[str]:
        return {self.source, row_key(self.source)} if self.source else set()

    @property
    def mark(self) -> str:
        """Return the source_url of the row that stands for the target itself."""
        if self.host is not None:
            return host_mark(self.host)
        return hash_mark(self.sha256) if self.sha256 else row_key(str(self.source))

    @property
    def reason(self) -> str:
        """Return what the rows say."""
        return f"taken down with {self.mark}" if self.source is None else "taken down"


@dataclass(slots=True)
class Plan:
    """What a takedown comes to: sources and files that go, and files that stay, with another source of each."""

    sources: list[AudioSource] = field(default_factory=list)
    files: list[AudioMetadata] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)
    """URLs of objects that are not in this store; while they are there, nothing is done."""


def plan(target: Target, store: Store, warehouse: Warehouse) -> Plan:
    """Return what would go. Raises WarehouseError where the rows cannot be read."""
    found = Plan([row for row in warehouse.source_rows() if target.takes(row) and not is_tombstone(row)])
    hashes = {row.sha256 for row in found.sources if row.sha256} | ({target.sha256} if target.sha256 else set())
    if not hashes:
        return found
    for row in warehouse.source_rows():
        if row.sha256 in hashes and not target.takes(row):
            found.kept.setdefault(row.sha256 or "", row.source_url)
    found.files = [row for row in warehouse.audio_rows() if row.sha256 in hashes - found.kept.keys()]
    found.elsewhere = [row.gcp_url for row in found.files if _url_in(store, row) != row.gcp_url]
    return found


def carry_out(target: Target, found: Plan, store: Store, warehouse: Warehouse, batch_rows: int) -> Iterator[str]:
    """Do it, and yield a line for each thing that was done. Raises StoreError and WarehouseError."""
    for file in found.files:
        was_there = store.remove(file.gcp_url)
        yield f"removed object {file.gcp_url}" if was_there else f"object {file.gcp_url} was removed before"
    remaining = _tombstones(target, found)
    while batch := list(islice(remaining, max(1, batch_rows))):
        warehouse.upsert([row for row, _ in batch])
        flush_batch(warehouse)
        yield from (line for _, line in batch)
    while flush_batch(warehouse):
        pass


def _tombstones(target: Target, found: Plan) -> Iterator[tuple[AudioSource, str]]:
    """Yield the rows that are left. Those of sources come last: they are what leads to their files."""
    known = {row.source_url: row for row in found.sources}
    if target.mark not in known:
        yield tombstone(target.mark, target.reason), f"took down {target.mark}"
    for file in found.files:
        yield tombstone(hash_mark(file.sha256 or ""), target.reason), f"removed row {file.file_name} of {file.sha256}"
    for url, row in known.items():
        yield tombstone(url, target.reason, first_seen_at=row.first_seen_at, found=row), f"took down {url}"


def _url_in(store: Store, row: AudioMetadata) -> str | None:
    key = key_in(row.gcp_url)
    return key and store.url_of(key)
