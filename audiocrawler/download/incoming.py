"""The folder of bodies under way: one sub-folder a process, locked, and one for parts that a later transfer resumes."""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from audiocrawler.download.parts import Part
from audiocrawler.errors import ConfigurationError

LOCK_NAME = ".lock"
PARTS_NAME = "parts"
KEEP_PARTS_S = 7 * 24 * 3600.0
"""A part that nobody has resumed by then is removed."""


class Incoming:
    """This process's own folder below ``root``; opening it takes over what processes that are gone have left.

    A part of a file that can be resumed outlives its process: whoever asks for the path of the same name next goes on
    with it. Parts are kept for KEEP_PARTS_S, and no more than ``max_parts_bytes`` of them.
    """

    def __init__(self, root: Path, *, max_parts_bytes: int) -> None:
        self.root = root
        self._parts = root / PARTS_NAME
        try:
            root.mkdir(parents=True, exist_ok=True)
            self._take_over_dead()
            _forget_parts(self._parts, max_parts_bytes)
            self.folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root.resolve()))
            self._lock = _locked(self.folder)
        except OSError as error:
            raise ConfigurationError(
                f"AUDIO_INCOMING={root}: cannot be written ({error.strerror}); name a folder that can"
            ) from error

    def path_for(self, name: str) -> Path:
        """Return where the body called ``name`` belongs; a part of it that was kept lies beside, as ``<name>.part``."""
        path = self.folder / name
        _move(Part(self._parts / f"{name}.part"), self.folder)
        return path

    def close(self) -> None:
        """Keep the parts, remove the folder and give the lock back."""
        _keep_parts(self.folder, self._parts)
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            self._parts.rmdir()  # if it is empty
        self._lock.close()

    def _take_over_dead(self) -> None:
        for folder in self.root.iterdir():
            if not (folder / LOCK_NAME).exists():
                continue  # not ours, or its owner has not got as far as locking it
            try:
                lock = _locked(folder)
            except BlockingIOError:
                continue
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
    """Move a part with its version; of two processes that want it one gets it."""
    with suppress(FileNotFoundError):
        part.path.replace(folder / part.path.name)
        part.version_path.replace(folder / part.version_path.name)


def _forget_parts(parts: Path, max_bytes: int) -> None:
    """Remove the parts that are old, and the oldest of too many."""
    kept_bytes = 0
    for path in sorted(parts.glob("*.part"), key=lambda path: path.stat().st_mtime, reverse=True):
        kept_bytes += path.stat().st_size
        if kept_bytes > max_bytes or time.time() - path.stat().st_mtime > KEEP_PARTS_S:
            Part(path).drop()


def _locked(folder: Path) -> IO[bytes]:
    lock = (folder / LOCK_NAME).open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock
