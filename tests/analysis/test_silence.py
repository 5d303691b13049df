import numpy as np
import pytest

from audiocrawler.analysis import analyse
from tests.analysis.sounds import RATE_HZ, silence, tone


def test_silence_is_found_at_both_ends_and_between(wav):
    parts = [silence(0.5), tone(440, 0.5, 1), silence(0.3), tone(440, 0.5, 1), silence(1.2)]
    row = analyse(wav(np.concatenate(parts)))
    assert row["leading_silence_ms"] == pytest.approx(500, abs=20)
    assert row["trailing_silence_ms"] == pytest.approx(1200, abs=20)
    assert row["silence_ratio"] == pytest.approx(2.0 / 4.0, abs=0.02)


def test_silence_longer_than_a_block_is_added_up(wav):
    row = analyse(wav(np.concatenate([silence(10), tone(440, 0.5, 5), silence(20)])))
    assert row["leading_silence_ms"] == pytest.approx(10_000, abs=20)
    assert row["trailing_silence_ms"] == pytest.approx(20_000, abs=20)
    assert row["silence_ratio"] == pytest.approx(30 / 35, abs=0.002)


def test_a_silent_file_is_silent_from_both_ends(wav):
    row = analyse(wav(silence(3)))
    assert (row["leading_silence_ms"], row["trailing_silence_ms"], row["silence_ratio"]) == (3000, 3000, 1.0)


def test_a_loud_file_has_no_silence(wav):
    row = analyse(wav(tone(440, 0.5, 3)))
    assert (row["leading_silence_ms"], row["trailing_silence_ms"], row["silence_ratio"]) == (0, 0, 0.0)


def test_the_noise_estimate_is_the_distance_of_tone_and_noise(wav):
    noise = np.random.default_rng(1).normal(0, 0.001, (4 * RATE_HZ, 1))
    noise[: 2 * RATE_HZ] += tone(440, 0.1 * 2**0.5, 2)
    assert analyse(wav(noise))["snr_db_est"] == pytest.approx(40, abs=1)


def test_sounds_shorter_than_a_frame_are_measured(wav):
    row = analyse(wav(tone(440, 0.5, 0.005)))
    assert (row["duration_ms"], row["silence_ratio"], row["lufs"]) == (5, 0.0, None)
