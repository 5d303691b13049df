"""The levels of 20 ms frames in, shares and stretches of silence and an estimate of the noise out."""

from typing import Any

import numpy as np

from audiocrawler.analysis.block import FRAME_S, Block

_SILENT_BELOW = 10 ** (-60 / 10)  # mean square at -60 dBFS
_FRAME_MS = 1000 * FRAME_S


class Silence:
    """Counts silent frames: all of them, and those at either end."""

    def __init__(self) -> None:
        self._frames = 0
        self._silent = 0
        self._leading = 0
        self._trailing = 0

    def add(self, block: Block) -> None:
        """Count the silent frames of a block."""
        loud = np.flatnonzero(block.powers >= _SILENT_BELOW)
        count = len(block.powers)
        if self._leading == self._frames:
            self._leading += int(loud[0]) if loud.size else count
        self._trailing = count - 1 - int(loud[-1]) if loud.size else self._trailing + count
        self._silent += count - loud.size
        self._frames += count

    def columns(self) -> dict[str, Any]:
        """Return the share of silent frames and how long the silence lasts at either end, in ms."""
        return {
            "silence_ratio": self._silent / self._frames,
            "leading_silence_ms": round(self._leading * _FRAME_MS),
            "trailing_silence_ms": round(self._trailing * _FRAME_MS),
        }


class Noise:
    """Estimates the signal-to-noise ratio as the spread of the frame levels.

    The levels go into a histogram with steps of 0.1 dB, so that the memory does not depend on the length. Frames of
    digital silence have no level and are left out.
    """

    _LOWEST_DB = -200.0
    _STEPS_PER_DB = 10
    _STEPS = 3500

    def __init__(self) -> None:
        self._histogram = np.zeros(self._STEPS, np.int64)

    def add(self, block: Block) -> None:
        """Add the frame levels of a block."""
        levels_db = 10 * np.log10(block.powers[block.powers > 0])
        steps = ((levels_db - self._LOWEST_DB) * self._STEPS_PER_DB).astype(np.int64).clip(0, self._STEPS - 1)
        self._histogram += np.bincount(steps, minlength=self._STEPS)

    def columns(self) -> dict[str, Any]:
        """Return the 95th minus the 10th percentile of the frame levels in dB, None without any level."""
        cumulated = np.cumsum(self._histogram)
        if not cumulated[-1]:
            return {"snr_db_est": None}
        low, high = (int(np.searchsorted(cumulated, share * cumulated[-1])) for share in (0.10, 0.95))
        return {"snr_db_est": (high - low) / self._STEPS_PER_DB}
