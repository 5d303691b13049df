import pytest

from audiocrawler.analysis import analyse
from tests.analysis.sounds import speech_like, write_audio


@pytest.mark.parametrize("name", ["16bit.wav", "stereo.aiff", "stereo.flac", "vorbis.ogg", "voice.opus", "aac.m4a"])
def test_a_file_that_lost_its_end_is_partial(tmp_path, formats, name):
    content = (formats / name).read_bytes()
    cut = tmp_path / name
    if name == "aac.m4a":  # the index is at the end: what is lost here are the samples of the second half
        half = content.index(b"moov") // 2
        cut.write_bytes(content[:half] + bytes(content.index(b"moov") - half) + content[content.index(b"moov") :])
    else:
        cut.write_bytes(content[: len(content) * 9 // 10])
    row = analyse(cut)
    assert row["status"] == "partial"
    assert row["duration_ms"] <= analyse(formats / name)["duration_ms"]


def test_an_ogg_file_that_lost_its_last_page_is_partial(tmp_path, formats):
    content = (formats / "voice.opus").read_bytes()
    cut = tmp_path / "cut.opus"
    cut.write_bytes(content[: content.rindex(b"OggS")])
    assert analyse(formats / "voice.opus")["status"] == "ok"
    assert analyse(cut)["status"] == "partial"


def test_an_mp3_whose_header_promises_more_is_partial(tmp_path):
    whole = write_audio(tmp_path / "whole.mp3", speech_like(8), "libmp3lame")
    cut = tmp_path / "cut.mp3"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert analyse(whole)["status"] == "ok"
    assert analyse(cut)["status"] == "partial"


def test_an_mp3_whose_duration_is_only_an_estimate_is_not_called_partial(tmp_path):
    whole = write_audio(tmp_path / "whole.mp3", speech_like(8), "libmp3lame").read_bytes()
    headless = tmp_path / "headless.mp3"
    headless.write_bytes(whole.replace(b"Info", bytes(4)) + b"TAG" + bytes(60_000))
    assert analyse(headless)["status"] == "ok"
