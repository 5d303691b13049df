"""The settings in; what a store and a warehouse are opened with, and what their classes say of them unopened, out."""

from pathlib import Path

from scrapy.settings import BaseSettings

from audiocrawler import storage, warehouse
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.gcp import GcpAccess
from audiocrawler.storage.store import STORES
from audiocrawler.warehouse.warehouse import WAREHOUSES


def store_options(settings: BaseSettings) -> storage.Options:
    """Return what the settings say of stores; raises ConfigurationError."""
    return storage.Options(gcp=_gcp_access(settings), schemes=STORES | _added(settings, "AUDIO_STORES"))


def warehouse_options(settings: BaseSettings) -> warehouse.Options:
    """Return what the settings say of warehouses; raises ConfigurationError."""
    return warehouse.Options(
        gcp=_gcp_access(settings),
        outbox=Path(settings["AUDIO_OUTBOX"]),
        batch_rows=settings.getint("AUDIO_FLUSH_ROWS"),
        create=settings.getbool("AUDIO_BIGQUERY_CREATE"),
        location=settings["AUDIO_BIGQUERY_LOCATION"],
        schemes=WAREHOUSES | _added(settings, "AUDIO_WAREHOUSES"),
    )


def store_type(settings: BaseSettings) -> type[storage.Store]:
    """Return the class of AUDIO_STORE; raises ConfigurationError."""
    return storage.store_class(settings["AUDIO_STORE"], store_options(settings))


def store_path(settings: BaseSettings) -> Path | None:
    """Return the folder that AUDIO_STORE is, None where it is none; raises ConfigurationError."""
    return store_type(settings).path_of(settings["AUDIO_STORE"])


def warehouse_type(settings: BaseSettings) -> type[warehouse.Warehouse]:
    """Return the class of AUDIO_WAREHOUSE; raises ConfigurationError."""
    return warehouse.warehouse_class(settings["AUDIO_WAREHOUSE"], warehouse_options(settings))


def warehouse_path(settings: BaseSettings) -> Path | None:
    """Return the file that AUDIO_WAREHOUSE is, None where it is none; raises ConfigurationError."""
    return warehouse_type(settings).path_of(settings["AUDIO_WAREHOUSE"])


def _gcp_access(settings: BaseSettings) -> GcpAccess:
    return GcpAccess(settings["AUDIO_GCP_PROJECT"], settings["AUDIO_GCP_KEY_FILE"])


def _added(settings: BaseSettings, name: str) -> dict[str, str]:
    """Return the schemes that a setting adds: a dict, or its JSON."""
    try:
        added = settings.getdict(name)
    except ValueError as error:
        raise ConfigurationError(f"{name}={settings[name]}: is no JSON object") from error
    for scheme, path in added.items():
        if not isinstance(path, str):
            raise ConfigurationError(f"{name}: {scheme}: {path} is no dotted path of a class, such as package.Class")
    return {scheme.lower(): path for scheme, path in added.items()}
