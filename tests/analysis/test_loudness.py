import re
import subprocess

import imageio_ffmpeg
import pytest

from audiocrawler.analysis import analyse
from tests.analysis.sounds import speech_like, tone


def test_a_calibrated_sine_has_the_loudness_of_ebu_tech_3341(wav):
    row = analyse(wav(tone(1000, 10 ** (-23 / 20), 20, channels=2, rate_hz=48_000), rate_hz=48_000))
    assert row["lufs"] == pytest.approx(-23.0, abs=0.1)
    assert row["loudness_range_lu"] == pytest.approx(0, abs=0.1)


def test_loudness_is_that_of_the_ffmpeg_program(wav):
    path = wav(speech_like(12.345))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostats", "-i", path, "-af", "ebur128", "-f", "null", "-"]
    summary = subprocess.run(command, capture_output=True, text=True, check=True).stderr.rpartition("Summary")[2]
    (lufs,), (range_lu,) = re.findall(r"I: +(\S+) LUFS", summary), re.findall(r"LRA: +(\S+) LU", summary)
    row = analyse(path)
    assert row["lufs"] == pytest.approx(float(lufs), abs=0.06)
    assert row["loudness_range_lu"] == pytest.approx(float(range_lu), abs=0.06)


def test_sound_too_short_for_a_block_has_no_loudness(wav):
    assert analyse(wav(tone(1000, 0.5, 0.3)))["lufs"] is None


def test_sound_too_short_for_its_window_has_no_range(wav):
    row = analyse(wav(tone(1000, 0.5, 2)))
    assert row["lufs"] is not None
    assert row["loudness_range_lu"] is None
