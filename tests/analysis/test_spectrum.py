import numpy as np
import pytest

from audiocrawler.analysis import analyse
from tests.analysis.sounds import RATE_HZ, tone


@pytest.mark.parametrize("limit_hz", [3_000, 8_000, 16_000])
def test_bandwidth_is_where_the_noise_was_cut(wav, limit_hz):
    spectrum = np.fft.rfft(np.random.default_rng(2).normal(0, 0.1, 5 * RATE_HZ))
    spectrum[np.fft.rfftfreq(5 * RATE_HZ, 1 / RATE_HZ) > limit_hz] = 0
    noise = np.fft.irfft(spectrum)[:, None]
    assert analyse(wav(noise))["bandwidth_hz_est"] == pytest.approx(limit_hz, abs=40)


def test_a_dc_offset_is_no_content(wav):
    assert analyse(wav(tone(5000, 0.01, 2) + 0.5))["bandwidth_hz_est"] == pytest.approx(5000, abs=30)


def test_sound_on_opposite_channels_does_not_cancel(wav):
    stereo = tone(5000, 0.5, 2) * [[1, -1]]
    assert analyse(wav(stereo))["bandwidth_hz_est"] == pytest.approx(5000, abs=30)
