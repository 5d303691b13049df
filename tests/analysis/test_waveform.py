import numpy as np
import pytest

from audiocrawler.analysis import analyse
from tests.analysis.sounds import RATE_HZ, silence, tone


@pytest.mark.parametrize("seconds", [0.1, 1, 30])
def test_the_waveform_shows_where_the_sound_is(wav, seconds):
    row = analyse(wav(np.concatenate([tone(2000, 0.5, seconds / 2), silence(seconds / 2)])))
    peaks = np.frombuffer(row["waveform"], np.uint8)
    assert len(peaks) == 200
    assert (abs(peaks[:99] - 128.0) <= 8).all()
    assert (peaks[102:] == 0).all()


def test_a_single_click_on_one_channel_is_seen(wav):
    clicks = np.zeros((20 * RATE_HZ, 2))
    clicks[15 * RATE_HZ, 1] = -1
    assert np.flatnonzero(np.frombuffer(analyse(wav(clicks))["waveform"], np.uint8)) == pytest.approx([150], abs=1)


def test_fewer_samples_than_columns_still_give_200(wav):
    assert analyse(wav(np.ones((7, 1))))["waveform"] == b"\xff" * 200
