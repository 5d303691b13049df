"""Lock a warehouse: for any number of crawls at once, or one takedown."""

from pathlib import Path
from typing import IO

from scrapy.settings import BaseSettings

from audiocrawler.crawl.places import warehouse_path
from audiocrawler.model.errors import ConfigurationError, LockedError
from audiocrawler.model.locks import open_locked
from audiocrawler.model.settings import AudioSettings
from audiocrawler.warehouse.outbox import outbox_path


def lock_for_crawl(settings: BaseSettings) -> IO[bytes]:
    """Return a file that locks takedowns out while it is open. Raises LockedError while one is running."""
    return _locked(settings, shared=True, why="a takedown is running; start the crawl again after it has finished")


def lock_for_takedown(settings: BaseSettings) -> IO[bytes]:
    """Return a file that locks crawls of this machine out while it is open. Raises LockedError while one is running."""
    return _locked(
        settings, shared=False, why="a crawl or another takedown is running; try again after it has finished"
    )


def _locked(settings: BaseSettings, *, shared: bool, why: str) -> IO[bytes]:
    path = _path(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open_locked(path, shared=shared)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; make the folder writable") from error
    if file is None:
        raise LockedError(f"{AudioSettings.of(settings).warehouse}: {why}")
    return file


def _path(settings: BaseSettings) -> Path:
    """Return the path of the lock: beside the warehouse's file, or beside the outbox."""
    if path := warehouse_path(settings):
        return path.with_name(path.name + ".in-use")
    ours = AudioSettings.of(settings)
    return outbox_path(ours.outbox, ours.warehouse).with_suffix(".in-use")
