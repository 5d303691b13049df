"""The folder of bodies under way: one sub-folder a process, locked, so that a dead run's leftovers can be wiped."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

from audiocrawler.errors import ConfigurationError

LOCK_NAME = ".lock"


class Incoming:
    """This process's own folder below ``root``; opening it removes the folders whose processes are gone."""

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            root.mkdir(parents=True, exist_ok=True)
            _wipe_dead(root)
            self.folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root.resolve()))
            self._lock = _locked(self.folder)
        except OSError as error:
            raise ConfigurationError(
                f"AUDIO_INCOMING={root}: cannot be written ({error.strerror}); name a folder that can"
            ) from error

    def path_for(self, name: str) -> Path:
        """Return where the body called ``name`` belongs."""
        return self.folder / name

    def close(self) -> None:
        """Remove the folder and give the lock back."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()


def _locked(folder: Path) -> IO[bytes]:
    lock = (folder / LOCK_NAME).open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


def _wipe_dead(root: Path) -> None:
    for folder in root.iterdir():
        if not (folder / LOCK_NAME).exists():
            continue  # not ours, or its owner has not got as far as locking it
        try:
            lock = _locked(folder)
        except BlockingIOError:
            continue
        with lock:
            shutil.rmtree(folder, ignore_errors=True)
