"""Meters: levels, loudness, silence, noise, bandwidth, waveform and a hash of the samples."""

import math
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocrawler.analysis.decode import FRAME_S, AudioSegment, Block, Samples, ratio_to_db
from audiocrawler.model.rows import LOUDNESS_FLOOR_DBFS

_SILENT_BELOW_DBFS = -60.0
_SIXTEEN_BITS = 15
_TYPES = {1: np.int8, 2: np.int16, 4: np.int32}


class PydubLoudness:
    """``AudioSegment.dBFS`` of the whole file, without loading all of it.

    ``AudioSegment.rms`` floors its result, so blocks cannot be averaged: the squares are summed and floored once.
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
    """Share of samples at full scale, to 16-bit precision."""

    def __init__(self) -> None:
        self._clipped = 0
        self._count = 0

    def add(self, block: Block) -> None:
        """Count a block's samples at full scale; pydub's ``max`` is a quick check, since most have none."""
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


_GATE_LUFS = -70.0
_SHORT_TERM_MS = 3000


def r128_columns(metadata: dict[str, str], duration_ms: int) -> dict[str, Any]:
    """Return integrated loudness (EBU R 128) in LUFS and loudness range (EBU Tech 3342) in LU.

    Both are None where no block of 400 ms is above the gate, the range also for files shorter than its 3 s window.
    """
    lufs = _number(metadata, "lavfi.r128.I")
    if lufs is None or lufs <= _GATE_LUFS:
        return {"lufs": None, "loudness_range_lu": None}
    measurable = duration_ms >= _SHORT_TERM_MS
    return {"lufs": lufs, "loudness_range_lu": _number(metadata, "lavfi.r128.LRA") if measurable else None}


def _number(metadata: dict[str, str], key: str) -> float | None:
    value = float(metadata.get(key, math.nan))
    return value if math.isfinite(value) else None


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
        """Return the 95th minus the 10th percentile of the frame levels in dB, None if there are none."""
        cumulated = np.cumsum(self._histogram)
        if not cumulated[-1]:
            return {"snr_db_est": None}
        low, high = (int(np.searchsorted(cumulated, share * cumulated[-1])) for share in (0.10, 0.95))
        return {"snr_db_est": (high - low) / self._STEPS_PER_DB}


_WINDOW = 4096
_WINDOWS_PER_BLOCK = 2
_BINS_OF_DC = 2  # a Hann window spreads a DC offset, which is not content, over two bins
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
        """Return the frequency in Hz below which 99.9 % of the power lies, None without any power."""
        cumulated = np.cumsum(self._power[_BINS_OF_DC:])
        if not cumulated[-1]:
            return {"bandwidth_hz_est": None}
        last_bin = _BINS_OF_DC + int(np.searchsorted(cumulated, _SHARE_OF_POWER * cumulated[-1]))
        return {"bandwidth_hz_est": last_bin * self._bin_hz}


_COLUMNS = 200
_BINS = 4096
_FULL_SCALE = 255


class Waveform:
    """Peaks over all channels, in bins that double in length when all are used."""

    def __init__(self) -> None:
        self._peaks = np.zeros(_BINS)
        self._bin_length = 1
        self._length = 0

    def add(self, block: Block) -> None:
        """Update the bins that a block covers with its peaks."""
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


_DIGEST_BYTES = 16


class PcmHash:
    """BLAKE2b-128 of the samples in pydub's format: equal for files that differ in their tags only."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=_DIGEST_BYTES)

    def add(self, block: Block) -> None:
        """Add the samples of a block."""
        self._hash.update(block.segment.raw_data)

    def columns(self) -> dict[str, Any]:
        """Return the hash in hex."""
        return {"pcm_hash": self._hash.hexdigest()}
