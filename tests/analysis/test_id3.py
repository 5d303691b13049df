import struct
from pathlib import Path

import pytest

from audiocrawler.analysis import analyse
from audiocrawler.analysis.headers import MAX_FRAMES, MAX_TAG_BYTES, id3_tags
from tests.analysis.boxes import id3, id3_frame

URL = "https://creativecommons.org/licenses/by/4.0/"
FRAME = id3_frame(b"WCOP", URL.encode())


def syncsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def tag(version: int, body: bytes, flags: int = 0) -> bytes:
    return b"ID3" + bytes((version, 0, flags)) + syncsafe(len(body)) + body


def frame(name: bytes, body: bytes, flags: int = 0, ahead: bytes = b"") -> bytes:
    """Return a frame of ID3v2.4."""
    return name + syncsafe(len(ahead + body)) + bytes((0, flags)) + ahead + body


def read(tmp_path: Path, content: bytes) -> dict[str, str]:
    path = tmp_path / "tagged"
    path.write_bytes(content)
    return id3_tags(path)


def test_what_a_file_says_of_its_licence_reaches_the_row(tmp_path: Path, formats: Path) -> None:
    path = tmp_path / "tagged.mp3"
    terms = id3_frame(b"USER", b"\0eng" + b"CC BY 4.0")
    title = id3_frame(b"TIT2", b"\0Surf")
    path.write_bytes(id3(title, FRAME, terms) + (formats / "stereo.mp3").read_bytes())
    row = analyse(path)
    tags = {name: row["tags"][name] for name in ("title", "wcop", "user")}
    assert tags == {"title": "Surf", "wcop": URL, "user": "CC BY 4.0"}


@pytest.mark.parametrize(("encoding", "number"), [("latin-1", 0), ("utf-16", 1), ("utf-16-be", 2), ("utf-8", 3)])
def test_terms_in_each_encoding(encoding: str, number: int, tmp_path: Path) -> None:
    body = bytes([number]) + b"deu" + "Größe frei\0rest".encode(encoding)
    assert read(tmp_path, id3(id3_frame(b"USER", body))) == {"user": "Größe frei"}


@pytest.mark.parametrize(
    "content",
    [
        tag(2, b"WCP" + len(URL).to_bytes(3) + URL.encode()),
        tag(3, FRAME + bytes(500)),
        tag(3, struct.pack(">IHI", 6, 0, 0) + FRAME, flags=0x40),
        tag(3, id3_frame(b"PRIV", b"\xff\0\xe0").replace(b"\xff", b"\xff\0") + FRAME, flags=0x80),
        tag(4, frame(b"APIC", bytes(300)) + frame(b"WCOP", URL.encode())),
        tag(4, syncsafe(6) + b"\1\0" + frame(b"WCOP", URL.encode()), flags=0x40),
        tag(4, frame(b"WCOP", URL.encode(), 0x43, b"g" + syncsafe(len(URL)))),
    ],
    ids=["2.2", "padded", "extended", "unsynchronised", "2.4", "2.4 extended", "2.4 grouped, sized, unsynchronised"],
)
def test_each_version_and_its_wrappings(content: bytes, tmp_path: Path) -> None:
    assert read(tmp_path, content) == {"wcop": URL}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"ID3\3",
        tag(5, FRAME),
        tag(3, FRAME)[:-1],
        tag(4, frame(b"WCOP", URL.encode(), 0x08)),
        id3(id3_frame(b"USER", b"")),
        id3(*[id3_frame(b"PRIV", b"")] * MAX_FRAMES, FRAME),
        id3(id3_frame(b"APIC", bytes(MAX_TAG_BYTES)), FRAME),
        tag(3, b"\xff" * 100),
        tag(4, b"\xff" * 100, flags=0xFF),
        tag(3, b"", flags=0x40),
    ],
)
def test_what_is_broken_or_beyond_the_bounds_says_nothing(content: bytes, tmp_path: Path) -> None:
    assert read(tmp_path, content) == {}


def test_the_first_of_a_name_counts(tmp_path: Path) -> None:
    assert read(tmp_path, id3(FRAME, id3_frame(b"WCOP", b"https://example.org/"))) == {"wcop": URL}


def test_half_a_character_is_replaced(tmp_path: Path) -> None:
    assert read(tmp_path, id3(id3_frame(b"USER", b"\1eng\xff\xfea\0b"))) == {"user": "a\ufffd"}
