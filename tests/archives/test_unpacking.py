"""Archives are unpacked member by member; names are only text, and bombs and damage end in one line."""

import gzip
import io
import lzma
import os
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from audiocrawler.archives.bounds import Bounds, Meter
from audiocrawler.archives.entries import Names
from audiocrawler.archives.unpacking import Archive
from audiocrawler.model.errors import ArchiveError, MemberError
from tests.archives.packing import PACK, packed, special, tarred, zipped
from tests.site.tones import tone_wav

NAMES = Names(frozenset(("wav", "flac", "mp3")), frozenset(("mp4",)))
Unpacked = dict[str, bytes | str]


def opened(folder: Path, data: bytes, bounds: Bounds | None = None) -> Archive:
    path = folder / "archive"
    path.write_bytes(data)
    return Archive(path, folder, NAMES, Meter(bounds or Bounds(), len(data)))


def unpacked(folder: Path, data: bytes, bounds: Bounds | None = None) -> Unpacked:
    """Return the bytes of each audio member, or why it cannot be read."""
    archive, found = opened(folder, data, bounds), {}
    try:
        archive.look_through()
        for offer in archive.offers():
            name = offer.name if offer.times == 1 else f"{offer.name} {offer.times}"
            if offer.why_not is None:
                offer.save(folder / "saved")
            found[name] = offer.why_not or (folder / "saved").read_bytes()
    finally:
        archive.close()
    return found


@pytest.mark.parametrize("kind", [*PACK, "zip"])
def test_audio_is_taken_from_each_kind_of_archive_by_name_or_by_first_bytes(kind: str, tmp_path: Path) -> None:
    members = {
        "./set/a.wav": tone_wav(1),
        "set/unnamed": tone_wav(2),
        "set/page.html": b"<!doctype html><title>x</title>",
        "set/notes.pdf": b"%PDF-1.4",
        "__MACOSX/set/._a.wav": b"\0\5\x16\7" * 30,
        "set/large.flac": b"fLaC" + os.urandom(700_000),
    }
    found = unpacked(tmp_path, packed(members, kind))
    assert found == {
        "set/a.wav": members["./set/a.wav"],
        "set/unnamed": members["set/unnamed"],
        "set/large.flac": members["set/large.flac"],
    }
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "saved"}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2])
def test_other_methods_of_zip_are_read(method: int, tmp_path: Path) -> None:
    members = {"a.wav": tone_wav(1) * 200, "b.wav": tone_wav(2)}
    assert unpacked(tmp_path, zipped(members, method)) == members


def test_streams_in_a_row_are_one_archive_and_padding_is_ignored(tmp_path: Path) -> None:
    tar = tarred({"a.wav": tone_wav(1), "b.wav": tone_wav(2)})
    halves = tar[:3000], tar[3000:]
    for compress in (gzip.compress, lzma.compress, PACK["tar.zst"]):
        data = b"".join(map(compress, halves)) + bytes(512)
        assert set(unpacked(tmp_path, data)) == {"a.wav", "b.wav"}, compress


def test_an_archive_within_an_archive_is_unpacked_once(tmp_path: Path) -> None:
    deep = zipped({"deep.wav": tone_wav(3)})
    inner = packed({"x/in.wav": tone_wav(2), "deeper.zip": deep}, "tar.gz")
    archive = opened(tmp_path, tarred({"a.wav": tone_wav(1), "in/inner.tar.gz": inner, "b.wav": tone_wav(4)}))
    archive.look_through()
    assert [offer.name for offer in archive.offers()] == ["a.wav", "in/inner.tar.gz/x/in.wav", "b.wav"]
    assert archive.unread == ["in/inner.tar.gz/deeper.zip: an archive within an archive within an archive"]
    archive.close()


def test_links_devices_and_paths_are_only_text(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "folder"
    folder.mkdir(parents=True)
    members = {"../../escaped.wav": tone_wav(1), "/etc/absolute.wav": tone_wav(2), "..\\..\\win.wav": tone_wav(3)}
    tricks = (
        special("link.wav", tarfile.SYMTYPE, "/etc/passwd"),
        special("hard.wav", tarfile.LNKTYPE, "../../escaped.wav"),
        special("device.wav", tarfile.CHRTYPE),
        special("pipe.wav", tarfile.FIFOTYPE),
        special("folder.wav", tarfile.DIRTYPE),
    )
    found = unpacked(folder, tarred(members, *tricks))
    assert [found[name] for name in ("link.wav", "hard.wav", "device.wav")] == [
        "a symbolic link",
        "a hard link",
        "a device",
    ]
    assert found["../../escaped.wav"] == tone_wav(1)
    assert found["/etc/absolute.wav"] == tone_wav(2)
    assert "folder.wav" not in found
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"archive", "saved"}
    assert not (folder / "saved").is_symlink()


def test_a_link_in_a_zip_is_not_followed(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.wav")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert unpacked(tmp_path, out.getvalue()) == {"link.wav": "a symbolic link"}


def test_an_encrypted_member_is_named_and_the_others_are_taken(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.wav": tone_wav(1), "b.wav": tone_wav(2)}))
    data[data.index(b"PK\1\2") + 8] |= 1
    assert unpacked(tmp_path, bytes(data)) == {"a.wav": "encrypted", "b.wav": tone_wav(2)}


def test_a_member_whose_bytes_are_damaged_does_not_hide_the_others(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.wav": tone_wav(1) * 100, "b.wav": tone_wav(2)}, zipfile.ZIP_STORED))
    data[200_000] ^= 1
    archive = opened(tmp_path, bytes(data))
    offers = archive.offers()
    with pytest.raises(MemberError, match="checksum"):
        next(offers).save(tmp_path / "saved")
    next(offers).save(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == tone_wav(2)
    archive.close()


def test_members_of_one_name_are_told_apart(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for number in (1, 2):
            info = tarfile.TarInfo("same.wav")
            info.size = len(tone_wav(number))
            tar.addfile(info, io.BytesIO(tone_wav(number)))
    assert unpacked(tmp_path, out.getvalue()) == {"same.wav": tone_wav(1), "same.wav 2": tone_wav(2)}


def header_of(kind: bytes, size_bytes: int) -> bytes:
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, size_bytes
    return info.tobuf(tarfile.GNU_FORMAT)


def global_headers() -> bytes:
    out = b""
    for number in range(2000):
        record = f" key{number:04}=v\n"
        text = f"{len(record) + 2}{record}".encode()
        out += header_of(tarfile.XGLTYPE, len(text)) + text.ljust(512, b"\0")
        out += tarfile.TarInfo(f"{number}.txt").tobuf()
    return out


BOMBS: dict[str, Callable[[], bytes]] = {
    "zeros": lambda: gzip.compress(tarred({"zeros.bin": bytes(1 << 29)}), 9),
    "pax": lambda: gzip.compress(header_of(tarfile.XHDTYPE, 1 << 30) + bytes(1 << 28)),
    "long name": lambda: gzip.compress(header_of(tarfile.GNUTYPE_LONGNAME, 1 << 30) + bytes(1 << 28)),
    "global headers": global_headers,
    "chained headers": lambda: header_of(tarfile.XHDTYPE, 0) * 30_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_bounded_memory(name: str, tmp_path: Path) -> None:
    data = BOMBS[name]()
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError):
            unpacked(tmp_path, data)
        assert tracemalloc.get_traced_memory()[1] < 30 << 20
    finally:
        tracemalloc.stop()


def test_a_zip_whose_members_overlap_is_refused(tmp_path: Path) -> None:
    plain = zipped({"a.wav": bytes(1 << 24)})
    start, end = plain.index(b"PK\1\2"), plain.index(b"PK\5\6")
    records = plain[start:end] * 500
    last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 500, 500, len(records), start, 0)
    with pytest.raises(ArchiveError, match="bomb"):
        unpacked(tmp_path, plain[:start] + records + last)


def test_the_bounds_of_members_and_of_one_member_hold(tmp_path: Path) -> None:
    many = tarred({f"{number}.txt": b"" for number in range(20)})
    with pytest.raises(ArchiveError, match="more than 10 members"):
        unpacked(tmp_path, many, Bounds(max_members=10))
    large = zipped({"a.wav": tone_wav(1) * 10, "b.wav": tone_wav(2)})
    assert unpacked(tmp_path, large, Bounds(max_member_bytes=10_000)) == {
        "a.wav": "larger than 10000 bytes",
        "b.wav": tone_wav(2),
    }


def test_unpacking_ends_at_its_deadline(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="longer than"):
        unpacked(tmp_path, tarred({"a.wav": tone_wav(1)}), Bounds(max_unpacking_s=0))


@pytest.mark.parametrize("kind", [*PACK, "zip"])
def test_a_truncated_archive_says_so(kind: str, tmp_path: Path) -> None:
    data = packed({"a.wav": os.urandom(300_000), "b.wav": os.urandom(300_000)}, kind)
    with pytest.raises(ArchiveError):
        unpacked(tmp_path, data[: len(data) // 2])


NO_ARCHIVES = [b"", b"plain text", bytes(100), b"PK\3\4" + bytes(100), gzip.compress(b"one")]


@pytest.mark.parametrize("data", NO_ARCHIVES, ids=range(5))
def test_what_is_no_archive_says_so(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as caught:
        unpacked(tmp_path, data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("start", "name"), [(b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07\x01", "RAR")])
def test_archives_that_are_not_read_say_so(start: bytes, name: str, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=f"{name} archive: zip and tar are read"):
        unpacked(tmp_path, start + bytes(1000))
