"""A zip is listed by its directory, which is read by ranges; a tar by its start, which is said."""

import io
import os
import tracemalloc
import zipfile
from collections.abc import Iterator

import pytest

from audiocrawler.archives.entries import Contents, Names
from audiocrawler.archives.listing import START_BYTES, listing
from audiocrawler.archives.zip_directory import read_directory
from audiocrawler.model.errors import ArchiveError
from tests.archives.packing import PACK, packed, tarred, zipped

NAMES = Names(frozenset(("wav", "mp3")))


class Served:
    """An archive, and how much of it was read."""

    def __init__(self, data: bytes) -> None:
        self.data, self.read_bytes, self.reads = data, 0, 0

    def read(self, start: int, size_bytes: int) -> bytes:
        self.reads += 1
        self.read_bytes += size_bytes
        return self.data[start : start + size_bytes]

    def contents(self) -> Contents:
        steps = listing(self.data[:START_BYTES], len(self.data), NAMES)
        try:
            wanted = next(steps)
            while True:
                wanted = steps.send(self.read(*wanted))
        except StopIteration as end:
            found: Contents = end.value
            return found


def names_in(data: bytes) -> list[str]:
    return [entry.name for entry in read_directory(Served(data).read, len(data))]


def test_a_zip_is_listed_from_a_few_ranges_at_its_end() -> None:
    members = {f"a/{number}.wav": os.urandom(60_000) for number in range(50)} | {
        "a/notes.txt": b"x",
        "a/in.tar.gz": b"",
    }
    served = Served(zipped(members))
    contents = served.contents()
    assert (contents.files, contents.audio, contents.audio_bytes, contents.archives) == (52, 50, 3_000_000, 1)
    assert contents.is_whole
    assert str(contents) == "52 files, 1 archives, 50 of them audio of 3000000 bytes"
    assert served.reads == 2
    assert served.read_bytes < 100_000


@pytest.mark.parametrize("kind", PACK)
def test_a_small_tar_is_listed_whole(kind: str) -> None:
    data = packed({"a.wav": bytes(3000), "b.txt": b"x", "c.mp3": bytes(10)}, kind)
    assert str(Served(data).contents()) == "3 files, 2 of them audio of 3010 bytes"


@pytest.mark.parametrize("kind", PACK)
def test_of_a_large_tar_the_start_is_listed_and_said_to_be_the_start(kind: str) -> None:
    data = packed({f"{number}.wav": os.urandom(60_000) for number in range(100)}, kind)
    contents = Served(data).contents()
    assert not contents.is_whole
    assert 2 <= contents.audio < 30
    assert str(contents).startswith("its start lists ")


def test_a_tar_that_begins_with_a_large_member_names_it() -> None:
    assert Served(tarred({"long.wav": bytes(1 << 20)})).contents().audio_bytes == 1 << 20


def test_a_zip64_archive_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    data = zipped({f"{number}.wav": bytes(1000) for number in range(8)}, zipfile.ZIP_STORED)
    assert b"PK\6\6" in data
    entries = list(read_directory(Served(data).read, len(data)))
    assert [entry.size_bytes for entry in entries] == [1000] * 8
    assert Served(data).contents().audio_bytes == 8000


def test_bytes_before_and_a_comment_after_a_zip_are_no_hindrance() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.wav", b"x" * 10)
        archive.comment = b"a comment with PK\5\6 in it" + b"." * 60
    (entry,) = read_directory(Served(b"#!/bin/sh\n" * 9 + out.getvalue()).read, len(out.getvalue()) + 90)
    assert entry.name == "a.wav"
    assert entry.offset == 90


def test_names_are_read_by_the_flag_by_their_bytes_or_by_the_old_code_page() -> None:
    data = zipped({"möwe.wav": b"", "plain.wav": b""})
    assert names_in(data) == ["möwe.wav", "plain.wav"]
    old = zipped({"m_we.wav": b""}).replace(b"m_we", b"m\x94we")
    assert names_in(old) == ["möwe.wav"]
    unmarked = zipped({"m__we.wav": b""}).replace(b"m__we", "möwe".encode())
    assert names_in(unmarked) == ["möwe.wav"]


def damaged() -> Iterator[bytes]:
    whole = zipped({f"{number}.wav": b"x" * 100 for number in range(5)})
    yield whole[:200]
    yield whole.replace(b"PK\1\2", b"PK\1\3", 2)
    yield whole[: whole.index(b"PK\1\2") + 60] + whole[whole.index(b"PK\5\6") :]
    yield b"PK\5\6" + b"\xff" * 18


@pytest.mark.parametrize("data", list(damaged()), ids=range(4))
def test_a_damaged_directory_says_so(data: bytes) -> None:
    with pytest.raises(ArchiveError, match="damaged archive"):
        names_in(data)


def test_a_directory_of_any_length_is_read_in_bounded_memory() -> None:
    one = zipped({"0123456789012345678901234567890123456789.wav": b""})
    start, end = one.index(b"PK\1\2"), one.index(b"PK\5\6")
    records = one[start:end] * 100_000
    last = bytearray(one[end:])
    last[12:16] = len(records).to_bytes(4, "little")
    data = one[:start] + records + bytes(last)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_directory(Served(data).read, len(data))) == 100_000
        assert tracemalloc.get_traced_memory()[1] < 3 << 20
    finally:
        tracemalloc.stop()
