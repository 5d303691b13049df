"""File locks that the system releases when the process ends, however it ends (flock(2))."""

import fcntl
from pathlib import Path
from typing import IO


def lock(file: IO[bytes], *, shared: bool = False, wait: bool = False) -> bool:
    """Lock an open file until it is closed; without ``wait`` return False if it is locked by another process."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_locked(path: Path, *, shared: bool = False) -> IO[bytes] | None:
    """Return the file, created if needed and locked until it is closed; None if another process has locked it."""
    file = path.open("ab")
    if lock(file, shared=shared):
        return file
    file.close()
    return None
