"""Resolve AUDIO_STORE and AUDIO_WAREHOUSE to classes, options and local paths, without opening them."""

from pathlib import Path

from scrapy.settings import BaseSettings

from audiocrawler import storage, warehouse
from audiocrawler.model.gcp import GcpAccess
from audiocrawler.model.settings import AudioSettings
from audiocrawler.storage.store import STORES
from audiocrawler.warehouse.warehouse import WAREHOUSES


def store_options(settings: BaseSettings) -> storage.Options:
    """Return the options of stores. Raises ConfigurationError."""
    ours = AudioSettings.of(settings)
    return storage.Options(gcp=_gcp_access(ours), schemes=STORES | ours.stores)


def warehouse_options(settings: BaseSettings) -> warehouse.Options:
    """Return the options of warehouses. Raises ConfigurationError."""
    ours = AudioSettings.of(settings)
    return warehouse.Options(
        gcp=_gcp_access(ours),
        outbox=ours.outbox,
        batch_rows=ours.flush_rows,
        create=ours.bigquery_create,
        location=ours.bigquery_location,
        schemes=WAREHOUSES | ours.warehouses,
    )


def store_type(settings: BaseSettings) -> type[storage.Store]:
    """Return the class of AUDIO_STORE. Raises ConfigurationError."""
    return storage.store_class(AudioSettings.of(settings).store, store_options(settings))


def store_path(settings: BaseSettings) -> Path | None:
    """Return the local folder of AUDIO_STORE, None if it is not local. Raises ConfigurationError."""
    return store_type(settings).path_of(AudioSettings.of(settings).store)


def warehouse_type(settings: BaseSettings) -> type[warehouse.Warehouse]:
    """Return the class of AUDIO_WAREHOUSE. Raises ConfigurationError."""
    return warehouse.warehouse_class(AudioSettings.of(settings).warehouse, warehouse_options(settings))


def warehouse_path(settings: BaseSettings) -> Path | None:
    """Return the local file of AUDIO_WAREHOUSE, None if it is not local. Raises ConfigurationError."""
    return warehouse_type(settings).path_of(AudioSettings.of(settings).warehouse)


def _gcp_access(ours: AudioSettings) -> GcpAccess:
    return GcpAccess(ours.gcp_project, ours.gcp_key_file)
