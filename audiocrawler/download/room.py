"""Room on the disks that a crawl writes to: a reserve stays free, for the database, the log and other programs."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from scrapy.settings import BaseSettings

from audiocrawler.errors import AudioCrawlerError
from audiocrawler.uris import local_path, scheme_of


class NoRoomError(AudioCrawlerError):
    """Raised when a body would take from the reserve."""


class Room:
    """Tells how much may still be written to the file systems of some folders, above a reserve in bytes."""

    def __init__(self, folders: Iterable[Path], reserve_bytes: int) -> None:
        self._folders = list(folders)
        self._reserve_bytes = reserve_bytes

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> "Room":
        """Return the room for bodies under way and, where the store is a folder, for it."""
        folders = [Path(settings["AUDIO_INCOMING"])]
        if scheme_of(settings["AUDIO_STORE"]) in {"", "file"}:
            folders.append(Path(local_path(settings["AUDIO_STORE"])))
        return cls(folders, settings.getint("AUDIO_MIN_FREE_BYTES"))

    def shortage(self, wanted_bytes: int = 0) -> str | None:
        """Return which folder has no room for so many bytes more, and why; None if all have."""
        for folder in self._folders:
            if not self._reserve_bytes or not folder.exists():
                continue
            free_bytes = shutil.disk_usage(folder).free
            if free_bytes - wanted_bytes < self._reserve_bytes:
                return f"{folder} has {free_bytes} bytes free, AUDIO_MIN_FREE_BYTES is {self._reserve_bytes}"
        return None
