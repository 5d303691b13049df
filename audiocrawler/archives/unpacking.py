"""Unpack an archive in a file: look through it for tables and licences, then offer its audio one by one."""

import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Protocol

from audiocrawler.archives.bounds import MAX_NESTING, Meter
from audiocrawler.archives.entries import Entry, Names, demand_read, is_archive, is_junk, is_unread_archive, plain_name
from audiocrawler.archives.layouts import is_about, layout_of, stem_of
from audiocrawler.archives.notes import Notes
from audiocrawler.archives.streams import opened
from audiocrawler.archives.tar import tar_members
from audiocrawler.archives.zip_members import zip_members
from audiocrawler.model.errors import ArchiveError, MemberError
from audiocrawler.sniff import HEAD_BYTES, sniff, sniff_file

_MAX_ABOUT_BYTES = 1 << 16
_MAX_ABOUTS = 100
_MAX_TABLE_BYTES = 1 << 31


class _Member(Protocol):
    @property
    def entry(self) -> Entry: ...
    def pieces(self) -> Iterator[bytes]: ...
    def skip(self) -> None: ...


@dataclass(slots=True)
class Offer:
    """An audio member that may be saved before the next one is asked for; ``why_not`` is why it cannot be."""

    name: str
    """Its path in the archive, that of an archive within included."""
    size_bytes: int
    why_not: str | None
    text: str | None
    """Its transcript."""
    times: int
    """1 for the first member of this name."""
    _pieces: Iterator[bytes]

    def save(self, path: Path) -> None:
        """Write its bytes to ``path``. Raises ArchiveError (MemberError if others can be read) and OSError."""
        with path.open("wb") as file:
            for piece in self._pieces:
                file.write(piece)


class Archive:
    """An archive at ``path``; ``folder`` is where archives within it and notes are written, under its stem."""

    def __init__(self, path: Path, folder: Path, names: Names, meter: Meter) -> None:
        self._path, self._folder, self._names, self._meter = path, folder, names, meter
        self._notes = Notes(folder / f"{path.stem}.notes")
        self._inner = folder / f"{path.stem}.inner"
        self.abouts: list[tuple[str, str]] = []
        """Names and texts of its licences and readmes."""
        self.unread: list[str] = []
        """Members that are archives which are not read."""

    def look_through(self) -> int:
        """Read the tables, licences and readmes, and return the number of members.

        Raises ArchiveError beyond the bounds. Damage is left for the offers to find: what comes before it is taken.
        """
        self._meter.resume()
        try:
            for name, member in self._members(self._path, "", 0):
                self._read_about(name, member)
        except ArchiveError:
            if self._meter.is_exceeded:
                raise
        members, self._meter.members, self._meter.size_bytes = self._meter.members, 0, 0
        self._meter.pause()
        return members

    def offers(self) -> Iterator[Offer]:
        """Yield the audio. Raises ArchiveError."""
        self._meter.resume()
        for name, member in self._members(self._path, "", 0):
            if (offer := self._offer(name, member)) is not None:
                self._meter.pause()
                yield offer
                self._meter.resume()

    def close(self) -> None:
        """Remove what was written."""
        self._notes.close()
        self._inner.unlink(missing_ok=True)

    def _members(self, path: Path, within: str, nesting: int) -> Iterator[tuple[str, _Member]]:
        with path.open("rb") as file:
            for member in _read(file, path, self._meter):
                name = within + plain_name(member.entry.name)
                if not is_archive(name) or member.entry.is_folder or member.entry.why_not is not None:
                    yield name, member
                elif nesting < MAX_NESTING:
                    yield from self._within(name, member, nesting + 1)
                else:
                    self._leave(f"{name}: an archive within an archive within an archive")

    def _within(self, name: str, member: _Member, nesting: int) -> Iterator[tuple[str, _Member]]:
        most_bytes = self._meter.bounds.max_member_bytes
        if most_bytes and member.entry.size_bytes > most_bytes:
            self._leave(f"{name}: larger than {most_bytes} bytes")
            return
        try:
            Offer(name, member.entry.size_bytes, None, None, 1, member.pieces()).save(self._inner)
            yield from self._members(self._inner, f"{name}/", nesting)
        except MemberError as error:
            self._leave(f"{name}: {error}")
        finally:
            self._inner.unlink(missing_ok=True)

    def _leave(self, what: str) -> None:
        if what not in self.unread and len(self.unread) < _MAX_ABOUTS:
            self.unread.append(what)

    def _read_about(self, name: str, member: _Member) -> None:
        entry = member.entry
        if entry.is_folder or entry.why_not is not None or is_junk(name):
            return
        if is_unread_archive(name):
            self._leave(f"{name}: such archives are not read")
        elif is_about(name) and len(self.abouts) < _MAX_ABOUTS:
            text = b"".join(_start(member.pieces(), _MAX_ABOUT_BYTES))
            self.abouts.append((name, text.decode("utf-8", "replace")))
        elif entry.size_bytes <= _MAX_TABLE_BYTES and layout_of(name, "") is not None:
            self._read_table(name, member)

    def _read_table(self, name: str, member: _Member) -> None:
        try:
            with closing(io.BufferedReader(_Pieces(member.pieces()))) as file:
                text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline=None)
                first = text.readline(_MAX_ABOUT_BYTES)
                if layout := layout_of(name, first):
                    self._notes.add_texts(layout(name, chain([first], _lines(text))))
        except MemberError as error:
            self._leave(f"{name}: {error}")

    def _offer(self, name: str, member: _Member) -> Offer | None:
        entry = member.entry
        if entry.is_folder or not (entry.why_not is None or self._names.is_audio(entry)):
            return None
        pieces = member.pieces()
        head, why_not = b"", entry.why_not
        try:
            head = next(pieces, b"")
        except ArchiveError as error:
            if self._meter.is_exceeded:
                raise
            why_not = str(error)  # the next member meets it again, if it is not that of this one alone
        if not self._names.is_taken(_under(entry, name), sniff(head[:HEAD_BYTES])):
            return None
        most_bytes = self._meter.bounds.max_member_bytes
        if why_not is None and most_bytes and entry.size_bytes > most_bytes:
            why_not = f"larger than {most_bytes} bytes"
        text = self._notes.text_of(stem_of(name))
        return Offer(name, entry.size_bytes, why_not, text, self._notes.times(name), chain([head], pieces))


def _under(entry: Entry, name: str) -> Entry:
    return Entry(name, entry.size_bytes, entry.is_folder, entry.why_not)


def _start(pieces: Iterator[bytes], size_bytes: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[:size_bytes]
        size_bytes -= len(piece)
        if size_bytes <= 0:
            return


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(_MAX_ABOUT_BYTES):
        yield line


class _Pieces(io.RawIOBase):
    """A member's bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        self._left = self._left or next(self._pieces, b"")
        piece, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def _read(file: IO[bytes], path: Path, meter: Meter) -> Iterator[_Member]:
    kind = sniff_file(path)
    demand_read(kind)
    if kind.extension == "zip" or file.read(4) == b"PK\5\6":
        return zip_members(file, meter)
    file.seek(0)
    return tar_members(opened(file, kind.extension), meter)
