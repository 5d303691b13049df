"""Synthetic sounds as float samples of shape (channels, samples): like speech, like music, like surf, and silence."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]

# First three formants of five vowels in Hz (Peterson and Barney 1952, men) and their weights.
_VOWELS_HZ = ((270, 2290, 3010), (530, 1840, 2480), (730, 1090, 2440), (570, 840, 2410), (300, 870, 2240))
_FORMANT_WEIGHTS = (1.0, 0.5, 0.25)
_FORMANT_WIDTH_HZ = 90.0
_PENTATONIC = (0, 2, 4, 7, 9, 12)


def speech(seconds: float, rate_hz: int, channels: int, seed: int) -> Samples:
    """Return voiced syllables with a falling pitch, each after a fricative, and pauses between phrases."""
    rng = np.random.default_rng(seed)
    pitch_hz = rng.uniform(95, 210)
    pieces: list[Samples] = []
    while sum(map(len, pieces)) < seconds * rate_hz:
        for position in range(int(rng.integers(3, 7))):
            pieces += [_fricative(rate_hz, rng), _vowel(rate_hz, pitch_hz * (1.15 - 0.04 * position), rng)]
        pieces.append(np.zeros(int(rate_hz * rng.uniform(0.2, 0.5))))
    mono = np.concatenate(pieces)[: int(seconds * rate_hz)]
    return np.tile(mono, (channels, 1))


def _vowel(rate_hz: int, pitch_hz: float, rng: np.random.Generator) -> Samples:
    times_s = np.arange(int(rate_hz * rng.uniform(0.12, 0.25))) / rate_hz
    pitch = pitch_hz * (1 - 0.3 * times_s)
    phase = 2 * np.pi * np.cumsum(pitch) / rate_hz
    formants_hz = _VOWELS_HZ[int(rng.integers(len(_VOWELS_HZ)))]
    voice = np.zeros_like(times_s)
    for harmonic in range(1, int(rate_hz / 2 / pitch_hz)):
        voice += _vocal_tract_gain(harmonic * pitch_hz, formants_hz) * np.sin(harmonic * phase)
    return voice * np.hanning(len(times_s))


def _vocal_tract_gain(frequency_hz: float, formants_hz: tuple[int, ...]) -> float:
    distances = ((frequency_hz - formant_hz) / _FORMANT_WIDTH_HZ for formant_hz in formants_hz)
    return sum(weight / (1 + distance**2) for weight, distance in zip(_FORMANT_WEIGHTS, distances, strict=True))


def _fricative(rate_hz: int, rng: np.random.Generator) -> Samples:
    noise = rng.standard_normal(int(rate_hz * rng.uniform(0.03, 0.08)))
    return 0.15 * np.diff(noise, prepend=0.0) * np.hanning(len(noise))


def music(seconds: float, rate_hz: int, channels: int, seed: int) -> Samples:
    """Return plucked notes of a pentatonic tune with decaying overtones, panned over the channels."""
    rng = np.random.default_rng(seed)
    root_hz = rng.uniform(110, 330)
    length = int(seconds * rate_hz)
    out = np.zeros((channels, length))
    for start in range(0, length, max(1, int(rate_hz * 0.25))):
        note_hz = root_hz * 2 ** (rng.choice(_PENTATONIC) / 12)
        note = _note(note_hz, min(rate_hz, length - start), rate_hz)
        gains = rng.uniform(0.3, 1.0, size=(channels, 1))
        out[:, start : start + len(note)] += gains * note
    return out


def _note(note_hz: float, length: int, rate_hz: int) -> Samples:
    times_s = np.arange(length) / rate_hz
    overtones = [n for n in (1, 2, 3, 5) if n * note_hz < rate_hz / 2]
    tones = [np.exp(-3 * n * times_s) * np.sin(2 * np.pi * n * note_hz * times_s) / n for n in overtones]
    attack: Samples = np.minimum(1.0, times_s / 0.005)
    note: Samples = attack * np.sum(tones, axis=0)
    return note


def surf(seconds: float, rate_hz: int, channels: int, seed: int) -> Samples:
    """Return low-passed noise that swells and ebbs, with other noise in each channel."""
    rng = np.random.default_rng(seed)
    length = int(seconds * rate_hz)
    noise = rng.standard_normal((channels, length + 8))
    smoothed = np.stack([np.convolve(channel, np.ones(9) / 9, mode="valid") for channel in noise])
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * np.arange(length) / rate_hz / rng.uniform(1.5, 3.0))
    return smoothed * swell


def silence(seconds: float, rate_hz: int, channels: int, _seed: int) -> Samples:
    """Return zeros."""
    return np.zeros((channels, int(seconds * rate_hz)))


SIGNALS: dict[str, Callable[[float, int, int, int], Samples]] = {
    "speech": speech,
    "music": music,
    "surf": surf,
    "silence": silence,
}


def at_level(samples: Samples, level_dbfs: float) -> Samples:
    """Return ``samples`` scaled to an RMS of ``level_dbfs`` and clipped to -1..1; silence stays silence."""
    rms = np.sqrt(np.mean(samples**2))
    if rms == 0:
        return samples
    scaled: Samples = np.clip(samples * (10 ** (level_dbfs / 20) / rms), -1.0, 1.0)
    return scaled
