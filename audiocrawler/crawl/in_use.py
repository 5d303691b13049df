"""Who uses a warehouse: any number of crawls at once, or one takedown."""

import fcntl
from pathlib import Path
from typing import IO

from scrapy.settings import BaseSettings

from audiocrawler.model.errors import ConfigurationError, LockedError
from audiocrawler.model.settings import AudioSettings
from audiocrawler.model.uris import local_path, scheme_of
from audiocrawler.warehouse.outbox import outbox_path


def use_warehouse(settings: BaseSettings) -> IO[bytes]:
    """Return the file that keeps takedowns out while it is open; raises LockedError while one is running."""
    return _locked(settings, fcntl.LOCK_SH, "a takedown is running; start the crawl again when it has ended")


def keep_crawls_out(settings: BaseSettings) -> IO[bytes]:
    """Return the file that keeps crawls of this machine out while it is open; raises LockedError while one runs."""
    return _locked(settings, fcntl.LOCK_EX, "a crawl or another takedown is running; wait for its end")


def _locked(settings: BaseSettings, kind: int, why: str) -> IO[bytes]:
    path = _path(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; make the folder writable") from error
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise LockedError(f"{AudioSettings.of(settings).warehouse}: {why}") from error
    return file


def _path(settings: BaseSettings) -> Path:
    """Return a file beside the rows: beside SQLite's own, else beside the outbox."""
    ours = AudioSettings.of(settings)
    uri = ours.warehouse
    if scheme_of(uri) in {"", "sqlite"}:
        path = local_path(uri)
        return path.with_name(path.name + ".in-use")
    return outbox_path(ours.outbox, uri).with_suffix(".in-use")
