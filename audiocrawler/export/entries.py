"""A row in; the file that a set gets for it, on this disk and proved by its hash, out."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, Protocol

from audiocrawler.export.columns import PRIVATE, Row
from audiocrawler.export.core import Sound
from audiocrawler.export.folder import PIECE_BYTES, hash_of
from audiocrawler.model.errors import AnalysisError, ExportError, StoreError

MISSING, DAMAGED, UNREADABLE = "object missing", "object damaged", "object not readable"
UNDECODABLE, TOO_LARGE = "not decodable", "too large"
HELD_BYTES = 4 << 20
"""Objects up to this size are read once: proved and written from memory."""

Decode = Callable[[Path], AbstractContextManager[Iterator[Any]]]
"""A path in, the frames of PyAV that a crawl measured out; raises AnalysisError."""


class LeftOutError(Exception):
    """Raised where a row that belongs to the set has no file to go with it; the message is the reason."""


class Objects(Protocol):
    """The objects of the collection."""

    def path(self, row: Row) -> Path | None:
        """Return the object's file where it is one of this machine, be it there or not. Raises StoreError."""
        ...

    def open(self, row: Row) -> IO[bytes]:
        """Return the object, opened. Raises StoreError."""
        ...

    def has(self, row: Row) -> bool:
        """Return whether the object is there. Raises StoreError where the store does not answer."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the set as it will be, and the row that describes it."""

    row: Row
    path: Path
    """Where it is meanwhile; it may be linked, and must not be changed."""
    extension: str
    sha256: str
    """Of this file; the row has that of the object."""
    size_bytes: int
    content: bytes | None = None
    """All of it, where it is small and was read to be proved."""

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes. Raises OSError."""
        if self.content is not None:
            yield self.content
            return
        with self.path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece

    @property
    def key(self) -> str:
        """Return the name without an extension."""
        return str(self.row["sha256"])

    @property
    def name(self) -> str:
        """Return the name: the hash of the object, for titles have dots and say train."""
        return f"{self.key}.{self.extension}"

    @property
    def bucket_name(self) -> str:
        """Return the name below a folder of the first two digits: hubs and people dislike long folders."""
        return f"{self.key[:2]}/{self.name}"


@dataclass(frozen=True, slots=True)
class Workshop:
    """What makes entries: the objects, the sound that is asked for, and a folder for what is under way."""

    objects: Objects
    sound: Sound
    decode: Decode
    scratch: Path
    has_audio: bool = True
    """Whether the format has any; without it no object is looked at."""
    max_bytes: int | None = None
    """Files that are larger have no place in the format."""

    @contextmanager
    def entry(self, row: Row) -> Iterator[Entry]:
        """Give the entry of a row for as long as it is needed.

        Raises LeftOutError, OSError of this disk, and ExportError where the store answers no more.
        """
        if not self.has_audio:
            yield Entry(row, Path(), "", row["sha256"], 0)
            return
        with self._object(row) as (path, content):
            if self.sound.is_original:
                extension = str(row[PRIVATE]).rpartition(".")[2]
                size_bytes = path.stat().st_size if content is None else len(content)
                yield self._checked(Entry(row, path, extension, row["sha256"], size_bytes, content))
                return
            with _scratch(self.scratch) as target:
                yield self._checked(self._converted(row, path, target))

    def _checked(self, entry: Entry) -> Entry:
        if self.max_bytes is not None and entry.size_bytes > self.max_bytes:
            raise LeftOutError(TOO_LARGE)
        return entry

    def _converted(self, row: Row, path: Path, target: IO[bytes]) -> Entry:
        from audiocrawler.export.sound import convert

        try:
            with self.decode(path) as frames:
                facts = convert(frames, target, self.sound)
        except AnalysisError as error:
            raise LeftOutError(UNDECODABLE) from error
        target.flush()
        made = Path(target.name)
        size_bytes = made.stat().st_size
        return Entry({**row, **facts, "size_bytes": size_bytes}, made, self.sound.kind, hash_of(made), size_bytes)

    @contextmanager
    def _object(self, row: Row) -> Iterator[tuple[Path, bytes | None]]:
        """Give the file of an object, and its content if small, once it has been proved to be what the row tells."""
        try:
            path = self.objects.path(row)
        except StoreError as error:
            raise LeftOutError(UNREADABLE) from error
        if path is not None:
            yield path, _proved(path, row["sha256"])
            return
        with _scratch(self.scratch) as target:
            self._fetch(row, target)
            yield Path(target.name), None

    def _fetch(self, row: Row, target: IO[bytes]) -> None:
        hashed = sha256()
        try:
            with self.objects.open(row) as file:
                while piece := file.read(PIECE_BYTES):
                    hashed.update(piece)
                    target.write(piece)
        except StoreError as error:
            raise LeftOutError(self._reason(row)) from error
        target.flush()
        if hashed.hexdigest() != row["sha256"]:
            raise LeftOutError(DAMAGED)

    def _reason(self, row: Row) -> str:
        """Return why an object could not be read; raises ExportError where that would be the same for all of them."""
        try:
            return UNREADABLE if self.objects.has(row) else MISSING
        except StoreError as error:
            raise ExportError(str(error)) from error


def _proved(path: Path, expected: str) -> bytes | None:
    """Return the content of a small file, None for a large one. Raises LeftOutError where it has not this hash."""
    try:
        content = path.read_bytes() if path.stat().st_size <= HELD_BYTES else None
        found = hash_of(path) if content is None else sha256(content).hexdigest()
    except FileNotFoundError as error:
        raise LeftOutError(MISSING) from error
    except OSError as error:
        raise LeftOutError(UNREADABLE) from error
    if found != expected:
        raise LeftOutError(DAMAGED)
    return content


@contextmanager
def _scratch(folder: Path) -> Iterator[IO[bytes]]:
    """Give a file that goes when it is not needed any more, but for another name that it was given."""
    file = NamedTemporaryFile(dir=folder, prefix=".scratch-", delete=False)  # noqa: SIM115 - closed below
    try:
        os.fchmod(file.fileno(), 0o644)  # it may become a file of the set
        yield file
    finally:
        file.close()
        Path(file.name).unlink(missing_ok=True)
