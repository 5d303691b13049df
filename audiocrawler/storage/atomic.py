"""A finished file in; the same bytes under another name out, in one step that survives a power cut."""

import errno
import fcntl
import os
import shutil
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from secrets import token_hex
from tempfile import NamedTemporaryFile
from typing import IO

from audiocrawler.errors import StoreError

_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EACCES}


def link(path: Path, target: Path) -> bool:
    """Give the file a second name, replacing what is at ``target``; False where the file systems cannot do that."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    try:
        _link_over(path, target)
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    return True


def _link_over(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except FileExistsError:
        second_name = target.with_name(f".{target.name}.{token_hex(4)}.part")
        os.link(path, second_name)
        second_name.replace(target)
        second_name.unlink(missing_ok=True)  # rename() leaves it where both names are of one file


def copy(path: Path, target: Path, sha256: str) -> None:
    """Copy the file to ``target``, replacing what is there.

    Raises StoreError if the copy does not have this hash, and OSError.
    """
    _remove_leftovers(target)
    with _open_part(target) as part:
        try:
            with path.open("rb") as file:
                shutil.copyfileobj(file, part, 1 << 20)
            part.flush()
            os.fsync(part.fileno())
            _verify(part, target, sha256)
            Path(part.name).replace(target)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise


def _verify(part: IO[bytes], target: Path, sha256: str) -> None:
    part.seek(0)
    if file_digest(part, "sha256").hexdigest() != sha256:  # type: ignore[arg-type]
        raise StoreError(f"{target}: the copy does not have the hash in its name; check the disk and run again")


def _open_part(target: Path) -> IO[bytes]:
    """Open a new file beside ``target`` and lock it, so that others can tell it from a dead process's leftovers."""
    while True:
        part = NamedTemporaryFile(  # noqa: SIM115 - the caller closes it
            dir=target.parent, prefix=f".{target.name}.", suffix=".part", delete=False
        )
        fcntl.flock(part, fcntl.LOCK_EX)
        if os.fstat(part.fileno()).st_nlink:
            return part
        part.close()  # it was taken for a leftover before it was locked


def _remove_leftovers(target: Path) -> None:
    for leftover in target.parent.glob(f".{target.name}.*.part"):
        with suppress(OSError), leftover.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()


def sync_folders(folder: Path, root: Path) -> None:
    """Make the entries of ``folder`` and of its parents up to ``root`` survive a power cut."""
    for each in (folder, *folder.parents):
        if each.is_relative_to(root):
            _sync_folder(each)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
