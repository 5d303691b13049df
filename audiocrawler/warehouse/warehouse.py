"""A URI in; an open warehouse out. What every warehouse gives.

A new warehouse is a class with the methods of Warehouse, whose constructor takes a URI and Options, and a line in
WAREHOUSES or in AUDIO_WAREHOUSES. These are there for all of them: ``rows.checked`` and ``rows.clean_url`` clean what
comes in, ``merge.merge_rows`` and ``merge.derive`` say how rows meet, ``outbox.Outbox`` keeps rows on this disk until
they are sent. The SQL of each is its own.
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
"""Rows that are compared with a newly found URL."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a warehouse may need besides its URI."""

    gcp: GcpAccess = field(default_factory=GcpAccess)
    outbox: Path = Path("data/outbox")
    """Folder of the rows that wait to be sent; one file per warehouse."""
    batch_rows: int = 5000
    """Rows that travel together, at most."""
    create: bool = False
    """Whether a dataset and tables that are not there are created."""
    location: str | None = None
    """Where a new dataset is kept, such as EU; None leaves it to BigQuery."""
    schemes: Mapping[str, str] = field(default_factory=WAREHOUSES.copy)
    """WAREHOUSES, with what AUDIO_WAREHOUSES adds."""


@dataclass(frozen=True, slots=True)
class FlushResult:
    """What became of one batch: rows ``sent``, rows ``set_aside`` because they were refused, and rows still ``left``.

    ``error`` is one line that says why rows could not be sent, None if they could.
    """

    sent: int = 0
    set_aside: int = 0
    left: int = 0
    error: str | None = None


class Warehouse(Protocol):
    """Where the tables are kept. Methods may be called from several threads at once.

    One whose rows wait on this machine until they are sent is Outboxed, too.
    """

    is_local: ClassVar[bool]
    """Whether only this machine reads its tables."""

    @staticmethod
    def path_of(uri: str) -> Path | None:
        """Return the file of this machine that ``uri`` names, None where the tables are in no file.

        Nothing is opened or created. Raises ConfigurationError.
        """
        ...

    @staticmethod
    def query_command(uri: str) -> str | None:
        """Return the command line that takes a query as its last word; None where there is none to show."""
        ...

    def upsert(self, rows: Sequence[Row]) -> None:
        """Merge the rows into their tables, in order, all or none of them. Raises WarehouseError.

        They are safe then, be it on a disk of this machine: Outboxed.flush sends them to where the tables are.
        """
        ...

    def find_audio(self, sha256: str) -> AudioMetadata | None:
        """Return the row of the file with this hash. Raises WarehouseError."""
        ...

    def find_source(self, source_url: str) -> AudioSource | None:
        """Return the row of this audio URL, whose secrets are masked. Raises WarehouseError."""
        ...

    def related_sources(self, guid: str | None, url_pattern: str | None) -> list[AudioSource]:
        """Return rows of audio_sources with this guid or this pattern, MAX_RELATED at most. Raises WarehouseError."""
        ...

    def audio_rows(self) -> Iterator[AudioMetadata]:
        """Yield all rows of audio_metadata as the table has them, without those that wait. Raises WarehouseError."""
        ...

    def source_rows(self) -> Iterator[AudioSource]:
        """Yield all rows of audio_sources as the table has them, without those that wait. Raises WarehouseError."""
        ...

    def crawl_rows(self) -> Iterator[AudioCrawl]:
        """Yield all rows of audio_crawls as the table has them, without those that wait. Raises WarehouseError."""
        ...

    def taken_down(self) -> Iterator[str]:
        """Yield the source_url of every row that is taken down, those that wait included. Raises WarehouseError."""
        ...

    def select(self, query: Query) -> Iterator[dict[str, Any]]:
        """Return the rows of a view as the tables have them, without those that wait; times are in UTC.

        Nothing is changed. Raises ConfigurationError, at once or with the first row, where the database does not take
        the expression, and WarehouseError.
        """
        ...

    def close(self) -> None:
        """Release the connection, without a flush; rows are safe before that."""
        ...


@runtime_checkable
class Outboxed(Protocol):
    """A warehouse far away: rows wait on this machine until they are sent, and are found as far as it knows them."""

    def pending_rows(self) -> int:
        """Return how many rows wait to be sent, those of other crawls that share the outbox included."""
        ...

    def written_watermark(self) -> int:
        """Return the number of the last row that was written on this machine; 0 where rows do not wait."""
        ...

    def sent_watermark(self) -> int:
        """Return the number up to which all rows that were written here have been sent or set aside."""
        ...

    def flush(self) -> FlushResult:
        """Send one batch of the rows that wait, after any flush that is under way. Raises WarehouseError.

        That error is this machine's disk; what goes wrong on the way is told by the result, and the rows stay.
        """
        ...

    def recall(self, sites: Sequence[str]) -> int:
        """Read once what the table knows of the audio URLs of these sites, so that ``find_source`` tells it.

        Returns how many rows were read; none where ``find_source`` asks the table itself. Raises WarehouseError.
        """
        ...


def rows_waiting(warehouse: Warehouse) -> int:
    """Return how many rows wait to be sent; none do where there is no outbox."""
    return warehouse.pending_rows() if isinstance(warehouse, Outboxed) else 0


def warehouse_class(uri: str, options: Options, setting: str = "AUDIO_WAREHOUSE") -> type[Warehouse]:
    """Return the class of the warehouse at ``uri``, which is not opened. Raises ConfigurationError."""
    return cast("type[Warehouse]", load_registered(uri, options.schemes, setting))


def open_warehouse(uri: str, options: Options | None = None, setting: str = "AUDIO_WAREHOUSE") -> Warehouse:
    """Return the warehouse at ``uri``: ``sqlite:data/audio.db``, ``bigquery://project/dataset/audio_metadata``.

    Raises ConfigurationError where the scheme is unknown or the warehouse cannot be written to, and SchemaError where
    it has tables that contradict ours; ``setting`` is what has named the warehouse.
    """
    options = options or Options()
    return cast(Warehouse, load_registered(uri, options.schemes, setting)(uri, options))
