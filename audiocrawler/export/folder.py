"""The folder of a set: files are whole or not there at all, and each is known by its hash."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import file_digest, sha256
from pathlib import Path
from typing import IO, Any

OWN = ".export"
"""What is kept beside the set, so that the same command resumes it: hidden, and no part of it."""
PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Made:
    """A file of the set, by its path in the set."""

    path: str
    sha256: str
    size_bytes: int


class HashedFile:
    """A file that is written from its beginning to its end, and the hash of what was."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = sha256()
        self._size_bytes = 0
        self.closed = False

    def write(self, data: Any) -> int:
        """Write what has the buffer protocol."""
        self._hash.update(data)
        size_bytes = memoryview(data).nbytes
        self._size_bytes += size_bytes
        return size_bytes if self._file.closed else self._file.write(data)  # PyArrow ends files that were given up, too

    def tell(self) -> int:
        """Return how much was written."""
        return self._size_bytes

    def flush(self) -> None:
        """Hand it to the system."""
        self._file.flush()

    def writable(self) -> bool:
        """Return that it can be written to, which PyArrow asks."""
        return True

    def readable(self) -> bool:
        """Return that it cannot be read."""
        return False

    def seekable(self) -> bool:
        """Return that there is no way back."""
        return False

    def close(self) -> None:
        """Leave the closing to the folder."""

    def made(self, path: str) -> Made:
        """Return what it has become."""
        return Made(path, self._hash.hexdigest(), self._size_bytes)


@dataclass(slots=True)
class Folder:
    """A folder that a set is written into; ``made`` are the files that were."""

    path: Path
    made: list[Made] = field(default_factory=list)

    @contextmanager
    def writing(self, name: str) -> Iterator[HashedFile]:
        """Write a file, which takes its name when it is whole. Raises OSError."""
        part = self._part_of(name)
        with part.open("wb") as raw:
            file = HashedFile(raw)
            yield file
            raw.flush()
            if not name.startswith(OWN):  # what is lost of that is written again
                os.fsync(raw.fileno())
        part.replace(self.path / name)
        self.made.append(file.made(name))

    def write(self, name: str, text: str) -> None:
        """Write a file of text. Raises OSError."""
        with self.writing(name) as file:
            file.write(text.encode("utf-8", "replace"))

    def put(self, path: Path, name: str, sha256_hex: str) -> None:
        """Give a file that has this hash a second name in the folder, or copy it. Raises OSError."""
        part = self._part_of(name)
        part.unlink(missing_ok=True)
        try:
            os.link(path, part)
        except OSError:  # another file system, or one that knows no links
            shutil.copyfile(path, part)
        target = self.path / name
        if target.exists() and target.samefile(part):
            part.unlink()  # rename() would leave both names of one file
        else:
            part.replace(target)
        self.made.append(Made(name, sha256_hex, target.stat().st_size))

    def _part_of(self, name: str) -> Path:
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.with_name(f".{target.name}.part")

    def has(self, made: Made) -> bool:
        """Tell whether a file is there with its size."""
        path = self.path / made.path
        return path.is_file() and path.stat().st_size == made.size_bytes

    def remove(self, path: str) -> None:
        """Delete a file of the set, and folders that are empty then."""
        target = self.path / path
        target.unlink(missing_ok=True)
        for folder in target.parents:
            if folder == self.path or any(folder.iterdir()):
                return
            folder.rmdir()


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex. Raises OSError."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
