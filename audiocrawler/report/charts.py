"""The charts of a report: assign values to bars, in Python and in SQL alike."""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import Any

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars between ``edges``, with one below the first edge and one from the last edge on."""

    column: str
    label: str
    unit: str
    edges: tuple[float, ...]

    def bar_of(self, value: Any) -> int | None:
        """Return the bar's number, None for a missing value."""
        return None if value is None else bisect_right(self.edges, value)

    @property
    def sql(self) -> str:
        """Return the SQL expression for the same number."""
        cases = " ".join(f"WHEN {self.column} < {edge} THEN {bar}" for bar, edge in enumerate(self.edges))
        return f"CASE WHEN {self.column} IS NULL THEN NULL {cases} ELSE {len(self.edges)} END"


@dataclass(frozen=True, slots=True)
class Values:
    """A bar for each value of a column, and one for missing values."""

    column: str
    label: str
    unit: str = ""

    @property
    def sql(self) -> str:
        """Return the SQL expression whose values are counted."""
        return self.column


Chart = Histogram | Values

_DURATIONS_MS = (
    *(SECOND // 4, SECOND // 2, SECOND, 2 * SECOND, 3 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND),
    *(MINUTE, 2 * MINUTE, 3 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, 45 * MINUTE),
    *(HOUR, 3 * HOUR // 2, 2 * HOUR, 3 * HOUR, 4 * HOUR),
)
HISTOGRAMS = (
    Histogram("duration_ms", "Duration", "ms", _DURATIONS_MS),
    Histogram("lufs", "Loudness, LUFS", "LUFS", tuple(range(-60, 1, 2))),
    Histogram("bandwidth_hz_est", "Bandwidth", "Hz", tuple(range(1_000, 24_001, 1_000))),
    Histogram("snr_db_est", "Signal to noise", "dB", tuple(range(3, 91, 3))),
    Histogram("silence_ratio", "Silence", "share", tuple(percent / 100 for percent in range(5, 100, 5))),
)
VALUES = (
    Values("license", "Licence"),
    Values("host", "Host"),
    Values("language", "Language"),
    Values("codec", "Codec"),
    Values("sample_rate_hz", "Sample rate", "Hz"),
    Values("found_by", "Found by"),
    Values("classification", "Class"),
)
CHARTS: tuple[Chart, ...] = (*HISTOGRAMS, *VALUES)


def encoded(chart: Chart, values: list[Any], counts: Counter[Any] | None = None) -> dict[str, Any]:
    """Return a chart as the page reads it: the bar of each of the ``values``, and the number of files per bar.

    The values of a histogram are bar numbers. ``counts`` are given if only some files are listed.
    """
    counts = Counter(values) if counts is None else counts
    about = {"column": chart.column, "label": chart.label, "unit": chart.unit}
    if isinstance(chart, Histogram):
        bars: list[Any] = [*range(len(chart.edges) + 1), None]
        about["edges"] = chart.edges  # type: ignore[assignment]
    else:
        known = counts | Counter(dict.fromkeys(values, 0))
        bars = sorted(known, key=lambda value: (-known[value], value is None, str(value)))
        about["values"] = bars  # type: ignore[assignment]
    place = {bar: number for number, bar in enumerate(bars)}
    return {**about, "codes": [place[value] for value in values], "all": [counts[bar] for bar in bars]}
