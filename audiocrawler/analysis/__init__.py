"""Audio files in, measured columns out: ``analyse`` in this process, ``AnalysisPool`` in workers of its own.

Importing this package does not import av, numpy or pydub: the crawl's own process stays small.
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
    """Return what was measured in the first audio stream of a file, by column name of ``AudioMetadata``.

    ``opened`` is called when the headers are read and before the first sample is decoded. Raises AnalysisError with a
    one-line reason if the bytes cannot be measured within the limits.
    """
    from audiocrawler.analysis.measure import measure

    return measure(Path(path), limits, energy, opened)
