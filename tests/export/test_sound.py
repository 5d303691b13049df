"""Converted sound: of the rate, channels and length that its row says, and the same each time."""

import io
import wave
from pathlib import Path
from typing import Any

import av
import pytest

from audiocrawler.collection.exporting import decoded
from audiocrawler.export.core import Sound
from audiocrawler.export.sound import convert
from tests.export.collecting import tone


def converted(tmp_path: Path, sound: Sound, content: bytes) -> tuple[bytes, dict[str, Any]]:
    path = tmp_path / "sound.wav"
    path.write_bytes(content)
    target = io.BytesIO()
    with decoded(path) as frames:
        facts = convert(frames, target, sound)
    return target.getvalue(), facts


@pytest.mark.parametrize("kind", ["flac", "wav", "opus"])
@pytest.mark.parametrize(("rate_hz", "mono"), [(None, False), (16000, True), (48000, False)])
def test_the_file_is_what_its_row_says_and_the_same_each_time(tmp_path, kind, rate_hz, mono):
    content = tone(5, samples=8000)
    first, facts = converted(tmp_path, Sound(kind, rate_hz, mono), content)
    assert first == converted(tmp_path, Sound(kind, rate_hz, mono), content)[0]
    expected_hz = rate_hz or (48000 if kind == "opus" else 8000)
    assert (facts["sample_rate_hz"], facts["channels"]) == (expected_hz, 1 if mono else 2)
    assert facts["samples"] == pytest.approx(expected_hz, abs=1)
    with av.open(io.BytesIO(first), "r") as container:
        assert container.format.name == {"flac": "flac", "wav": "wav", "opus": "ogg"}[kind]
        frames = list(container.decode(audio=0))
    assert frames[0].layout.nb_channels == facts["channels"]
    if kind != "opus":
        assert sum(frame.samples for frame in frames) == facts["samples"]


def test_wav_at_its_own_rate_keeps_every_sample(tmp_path):
    content = tone(9, samples=12345)
    again, facts = converted(tmp_path, Sound("wav"), content)
    with wave.open(io.BytesIO(again)) as new, wave.open(io.BytesIO(content)) as old:
        assert new.readframes(99999) == old.readframes(99999)
    assert (facts["samples"], facts["codec"], facts["bits_per_sample"]) == (12345, "pcm_s16le", 16)


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (Sound(), "none"),
        (Sound("flac", 16000, mono=True), "resampled to 16 kHz mono FLAC (16 bit)"),
        (Sound("opus"), "converted to Opus"),
        (Sound("wav", 22050), "resampled to 22.05 kHz WAV (16 bit)"),
    ],
)
def test_what_was_changed_is_worded_for_the_attribution(sound, words):
    assert sound.changes == words
