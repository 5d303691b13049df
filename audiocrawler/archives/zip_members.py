"""Read the members of a zip archive in a file, in the order of its directory."""

import struct
from collections.abc import Iterator
from typing import IO
from zlib import crc32

from audiocrawler.archives.bounds import Meter
from audiocrawler.archives.streams import DAMAGED, unzipped
from audiocrawler.archives.tar import damaged
from audiocrawler.archives.zip_directory import ZipEntry, read_directory
from audiocrawler.model.errors import MemberError

_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MAGIC = b"PK\3\4"


class ZipMember:
    """A member, whose bytes can be read any time."""

    def __init__(self, entry: ZipEntry, file: IO[bytes], meter: Meter) -> None:
        self.entry = entry
        self._file, self._meter = file, meter

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes, and check them at the end. Raises ArchiveError, MemberError if others can still be read."""
        entry, size_bytes, crc = self.entry, 0, 0
        if entry.why_not is not None:
            return
        self._seek()
        try:
            for piece in unzipped(self._file, entry.packed_bytes, entry.method):
                size_bytes, crc = size_bytes + len(piece), crc32(piece, crc)
                self._meter.count(len(piece))
                if size_bytes > entry.size_bytes:
                    break
                yield piece
        except DAMAGED as error:
            raise MemberError(str(damaged(error))) from error
        if (size_bytes, crc) != (entry.size_bytes, entry.crc):
            raise MemberError("a damaged archive: the bytes do not match the checksum")

    def skip(self) -> None:
        """Do nothing: each member is found by its place."""

    def _seek(self) -> None:
        self._file.seek(self.entry.offset)
        header = self._file.read(_LOCAL.size)
        if header[:4] != _LOCAL_MAGIC or len(header) < _LOCAL.size:
            raise MemberError("a damaged archive: a member is not where the directory says")
        *_, name_bytes, extra_bytes = _LOCAL.unpack(header)
        self._file.seek(int(name_bytes) + int(extra_bytes), 1)


def zip_members(file: IO[bytes], meter: Meter) -> Iterator[ZipMember]:
    """Yield the members. Raises ArchiveError."""
    size_bytes = file.seek(0, 2)

    def read(start: int, length: int) -> bytes:
        file.seek(start)
        return file.read(length)

    for entry in read_directory(read, size_bytes):
        meter.count_member()
        yield ZipMember(entry, file, meter)
