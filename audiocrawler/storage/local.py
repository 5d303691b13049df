"""Objects as files in a local folder: whole or not there at all, whenever the process or the machine stops."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from secrets import token_hex
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO, ClassVar
from urllib.parse import unquote, urlsplit

from audiocrawler.model.errors import ConfigurationError, StoreError
from audiocrawler.model.locks import lock
from audiocrawler.model.uris import local_path
from audiocrawler.storage.store import ROOT, Options, StoredObject, digest, key_in

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
        lock(part, wait=True)
        if os.fstat(part.fileno()).st_nlink:
            return part
        part.close()  # it was taken for a leftover before it was locked


def _remove_leftovers(target: Path) -> None:
    for leftover in target.parent.glob(f".{target.name}.*.part"):
        with suppress(OSError), leftover.open("rb") as file:
            if lock(file):
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


class LocalStore:
    """Objects below one folder. Raises ConfigurationError if that cannot be made or written to."""

    is_local: ClassVar[bool] = True

    @staticmethod
    def path_of(uri: str) -> Path:
        """Return the folder; see Store.path_of."""
        return local_path(uri)

    def __init__(self, uri: str, options: Options | None = None) -> None:
        self._folder = Path(os.path.normpath(local_path(uri)))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=self._folder):
                pass
        except OSError as error:
            raise ConfigurationError(
                f"store folder {self._folder}: {error.strerror}; make it writable or name another in AUDIO_STORE"
            ) from error

    def put(  # noqa: PLR0913 - see Store
        self, path: Path, object_key: str, *, content_type: str, file_name: str, sha256: str, source_url: str
    ) -> str:
        """Link the file into the folder, or copy it from another file system; see Store.put."""
        del content_type, file_name, source_url  # a folder has no place for them
        target = self._folder / object_key
        try:
            self._store(path, target, sha256)
        except OSError as error:
            raise StoreError(
                f"store folder {self._folder}: {error.strerror} while storing {path} as {object_key}; "
                "check its free space and permissions"
            ) from error
        return self.url_of(object_key)

    def _store(self, path: Path, target: Path, sha256: str) -> None:
        size_bytes = path.stat().st_size
        if not _has_size(target, size_bytes) or self.sha256_of(target.as_uri()) != sha256:
            target.parent.mkdir(parents=True, exist_ok=True)
            if not link(path, target):
                copy(path, target, sha256)
        # Also where the object was there before: the process that put it may have died before it got so far.
        sync_folders(target.parent, self._folder)
        if not _has_size(target, size_bytes):
            raise StoreError(f"{target}: is not of the {size_bytes} bytes just written; remove it and run again")

    def exists(self, url: str, size_bytes: int | None) -> bool:
        """Tell whether ``url`` names a file of this folder, with this size if one is given."""
        path = _path_in(url)
        is_ours = url.startswith("file:") and path.is_relative_to(self._folder)
        return is_ours and (path.is_file() if size_bytes is None else _has_size(path, size_bytes))

    def has_bytes_of(self, path: Path, url: str, sha256: str) -> bool:
        """Tell whether the object has this hash; see Store.has_bytes_of."""
        return self.exists(url, path.stat().st_size) and self.sha256_of(url) == sha256

    def objects(self) -> Iterator[StoredObject]:
        """Yield the files that stand under their hash; see Store.objects."""
        try:
            for path in _files_below(self._folder / ROOT):
                key = path.relative_to(self._folder).as_posix()
                if key_in(key) == key:
                    yield StoredObject(path.as_uri(), path.stat().st_size)
        except OSError as error:
            raise StoreError(f"{error.filename}: {error.strerror}; check store folder {self._folder}") from error

    def sha256_of(self, url: str) -> str:
        """Return the SHA-256 of a file of this folder; see Store.sha256_of."""
        return self.digest_of(url, "sha256").hex()

    def digest_of(self, url: str, algorithm: str) -> bytes:
        """Return a digest of a file of this folder; see Store.digest_of."""
        path = _path_in(url)
        try:
            with path.open("rb") as file:
                return digest(file, algorithm)
        except OSError as error:
            raise StoreError(f"{path}: cannot be read: {error.strerror}; check the disk and run again") from error

    def open_object(self, url: str) -> IO[bytes]:
        """Open a file of this folder; see Store.open_object."""
        path = _path_in(url)
        try:
            return path.open("rb")
        except OSError as error:
            raise StoreError(f"{path}: cannot be read: {error.strerror}; check the disk and run again") from error

    def remove(self, url: str) -> bool:
        """Delete a file of this folder; see Store.remove."""
        path = _path_in(url)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StoreError(f"{path}: cannot be removed: {error.strerror}; make its folder writable") from error
        return True

    def url_of(self, object_key: str) -> str:
        """Return the ``file:///`` URL of the object, percent-encoded (RFC 8089)."""
        return (self._folder / object_key).as_uri()

    def close(self) -> None:
        """Do nothing: no file is left open."""


def _files_below(folder: Path) -> Iterator[Path]:
    if not folder.exists():  # nothing has been stored yet
        return
    for each, _, names in os.walk(folder, onerror=_raised):
        yield from (Path(each, name) for name in names)


def _raised(error: OSError) -> None:
    raise error


def _path_in(url: str) -> Path:
    return Path(os.path.normpath(unquote(urlsplit(url).path)))


def _has_size(path: Path, size_bytes: int) -> bool:
    return path.is_file() and path.stat().st_size == size_bytes
