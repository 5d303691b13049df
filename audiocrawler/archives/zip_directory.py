"""Read the directory of a zip archive, which is at its end, by ranges: from a file, or from a server (APPNOTE, 4.3).

Nothing is read here: generators yield the Range that they need, and are sent its bytes.
"""

import struct
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from stat import S_ISLNK
from typing import NamedTuple

from audiocrawler.archives.bounds import MAX_NAME_BYTES, PIECE_BYTES
from audiocrawler.archives.entries import Entry
from audiocrawler.archives.streams import READ_METHODS
from audiocrawler.model.errors import ArchiveError


class Range(NamedTuple):
    """The bytes of a file that are needed next."""

    start: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ZipEntry(Entry):
    """A member, and where it is."""

    offset: int = 0
    """Of its local header."""
    packed_bytes: int = 0
    method: int = 0
    crc: int = 0


Read = Callable[[int, int], bytes]
"""Returns so many bytes from a place; fewer at the end."""
Steps = Generator[Range | ZipEntry, bytes, None]

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_RECORD = struct.Struct("<4s6H3L5H2L")
_END_MAGIC, _END_64_MAGIC, _LOCATOR_MAGIC, _RECORD_MAGIC = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2"
TAIL_BYTES = _END.size + 0xFFFF + _LOCATOR_64.size + _END_64.size
"""The end of a zip archive, with the longest comment."""
_FULL, _FULL_64 = 0xFFFF, 0xFFFFFFFF
_ZIP64 = 1
_ENCRYPTED, _UTF8 = 1, 0x800
_UNIX = 3


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the directory is, and how many bytes come before the archive."""

    start: int
    size_bytes: int
    before_bytes: int


def read_directory(read: Read, size_bytes: int) -> Iterator[ZipEntry]:
    """Yield the entries of an archive of this size. Raises ArchiveError."""
    steps = directory(size_bytes)
    step = next(steps, None)
    while step is not None:
        if isinstance(step, ZipEntry):
            yield step
            step = next(steps, None)
        else:
            step = _sent(steps, read(*step))


def _sent(steps: Steps, data: bytes) -> Range | ZipEntry | None:
    try:
        return steps.send(data)
    except StopIteration:
        return None


def directory(size_bytes: int, piece_bytes: int = PIECE_BYTES) -> Steps:
    """Yield what is to be read next, and each entry. Raises ArchiveError."""
    place = yield from _place(size_bytes)
    at, left_bytes, data = place.start, place.size_bytes, b""
    while left_bytes or data:
        if left_bytes and (not data or _missing_bytes(data)):
            piece = yield Range(at, min(left_bytes, piece_bytes))
            if not piece:
                raise ArchiveError("a damaged archive: its directory cannot be read")
            at, left_bytes, data = at + len(piece), left_bytes - len(piece), data + piece
        end = _end_of_record(data)
        while end and end <= len(data):
            yield _entry(data[:end], place.before_bytes)
            data = data[end:]
            end = _end_of_record(data)
        if not left_bytes:
            if data[:4] == _RECORD_MAGIC:
                raise ArchiveError("a damaged archive: its directory ends within an entry")
            return  # a signature may follow


def _missing_bytes(data: bytes) -> bool:
    end = _end_of_record(data)
    return end == 0 or end > len(data)


def _end_of_record(data: bytes) -> int:
    """Return where the first record ends, 0 if that is not known. Raises ArchiveError for something else."""
    if len(data) < _RECORD.size:
        return 0
    if data[:4] != _RECORD_MAGIC:
        if data[:4] in {b"PK\5\5", _END_MAGIC, _END_64_MAGIC}:
            return 0
        raise ArchiveError("a damaged archive: its directory makes no sense")
    name_bytes, extra_bytes, comment_bytes = struct.unpack_from("<3H", data, 28)
    return _RECORD.size + int(name_bytes) + int(extra_bytes) + int(comment_bytes)


def _place(size_bytes: int) -> Generator[Range, bytes, _Place]:
    start = max(0, size_bytes - TAIL_BYTES)
    tail = yield Range(start, size_bytes - start)
    end = _find_end(tail)
    if end < 0:
        raise ArchiveError("a damaged archive: no zip directory is at its end")
    _, _, _, _, _, directory_bytes, offset, _ = _END.unpack_from(tail, end)
    end_at = start + end
    if end >= _LOCATOR_64.size and tail[end - _LOCATOR_64.size :][:4] == _LOCATOR_MAGIC:
        _, _, end_64_at, _ = _LOCATOR_64.unpack_from(tail, end - _LOCATOR_64.size)
        end_at -= _LOCATOR_64.size + _END_64.size
        record = yield Range(min(end_64_at, end_at), _END_64.size)
        if record[:4] == _END_64_MAGIC:
            end_at = min(end_64_at, end_at)
        elif end_64_at != end_at:
            record = yield Range(max(0, end_at), _END_64.size)  # bytes come before the archive
        if record[:4] != _END_64_MAGIC or len(record) < _END_64.size:
            raise ArchiveError("a damaged archive: its zip64 directory is not found")
        directory_bytes, offset = _END_64.unpack(record)[-2:]
    before_bytes = end_at - directory_bytes - offset
    if before_bytes < 0:
        raise ArchiveError("a damaged archive: its directory is larger than what is there")
    return _Place(offset + before_bytes, directory_bytes, before_bytes)


def _find_end(tail: bytes) -> int:
    """Return where the record of the end is: the last whose comment fits."""
    at = tail.rfind(_END_MAGIC)
    while at >= 0:
        if at + _END.size <= len(tail) and at + _END.size + int(_END.unpack_from(tail, at)[-1]) <= len(tail):
            return at
        at = tail.rfind(_END_MAGIC, 0, at + 3)
    return -1


def _entry(record: bytes, before_bytes: int) -> ZipEntry:
    fields = _RECORD.unpack_from(record)
    made_by, flags, method = fields[1], fields[3], fields[4]
    crc, packed_bytes, size_bytes = fields[7:10]
    name_bytes, extra_bytes, mode, offset = fields[10], fields[11], fields[15] >> 16, fields[16]
    raw = record[_RECORD.size : _RECORD.size + name_bytes]
    extra = record[_RECORD.size + name_bytes : _RECORD.size + name_bytes + extra_bytes]
    size_bytes, packed_bytes, offset = _wide(extra, size_bytes, packed_bytes, offset)
    name = _decoded(raw, is_utf8=bool(flags & _UTF8))
    is_link = made_by >> 8 == _UNIX and S_ISLNK(mode)
    return ZipEntry(
        name=name[:MAX_NAME_BYTES],
        size_bytes=size_bytes,
        is_folder=name.endswith("/"),
        why_not=_why_not(name, flags, method, is_link=is_link),
        offset=offset + before_bytes,
        packed_bytes=packed_bytes,
        method=method,
        crc=crc,
    )


def _why_not(name: str, flags: int, method: int, *, is_link: bool) -> str | None:
    if flags & _ENCRYPTED:
        return "encrypted"
    if is_link:
        return "a symbolic link"
    if len(name) > MAX_NAME_BYTES:
        return "its name is too long"
    return None if method in READ_METHODS else f"compressed by method {method}, which is not read"


def _wide(extra: bytes, *values: int) -> list[int]:
    """Return sizes and offset, the full ones from the zip64 field (APPNOTE, 4.5.3)."""
    wide = list(values)
    field = _extra_field(extra, _ZIP64)
    for number, value in enumerate(values):
        if value == _FULL_64 and len(field) >= 8:
            wide[number] = int.from_bytes(field[:8], "little")
            field = field[8:]
    return wide


def _extra_field(extra: bytes, wanted: int) -> bytes:
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, at)
        if tag == wanted:
            return extra[at + 4 : at + 4 + length]
        at += 4 + int(length)
    return b""


def _decoded(raw: bytes, *, is_utf8: bool) -> str:
    """Decode a name: as UTF-8 if the flag says so or the bytes are, else by the code page that APPNOTE (D.1) names."""
    if is_utf8:
        return raw.decode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp437")
