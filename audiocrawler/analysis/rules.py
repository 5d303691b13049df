"""The analyser's version, the limits for decoding, and the energy classification."""

from dataclasses import dataclass
from importlib.metadata import version

ANALYSER_VERSION = f"2 (PyAV {version('av')})"
"""Version of the columns' definitions, and of the decoder: PyAV's wheel carries its FFmpeg."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a decoded stream; a file that exceeds one is refused."""

    max_duration_s: float = 86_400.0
    max_samples: int = 10_000_000_000
    """Samples of all channels together: a day of 48 kHz stereo has 8.3e9."""
    max_channels: int = 64
    min_sample_rate_hz: int = 1_000
    max_sample_rate_hz: int = 768_000


@dataclass(frozen=True, slots=True)
class EnergyRule:
    """Short and loud is high, long and quiet is low, everything else is medium."""

    loudness_dbfs: float = -20.0
    duration_ms: int = 60_000

    def classify(self, duration_ms: int, loudness_dbfs: float) -> str:
        """Return the class of a file; values equal to the limits count as long and as quiet."""
        short = duration_ms < self.duration_ms
        loud = loudness_dbfs > self.loudness_dbfs
        if short and loud:
            return "High Energy"
        if not short and not loud:
            return "Low Energy"
        return "Medium Energy"
