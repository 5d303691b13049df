"""Blocks in, a thumbnail of the waveform out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocrawler.analysis.block import Block, Samples

_COLUMNS = 200
_BINS = 4096
_FULL_SCALE = 255


class Waveform:
    """Peaks over all channels, in bins that double in length whenever they are all used."""

    def __init__(self) -> None:
        self._peaks = np.zeros(_BINS)
        self._bin_length = 1
        self._length = 0

    def add(self, block: Block) -> None:
        """Raise the bins that a block covers to its peaks."""
        count, channels = block.samples.shape
        self._make_room(self._length + count)
        first, last = self._length // self._bin_length, (self._length + count - 1) // self._bin_length
        starts = np.arange(first, last + 1) * self._bin_length - self._length
        starts[0] = 0
        peaks = np.maximum.reduceat(np.abs(block.samples.ravel()), starts * channels)
        self._peaks[first : last + 1] = np.maximum(self._peaks[first : last + 1], peaks)
        self._length += count

    def columns(self) -> dict[str, Any]:
        """Return 200 bytes, each the peak of its share of the file."""
        used = -(-self._length // self._bin_length)
        starts = np.arange(_COLUMNS) * used // _COLUMNS
        peaks = _peaks_from(self._peaks[:used], starts)
        return {"waveform": np.rint(peaks * _FULL_SCALE).clip(0, _FULL_SCALE).astype(np.uint8).tobytes()}

    def _make_room(self, length: int) -> None:
        while length > _BINS * self._bin_length:
            merged = self._peaks.reshape(-1, 2).max(axis=1)
            self._peaks = np.concatenate([merged, np.zeros(_BINS // 2)])
            self._bin_length *= 2


def _peaks_from(peaks: Samples, starts: NDArray[np.intp]) -> Samples:
    """Return the peak from each start to the next; where starts coincide, the bin itself."""
    return np.asarray(np.maximum.reduceat(peaks, starts), np.float64)
