"""The interface of every warehouse, and how one is opened by its URI.

To add a warehouse, write a class with the methods of Warehouse, whose constructor takes a URI and Options, and register
it in WAREHOUSES or AUDIO_WAREHOUSES. Shared by all: ``rows.checked`` and ``rows.clean_url`` clean the input,
``merge.merge_rows`` and ``merge.derive`` merge rows, ``outbox.Outbox`` keeps rows on this disk until they are uploaded.
Each has its own SQL.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast, runtime_checkable

from audiocrawler.model.gcp import GcpAccess
from audiocrawler.model.rows import AudioCrawl, AudioMetadata, AudioSource, Row
from audiocrawler.model.uris import load_registered
from audiocrawler.warehouse.query import Query

WAREHOUSES = {
    "": "audiocrawler.warehouse.sqlite.SqliteWarehouse",
    "sqlite": "audiocrawler.warehouse.sqlite.SqliteWarehouse",
    "bigquery": "audiocrawler.warehouse.bigquery.warehouse.BigQueryWarehouse",
}
"""Scheme -> dotted path of a class that takes the URI and Options; "" is a plain path. Imported only when used."""

MAX_RELATED = 200
"""Maximum number of rows that are compared with a newly found URL."""


@dataclass(frozen=True, slots=True)
class Options:
    """Further arguments of a warehouse's constructor."""

    gcp: GcpAccess = field(default_factory=GcpAccess)
    outbox: Path = Path("data/outbox")
    """Folder of rows pending upload; one file per warehouse."""
    batch_rows: int = 5000
    """Maximum number of rows per upload."""
    create: bool = False
    """Whether to create a missing dataset."""
    location: str | None = None
    """Location of a new dataset, such as EU; None is BigQuery's default."""
    schemes: Mapping[str, str] = field(default_factory=WAREHOUSES.copy)
    """WAREHOUSES, with what AUDIO_WAREHOUSES adds."""


@dataclass(frozen=True, slots=True)
class FlushResult:
    """The result of one upload: rows ``sent``, rows ``refused``, rows still pending.

    ``error`` is one line that says why the upload failed, None if it did not.
    """

    sent: int = 0
    refused: int = 0
    left: int = 0
    error: str | None = None


class Warehouse(Protocol):
    """Where the tables are. Methods may be called from several threads at once.

    A remote one, whose rows are pending on this machine until they are uploaded, is Outboxed, too.
    """

    is_local: ClassVar[bool]
    """Whether its tables are on this machine."""

    @staticmethod
    def path_of(uri: str) -> Path | None:
        """Return the local file of ``uri``, None for a warehouse without one.

        Nothing is opened or created. Raises ConfigurationError.
        """
        ...

    @staticmethod
    def query_command(uri: str) -> str | None:
        """Return a command line to which a query can be appended; None if there is none."""
        ...

    def upsert(self, rows: Sequence[Row]) -> None:
        """Merge the rows into their tables, in order, all or none of them. Raises WarehouseError.

        They are durable afterwards, if only on this machine: Outboxed.flush uploads them.
        """
        ...

    def find_audio(self, sha256: str) -> AudioMetadata | None:
        """Return the row of the file with this hash. Raises WarehouseError."""
        ...

    def find_source(self, source_url: str) -> AudioSource | None:
        """Return the row of this audio URL, whose secrets are masked. Raises WarehouseError."""
        ...

    def related_sources(self, guid: str | None, url_pattern: str | None) -> list[AudioSource]:
        """Return rows of audio_sources with this guid or pattern, at most MAX_RELATED. Raises WarehouseError."""
        ...

    def audio_rows(self) -> Iterator[AudioMetadata]:
        """Yield all rows of audio_metadata as in the table, without pending ones. Raises WarehouseError."""
        ...

    def source_rows(self) -> Iterator[AudioSource]:
        """Yield all rows of audio_sources as in the table, without pending ones. Raises WarehouseError."""
        ...

    def crawl_rows(self) -> Iterator[AudioCrawl]:
        """Yield all rows of audio_crawls as in the table, without pending ones. Raises WarehouseError."""
        ...

    def taken_down(self) -> Iterator[str]:
        """Yield the source_url of every tombstone, including pending ones. Raises WarehouseError."""
        ...

    def select(self, query: Query) -> Iterator[dict[str, Any]]:
        """Return rows of a view, without those pending in the outbox; times are in UTC.

        Raises ConfigurationError, at once or with the first row, if the database refuses
        the expression, and WarehouseError.
        """
        ...

    def close(self) -> None:
        """Release the connection without a flush; rows are durable before."""
        ...


@runtime_checkable
class Outboxed(Protocol):
    """A remote warehouse: rows are pending on this machine until uploaded, and lookups only use what it knows."""

    def pending_rows(self) -> int:
        """Return the number of rows pending upload, including other crawls' in the same outbox."""
        ...

    def written_watermark(self) -> int:
        """Return the sequence number of the last row written on this machine; 0 without an outbox."""
        ...

    def sent_watermark(self) -> int:
        """Return the sequence number up to which all rows written here have been uploaded or refused."""
        ...

    def flush(self) -> FlushResult:
        """Upload one batch of pending rows, after any other flush in progress.

        Raises WarehouseError for this machine's disk; a failed upload is in the result, and its rows stay pending.
        """
        ...

    def preload(self, sites: Sequence[str]) -> int:
        """Read the table's rows of these sites once, so that ``find_source`` returns them.

        Return the number of rows read; 0 where ``find_source`` queries the table itself. Raises WarehouseError.
        """
        ...


def count_pending(warehouse: Warehouse) -> int:
    """Return the number of rows pending upload; 0 without an outbox."""
    return warehouse.pending_rows() if isinstance(warehouse, Outboxed) else 0


def warehouse_class(uri: str, options: Options, setting: str = "AUDIO_WAREHOUSE") -> type[Warehouse]:
    """Return the class of the warehouse at ``uri`` without opening it. Raises ConfigurationError."""
    return cast("type[Warehouse]", load_registered(uri, options.schemes, setting))


def open_warehouse(uri: str, options: Options | None = None, setting: str = "AUDIO_WAREHOUSE") -> Warehouse:
    """Open the warehouse at ``uri``: ``sqlite:data/audio.db``, ``bigquery://project/dataset/audio_metadata``.

    Raises ConfigurationError, which names ``setting``, if the scheme is unknown or the warehouse cannot be written to,
    and SchemaError if its tables are incompatible.
    """
    options = options or Options()
    return cast(Warehouse, load_registered(uri, options.schemes, setting)(uri, options))
