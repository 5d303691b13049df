"""The metadata of FFmpeg's ebur128 filter in, loudness columns out."""

import math
from typing import Any

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
