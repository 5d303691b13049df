"""The bounds within which a file is decoded."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a decoded stream may have; a file beyond any of these is refused."""

    max_duration_s: float = 86_400.0
    max_samples: int = 10_000_000_000
    """Samples of all channels together: a day of 48 kHz stereo has 8.3e9."""
    max_channels: int = 64
    min_sample_rate_hz: int = 1_000
    max_sample_rate_hz: int = 768_000
