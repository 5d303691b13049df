"""Read the members of a tar archive in the order in which they come."""

import tarfile
from collections.abc import Iterator
from typing import IO

from audiocrawler.archives.bounds import MAX_NAME_BYTES, PIECE_BYTES, Meter
from audiocrawler.archives.entries import Entry
from audiocrawler.archives.streams import DAMAGED
from audiocrawler.model.errors import ArchiveError

_MAX_HEADER_BYTES = 1 << 20
"""What may be read for one header: pax headers, which tarfile reads whole, have any length."""
_MAX_PAX_HEADERS = 1000
"""How many global ones may pile up."""
_DAMAGED = (*DAMAGED, tarfile.TarError, RecursionError, OverflowError, MemoryError)
_SPECIAL = (
    (tarfile.TarInfo.issym, "a symbolic link"),
    (tarfile.TarInfo.islnk, "a hard link"),
    (tarfile.TarInfo.isdev, "a device"),
)


class _Watched:
    """The stream of a tar archive; within a header little may be read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.header_bytes: int | None = 0
        """What was read for a header, None while the bytes of a member are read."""

    def read(self, size_bytes: int) -> bytes:
        """Return the next bytes. Raises ArchiveError within a header that is too long."""
        data = self._stream.read(size_bytes)
        if self.header_bytes is not None:
            self.header_bytes += len(data)
            if self.header_bytes > _MAX_HEADER_BYTES:
                raise ArchiveError("a header of the tar archive is too long")
        return data


class TarMember:
    """A member; its bytes can be read once, before the next one."""

    def __init__(self, entry: Entry, file: IO[bytes] | None, watched: _Watched, meter: Meter) -> None:
        self.entry = entry
        self._file, self._watched, self._meter = file, watched, meter
        self._error: ArchiveError | None = None

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes. Raises ArchiveError."""
        left_bytes = self.entry.size_bytes
        while self._file is not None and left_bytes:
            piece = self._read(min(left_bytes, PIECE_BYTES))
            left_bytes -= len(piece)
            yield piece

    def skip(self) -> None:
        """Read what is left of it. Raises ArchiveError, again if its bytes could not be read."""
        if self._error is not None:
            raise self._error
        while self._file is not None and self._file.tell() < self.entry.size_bytes:
            self._read(PIECE_BYTES)

    def _read(self, size_bytes: int) -> bytes:
        assert self._file is not None
        self._watched.header_bytes = None
        try:
            piece = self._file.read(size_bytes)
        except _DAMAGED as error:
            self._error = damaged(error)
            raise self._error from error
        finally:
            self._watched.header_bytes = 0
        if not piece:
            self._error = ArchiveError(f"a damaged archive: it ends within {self.entry.name!r}")
            raise self._error
        self._meter.count(len(piece))
        return piece


def tar_members(stream: IO[bytes], meter: Meter) -> Iterator[TarMember]:
    """Yield the members of an archive whose compression is undone. Raises ArchiveError."""
    watched = _Watched(stream)
    tar = _opened(watched)
    while (info := _next(tar, watched)) is not None:
        meter.count_member()
        entry = _entry(info)
        has_bytes = info.isfile() and entry.why_not is None
        member = TarMember(entry, tar.extractfile(info) if has_bytes else None, watched, meter)
        yield member
        member.skip()
        tar.members = []  # type: ignore[attr-defined]  # or they would pile up


def tar_entries(stream: IO[bytes], meter: Meter) -> Iterator[Entry]:
    """Yield the entries of an archive whose compression is undone. Raises ArchiveError."""
    return (member.entry for member in tar_members(stream, meter))


def damaged(error: BaseException) -> ArchiveError:
    """Return the error for an archive that cannot be read further."""
    return ArchiveError(f"a damaged archive: {error or type(error).__name__}")


def _opened(watched: _Watched) -> tarfile.TarFile:
    try:
        return tarfile.open(  # type: ignore[call-overload,no-any-return]
            fileobj=watched, mode="r|", bufsize=PIECE_BYTES, encoding="utf-8", errors="surrogateescape"
        )
    except tarfile.ReadError as error:
        raise ArchiveError(f"not an archive that can be read: {error}") from error
    except _DAMAGED as error:
        raise damaged(error) from error


def _next(tar: tarfile.TarFile, watched: _Watched) -> tarfile.TarInfo | None:
    watched.header_bytes = 0
    try:
        info = tar.next()
    except _DAMAGED as error:
        raise damaged(error) from error
    if info is not None and (info.size < 0 or len(tar.pax_headers) > _MAX_PAX_HEADERS):
        raise ArchiveError("a damaged archive: its headers make no sense")
    return info


def _entry(info: tarfile.TarInfo) -> Entry:
    why_not = next((what for is_one, what in _SPECIAL if is_one(info)), None)
    if len(info.name) > MAX_NAME_BYTES:
        why_not = "its name is too long"
    return Entry(info.name[:MAX_NAME_BYTES], info.size, info.isdir(), why_not)
