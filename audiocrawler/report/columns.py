"""Pack rows of the view ``files`` into columns that compress well, for the page."""

import gzip
import json
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from sys import intern
from typing import Any

from audiocrawler.report.charts import CHARTS, Chart, Histogram, encoded

PLAIN = ("title", "artist", "file_name")
NUMBERS = {"duration_ms": 1, "size_bytes": 1, "lufs": 10, "peak_dbfs": 10}
"""Column -> the factor before rounding."""
DICTIONARIES = ("codec", "sample_rate_hz", "channels", "license", "found_by", "status")
COLUMNS = (
    *("sha256", "gcp_url", "source_url", "page_url", "license_url", "waveform", *PLAIN, *NUMBERS, *DICTIONARIES),
    *(chart.column for chart in CHARTS if chart.column not in {*NUMBERS, *DICTIONARIES}),
)
"""The columns queried."""
FINE_ROWS = 4_000
"""Up to this many rows have waveforms of 100 peaks, more have 50."""
LEVELS = 32
MAX_TEXT = 300
"""Characters of a text in the page."""
_PEAKS = 200
_DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUV"
_LEVEL_OF_PEAK = bytes(_DIGITS[round((LEVELS - 1) * (peak / 255) ** 0.7)] for peak in range(256))
"""A curve that keeps quiet passages visible."""


def packed(rows: Iterable[Mapping[str, Any]], counts: Mapping[str, Counter[Any]] | None = None) -> dict[str, Any]:
    """Return the columns, waveforms and charts of the rows; ``counts`` are of all files, by the chart's column."""
    kept: dict[str, list[Any]] = {name: [] for name in _KEPT}
    for row in rows:
        for values, value_of in zip(kept.values(), _KEPT.values(), strict=True):
            values.append(value_of(row))
    order = sorted(range(len(kept["source_url"])), key=kept["source_url"].__getitem__)
    columns = {name: [values[place] for place in order] for name, values in kept.items()}
    del kept
    charts = [
        encoded(chart, columns.pop(f"chart {chart.column}"), counts[chart.column] if counts else None)
        for chart in CHARTS
    ]
    step = 2 if len(order) <= FINE_ROWS else 4
    waveforms = b"".join(_coarse(waveform, step) for waveform in columns.pop("waveform")).decode()
    packed_columns = {name: _packed(name, columns[name]) for name in tuple(columns)}
    return {
        "n": len(order),
        "peaks": _PEAKS // step,
        "waveforms": waveforms,
        "columns": packed_columns,
        "charts": charts,
    }


def _packed(name: str, values: list[Any]) -> Any:
    if name == "sha256":
        return "".join(values)
    if name in {"source_url", "page_url"}:
        return front_coded(values)
    return values if name in NUMBERS else dictionary(values)


def compressed(payload: Mapping[str, Any]) -> str:
    """Return the payload as base64 of gzip, which cannot end a script element.

    It is serialised in pieces to save memory.
    """
    into = BytesIO()
    with gzip.GzipFile(fileobj=into, mode="wb", compresslevel=6, mtime=0) as file:
        for piece in _json_pieces(payload):
            file.write(piece.encode("utf-8", "replace"))
    return b64encode(into.getbuffer()).decode()


def _json_pieces(value: Any, depth: int = 2) -> Iterator[str]:
    if depth == 0 or not isinstance(value, dict):
        yield json.dumps(value, separators=(",", ":"))
        return
    for place, (key, each) in enumerate(value.items()):
        yield f"{',' if place else '{'}{json.dumps(key)}:"
        yield from _json_pieces(each, depth - 1)
    yield "}" if value else "{}"


def front_coded(texts: list[str]) -> list[Any]:
    """Return for each text the length of the prefix shared with the previous one, and the rest."""
    coded: list[Any] = []
    before = ""
    for text in texts:
        shared = _shared_length(before, text)
        coded += [shared, text[shared:]]
        before = text
    return coded


def _shared_length(one: str, other: str) -> int:
    """Return the length of the common prefix."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if other.startswith(one[:middle]):
            least = middle
        else:
            most = middle - 1
    return least


def dictionary(values: list[Any]) -> dict[str, Any]:
    """Return the distinct values, and each value's index among them; -1 for None."""
    place: dict[Any, int] = {}
    codes = [-1 if value is None else place.setdefault(value, len(place)) for value in values]
    return {"values": list(place), "codes": codes}


def _cut(text: str | None) -> str | None:
    return text[:MAX_TEXT] if text else None


def _scaled(value: float | None, factor: int) -> int | None:
    return None if value is None else round(value * factor)


def _fine(row: Mapping[str, Any]) -> bytes:
    """Return every second peak as a digit; all digits are 0 if none were measured."""
    waveform = row["waveform"]
    peaks = waveform if waveform and len(waveform) == _PEAKS else bytes(_PEAKS)
    return bytes(map(max, peaks[::2], peaks[1::2])).translate(_LEVEL_OF_PEAK)


def _coarse(digits: bytes, step: int) -> bytes:
    """Return the digits, merged in pairs if ``step`` is 4."""
    return digits if step == 2 else bytes(map(max, digits[::2], digits[1::2]))


def _extension(row: Mapping[str, Any]) -> str | None:
    gcp_url: str = row["gcp_url"]
    return intern(gcp_url.rpartition(".")[2]) if "/sha256/" in gcp_url else None


def _file_name(row: Mapping[str, Any]) -> str | None:
    """Return None if the page can take it from the URL."""
    name = row["file_name"]
    return None if name == (row["source_url"] or "").rpartition("/")[2] else _cut(name)


def _text_of(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda row: _cut(row[name])


def _number_of(name: str, factor: int) -> Callable[[Mapping[str, Any]], Any]:
    return lambda row: _scaled(row[name], factor)


def _shared(value: Any) -> Any:
    """Intern the text: there are few distinct ones in many rows."""
    return intern(value) if type(value) is str else value


def _value_of(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda row: _shared(row[name])


def _bar_of(chart: Chart) -> Callable[[Mapping[str, Any]], Any]:
    if isinstance(chart, Histogram):
        return lambda row: chart.bar_of(row[chart.column])
    return _value_of(chart.column)


_KEPT: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "sha256": lambda row: row["sha256"] or "0" * 64,
    "source_url": lambda row: row["source_url"] or "",
    "page_url": lambda row: _shared(row["page_url"] or ""),
    "extension": _extension,
    "waveform": _fine,
    **{name: _text_of(name) for name in (*PLAIN, "license_url")},
    "file_name": _file_name,
    **{name: _number_of(name, factor) for name, factor in NUMBERS.items()},
    **{name: _value_of(name) for name in DICTIONARIES},
    **{f"chart {chart.column}": _bar_of(chart) for chart in CHARTS},
}
"""The values kept of each row."""
