"""Write tar archives with nothing but names and bytes, so that the same files give the same archive."""

import io
import tarfile
from typing import Any

from audiocrawler.export.entries import Entry
from audiocrawler.export.folder import PIECE_BYTES

MAX_BYTES = 0o77777777777
"""What the header of USTAR can say (POSIX.1-2017, pax, "ustar Interchange Format")."""
SHARD_BYTES = 1_000_000_000


def opened_archive(file: Any) -> tarfile.TarFile:
    """Return an archive that is written to the file."""
    return tarfile.TarFile(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT, copybufsize=PIECE_BYTES)


def add_audio(archive: tarfile.TarFile, entry: Entry) -> None:
    """Add the file of an entry. Raises OSError."""
    with entry.path.open("rb") if entry.content is None else io.BytesIO(entry.content) as audio:
        archive.addfile(_member(entry.name, entry.size_bytes), audio)


def add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a small file."""
    archive.addfile(_member(name, len(content)), io.BytesIO(content))


def _member(name: str, size_bytes: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size_bytes
    return member
