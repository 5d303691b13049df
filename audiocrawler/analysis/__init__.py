"""Measure audio files: ``analyse`` in this process, ``AnalysisPool`` in worker processes.

Importing this package does not import av, numpy or pydub, so that the crawl's own process stays small.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from audiocrawler.analysis.pool import AnalysisPool
from audiocrawler.analysis.rules import EnergyRule, Limits

__all__ = ["AnalysisPool", "EnergyRule", "Limits", "analyse"]

_LIMITS = Limits()
_ENERGY = EnergyRule()


def analyse(
    path: str | Path,
    *,
    limits: Limits = _LIMITS,
    energy: EnergyRule = _ENERGY,
    opened: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Return the measures of a file's first audio stream, by column name of ``AudioMetadata``.

    ``opened`` is called after the headers are read and before the first sample is decoded. Raises AnalysisError with a
    one-line reason if the file cannot be measured within the limits.
    """
    from audiocrawler.analysis.measure import measure

    return measure(Path(path), limits, energy, opened)
