"""Delete objects and rows, and write the tombstones that block them from then on.

Objects are deleted first and the rows, in batches, after them: if a takedown is stopped, the next one finds by the rows
what is left.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from audiocrawler.collection.sending import flush_batch, send
from audiocrawler.model.addresses import plain_host
from audiocrawler.model.marks import (
    archive_of,
    hash_mark,
    host_mark,
    is_tombstone,
    source_marks,
    spelling_of,
    tombstone,
)
from audiocrawler.model.members import split_member
from audiocrawler.model.rotation import row_key
from audiocrawler.model.rows import MAX_URL_LENGTH, AudioMetadata, AudioSource
from audiocrawler.model.statuses import Status
from audiocrawler.model.text import storable_url
from audiocrawler.model.texts import ERROR, OBJECT, Text, stored_texts, without_object
from audiocrawler.model.urls import one_spelling
from audiocrawler.storage import Store, key_in, place_of
from audiocrawler.warehouse import Warehouse

SHOWN_NEAR = 3
"""Similar URLs that are suggested if nothing matches."""


@dataclass(frozen=True, slots=True)
class Target:
    """What to take down: one of the three. ``source`` may be masked, ``sha256`` is in lower case."""

    source: str | None = None
    host: str | None = None
    sha256: str | None = None
    marks: frozenset[str] = field(init=False)
    """The source_urls that a tombstone of the target may have."""

    def __post_init__(self) -> None:
        if self.host is not None:
            marks = frozenset({host_mark(self.host)})
        else:
            marks = frozenset({hash_mark(self.sha256)}) if self.sha256 else source_marks(str(self.source))
        object.__setattr__(self, "marks", marks)

    def takes(self, row: AudioSource) -> bool:
        """Return whether the row matches; a host matches redirects that ended there, an archive its members."""
        if self.host is not None:
            hosts = {row.host, urlsplit(row.final_url or "").hostname}
            return plain_host(self.host) in {plain_host(host) for host in hosts if host}
        if self.sha256 is not None:
            return row.sha256 == self.sha256
        return spelling_of(row.source_url) in self.marks or archive_of(row.source_url) in self.marks

    def takes_text(self, text: Text) -> bool:
        """Return whether a transcript or chapters match by themselves, with whatever audio they go."""
        url = text.get("url", "")
        if self.host is not None:
            return plain_host(urlsplit(url).hostname or "") == plain_host(self.host)
        return text.get("sha256") == self.sha256 if self.sha256 else one_spelling(url) in self.marks

    def is_near(self, row: AudioSource) -> bool:
        """Return whether a row resembles a URL that has no match: it differs in scheme, query or by a redirect."""
        if self.source is None or is_tombstone(row):
            return False
        found = urlsplit(one_spelling(row.source_url))
        meant = (urlsplit(mark) for mark in self.marks)
        if row.final_url and one_spelling(row.final_url) in self.marks:
            return True
        return any((found.hostname, found.path.rstrip("/")) == (m.hostname, m.path.rstrip("/")) for m in meant)

    @property
    def mark(self) -> str:
        """Return the source_url of the target's tombstone."""
        if self.source is None:
            return max(self.marks)
        url, member = split_member(self.source)
        return one_spelling(storable_url(row_key(url), MAX_URL_LENGTH)) + (f"#{member}" if member else "")

    @property
    def reason(self) -> str:
        """Return the reason for the rows."""
        return f"taken down with {self.mark}" if self.source is None else "taken down"


@dataclass(slots=True)
class Plan:
    """What a takedown would do: sources and files to delete, and files to keep, with another source of each."""

    sources: list[AudioSource] = field(default_factory=list)
    files: list[AudioMetadata] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """Objects of transcripts and chapters to delete: no other source names them, or they are the target themselves."""
    changed: list[AudioSource] = field(default_factory=list)
    """Rows to write of sources that stay, without the texts that are taken down."""
    kept: dict[str, str] = field(default_factory=dict)
    moved: list[AudioMetadata] = field(default_factory=list)
    """Those of the files whose rows have a URL of the store's former location."""
    elsewhere: list[str] = field(default_factory=list)
    """URLs of objects in another store; nothing is done while there are any."""
    before: bool = False
    """Whether the target was taken down before."""
    near: list[str] = field(default_factory=list)
    """Similar URLs, if nothing matches."""

    @property
    def is_empty(self) -> bool:
        """Return whether nothing matches the target, not even an earlier takedown."""
        return not (self.sources or self.files or self.texts or self.kept or self.before)


def plan(target: Target, store: Store, warehouse: Warehouse) -> Plan:
    """Return what a takedown of the target would do. Raises WarehouseError."""
    found = Plan()
    for row in warehouse.source_rows():
        if is_tombstone(row):
            found.before |= spelling_of(row.source_url) in target.marks
        elif target.takes(row):
            found.sources.append(row)
        elif len(found.near) < SHOWN_NEAR and target.is_near(row):
            found.near.append(row.source_url)
    _plan_texts(target, found, store, warehouse)
    hashes = {row.sha256 for row in found.sources if row.sha256} | ({target.sha256} if target.sha256 else set())
    if not hashes:
        return found
    for row in warehouse.source_rows():
        if row.sha256 in hashes and not target.takes(row):
            found.kept.setdefault(row.sha256 or "", row.source_url)
    files = [row for row in warehouse.audio_rows() if row.sha256 in hashes - found.kept.keys()]
    found.files = [replace(row, gcp_url=place_of(row.gcp_url, row.size_bytes, store)) for row in files]
    found.moved = [file for file, row in zip(found.files, files, strict=True) if file.gcp_url != row.gcp_url]
    found.elsewhere += [row.gcp_url for row in found.files if _url_in(store, row) != row.gcp_url]
    return found


def _plan_texts(target: Target, found: Plan, store: Store, warehouse: Warehouse) -> None:
    """Plan for the transcripts and chapters of what is taken down, and for those that are the target themselves."""
    of_sources = {each[OBJECT] for row in found.sources for each in stored_texts(row)}
    named: set[str] = set()
    for row in warehouse.source_rows():
        if not row.texts or target.takes(row):
            continue
        taken = {each[OBJECT] for each in stored_texts(row) if target.takes_text(each)}
        named |= {each[OBJECT] for each in stored_texts(row)} - taken
        of_sources |= taken
        if taken:
            texts = [_struck(each) if each.get(OBJECT) in taken else each for each in row.texts]
            found.changed.append(
                AudioSource(source_url=row.source_url, status=Status.PENDING, crawl_id=row.crawl_id, texts=texts)
            )
    found.texts = [place_of(url, None, store) for url in sorted(of_sources - named)]
    found.elsewhere += [url for url in found.texts if store.url_of(key_in(url) or "") != url]


def _struck(text: Text) -> Text:
    return without_object(text) | {ERROR: "taken down"}


def carry_out(target: Target, found: Plan, store: Store, warehouse: Warehouse, batch_rows: int) -> Iterator[str]:
    """Delete objects and rows, and yield a line for each step. Raises StoreError and WarehouseError."""
    for _ in send(
        found.moved, warehouse, max(1, batch_rows)
    ):  # else no row would lead to objects that are removed already
        pass
    for file in found.files:
        was_there = store.remove(file.gcp_url)
        yield f"removed object {file.gcp_url}" if was_there else f"object {file.gcp_url} was already removed"
    for url in found.texts:
        was_there = store.remove(url)
        yield f"removed object {url}" if was_there else f"object {url} was already removed"
    remaining = _tombstones(target, found)
    while batch := list(islice(remaining, max(1, batch_rows))):
        warehouse.upsert([row for row, _ in batch])
        flush_batch(warehouse)
        yield from (line for _, line in batch)
    while flush_batch(warehouse):
        pass


def _tombstones(target: Target, found: Plan) -> Iterator[tuple[AudioSource, str]]:
    """Yield the tombstones to write. Those of sources come last: they lead to their files."""
    known = {row.source_url: row for row in found.sources}
    if not found.before and not any(spelling_of(url) in target.marks for url in known):
        yield tombstone(target.mark, target.reason), f"took down {target.mark}"
    for url in found.texts:
        sha256 = PurePosixPath(url).stem
        yield tombstone(hash_mark(sha256), target.reason), f"removed text {sha256}"
    for changed in found.changed:
        yield changed, f"changed row {changed.source_url}"
    for file in found.files:
        yield tombstone(hash_mark(file.sha256 or ""), target.reason), f"removed row {file.file_name} of {file.sha256}"
    for url, row in known.items():
        yield tombstone(url, target.reason, first_seen_at=row.first_seen_at, found=row), f"took down {url}"


def _url_in(store: Store, row: AudioMetadata) -> str | None:
    key = key_in(row.gcp_url)
    return key and store.url_of(key)
