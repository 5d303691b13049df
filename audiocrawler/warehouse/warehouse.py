"""A URI in; an open warehouse out. What every warehouse gives."""

from collections.abc import Sequence
from typing import Protocol, cast

from audiocrawler.items import AudioMetadata, AudioSource
from audiocrawler.uris import load_registered

WAREHOUSES = {
    "sqlite": "audiocrawler.warehouse.sqlite.SqliteWarehouse",
}
"""Scheme -> dotted path of a class that takes the URI; imported only when used."""


class Warehouse(Protocol):
    """Where both tables are kept. Methods may be called from several threads at once."""

    def upsert(self, rows: Sequence[AudioMetadata | AudioSource]) -> None:
        """Merge the rows into both tables, in order, all or none of them. Raises WarehouseError."""
        ...

    def find_audio(self, sha256: str) -> AudioMetadata | None:
        """Return the row of the file with this hash. Raises WarehouseError."""
        ...

    def find_source(self, source_url: str) -> AudioSource | None:
        """Return the row of this audio URL, whose secrets are masked. Raises WarehouseError."""
        ...

    def close(self) -> None:
        """Release the connection; rows are safe before that."""
        ...


def open_warehouse(uri: str) -> Warehouse:
    """Return the warehouse at ``uri``: ``sqlite:data/audio.db`` or ``sqlite:///srv/audio.db``.

    Raises ConfigurationError where the scheme is unknown or the warehouse cannot be written to, and SchemaError where
    it has tables that contradict ours.
    """
    return cast(Warehouse, load_registered(uri, WAREHOUSES)(uri))
