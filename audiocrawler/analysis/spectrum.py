"""Blocks in, the bandwidth that the audio really uses out."""

from typing import Any

import numpy as np

from audiocrawler.analysis.block import Block

_WINDOW = 4096
_WINDOWS_PER_BLOCK = 2
_BINS_OF_DC = 2  # a Hann window spreads a DC offset, which is no content, over two bins
_SHARE_OF_POWER = 0.999


class Spectrum:
    """Long-term average power spectrum over all channels, from a few Hann windows of each block."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._bin_hz = sample_rate_hz / _WINDOW
        self._hann = np.hanning(_WINDOW).astype(np.float32)
        self._power = np.zeros(_WINDOW // 2 + 1)

    def add(self, block: Block) -> None:
        """Add the power spectra of evenly spaced windows of a block; a shorter block is padded with zeros."""
        last_start = max(0, len(block.samples) - _WINDOW)
        starts = {last_start * (2 * i + 1) // (2 * _WINDOWS_PER_BLOCK) for i in range(_WINDOWS_PER_BLOCK)}
        for start in starts:
            window = block.samples[start : start + _WINDOW].T.astype(np.float32, order="C")
            spectrum = np.fft.rfft(window * self._hann[: window.shape[1]], _WINDOW)
            self._power += np.einsum("ij,ij->j", spectrum, spectrum.conj()).real

    def columns(self) -> dict[str, Any]:
        """Return the frequency in Hz below which 99.9 % of the power lies, None where there is no power."""
        cumulated = np.cumsum(self._power[_BINS_OF_DC:])
        if not cumulated[-1]:
            return {"bandwidth_hz_est": None}
        last_bin = _BINS_OF_DC + int(np.searchsorted(cumulated, _SHARE_OF_POWER * cumulated[-1]))
        return {"bandwidth_hz_est": last_bin * self._bin_hz}
