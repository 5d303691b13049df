import io
import random

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from audiocrawler.sniff import HEAD_BYTES, sniff, sniff_file

ENCODED = [
    # container, codec, sample rate, extension, content type
    ("mp3", "libmp3lame", 44100, "mp3", "audio/mpeg"),
    ("mp3", "libmp3lame", 16000, "mp3", "audio/mpeg"),
    ("mp2", "mp2", 48000, "mp2", "audio/mpeg"),
    ("adts", "aac", 44100, "aac", "audio/aac"),
    ("flac", "flac", 44100, "flac", "audio/flac"),
    ("ogg", "libopus", 48000, "opus", "audio/ogg"),
    ("ogg", "vorbis", 44100, "ogg", "audio/ogg"),
    ("wav", "pcm_s16le", 8000, "wav", "audio/wav"),
    ("w64", "pcm_s16le", 8000, "w64", "audio/x-w64"),
    ("aiff", "pcm_s16be", 8000, "aiff", "audio/aiff"),
    ("caf", "pcm_s16le", 8000, "caf", "audio/x-caf"),
    ("au", "pcm_s16be", 8000, "au", "audio/basic"),
    ("ipod", "aac", 44100, "m4a", "audio/mp4"),
    ("webm", "libopus", 48000, "webm", "audio/webm"),
    ("matroska", "libmp3lame", 44100, "mka", "audio/x-matroska"),
    ("ac3", "ac3", 48000, "ac3", "audio/ac3"),
    ("eac3", "eac3", 48000, "eac3", "audio/eac3"),
    ("wv", "wavpack", 44100, "wv", "audio/x-wavpack"),
    ("tta", "tta", 44100, "tta", "audio/x-tta"),
    ("asf", "wmav2", 44100, "wma", "audio/x-ms-wma"),
]


def encoded(container: str, codec: str, rate_hz: int) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate_hz, layout="stereo", options={"strict": "-2"})
        assert isinstance(stream, AudioStream)
        stream.bit_rate = 128_000
        tone = np.sin(np.arange(2 * rate_hz // 2) / 20) * 9000
        frame = av.AudioFrame.from_ndarray(tone.astype(np.int16).reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate = rate_hz
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return buffer.getvalue()


def id3(size: int) -> bytes:
    synchsafe = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\x00\x00" + synchsafe + b"\xff\xfb\x90" + bytes(size - 3)


@pytest.mark.parametrize("encoding", ENCODED, ids=lambda encoding: "-".join(map(str, encoding[:3])))
def test_what_an_encoder_writes_is_recognised(tmp_path, encoding):
    container, codec, rate_hz, extension, content_type = encoding
    content = encoded(container, codec, rate_hz)
    kind = sniff(content[:HEAD_BYTES])
    assert (kind.extension, kind.content_type, kind.is_audio) == (extension, content_type, True)
    path = tmp_path / "file"
    path.write_bytes(content)
    assert sniff_file(path) == kind


@pytest.mark.parametrize(
    ("head", "extension", "is_audio"),
    [
        (b"#!AMR\n\x3c", "amr", True),
        (b"#!AMR-WB\n\x3c", "awb", True),
        (b"MAC \x96\x0f", "ape", True),
        (b"MPCK\x53\x48", "mpc", True),
        (b"FORM\x00\x00\x01\x00AIFCFVER", "aifc", True),
        (b"\x00\x00\x00\x20ftypM4B \x00\x00", "m4b", True),
        (b"\x00\x00\x00\x20ftypisom\x00\x00", "mp4", None),
        (b"\x00\x00\x00\x20ftyp3gp4\x00\x00", "3gp", None),
        (b"\x00\x00\x00\x20ftypavif\x00\x00", "avif", False),
        (b"OggS\x00\x02" + bytes(20) + b"\x01\x1e\x01vorbis", "ogg", True),
        (b"OggS\x00\x02" + bytes(20) + b"\x01\x33\x7fFLAC\x01\x00", "oga", True),
        (b"OggS\x00\x02" + bytes(20) + b"\x01\x50Speex   1.2", "spx", True),
        (b"OggS\x00\x02" + bytes(20) + b"\x01\x2a\x80theora" + bytes(50) + b"\x01vorbis", "ogv", None),
        (b"RIFF\x00\x00\x01\x00AVI LIST", "avi", None),
        ((b"G" + bytes(187)) * 5, "ts", None),
        (b"MThd\x00\x00\x00\x06", "mid", False),
        (b"RIFF\x00\x00\x01\x00RMIDdata", "mid", False),
        (b"", "bin", False),
        (bytes(4096), "bin", None),
        (b"\xff\xfe", "bin", None),
    ],
)
def test_other_kinds_are_told_by_their_first_bytes(head, extension, is_audio):
    assert (sniff(head).extension, sniff(head).is_audio) == (extension, is_audio)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"\xef\xbb\xbf\r\n  <HTML lang=en>", "an HTML page"),
        (b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC ''>\n<html xmlns=''>", "an HTML page"),
        (b"<!-- cached -->\n<html>\xe9", "an HTML page"),
        (b"<p>Not found</p>", "an HTML page"),
        ("<!DOCTYPE html>".encode("utf-16"), "an HTML page"),
        (b"<?xml version='1.0'?><rss><channel>", "an XML document"),
        (b"<Error><Code>AccessDenied</Code></Error>", "an XML document"),
        (b'{"error": "expired"}', "a JSON document"),
        (b'[{"id": 1}]', "a JSON document"),
        (b"#EXTM3U\n#EXTINF:-1,x\nhttp://x/", "an M3U playlist"),
        (b"[Playlist]\nFile1=http://x/", "a PLS playlist"),
        (b"404 page not found\n", "plain text"),
        ("Straße ".encode() * 1000, "plain text"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "a JPEG image"),
        (b"\x89PNG\r\n\x1a\n\x00", "a PNG image"),
        (b"GIF89a", "a GIF image"),
        (b"RIFF\x00\x00\x01\x00WEBPVP8 ", "a WebP image"),
        (b"%PDF-1.7", "a PDF document"),
        (b"PK\x03\x04\x14", "a ZIP archive"),
        (b"\x1f\x8b\x08\x00", "a gzip archive"),
    ],
)
def test_what_is_no_audio_has_a_name_for_the_reason(head, name):
    kind = sniff(head[:HEAD_BYTES])
    assert (kind.name, kind.is_audio) == (name, False)


def test_a_head_cut_inside_a_character_is_still_text():
    text = "é".encode() * 3000
    assert sniff(b"x" + text[: HEAD_BYTES - 1]).extension == sniff(text[:HEAD_BYTES]).extension == "txt"


@pytest.mark.parametrize("codec", ["mp3", "flac", "adts"])
@pytest.mark.parametrize("tag_bytes", [200, 3 * HEAD_BYTES])
def test_an_id3_tag_of_any_length_does_not_hide_the_format(tmp_path, codec, tag_bytes):
    container, encoder, rate_hz, extension, _ = next(each for each in ENCODED if each[0] == codec)
    content = encoded(container, encoder, rate_hz)
    while content.startswith(b"ID3"):
        content = content[10 + content[9] + (content[8] << 7) :]
    path = tmp_path / "file"
    path.write_bytes(id3(tag_bytes) + content)
    assert sniff_file(path).extension == extension


def test_a_long_tag_alone_is_taken_for_mp3():
    assert sniff(id3(3 * HEAD_BYTES)[:HEAD_BYTES]).extension == "mp3"


def test_an_mp3_that_starts_within_a_frame_is_recognised():
    content = encoded("mp3", "libmp3lame", 44100)
    frames = content[content.index(b"\xff\xfb") + 100 :]
    assert sniff(frames[:HEAD_BYTES]).extension == "mp3"


def test_random_bytes_are_never_taken_for_audio_nor_refused():
    rng = random.Random(3)
    kinds = {sniff(b"\x01" + rng.randbytes(HEAD_BYTES - 1)).extension for _ in range(300)}
    assert kinds == {"bin"}


def test_any_bytes_have_a_kind():
    rng = random.Random(4)
    starts = [b"", b"ID3", b"OggS", b"RIFF", b"\xff\xfb\x90", b"\xff\xf1", b"\x1a\x45\xdf\xa3", b"<", b"FORM", b"\x0bw"]
    for start in starts:
        for length in range(40):
            assert sniff(start + rng.randbytes(length)).name


def test_many_tags_before_the_sound_are_passed_over() -> None:
    assert sniff((b"ID3\3\0\0\0\0\0\0" * 1000)[:HEAD_BYTES]).extension == "mp3"
