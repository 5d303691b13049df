import struct

import numpy as np
import pytest

from audiocrawler.analysis import Limits, analyse
from audiocrawler.model.errors import AnalysisError
from tests.analysis.oracle import whole_file
from tests.analysis.sounds import RATE_HZ, silence, speech_like, write_audio


def refusal(path, **limits) -> str:
    with pytest.raises(AnalysisError) as refused:
        analyse(path, limits=Limits(**limits))
    return str(refused.value)


def raw_wav(path, *, channels: int, rate_hz: int, frames: int):
    data = bytes(2 * channels * frames)
    header = struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVEfmt ", 16, 1, channels, rate_hz,
                         2 * channels * rate_hz, 2 * channels, 16, b"data", len(data))  # fmt: skip
    path.write_bytes(header + data)
    return path


def test_a_small_file_of_many_hours_is_refused(tmp_path):
    bomb = write_audio(tmp_path / "bomb.flac", silence(60, channels=8), "flac", sample_format="s16", repeat=2)
    assert bomb.stat().st_size < 100_000
    assert refusal(bomb, max_duration_s=100) == "longer than 100 s"
    assert refusal(bomb, max_samples=10_000_000) == "more than 10000000 samples"
    assert analyse(bomb)["duration_ms"] == 120_000


def test_implausible_rates_and_channels_are_refused(tmp_path):
    assert refusal(raw_wav(tmp_path / "slow.wav", channels=1, rate_hz=1, frames=100_000)).startswith("implausible")
    assert refusal(raw_wav(tmp_path / "fast.wav", channels=1, rate_hz=4_000_000, frames=100_000)).startswith(
        "implausible"
    )
    assert refusal(raw_wav(tmp_path / "many.wav", channels=255, rate_hz=8_000, frames=1_000)).startswith("255 channels")


def test_the_most_channels_allowed_are_measured(tmp_path):
    row = analyse(raw_wav(tmp_path / "many.wav", channels=64, rate_hz=48_000, frames=48_000))
    assert (row["channels"], row["duration_ms"]) == (64, 1000)


def test_a_stream_that_changes_its_format_is_measured_in_the_first_one(tmp_path):
    parts = [
        write_audio(tmp_path / "first.mp3", speech_like(2), "libmp3lame"),
        write_audio(tmp_path / "second.mp3", speech_like(2, channels=1, rate_hz=22_050), "libmp3lame", rate_hz=22_050),
        write_audio(tmp_path / "third.mp3", speech_like(2), "libmp3lame"),
    ]
    joined = tmp_path / "joined.mp3"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    row, oracle = analyse(joined), whole_file(joined)
    assert (row["sample_rate_hz"], row["channels"]) == (RATE_HZ, 2)
    assert row["duration_ms"] == pytest.approx(len(oracle), abs=100)
    assert row["loudness"] == pytest.approx(oracle.dBFS, abs=0.1)
    assert np.frombuffer(row["waveform"], np.uint8)[-20:].max() > 0
