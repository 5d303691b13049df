"""The staging folder: files being written, parts to resume, and the disk reserve."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from scrapy.exceptions import DownloadCancelledError
from scrapy.settings import BaseSettings

from audiocrawler.fetch.encodings import Decoding
from audiocrawler.fetch.parts import Part
from audiocrawler.model.errors import ConfigurationError, OutcomeError, SpoolError
from audiocrawler.model.locks import open_locked
from audiocrawler.model.settings import AudioSettings
from audiocrawler.model.statuses import Status

LOCK_NAME = ".lock"
PARTS_NAME = "parts"
KEEP_PARTS_S = 7 * 24 * 3600.0
"""Parts that were not resumed by then are removed."""


class StagingFolder:
    """This process's own folder below ``root``; opening it recovers the parts of dead processes.

    A part outlives its process, and is resumed by the next transfer of the same name. Parts are kept for KEEP_PARTS_S,
    and up to ``max_parts_bytes``.
    """

    def __init__(self, root: Path, *, max_parts_bytes: int) -> None:
        self.root = root
        self._parts = root / PARTS_NAME
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._recover_dead()
            _remove_old_parts(self._parts, max_parts_bytes)
            self.folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root.resolve()))
            self._lock = open_locked(self.folder / LOCK_NAME)
        except OSError as error:
            raise ConfigurationError(
                f"AUDIO_INCOMING={root}: cannot be written ({error.strerror}); choose a writable folder"
            ) from error

    def path_for(self, name: str) -> Path:
        """Return the path for a body; a kept part of it is moved beside it, as ``<name>.part``."""
        path = self.folder / name
        _move(Part(self._parts / f"{name}.part"), self.folder)
        return path

    def close(self) -> None:
        """Keep the parts, remove the folder and release the lock."""
        _keep_parts(self.folder, self._parts)
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            self._parts.rmdir()  # only if it is empty
        if self._lock is not None:
            self._lock.close()

    def _recover_dead(self) -> None:
        for folder in self.root.iterdir():
            if not (folder / LOCK_NAME).exists():
                continue  # not ours, or not locked yet by its owner
            lock = open_locked(folder / LOCK_NAME)
            if lock is None:
                continue  # its owner is alive
            with lock:
                _keep_parts(folder, self._parts)
                shutil.rmtree(folder, ignore_errors=True)


def _keep_parts(folder: Path, parts: Path) -> None:
    for path in folder.glob("*.part"):
        part = Part.at(path)
        if part.version is not None:
            parts.mkdir(exist_ok=True)
            _move(part, parts)


def _move(part: Part, folder: Path) -> None:
    """Move a part with its version; only one of two competing processes gets it."""
    with suppress(FileNotFoundError):
        part.path.replace(folder / part.path.name)
        part.version_path.replace(folder / part.version_path.name)


def _remove_old_parts(parts: Path, max_bytes: int) -> None:
    """Remove expired parts, and the oldest above ``max_bytes``."""
    kept_bytes = 0
    for path in sorted(parts.glob("*.part"), key=lambda path: path.stat().st_mtime, reverse=True):
        kept_bytes += path.stat().st_size
        if kept_bytes > max_bytes or time.time() - path.stat().st_mtime > KEEP_PARTS_S:
            Part(path).drop()


class DiskReserve:
    """The free space to keep on the file systems of some folders, in bytes."""

    def __init__(self, folders: Iterable[Path], reserve_bytes: int) -> None:
        self._folders = list(folders)
        self._reserve_bytes = reserve_bytes

    @classmethod
    def from_settings(cls, settings: BaseSettings, store_folder: Path | None) -> "DiskReserve":
        """Return the reserve for the staging folder and, if it is a folder, the store."""
        ours = AudioSettings.of(settings)
        return cls([ours.incoming, *([store_folder] if store_folder else [])], ours.min_free_bytes)

    def deficit(self, wanted_bytes: int = 0) -> str | None:
        """Return which folder has no room for ``wanted_bytes``, and why; None if all have."""
        for folder in self._folders:
            if not self._reserve_bytes or not folder.exists():
                continue
            free_bytes = shutil.disk_usage(folder).free
            if free_bytes - wanted_bytes < self._reserve_bytes:
                return f"{folder} has {free_bytes} bytes free, AUDIO_MIN_FREE_BYTES is {self._reserve_bytes}"
        return None


class TooLargeError(OutcomeError, DownloadCancelledError):
    """Raised when a body exceeds the request's ``download_maxsize``."""

    status = Status.TOO_LARGE


class Spool:
    """Append a body to the file ``part``; ``max_bytes`` limits its size, 0 for no limit."""

    def __init__(self, part: Path, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._decoding = Decoding("")
        try:
            self._file = part.open("ab", buffering=0)
            self.size_bytes = self._file.tell()
        except OSError as error:
            raise SpoolError(f"could not write the body: {error}") from error

    @property
    def is_encoding_named(self) -> bool:
        """Return whether the server declares an encoding, truly or not."""
        return self._decoding.is_named

    @property
    def is_decoded(self) -> bool:
        """Return whether the body is being decoded: then its size differs from the bytes received."""
        return self._decoding.is_encoded

    @property
    def is_decoded_to_its_end(self) -> bool:
        """Return whether the encoding reached its end marker, which proves the body complete."""
        return self._decoding.is_whole

    def empty(self) -> None:
        """Truncate the file."""
        self._file.truncate(0)
        self.size_bytes = 0

    def decode(self, content_encoding: str) -> None:
        """Decode this Content-Encoding from now on; raises EncodingError if it is not supported."""
        self._decoding = Decoding(content_encoding)

    def write(self, data: bytes) -> bytes:
        """Write the next bytes and return them decoded; raises SpoolError, EncodingError, TooLargeError."""
        return self._append(self._decoding.feed(data)) if self._decoding.is_named else self._append((data,))

    def finish(self) -> bytes:
        """Write and return the decoder's remaining bytes, at the end of the body."""
        return self._append(self._decoding.finish())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, pieces: Iterable[bytes]) -> bytes:
        written = []
        for piece in pieces:
            self.size_bytes += len(piece)
            if self._max_bytes and self.size_bytes > self._max_bytes:
                raise TooLargeError(f"larger than {self._max_bytes} bytes")
            self._write(piece)
            written.append(piece)
        return written[0] if len(written) == 1 else b"".join(written)

    def _write(self, piece: bytes) -> None:
        try:
            self._file.write(piece)
        except OSError as error:
            raise SpoolError(f"could not write the body: {error}") from error
