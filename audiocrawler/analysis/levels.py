"""Blocks in, levels out: pydub's loudness, exact RMS and peak, clipping and DC offset."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocrawler.analysis.block import Block
from audiocrawler.analysis.carrier import AudioSegment, ratio_to_db
from audiocrawler.items import LOUDNESS_FLOOR_DBFS

_SILENT_BELOW_DBFS = -60.0
_SIXTEEN_BITS = 15
_TYPES = {1: np.int8, 2: np.int16, 4: np.int32}


class PydubLoudness:
    """``AudioSegment.dBFS`` of the whole file, without the whole file in memory.

    ``AudioSegment.rms`` floors its result and cannot be combined from blocks: the squares are summed and floored once.
    """

    def __init__(self) -> None:
        self._sum_of_squares = 0
        self._count = 0
        self._full_scale = 1.0

    def add(self, block: Block) -> None:
        """Add the squares of a block's samples."""
        values = _values(block.segment).astype(np.float64)
        self._sum_of_squares += int(np.einsum("i,i->", values, values))
        self._count += values.size
        self._full_scale = block.segment.max_possible_amplitude

    def columns(self) -> dict[str, Any]:
        """Return loudness in dBFS, not below the floor."""
        rms = math.isqrt(self._sum_of_squares // self._count)
        loudness = ratio_to_db(rms / self._full_scale)
        return {"loudness": max(loudness, LOUDNESS_FLOOR_DBFS)}


class Levels:
    """RMS, peak and mean of the decoder's own samples."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._sum_of_squares = 0.0
        self._count = 0
        self._peak = 0.0

    def add(self, block: Block) -> None:
        """Add a block's samples."""
        values = block.samples.ravel()
        self._sum += float(values.sum())
        self._sum_of_squares += float(np.einsum("i,i->", values, values))
        self._count += values.size
        self._peak = max(self._peak, float(values.max()), -float(values.min()))

    def columns(self) -> dict[str, Any]:
        """Return RMS and peak in dBFS (None for digital silence), silence and the mean."""
        mean_square = self._sum_of_squares / self._count
        rms_dbfs = 10 * math.log10(mean_square) if mean_square else None
        return {
            "rms_dbfs": rms_dbfs,
            "peak_dbfs": 20 * math.log10(self._peak) if self._peak else None,
            "is_silent": rms_dbfs is None or rms_dbfs < _SILENT_BELOW_DBFS,
            "dc_offset": self._sum / self._count,
        }


class Clipping:
    """Share of samples at full scale, that is within the last step of 16 bits."""

    def __init__(self) -> None:
        self._clipped = 0
        self._count = 0

    def add(self, block: Block) -> None:
        """Count the samples of a block at full scale; most blocks have none, which pydub's ``max`` tells."""
        segment = block.segment
        full_scale = int(segment.max_possible_amplitude)
        threshold = full_scale - max(1, full_scale >> _SIXTEEN_BITS)
        self._count += block.samples.size
        if segment.max >= threshold:
            values = _values(segment)
            self._clipped += int(np.count_nonzero((values >= threshold) | (values <= -threshold)))

    def columns(self) -> dict[str, Any]:
        """Return the share, 0 to 1."""
        return {"clipping_ratio": self._clipped / self._count}


def _values(segment: AudioSegment) -> NDArray[Any]:
    return np.frombuffer(segment.raw_data, _TYPES[segment.sample_width])
