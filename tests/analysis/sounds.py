"""Signals and real audio files for tests and benchmarks, made with PyAV's encoders."""

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]  # shape (samples, channels), full scale is 1

RATE_HZ = 44_100
_CHUNK = 1 << 16


def speech_like(seconds: float, *, channels: int = 2, rate_hz: int = RATE_HZ, seed: int = 0) -> Signal:
    """Return harmonics with syllables and pauses over a little noise, a different phase in each channel."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    syllables = np.clip(np.sin(2 * np.pi * 1.7 * time_s) + 0.4 * np.sin(2 * np.pi * 0.31 * time_s), 0, None)
    noise = rng.normal(0, 0.002, (len(time_s), channels))
    voice: Signal = noise
    for harmonic in range(1, 12):
        phases = rng.uniform(0, 2 * np.pi, channels)
        sines = np.sin(2 * np.pi * 140 * harmonic * time_s[:, None] + phases)
        voice += 0.2 / harmonic * syllables[:, None] * sines
    return voice


def tone(frequency_hz: float, amplitude: float, seconds: float, *, channels: int = 1, rate_hz: int = RATE_HZ) -> Signal:
    """Return a sine, the same in all channels."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    sine: Signal = amplitude * np.sin(2 * np.pi * frequency_hz * time_s)
    return np.repeat(sine[:, None], channels, axis=1)


def silence(seconds: float, *, channels: int = 1, rate_hz: int = RATE_HZ) -> Signal:
    """Return zeros."""
    return np.zeros((round(seconds * rate_hz), channels))


def write_audio(
    path: Path,
    signal: Signal,
    codec: str,
    *,
    rate_hz: int = RATE_HZ,
    sample_format: str | None = None,
    tags: dict[str, str] | None = None,
    repeat: int = 1,
) -> Path:
    """Encode a signal (``repeat`` times over) into the container that the name's suffix tells."""
    layout = {1: "mono", 2: "stereo"}.get(signal.shape[1], f"{signal.shape[1]}c")
    with av.open(path, "w", options={"strict": "experimental"}) as container:
        container.metadata.update(tags or {})
        stream = container.add_stream(codec, rate=rate_hz, options={"strict": "experimental"})
        assert isinstance(stream, av.AudioStream)
        stream.layout = layout
        if sample_format:
            stream.format = sample_format
        for _ in range(repeat):
            for start in range(0, len(signal), _CHUNK):
                values = signal[start : start + _CHUNK].astype(np.float64).reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(values, "dbl", layout)
                frame.sample_rate = rate_hz
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
