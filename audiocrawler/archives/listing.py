"""List what is in an archive on a server: a zip's directory by ranges, of a tar what its start shows."""

import io
from collections.abc import Generator, Iterator

from audiocrawler.archives.bounds import Bounds, Meter
from audiocrawler.archives.entries import Contents, Entry, Names, demand_read
from audiocrawler.archives.streams import opened
from audiocrawler.archives.tar import tar_entries
from audiocrawler.archives.zip_directory import Range, ZipEntry, directory
from audiocrawler.model.errors import ArchiveError
from audiocrawler.sniff import HEAD_BYTES, sniff

START_BYTES = 1 << 20
"""How much of the start of an archive is read: a block of bzip2 is 900 kB."""
_MAX_DIRECTORY_BYTES = 1 << 24
"""How much of a directory is read: that of some 150,000 members."""
_RANGE_BYTES = 1 << 22


def listing(start: bytes, size_bytes: int | None, names: Names) -> Generator[Range, bytes, Contents]:
    """Yield the ranges that are needed beside the start, and return what is listed. Raises ArchiveError."""
    kind = sniff(start[:HEAD_BYTES])
    demand_read(kind)
    if kind.extension == "zip":
        return (yield from _zip_contents(size_bytes, names))
    contents = Contents()
    contents.add(_at_start(start, kind.extension, contents), names)
    contents.is_whole = contents.is_whole and size_bytes is not None and size_bytes <= len(start)
    return contents


def _zip_contents(size_bytes: int | None, names: Names) -> Generator[Range, bytes, Contents]:
    if size_bytes is None:
        raise ArchiveError("the server does not say how large it is")
    contents, read_bytes = Contents(), 0
    steps = directory(size_bytes, _RANGE_BYTES)
    step: Range | ZipEntry | None = next(steps)
    while step is not None:
        if isinstance(step, ZipEntry):
            contents.add([step], names)
            step = next(steps, None)
        elif read_bytes >= _MAX_DIRECTORY_BYTES:
            contents.is_whole = False
            break
        else:
            data = yield step
            read_bytes += len(data)
            try:
                step = steps.send(data)
            except StopIteration:
                break
    return contents


def _at_start(start: bytes, extension: str, contents: Contents) -> Iterator[Entry]:
    meter = Meter(Bounds(), len(start))
    try:
        yield from tar_entries(opened(io.BytesIO(start), extension), meter)
    except ArchiveError:
        if not meter.members:
            raise
        contents.is_whole = False
