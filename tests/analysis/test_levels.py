import math

import numpy as np
import pytest

from audiocrawler.analysis import analyse
from tests.analysis.oracle import whole_file
from tests.analysis.sounds import silence, speech_like, tone, write_audio


def test_levels_of_a_sine_are_those_of_the_formula(wav):
    row = analyse(wav(tone(1000, 0.5, 1)))
    assert row["peak_dbfs"] == pytest.approx(20 * math.log10(0.5), abs=0.001)
    assert row["rms_dbfs"] == pytest.approx(20 * math.log10(0.5 / math.sqrt(2)), abs=0.001)
    assert row["dc_offset"] == pytest.approx(0, abs=1e-4)
    assert row["is_silent"] is False


def test_rms_is_not_floored_where_pydub_sees_only_silence(wav):
    faint = silence(1)
    faint[::2] = 1 / 32768
    path = wav(faint)
    assert whole_file(path).dBFS == -math.inf
    row = analyse(path)
    assert row["loudness"] == -120.0
    assert row["rms_dbfs"] == pytest.approx(20 * math.log10(1 / 32768 / math.sqrt(2)), abs=1e-9)
    assert row["is_silent"] is True


def test_rms_and_peak_of_a_lossy_file_come_from_its_unrounded_samples(formats):
    row = analyse(formats / "stereo.mp3")
    assert row["rms_dbfs"] != row["loudness"]
    assert row["rms_dbfs"] == pytest.approx(row["loudness"], abs=0.01)


def test_telephone_audio_has_its_true_level_although_pydub_holds_8_bits(tmp_path):
    path = write_audio(tmp_path / "faint.wav", tone(440, 0.002, 1, rate_hz=8000), "pcm_mulaw", rate_hz=8000)
    assert analyse(path)["rms_dbfs"] == pytest.approx(20 * math.log10(0.002 / math.sqrt(2)), abs=0.5)


def test_peaks_above_full_scale_are_kept(tmp_path):
    row = analyse(write_audio(tmp_path / "hot.wav", tone(440, 2.0, 1), "pcm_f32le"))
    assert row["peak_dbfs"] == pytest.approx(6.02, abs=0.01)


def test_clipping_is_the_share_of_samples_at_full_scale(wav):
    clipped = tone(440, 2.0, 1).clip(-1, 1)
    expected = np.mean(np.abs(clipped) >= 1)
    assert analyse(wav(clipped))["clipping_ratio"] == pytest.approx(expected, abs=0.002)
    assert analyse(wav(tone(440, 0.99, 1)))["clipping_ratio"] == 0


@pytest.mark.parametrize(("codec", "name"), [("pcm_u8", "a.wav"), ("pcm_s24le", "b.wav"), ("pcm_f32le", "c.wav")])
def test_clipping_does_not_depend_on_the_sample_width(tmp_path, codec, name):
    clipped = tone(440, 2.0, 1).clip(-1, 1)
    row = analyse(write_audio(tmp_path / name, clipped, codec))
    assert row["clipping_ratio"] == pytest.approx(np.mean(np.abs(clipped) >= 1), abs=0.01)


def test_dc_offset_is_the_mean(wav):
    assert analyse(wav(speech_like(1, channels=1) * 0.5 + 0.1))["dc_offset"] == pytest.approx(0.1, abs=0.002)
