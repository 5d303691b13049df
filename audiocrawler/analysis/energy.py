"""The rule that turns duration and loudness into High, Medium or Low Energy."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EnergyRule:
    """Short and loud is high, long and quiet is low, everything else is medium."""

    loudness_dbfs: float = -20.0
    duration_ms: int = 60_000

    def classify(self, duration_ms: int, loudness_dbfs: float) -> str:
        """Return the classification of a file; both limits themselves count as long and as quiet."""
        short = duration_ms < self.duration_ms
        loud = loudness_dbfs > self.loudness_dbfs
        if short and loud:
            return "High Energy"
        if not short and not loud:
            return "Low Energy"
        return "Medium Energy"
